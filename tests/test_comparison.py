"""Comparison: equal runs are equal, ties are set aside, anything else is shown where it begins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dlm_snn import (
    LIF,
    Dense,
    DlmError,
    Input,
    IntegerLIF,
    IntegerNetwork,
    IntegerProjection,
    Network,
    Projection,
    SpikeRaster,
    compare,
    run,
)
from dlm_snn.neurons import integer_lif
from tests.nets import make


def chain(**parameters):
    """Two inputs, two neurons one to one, one neuron behind them."""
    return Network(
        {"pixels": Input((2,)), "hidden": LIF((2,), dv=0.5, **parameters), "output": LIF((1,), dv=0.0)},
        [Projection("pixels", "hidden", Dense(np.eye(2))), Projection("hidden", "output", Dense([[0.75, 0.75]]))],
    )


def recorded(network, stimulus, n_steps, record=("s", "u", "v")):
    return run(network, stimulus, n_steps, record=record)


def with_spike_flipped(recording, name, sample, step, neuron):
    spikes = recording.rasters[name].dense()
    spikes[sample, step, neuron] ^= True
    return replace(recording, rasters={**recording.rasters, name: SpikeRaster.from_dense(spikes)})


PULSES = {"pixels": np.ones((3, 8, 2), int)}


def test_a_run_equals_itself():
    recording = recorded(*make("skip"))
    comparison = compare(recording, recording)
    assert comparison.equal
    assert comparison.differ == 0
    assert comparison.n_samples == 2
    assert comparison.ties == ()
    assert str(comparison) == "equal: spikes of 3 populations, u and v within 1e-09 of their scale, 2 samples"
    counts = {name: len(raster) for name, raster in recording.rasters.items()}
    assert comparison.spikes == {name: (n, n, 0) for name, n in counts.items()}
    assert comparison.values == dict.fromkeys(counts, (0.0, 0.0))


def test_values_that_were_not_recorded_are_nan():
    network, stimulus, n_steps = make("plain")
    comparison = compare(run(network, stimulus, n_steps), recorded(network, stimulus, n_steps))
    assert comparison.equal
    assert all(np.isnan(gap) for gaps in comparison.values.values() for gap in gaps)
    assert str(comparison) == "equal: spikes of 2 populations, 3 samples"


def test_what_was_compared_is_told():
    network, stimulus, n_steps = make("plain")
    names = list(network.neurons)
    runs = [run(network, stimulus, n_steps, record={names[0]: ("s", "v"), names[1]: "s"}) for _ in range(2)]
    told = "equal: spikes of 2 populations, v of 1 of them within 1e-09 of their scale, 3 samples"
    assert str(compare(*runs)) == told
    assert "u and v, 3 samples" in str(compare(*integer_pair()))


def test_first_divergence_is_shown_with_both_states():
    first = recorded(chain(v_threshold=1.25), PULSES, 8)
    second = with_spike_flipped(with_spike_flipped(first, "hidden", 2, 1, 1), "output", 1, 5, 0)
    comparison = compare(first, second)
    assert not comparison.equal
    assert comparison.differ == 2
    d = comparison.divergence
    assert (d.sample, d.step, d.population, d.neuron) == (1, 5, "output", 0)
    assert "s = 1, u = 1.5, v = 0 against s = 0, u = 1.5, v = 0" in str(comparison)
    assert str(comparison).startswith("2 spikes differ; first divergence at sample 1, step 5, output[0]: ")


def test_first_step_wins_over_the_order_of_populations():
    first = recorded(chain(v_threshold=1.25), PULSES, 8)
    second = with_spike_flipped(with_spike_flipped(first, "hidden", 0, 6, 0), "output", 0, 2, 0)
    d = compare(first, second).divergence
    assert (d.step, d.population) == (2, "output")
    both = with_spike_flipped(second, "hidden", 0, 2, 1)
    assert compare(first, both).divergence.population == "hidden"


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"dv": 0.25}, "v of hidden[0] parted at step 1: dv, bias or reset differs"),
        ({"du": 0.5}, "u of hidden[0] parted at step 1: the synaptic drive, its delay or du differs"),
    ],
)
def test_cause_is_the_quantity_that_parted_first(change, cause):
    network = chain(v_threshold=1.9)
    hidden = replace(network.neurons["hidden"], **change)
    first = recorded(network, PULSES, 8)
    mutant = recorded(replace(network, populations={**network.populations, "hidden": hidden}), PULSES, 8)
    comparison = compare(first, replace(mutant, network=network))
    assert not comparison.equal
    assert comparison.divergence.cause == cause


def test_cause_is_unknown_without_the_states():
    first = run(chain(), PULSES, 8)
    comparison = compare(first, with_spike_flipped(first, "hidden", 0, 3, 0))
    assert comparison.divergence.cause == "cause unknown: record u and v in both runs"
    assert comparison.divergence.states in ("s = 0 against s = 1", "s = 1 against s = 0")


def test_cause_is_the_threshold_where_the_states_agree():
    first = recorded(chain(v_threshold=1.25), PULSES, 8)
    comparison = compare(first, with_spike_flipped(first, "hidden", 0, 0, 0))
    assert "u and v agree up to it: the threshold comparison or the competition differs" in str(comparison)


def test_cause_is_not_sought_in_the_consequences(monkeypatch):
    """``>=`` for ``>`` in one population parts the drive of the next one in the same step."""
    network = IntegerNetwork(
        {
            "pixels": Input((2,)),
            "hidden": IntegerLIF((2,), dv=0, v_threshold=200),
            "output": IntegerLIF((1,), dv=0, v_threshold=9000),
        },
        [
            IntegerProjection("pixels", "hidden", Dense(100 * np.eye(2, dtype=int))),
            IntegerProjection("hidden", "output", Dense(np.array([[20, 20]]))),
        ],
    )
    first = recorded(network, PULSES, 8)
    monkeypatch.setattr(integer_lif, "winning", lambda overshoot, *_: overshoot >= 0)
    comparison = compare(first, recorded(network, PULSES, 8))
    assert comparison.values["output"][0] > 0
    assert (comparison.divergence.step, comparison.divergence.population) == (1, "hidden")
    assert comparison.divergence.cause.startswith("u and v agree up to it: the threshold comparison")


def near_threshold(gap, **parameters):
    """A pair of runs that differ by ``gap`` in one voltage that stands at the threshold."""
    pair = []
    for sign in (-1, 1):
        network = Network(
            {"pixels": Input((1,), graded_bits=1), "hidden": LIF((2,), dv=0.0, **parameters)},
            [Projection("pixels", "hidden", Dense(np.array([[1.0 + sign * gap], [0.0]])))],
        )
        pair.append(recorded(network, {"pixels": np.ones((100, 1), int)}, 3))
    return pair[0], replace(pair[1], network=pair[0].network)


def test_rounding_at_the_threshold_is_a_tie():
    first, second = near_threshold(1e-12)
    assert first.rasters["hidden"] != second.rasters["hidden"]
    comparison = compare(first, second)
    assert comparison.divergence is None
    assert comparison.ties == tuple(range(100))
    assert comparison.differ == 0
    assert not comparison.equal  # every sample a tie: that is no agreement
    assert str(comparison) == "too many ties (100 of 100 samples set aside as ties)"


def test_one_sample_in_100_may_be_a_tie():
    first, second = near_threshold(1e-12)

    def only(last):
        spikes = first.rasters["hidden"].dense()
        spikes[:last] = second.rasters["hidden"].dense()[:last]
        v = np.concatenate([second.v["hidden"][:last], first.v["hidden"][last:]])
        return replace(second, rasters={"hidden": SpikeRaster.from_dense(spikes)}, v={"hidden": v})

    one, two = compare(first, only(1)), compare(first, only(2))
    assert one.ties == (0,)
    assert one.equal
    told = "equal: spikes of 1 population, u and v within 1e-09 of their scale, 100 samples"
    assert str(one) == f"{told} (1 of 100 samples set aside as ties)"
    assert two.ties == (0, 1)
    assert not two.equal


def test_more_than_rounding_is_no_tie():
    comparison = compare(*near_threshold(1e-6))
    assert comparison.ties == ()
    assert (comparison.divergence.sample, comparison.divergence.step) == (0, 0)
    assert compare(*near_threshold(1e-6), tolerance=1e-5).divergence is None


def test_no_tie_can_be_told_without_the_states():
    first, second = near_threshold(1e-12)
    comparison = compare(replace(first, u={}, v={}), second)
    assert comparison.ties == ()
    assert comparison.divergence is not None


def test_a_tie_must_be_one_in_both_runs():
    first, second = near_threshold(1e-12)
    far = replace(second, v={"hidden": second.v["hidden"] + 0.5}, u={"hidden": second.u["hidden"] + 0.5})
    assert compare(first, far).ties == ()


def ranked(gap, winners):
    """Three neurons above threshold, the second and third apart by ``gap``, first one and then the other ahead."""
    pair = []
    for sign in (-1, 1):
        weight = np.array([[3.0], [2.0 + sign * gap], [2.0], [0.5]])
        network = Network(
            {"pixels": Input((1,), graded_bits=1), "hidden": LIF((4,), dv=1.0, winners=winners)},
            [Projection("pixels", "hidden", Dense(weight))],
        )
        pair.append(recorded(network, {"pixels": np.ones((1, 1), int)}, 2))
    return pair[0], replace(pair[1], network=pair[0].network)


def test_rounding_in_the_rank_is_a_tie():
    first, second = ranked(1e-13, winners=2)
    assert first.rasters["hidden"] != second.rasters["hidden"]
    assert compare(first, second).ties == (0,)
    assert compare(*ranked(1e-4, winners=2)).ties == ()
    assert compare(*ranked(1e-13, winners=3)).equal


def test_a_wrong_winner_beside_a_rank_tie_is_no_tie():
    """The neurons at the tied ranks may be swapped; a third one may not."""
    first, second = ranked(1e-13, winners=2)
    wrong = with_spike_flipped(with_spike_flipped(first, "hidden", 0, 0, 0), "hidden", 0, 0, 3)
    assert compare(first, wrong).ties == ()
    assert compare(first, with_spike_flipped(second, "hidden", 0, 0, 0)).ties == ()


def test_ties_under_subtract_reset_take_the_threshold_off():
    """Step 1 of both: v = 1 + 1 -+ gap - 1 (spiked in step 0), which is at the threshold."""
    pair = []
    for gap in (-1e-13, 1e-13):
        network = Network(
            {"pixels": Input((1,), graded_bits=3, scale=2), "hidden": LIF((1,), dv=0.0, reset="subtract")},
            [Projection("pixels", "hidden", Dense([[1.0 + gap]]))],
        )
        pair.append(recorded(network, {"pixels": np.array([[[3], [1], [0]]])}, 3))
    first, second = pair[0], replace(pair[1], network=pair[0].network)
    assert first.rasters["hidden"] != second.rasters["hidden"]
    assert compare(first, second).ties == (0,)


def integer_pair():
    network = IntegerNetwork(
        {"pixels": Input((2,)), "hidden": IntegerLIF((2,), dv=410, v_threshold=300)},
        [IntegerProjection("pixels", "hidden", Dense(np.array([[100, 20], [20, 100]])))],
    )
    recording = recorded(network, PULSES, 8)
    return recording, replace(recording, v={"hidden": recording.v["hidden"].copy()})


def test_integers_must_agree_in_their_values_too():
    first, second = integer_pair()
    assert compare(first, second).equal
    second.v["hidden"][1, 4, 1] += 1
    second.v["hidden"][2, 0, 0] += 5
    comparison = compare(first, second)
    assert not comparison.equal
    assert comparison.differ == 0
    assert comparison.values == {"hidden": (0.0, 5.0)}
    d = comparison.divergence
    assert (d.sample, d.step, d.population, d.neuron) == (1, 4, "hidden", 1)
    assert d.cause == "v of hidden[1] parted at step 4: dv, bias or reset differs"


def test_integers_have_no_ties():
    first, second = integer_pair()
    flipped = with_spike_flipped(second, "hidden", 0, 2, 0)
    comparison = compare(first, flipped, tolerance=1e9)
    assert comparison.ties == ()
    assert not comparison.equal


def test_only_runs_of_one_network_and_extent_compare():
    first = recorded(chain(), PULSES, 8)
    assert compare(first, recorded(chain(), PULSES, 8)).equal  # built twice, the same digest
    with pytest.raises(DlmError, match="different networks"):
        compare(first, recorded(chain(du=0.5), PULSES, 8))
    with pytest.raises(DlmError, match=r"differ in \(samples, steps\): \(3, 8\) and \(3, 7\)"):
        compare(first, recorded(first.network, {"pixels": PULSES["pixels"][:, :7]}, 7))
    with pytest.raises(DlmError, match="no spikes of 'hidden' in a recording"):
        compare(first, recorded(first.network, PULSES, 8, record=("v",)))
    with pytest.raises(DlmError, match="tolerance = nan is no share of a scale"):
        compare(first, first, tolerance=float("nan"))


@pytest.mark.parametrize("key", ["u", "v"])
@pytest.mark.parametrize(
    ("given", "cause"),
    [
        (lambda x: x + 1e-6, "parted at step 4"),
        (lambda x: x + 1.0, "parted at step 4"),
        (lambda x: np.nan, "is not finite at step 4"),
        (lambda x: np.inf, "is not finite at step 4"),
        (lambda x: -np.inf, "is not finite at step 4"),
    ],
)
def test_floats_must_agree_in_their_values_too(key, given, cause):
    first = recorded(chain(v_threshold=1.9), PULSES, 8)
    changed = getattr(first, key)["hidden"].copy()
    changed[2, 4, 1] = given(changed[2, 4, 1])
    second = replace(first, **{key: {**getattr(first, key), "hidden": changed}})
    for pair in ((first, second), (second, first)):
        comparison = compare(*pair)
        assert not comparison.equal
        assert comparison.differ == 0
        d = comparison.divergence
        assert (d.sample, d.step, d.population, d.neuron) == (2, 4, "hidden", 1)
        assert d.cause.startswith(f"{key} of hidden[1] {cause}")
        assert comparison.values["hidden"]["uv".index(key)] > 0
        assert str(comparison).startswith(
            "spikes agree, u or v do not; first divergence at sample 2, step 4, hidden[1]: "
        )


def test_values_that_are_not_finite_in_both_runs_equal_nothing():
    first = recorded(chain(), PULSES, 8)
    for value in (np.nan, np.inf):
        blown = replace(first, v={**first.v, "output": np.full_like(first.v["output"], value)})
        assert not compare(blown, blown).equal
        assert compare(blown, blown).values["output"] == (0.0, np.inf)


def test_rounding_is_held_to_the_tolerance_that_is_given():
    """A quarter of a unit in the seventh place: more than 1e-9 of the scale, less than 1e-5."""
    first = recorded(chain(v_threshold=1.9), PULSES, 8)
    rounded = replace(first, v={name: v.astype(np.float32) * (1 + 2.5e-7) for name, v in first.v.items()})
    assert not compare(first, rounded).equal
    assert compare(first, rounded, tolerance=1e-5).equal
    last_bits = replace(first, v={name: v * (1 + 1e-12) for name, v in first.v.items()})
    assert compare(first, last_bits).equal


def test_values_before_a_tie_count_and_after_it_do_not():
    first, second = near_threshold(1e-12)

    def shifted(step):
        spikes = first.rasters["hidden"].dense()
        spikes[0, 1:] = second.rasters["hidden"].dense()[0, 1:]
        v = first.v["hidden"].copy()
        v[0, 1:] = second.v["hidden"][0, 1:]
        v[0, step, 1] += 0.5
        u = second.u["hidden"]
        return replace(first, rasters={"hidden": SpikeRaster.from_dense(spikes)}, u={"hidden": u}, v={"hidden": v})

    late = compare(first, shifted(2))
    assert late.ties == (0,)
    assert late.equal
    early = compare(first, shifted(0))
    assert early.ties == (0,)
    assert (early.divergence.sample, early.divergence.step) == (0, 0)


def test_arrays_of_another_shape_are_refused():
    first = recorded(chain(), PULSES, 8)
    for key in ("u", "v"):
        cut = replace(first, **{key: {**getattr(first, key), "hidden": getattr(first, key)["hidden"][:, :5]}})
        with pytest.raises(
            DlmError, match=rf"{key} of 'hidden' has the shape \(3, 5, 2\) in a recording of \(3, 8, 2\)"
        ):
            compare(first, cut)
    short = {**first.rasters, "output": first.rasters["output"][:, :4]}
    with pytest.raises(DlmError, match=r"s of 'output' has the shape \(3, 4, 1\)"):
        compare(replace(first, rasters=short), first)
    with pytest.raises(DlmError, match="no spikes of 'hidden'"):
        compare(replace(first, rasters={}), replace(first, rasters={}))


def test_only_recordings_are_compared():
    recording = run(chain(), {"pixels": np.ones((1, 2), int)}, 3)
    for pair in ((recording, recording.rasters), (None, recording)):
        with pytest.raises(DlmError, match=r"compare takes recordings, as run gives them, not a (dict|NoneType)"):
            compare(*pair)
