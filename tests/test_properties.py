"""Laws that hold for every raster, competition, delay and integer, not only for the examples of other tests."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dlm_snn import LIF, Dense, DlmError, Input, Network, Projection, SpikeRaster, run
from dlm_snn.neurons.competition import winning
from dlm_snn.neurons.integer_lif import decay, wrap
from tests.nets import make

SPIKES = st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 6)).flatmap(lambda shape: arrays(bool, shape))
SEEDS = st.integers(0, 2**32 - 1)


@given(SPIKES)
def test_raster_goes_to_dense_and_back(spikes):
    raster = SpikeRaster.from_dense(spikes)
    np.testing.assert_array_equal(raster.dense(), spikes)
    assert SpikeRaster.from_dense(raster.dense()) == raster
    assert len(raster) == spikes.sum()
    assert raster.rate == (spikes.mean() if spikes.size else 0)
    np.testing.assert_array_equal(raster.counts(), spikes.sum(axis=1))


@given(SPIKES, SEEDS)
def test_raster_is_sorted_whatever_the_order_of_its_events(spikes, seed):
    raster = SpikeRaster.from_dense(spikes)
    order = np.random.default_rng(seed).permutation(len(raster))
    shuffled = replace(raster, **{name: getattr(raster, name)[order] for name in ("sample", "step", "neuron")})
    assert shuffled == raster
    places = list(zip(shuffled.sample, shuffled.step, shuffled.neuron, strict=True))
    assert places == sorted(places)


@given(SPIKES, st.floats(1e-6, 1))
def test_raster_goes_to_disk_and_back(tmp_path_factory, spikes, dt):
    raster = SpikeRaster.from_dense(spikes, dt=dt)
    path = tmp_path_factory.mktemp("raster") / "a.npz"
    raster.save(path)
    loaded = SpikeRaster.load(path)
    assert loaded == raster
    assert loaded.dt == dt
    assert {type(n) for n in (loaded.n_samples, loaded.n_steps, loaded.n_neurons)} == {int}


@given(SPIKES, st.data())
def test_rasters_differ_when_one_place_or_extent_does(spikes, data):
    raster = SpikeRaster.from_dense(spikes)
    extent = data.draw(st.sampled_from(["n_samples", "n_steps", "n_neurons"]))
    assert replace(raster, **{extent: getattr(raster, extent) + 1}) != raster
    if spikes.size:
        place = np.unravel_index(data.draw(st.integers(0, spikes.size - 1)), spikes.shape)
        spikes[place] ^= True
        assert SpikeRaster.from_dense(spikes) != raster


@given(SPIKES, st.data())
def test_samples_of_a_raster_are_slices(spikes, data):
    start, stop = (data.draw(st.integers(0, 5)) for _ in range(2))
    part = SpikeRaster.from_dense(spikes)[start:stop]
    np.testing.assert_array_equal(part.dense(), spikes[start:stop])


@given(SPIKES)
def test_a_raster_takes_an_event_once_and_inside_its_extent(spikes):
    raster = SpikeRaster.from_dense(spikes)
    assume(len(raster))
    twice = {name: np.repeat(getattr(raster, name), 2) for name in ("sample", "step", "neuron")}
    with pytest.raises(DlmError, match="twice"):
        replace(raster, **twice)
    for name, extent in (("sample", "n_samples"), ("step", "n_steps"), ("neuron", "n_neurons")):
        with pytest.raises(DlmError, match=rf"raster {name}\[\d+\] = .* lies outside"):
            replace(raster, **{extent: int(getattr(raster, name).max())})


# Few distinct values: exact ties are the rule.
OVERSHOOTS = st.tuples(st.integers(1, 3), st.sampled_from([1, 2, 3]), st.integers(1, 5)).flatmap(
    lambda extents: st.tuples(
        arrays(np.int64, (extents[0], extents[1] * extents[2]), elements=st.integers(-3, 3)),
        st.just(extents[1]),
        st.integers(1, extents[2]),
    )
)


@given(OVERSHOOTS)
def test_as_many_win_as_may_and_none_below_threshold(drawn):
    overshoot, groups, winners = drawn
    chosen = winning(overshoot, winners, groups).reshape(len(overshoot), groups, -1)
    above = (overshoot > 0).reshape(chosen.shape)
    assert not np.any(chosen & ~above)
    np.testing.assert_array_equal(chosen.sum(axis=-1), np.minimum(winners, above.sum(axis=-1)))


@given(OVERSHOOTS)
def test_winners_are_the_largest_and_the_lower_index_wins_a_tie(drawn):
    overshoot, groups, winners = drawn
    chosen = winning(overshoot, winners, groups)
    size = overshoot.shape[1] // groups
    for row, picked in zip(overshoot, chosen, strict=True):
        for first in range(0, overshoot.shape[1], size):
            block = range(first, first + size)
            ranked = sorted((i for i in block if row[i] > 0), key=lambda i: (-row[i], i))
            assert set(np.flatnonzero(picked)) & set(block) == set(ranked[:winners])


@given(OVERSHOOTS)
def test_floats_and_integers_compete_alike(drawn):
    overshoot, groups, winners = drawn
    np.testing.assert_array_equal(winning(overshoot, winners, groups), winning(overshoot / 64, winners, groups))
    np.testing.assert_array_equal(winning(overshoot), overshoot > 0)


@given(st.permutations(range(8)), st.permutations(range(-3, 5)), st.integers(1, 8))
def test_competition_without_ties_does_not_know_the_order(order, values, winners):
    overshoot = np.array([values])
    np.testing.assert_array_equal(winning(overshoot[:, order], winners), winning(overshoot, winners)[:, order])


def drive(rng, *shape):
    return Dense(rng.integers(-24, 48, shape) / 64)


@given(SEEDS, st.integers(1, 4), st.integers(0, 2))
def test_a_longer_delay_in_a_chain_only_shifts_the_windows(seed, delay, slow):
    """One path: depth takes the delay up, and what happens inside the windows stays the same."""
    rng = np.random.default_rng(seed)
    weights = [drive(rng, 5, 4), drive(rng, 5, 5), drive(rng, 3, 5)]
    names = ["pixels", "a", "b", "c"]
    neurons = {name: LIF((w.n_post,), dv=0.125, du=0.5) for name, w in zip(names[1:], weights, strict=True)}
    stimulus = {"pixels": rng.integers(0, 2, (2, 10, 4))}

    def chain(delays):
        ends = zip(names, names[1:], weights, delays, strict=False)
        return Network({"pixels": Input((4,)), **neurons}, [Projection(*end) for end in ends])

    fast, slower = (chain([delay + (i == slow) * more for i in range(3)]) for more in (0, 1))
    assert slower.depth["c"] == fast.depth["c"] + 1
    assert run(slower, stimulus, 10).rasters == run(fast, stimulus, 10).rasters


@given(SEEDS, st.integers(1, 4))
def test_a_longer_delay_past_a_shorter_path_shifts_what_arrives(seed, delay):
    """A silent path of one step holds the window; the other path comes a step later for each step of delay."""
    rng = np.random.default_rng(seed)
    weight = drive(rng, 5, 4)
    stimulus = {"pixels": rng.integers(0, 2, (2, 12, 4))}

    def recorded(delay):
        network = Network(
            {"pixels": Input((4,)), "a": LIF((5,), dv=0.125)},
            [Projection("pixels", "a", Dense(np.zeros((5, 4)))), Projection("pixels", "a", weight, delay)],
        )
        return run(network, stimulus, 12, record=("s", "v"))

    early, late = recorded(delay), recorded(delay + 1)
    np.testing.assert_array_equal(late.v["a"][:, 1:], early.v["a"][:, :-1])
    np.testing.assert_array_equal(late.rasters["a"].dense()[:, 1:], early.rasters["a"].dense()[:, :-1])
    assert not late.v["a"][:, 0].any()


@pytest.mark.parametrize("case", ["plain", "recurrent", "delay_per_synapse", "threshold_per_neuron", "int_recurrent"])
@given(seed=SEEDS)
def test_neurons_in_another_order_fire_in_another_order(case, seed):
    network, stimulus, n_steps = make(case)
    name = next(iter(network.neurons))
    neuron = network.neurons[name]
    order = np.random.default_rng(seed).permutation(neuron.n)
    changed = {f: getattr(neuron, f)[order] for f in ("dv", "du", "v_threshold") if np.ndim(getattr(neuron, f))}
    projections = []
    for p in network.projections:
        rows = order if p.post == name else slice(None)
        columns = order if p.pre == name else slice(None)
        delay = p.delay[rows][:, columns] if np.ndim(p.delay) else p.delay
        projections.append(replace(p, connection=Dense(p.connection.weight[rows][:, columns]), delay=delay))
    populations = {**network.populations, name: replace(neuron, **changed)}
    permuted = run(type(network)(populations, projections), stimulus, n_steps).rasters
    expected = run(network, stimulus, n_steps).rasters
    np.testing.assert_array_equal(permuted[name].dense(), expected[name].dense()[:, :, order])
    assert all(permuted[other] == expected[other] for other in expected if other != name)


@given(SEEDS)
def test_forms_of_a_stimulus_are_equivalent(seed):
    rng = np.random.default_rng(seed)
    network = make("plain")[0]
    constant = rng.integers(0, 2, (2, 12))
    repeated = np.repeat(constant[:, None], 9, axis=1)
    expected = run(network, {"pixels": constant}, 9).rasters
    for form in (repeated, repeated.astype(bool), repeated.astype(float), SpikeRaster.from_dense(repeated)):
        assert run(network, {"pixels": form}, 9).rasters == expected


@given(SEEDS, st.integers(1, 8))
def test_graded_integers_and_their_real_values_are_equivalent(seed, bits):
    rng = np.random.default_rng(seed)
    network = Network(
        {"pixels": Input((4,), graded_bits=bits, scale=2**bits), "a": LIF((5,), dv=0.125)},
        [Projection("pixels", "a", drive(rng, 5, 4))],
    )
    events = rng.integers(0, 2**bits, (2, 9, 4))
    assert run(network, {"pixels": events}, 9).rasters == run(network, {"pixels": events / 2**bits}, 9).rasters


@given(st.integers(-(2**24), 2**24), st.integers(0, 4096))
def test_integers_decay_by_truncation_toward_zero(value, share):
    assert decay(np.array(value), share) == int(Fraction(value * (4096 - share), 4096))


@given(st.integers(-3 * 2**23 + 1, 3 * 2**23))
def test_one_wrap_is_the_remainder_in_24_bits(u):
    """Within two ranges: the number of the same remainder modulo 2^24 in (-2^23, 2^23]."""
    wrapped = int(wrap(np.array(u)))
    assert -(2**23) < wrapped <= 2**23
    assert (wrapped - u) % 2**24 == 0


@given(st.integers(3 * 2**23 + 1, 2**40), st.sampled_from([-1, 1]))
def test_beyond_two_ranges_one_wrap_is_not_enough(u, sign):
    wrapped = int(wrap(np.array(sign * u)))
    assert wrapped == sign * (u - 2**24)
    assert abs(wrapped) > 2**23
