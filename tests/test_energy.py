"""Operations of a run against a count by hand, and what profiles make of them."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.learning import LearningRule, PlasticMatrix, Trace
from hardware import learning_events
from hardware.energy import estimate, estimate_learned, landauer, of_dense
from hardware.iso_accuracy import Z_95, against_dense
from hardware.latency import SHORTEST_STEP, latency
from hardware.operations import bounds, count
from hardware.profiles import PROFILES, profile
from hardware.synapses import synapses


def network() -> dlm.Network:
    rng = np.random.default_rng(0)
    first, loop, last = (rng.normal(0, 0.5, shape) * (rng.random(shape) < 0.7) for shape in ((6, 4), (6, 6), (3, 6)))
    return dlm.Network(
        {
            "x": dlm.Input((4,)),
            "pixels": dlm.Input((4,), graded_bits=4, scale=16),
            "h": dlm.LIF((6,), dv=0.25),
            "o": dlm.LI((3,), dv=0.25),
        },
        [
            dlm.Projection("x", "h", dlm.Dense(first)),
            dlm.Projection("pixels", "h", dlm.Dense(first)),
            dlm.Projection("h", "h", dlm.Sparse.from_dense(loop)),
            dlm.Projection("h", "o", dlm.Dense(last)),
        ],
    )


def test_operations_are_events_times_nonzero_synapses() -> None:
    net, rng = network(), np.random.default_rng(1)
    stimulus = {"x": rng.random((3, 20, 4)) < 0.5, "pixels": rng.integers(0, 3, (3, 4))}
    recording = dlm.run(net, stimulus, 20)
    found = count(recording, stimulus)
    sent = {
        "x": stimulus["x"],
        "pixels": np.repeat(stimulus["pixels"][:, None], 20, axis=1),
        "h": recording.rasters["h"].dense(),
    }
    by_hand = {"x": 0, "pixels": 0, "h": 0}
    for projection in net.projections:
        matrix = projection.connection.sparse().dense()
        for sample in range(3):
            for step in range(20):
                for neuron in np.flatnonzero(sent[projection.pre][sample, step]):
                    by_hand[projection.pre] += int((matrix[:, neuron] != 0).sum())
    assert by_hand["h"] > 50
    assert found.accumulates == pytest.approx((by_hand["x"] + by_hand["h"]) / 3)
    assert found.multiplies == pytest.approx(by_hand["pixels"] / 3)
    assert found.synaptic == pytest.approx(dlm.synaptic_operations(recording, stimulus))
    listed = len(net.projections[2].connection.weight)
    assert found.dense == 20 * (24 + 24 + listed + 18)
    assert found.updates == 20 * 9
    assert found.spikes == pytest.approx(len(recording.rasters["h"]) / 3)
    assert found.input_events == pytest.approx((stimulus["x"].sum() + 20 * np.count_nonzero(stimulus["pixels"])) / 3)
    assert found.activation_sparsity == pytest.approx(1 - found.spikes / 180)


def test_a_convolution_counts_what_its_list_of_synapses_counts() -> None:
    rng = np.random.default_rng(2)
    kernel = rng.normal(0, 0.5, (3, 2, 3, 3))
    conv = dlm.Conv2d(kernel, (2, 5, 5), 1, 1)
    stimulus = {"x": rng.random((2, 8, 50)) < 0.3}
    counts = []
    for connection in (conv, conv.sparse()):
        net = dlm.Network(
            {"x": dlm.Input((2, 5, 5)), "h": dlm.LIF((3, 5, 5), dv=0.25)}, [dlm.Projection("x", "h", connection)]
        )
        counts.append(count(dlm.run(net, stimulus, 8), stimulus))
    assert counts[0] == counts[1]
    assert counts[0].accumulates > 0


def test_an_estimate_is_the_sum_of_its_parts_and_names_its_profile() -> None:
    net = network()
    stimulus = {"x": np.ones((1, 10, 4), bool), "pixels": np.zeros((1, 4), int)}
    operations = count(dlm.run(net, stimulus, 10), stimulus)
    loihi = estimate(operations, profile("loihi1-davies2018"))
    assert loihi.to_json()["method"] == "model"
    assert {loihi.profile.name, loihi.profile.boundary} < set(map(str, loihi.to_json().values()))
    by_hand = 23.6e-12 * operations.synaptic + 81e-12 * operations.updates + 1.7e-12 * operations.spikes
    assert loihi.joules == pytest.approx(by_hand)
    assert loihi.unknown == ()
    assert str(loihi).startswith("estimate by the profile loihi1-davies2018: ")
    bare = estimate(operations, profile("45nm-float32"))
    assert bare.joules == pytest.approx(0.9e-12 * operations.accumulates)
    assert "not known and left out: neuron updates, spikes" in str(bare)
    assert of_dense(operations, PROFILES["45nm-float32"]).joules == pytest.approx(4.6e-12 * operations.dense / 10)


def test_every_profile_says_what_it_holds_and_where_it_stands() -> None:
    for name, one in PROFILES.items():
        assert one.name == name
        assert one.boundary
        assert one.source
    with pytest.raises(dlm.DlmError, match="no profile 'loihi2'; known: 45nm-float32, loihi1-davies2018"):
        profile("loihi2")


def test_the_limit_of_landauer() -> None:
    assert landauer(1) == pytest.approx(2.8710e-21, rel=1e-4)
    assert landauer(8e9, 77.0) == pytest.approx(8e9 * 1.380649e-23 * 77 * log(2))
    for temperature in (0.0, -1.0, float("nan")):
        with pytest.raises(dlm.DlmError, match="K is not above 0"):
            landauer(1, temperature)


def test_every_run_lies_between_the_bounds_and_they_are_reached() -> None:
    net = network()
    stimulus = {"x": np.ones((2, 7, 4), bool), "pixels": np.full((2, 4), 3)}
    least, most = bounds(net, 7)
    found = count(dlm.run(net, stimulus, 7), stimulus)
    for name in ("accumulates", "multiplies", "spikes", "input_events"):
        assert getattr(least, name) == 0 <= getattr(found, name) <= getattr(most, name)
    assert (least.updates, least.dense) == (most.updates, most.dense) == (found.updates, found.dense)
    loud = dlm.Network(
        {"x": dlm.Input((4,)), "h": dlm.LIF((5,), dv=0.5, bias=2.0), "o": dlm.LIF((3,), dv=0.5, bias=2.0)},
        [
            dlm.Projection("x", "h", dlm.Dense(np.eye(5, 4))),
            dlm.Projection("h", "o", dlm.Dense(np.ones((3, 5)))),
        ],
    )
    events = {"x": np.ones((2, 7, 4), bool)}
    assert bounds(loud, 7)[1] == count(dlm.run(loud, events, 7), events)


@pytest.mark.parametrize(
    ("dw", "t_epoch"),
    [("x0", 1), ("y0", 1), ("x0 + y0", 1), ("x0 + y0", 3), ("u1", 1), ("x0 + u2", 2), ("2^-2*x1*y0 + x0", 1)],
)
def test_learning_events_are_the_synapses_that_the_engine_changes(dw: str, t_epoch: int) -> None:
    rng = np.random.default_rng(3)
    rule = LearningRule(dw=dw, traces={"x1": Trace(16, 20)} if "x1" in dw else {}, t_epoch=t_epoch)
    pre, post = rng.random((2, 25, 6)) < 0.2, rng.random((2, 25, 4)) < 0.2
    changed = 0
    for before, behind in zip(pre, post, strict=True):
        matrix = PlasticMatrix(np.zeros((4, 6)), rule, "float")
        for now, then in zip(before, behind, strict=True):
            held = matrix.values["w"].copy()
            matrix.step(now, then)
            changed += np.count_nonzero(matrix.values["w"] != held)
    # A product of a trace changes nothing where the trace is 0: there the engine looks, and writes what was there.
    expected = learning_events(rule, pre, post)
    assert changed > 20
    assert expected == changed / 2 or ("x1" in dw and expected > changed / 2)
    rasters = [dlm.SpikeRaster.from_dense(spikes) for spikes in (pre, post)]
    assert learning_events(rule, *rasters) == expected


def test_learning_events_of_other_runs_are_refused() -> None:
    rule, spikes = LearningRule(dw="x0"), np.zeros((1, 5, 3), bool)
    for pre, line in ((spikes[:, :4], "give spikes of one run"), (spikes[0], "give .sample, step, neuron.")):
        with pytest.raises(dlm.DlmError, match=line):
            learning_events(rule, pre, spikes)
    with pytest.raises(dlm.DlmError, match="0 samples"):
        learning_events(rule, spikes[:0], spikes[:0])


def test_a_learned_sample_takes_an_inference_and_its_learning_events() -> None:
    operations = bounds(network(), 5)[1]
    loihi = profile("loihi1-davies2018")
    extra = estimate_learned(operations, 1000, loihi).joules - estimate(operations, loihi).joules
    assert extra == pytest.approx(1000 * 120e-12)
    other = estimate_learned(operations, 1000, profile("spinnaker2"))
    assert other.joules == estimate(operations, profile("spinnaker2")).joules
    assert other.unknown == ("neuron updates", "spikes", "learning events")
    assert "learned sample" in str(other)
    for events in (-1, float("nan"), float("inf")):
        with pytest.raises(dlm.DlmError, match="give a number from 0 on"):
            estimate_learned(operations, events, loihi)


def test_latency_is_a_lower_bound_or_of_a_given_step() -> None:
    net = network()
    least = latency(net, 20, 3.0)
    assert least.steps == 22  # the answer is two projections behind the input
    assert least.seconds == pytest.approx(22 * SHORTEST_STEP)
    assert least.to_json()["kind"] == "lower bound"
    assert least.to_json()["host_link_events_a_second"] is None
    assert str(least).startswith("latency at least 4.4 us: 22 steps, on Loihi 2 of 0.2 us at least (secondary: ")
    given = latency(net, 20, 3.0, 1e-3)
    assert (given.seconds, given.input_events_a_second) == (pytest.approx(0.022), pytest.approx(3000.0))
    assert "at least" not in str(given)
    assert given.to_json()["kind"] == "given"
    for step_time in (0.0, -1e-3, float("nan"), float("inf")):
        with pytest.raises(dlm.DlmError, match="is not a positive number of seconds"):
            latency(net, 20, 3.0, step_time)
    with pytest.raises(dlm.DlmError, match="n_steps = -8 is not a positive integer"):
        latency(net, -8, 3.0)
    with pytest.raises(dlm.DlmError, match=r"input_events_a_step = -1.0 is not a number of at least 0"):
        latency(net, 8, -1.0)
    with pytest.raises(dlm.DlmError, match="bits = -1 is not a number of at least 0"):
        landauer(-1)
    with pytest.raises(dlm.DlmError, match="'loihi1' is no Profile"):
        estimate(bounds(net, 8)[0], "loihi1")  # type: ignore[arg-type]


def test_accuracies_are_told_apart_by_the_interval_of_their_difference() -> None:
    # 56 and 42 of 70, by hand.
    found = against_dense(0.8, 0.6, 70)
    one, other = 57 / 72, 43 / 72
    half = Z_95 * np.sqrt((one * (1 - one) + other * (1 - other)) / 72)
    assert (found.low, found.high) == (pytest.approx(one - other - half), pytest.approx(one - other + half))
    assert not found.alike
    assert "the spiking network is better by 20.00 points, so their energies are not compared" in str(found)
    assert against_dense(0.8, 0.6, 10).alike
    same = against_dense(1.0, 1.0, 20)
    assert same.alike
    assert same.low == pytest.approx(-same.high)
    assert same.high > 0.05
    assert "the dense network is better by" in str(against_dense(0.6, 0.8, 70))
    for spiking, dense, samples in ((1.1, 0.5, 10), (0.5, -0.1, 10), (0.5, 97.0, 10), (0.5, 0.5, 0)):
        with pytest.raises(dlm.DlmError):
            against_dense(spiking, dense, samples)


@pytest.mark.parametrize("padding", [0, (1, 2)])
@pytest.mark.parametrize("stride", [1, (2, 1)])
def test_synapses_of_images_are_counted_without_a_list(padding: Any, stride: Any) -> None:
    rng = np.random.default_rng(4)
    kernel = rng.integers(-1, 2, (4, 2, 3, 2)).astype(float)
    conv = dlm.Conv2d(kernel, (4, 7, 6), stride, padding, (1, 2), groups=2)
    pool = dlm.Pool2d(conv.output_shape, 2)
    for connection in (conv, pool, dlm.Chain((conv, pool)), dlm.Dense(kernel.reshape(12, 4))):
        found = synapses(connection)
        assert found.nonzero == connection.fan_out().sum() <= found.all
    ones = conv.with_weight(np.ones_like(kernel))
    assert synapses(conv).nonzero < synapses(conv).all == ones.fan_out().sum() == synapses(ones).nonzero
    assert synapses(conv.sparse()) == (len(conv.sparse().weight), synapses(conv).nonzero)


def test_a_chain_is_counted_as_the_map_that_it_multiplies_out_to() -> None:
    conv = dlm.Conv2d(np.ones((2, 1, 3, 3)), (1, 6, 6))
    chain = dlm.Chain((conv, dlm.Pool2d(conv.output_shape, 2)))
    stimulus = {"x": np.random.default_rng(5).random((2, 4, 36)) < 0.5}
    counts = []
    for connection in (chain, chain.sparse()):
        net = dlm.Network(
            {"x": dlm.Input((1, 6, 6)), "h": dlm.LIF((2, 2, 2), dv=0.5)}, [dlm.Projection("x", "h", connection)]
        )
        counts.append(count(dlm.run(net, stimulus, 4), stimulus))
    assert counts[0] == counts[1]
