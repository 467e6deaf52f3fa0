"""Brian2's own equations against our physics: bath, membrane energies, plasticity."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from dlm_snn import LIF, Dense, DlmError, Input, Network, Projection, run
from dlm_snn.physics.membranes.ledger import membrane_ledger
from dlm_snn.physics.weights.plasticity import update

theirs = pytest.importorskip("dlm_snn.physics.membranes.brian2", reason="brian2 is not installed")


@pytest.mark.parametrize("dv", [0.02, 0.1])
def test_the_variance_of_brian2s_bath(dv):
    v = theirs.bath(2000, dv, temperature=0.4, n_steps=600, seed=3)[int(10 / dv) :: int(5 / dv)]
    exact = 0.4 / (1 - dv / 2)
    assert abs((v**2).mean() / exact - 1) < 4 * sqrt(2 / v.size)
    assert abs(v.mean()) < 4 * sqrt(exact / v.size)


def test_brian2s_energies_are_ours():
    rng = np.random.default_rng(4)
    weight, spikes, dv = rng.normal(0.1, 0.3, (60, 20)), rng.random((400, 20)) < 0.08, 0.125
    found = theirs.energies(weight, spikes, dv, v_threshold=1.0)
    network = Network(
        {"x": Input((20,)), "h": LIF((60,), dv=dv, v_threshold=1.0)}, [Projection("x", "h", Dense(weight))]
    )
    recording = run(network, {"x": spikes[None]}, 400, record=("s", "u", "v"))
    np.testing.assert_array_equal(found["spikes"], recording.rasters["h"].counts()[0])
    assert 0.02 < recording.rasters["h"].rate < 0.4
    totals = membrane_ledger(recording, {"x": spikes[None]}, "h").totals()
    for name in ("leak", "injected", "reset", "stored"):
        assert found[name] == pytest.approx(totals[name], rel=1e-12)


@pytest.mark.parametrize("decay", [None, 0.01])
def test_a_thousand_samples_of_plasticity(decay):
    rng = np.random.default_rng(5)
    weight, pre = rng.random((10, 40)), rng.random((1000, 40)) * (rng.random((1000, 40)) < 0.3)
    post = np.eye(10)[rng.integers(0, 10, 1000)]
    post[:, 9] = 0
    ours = weight
    for x, y in zip(pre, post, strict=True):
        ours = update(ours, x, y, 0.05, "event" if decay is None else "clock", decay)
    found = theirs.plasticity(weight, pre, post, 0.05, decay)
    np.testing.assert_allclose(found, ours, rtol=1e-12)
    if decay is None:
        # A neuron that never fires forgets nothing; the others hold the mean of what made them fire.
        np.testing.assert_array_equal(found[9], weight[9])
        assert abs(found[:9].mean() - pre.mean()) < 0.03
    else:
        np.testing.assert_allclose(found[9], weight[9] * 0.99**1000, rtol=1e-10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 2.0}, r"rate = 2.0 is not in \[0, 1\]"),
        ({"rate": 0.1, "rule": "clock"}, "decay belongs to the clocked rule"),
        ({"rate": 0.1, "decay": 0.1}, "decay belongs to the clocked rule"),
        ({"rate": 0.1, "rule": "clok"}, "rule = 'clok'; did you mean 'clock'"),
    ],
)
def test_plasticity_out_of_range_is_refused(options, message):
    with pytest.raises(DlmError, match=message):
        update(np.zeros((1, 1)), np.zeros(1), np.zeros(1), **options)
