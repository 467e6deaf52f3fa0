"""Operations of a run against a count by hand, and what profiles make of them."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

import dlm_snn as dlm
from hardware.energy import PROFILES, estimate, landauer, of_dense, profile
from hardware.operations import count


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
