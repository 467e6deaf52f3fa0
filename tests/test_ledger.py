"""The membranes' ledger closes: within rounding in floats, exactly in integers, on every conformance case."""

from __future__ import annotations

import numpy as np
import pytest

from dlm_snn import LIF, Dense, DlmError, Input, IntegerLIF, IntegerNetwork, IntegerProjection, Network, Projection, run
from dlm_snn.physics.membranes.ledger import BIAS, ROUNDING, membrane_ledger
from tests.nets import FLOAT, INTEGER, make

EPS = np.finfo(float).eps


@pytest.mark.parametrize("case", FLOAT)
def test_floats_close_within_rounding(case):
    network, stimulus, n_steps = make(case)
    recording = run(network, stimulus, n_steps, record=("s", "u", "v"))
    for name in network.neurons:
        ledger = membrane_ledger(recording, stimulus, name)
        assert np.all(np.abs(ledger.residual) <= 8 * EPS * ledger.gross + 1e-300)
        totals = ledger.totals()
        assert abs(totals["residual"]) <= 1e-14 * max(float(ledger.gross.sum()), 1e-300)


@pytest.mark.parametrize("case", INTEGER)
def test_integers_close_exactly(case):
    network, stimulus, n_steps = make(case)
    recording = run(network, stimulus, n_steps, record=("s", "u", "v"))
    for name in network.neurons:
        ledger = membrane_ledger(recording, stimulus, name)
        assert not np.any(ledger.residual)
        assert ledger.totals()["residual"] == 0
        if recording.overflow[name].saturations:
            assert np.any(ledger.clip)


def big(dv: float, reset: str = "zero", seed: int = 1) -> tuple[Network, dict[str, np.ndarray], int]:
    """1000 neurons under noise-like input of both signs, 1000 steps of one sample."""
    rng = np.random.default_rng(seed)
    network = Network(
        {"x": Input((40,)), "h": LIF((1000,), dv=dv, v_threshold=1.0, reset=reset)},
        [Projection("x", "h", Dense(rng.normal(0.02, 0.2, (1000, 40))))],
    )
    return network, {"x": rng.random((1, 1000, 40)) < 0.1}, 1000


@pytest.mark.parametrize("dv", [0.0, 1e-6, 1e-3, 410 / 4096, 0.5, 0.999, 1.0])
@pytest.mark.parametrize("reset", ["zero", "subtract"])
def test_a_million_neuron_steps_close_for_every_decay(dv, reset):
    network, stimulus, n_steps = big(dv, reset)
    recording = run(network, stimulus, n_steps, record=("s", "u", "v"), backend="fast")
    ledger = membrane_ledger(recording, stimulus, "h")
    assert ledger.residual.size == 1_000_000
    assert len(recording.rasters["h"]) > 1000
    assert np.all(np.abs(ledger.residual) <= 4 * EPS * ledger.gross)
    totals = ledger.totals()
    assert abs(totals["residual"]) <= 1e-15 * abs(totals["injected"])


def test_a_million_integer_neuron_steps_close_exactly_and_saturate():
    rng = np.random.default_rng(2)
    network = IntegerNetwork(
        {"x": Input((40,), graded_bits=8), "h": IntegerLIF((1000,), dv=3, du=2000, v_threshold=131071, bias_mant=7)},
        [IntegerProjection("x", "h", Dense(2 * rng.integers(-127, 128, (1000, 40))), weight_exp=-2)],
    )
    stimulus = {"x": rng.integers(0, 256, (1, 1000, 40))}
    with pytest.warns(UserWarning, match=r"h\[0\]"):
        recording = run(network, stimulus, 1000, record=("s", "u", "v"), backend="fast")
    ledger = membrane_ledger(recording, stimulus, "h")
    assert not np.any(ledger.residual)
    totals = ledger.totals()
    assert totals["residual"] == 0
    assert totals["clip"] > 0
    assert {BIAS, ROUNDING, "x->h"} <= totals.keys()
    # More than 64 bits: the sum of the terms would have wrapped.
    assert max(abs(value) for value in totals.values()) > 2**63


def test_work_is_split_by_source():
    """Two sources that cancel bring work that cancels; each alone does not."""
    one = Dense(np.ones((1, 1)))
    network = Network(
        {"a": Input((1,), graded_bits=8), "b": Input((1,), graded_bits=8), "h": LIF((1,), dv=0.1, v_threshold=9.0)},
        [Projection("a", "h", one), Projection("b", "h", Dense(-np.ones((1, 1))))],
    )
    stimulus = {"a": np.full((1, 1), 3), "b": np.full((1, 1), 3)}
    recording = run(network, stimulus, 5, record=("s", "u", "v"))
    ledger = membrane_ledger(recording, stimulus, "h")
    assert not np.any(ledger.after)
    np.testing.assert_array_equal(ledger.work["a->h"], -ledger.work["b->h"])


def test_si_units_of_one_spike():
    """200 pF, 10 nS (tau 20 ms), threshold 15 mV: a spike throws C v^2 / 2 away, 22.5 fJ at the least."""
    steps = 1000
    network = Network(
        {"x": Input((1,), graded_bits=8), "h": LIF((1,), dv=1 - np.exp(-1 / 20), v_threshold=15e-3)},
        [Projection("x", "h", Dense(np.array([[6e-3]])))],
    )
    rng = np.random.default_rng(0)
    stimulus = {"x": (rng.random((1, steps, 1)) < 0.5).astype(int)}
    recording = run(network, stimulus, steps, record=("s", "u", "v"))
    totals = membrane_ledger(recording, stimulus, "h").totals()
    spikes = len(recording.rasters["h"])
    assert spikes > 50
    assert 22.5e-15 < 200e-12 * totals["reset"] / spikes < 200e-12 * 21e-3**2 / 2
    assert abs(totals["residual"]) < 1e-15 * totals["injected"]


def test_the_naive_leak_does_not_close():
    """g v^2 dt instead of the exact integral: 2 % at 1 ms, .2 % at .1 ms, as the decay gets slower."""
    errors = []
    for dv in (0.05, 0.005):
        network, stimulus, n_steps = big(dv)
        recording = run(network, stimulus, n_steps, record=("s", "u", "v"), backend="fast")
        ledger = membrane_ledger(recording, stimulus, "h")
        rate = -np.log(1 - dv)
        errors.append(abs(float((2 * rate * ledger.before).sum() / ledger.leak.sum()) - 1))
    assert 0.01 < errors[0] < 0.1
    assert errors[1] == pytest.approx(errors[0] / 10, rel=0.2)


def test_what_a_ledger_needs_is_named():
    network, stimulus, n_steps = make(next(iter(FLOAT)))
    name = next(iter(network.neurons))
    recording = run(network, stimulus, n_steps)
    with pytest.raises(DlmError, match="were not recorded; run with record="):
        membrane_ledger(recording, stimulus, name)
    with pytest.raises(DlmError, match="no neuron population 'zzz' in the network; known"):
        membrane_ledger(recording, stimulus, "zzz")
    half = run(network, stimulus, n_steps, record=("s", "u", "v"))
    rest = run(network, stimulus, n_steps, record=("s", "u", "v"), state=half.state)
    with pytest.raises(DlmError, match="began in the middle of a window"):
        membrane_ledger(rest, stimulus, name)
