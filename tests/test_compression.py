"""Bits, winners and steps against accuracy: what a code costs and what it tells."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn import DlmError
from dlm_snn.analysis import compression


def task(n: int, rng: np.random.Generator) -> tuple[dlm.Network, dict[str, np.ndarray], np.ndarray]:
    """Four classes with four of sixteen pixels each, among noise; a hidden neuron per pixel, an output per class."""
    labels = rng.integers(0, 4, n)
    images = rng.integers(0, 6, (n, 16)) + 9 * (np.arange(16) // 4 == labels[:, None])
    network = dlm.Network(
        {
            "pixels": dlm.Input((16,), graded_bits=4, scale=15),
            "hidden": dlm.LIF((16,), dv=0.2, v_threshold=1.5),
            "output": dlm.LIF((4,), dv=0.2, v_threshold=1.0),
        },
        [
            dlm.Projection("pixels", "hidden", dlm.Dense(np.eye(16))),
            dlm.Projection("hidden", "output", dlm.Dense(np.repeat(np.eye(4), 4, axis=1) * 0.4)),
        ],
    )
    return network, {"pixels": images}, labels


def test_every_combination_with_its_bounds():
    rng = np.random.default_rng(0)
    network, stimulus, labels = task(400, rng)
    found = list(compression(network, stimulus, labels, "hidden", rng, bits=(None, 3), winners=(None, 1), steps=(10,)))
    assert [(one.winners, one.bits) for one in found] == [(None, None), (None, 3), (1, None), (1, 3)]
    whole, _, sparse, _ = found
    assert whole.accuracy.value > 0.95
    assert whole.accuracy.interval[1] <= 1
    assert sparse.spikes <= 10 < whole.spikes
    assert sparse.needs < whole.needs
    for one in found:
        # What is told about four classes is at most ln 4, and never more than what the code can hold.
        assert one.tells.estimate < min(log(4) + 0.02, one.needs)
    recording = dlm.run(network, stimulus, 10)
    assert whole.accuracy.value == dlm.accuracy(recording, labels)
    assert whole.spikes == len(recording.rasters["hidden"]) / 400


def test_wilson_s_interval():
    """8 of 10: .490 to .943 (Wilson 1927, as tabulated)."""
    rng = np.random.default_rng(1)
    network, stimulus, _ = task(10, rng)
    given = dlm.read_out(dlm.run(network, stimulus, 10))
    wrong = np.where(np.arange(10) < 8, given, (given + 1) % 4)
    (one,) = compression(network, stimulus, wrong, "hidden", rng, bits=(None,), steps=(10,))
    assert one.accuracy.value == 0.8
    assert one.accuracy.interval == pytest.approx((0.490, 0.943), abs=1e-3)
    assert not one.tells.resolved


def test_what_cannot_be_compressed_is_refused():
    rng = np.random.default_rng(2)
    network, stimulus, labels = task(5, rng)
    with pytest.raises(DlmError, match="no LIF population 'hiden'; did you mean 'hidden'"):
        next(compression(network, stimulus, labels, "hiden", rng))
    with pytest.raises(DlmError, match="labels hold 0 samples"):
        next(compression(network, stimulus, [], "hidden", rng))
    with pytest.raises(DlmError, match="bits"):
        list(compression(network, stimulus, labels, "hidden", rng, bits=(2,)))
