"""One neuron on a real Loihi 2 chip and on Lava's CPU simulator, step by step.

The traces are those of the NIR paper (du = 4095, dv = 163, vth = 25, weight 10): rows of input, v, spike; v in 1/64 of
the weights' unit. A row's v holds the input of the row before: the connection takes one step, so row r + 1 is step r of
the neuron's window.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from dlm_snn import LIF, Dense, Input, IntegerLIF, IntegerNetwork, IntegerProjection, Network, Projection, run
from dlm_snn.neurons.integer_lif import SPIKE_READING, chip_reading

FOLDER = Path(os.environ.get("DLM_DATA", "")) / "loihi2-trace"
pytestmark = pytest.mark.skipif(
    "DLM_DATA" not in os.environ or not FOLDER.is_dir(), reason="$DLM_DATA has no folder loihi2-trace"
)


def trace(name):
    """Input, v and spikes of a file."""
    return np.loadtxt(FOLDER / f"lif_lava_{name}.csv", delimiter=",").T


def simulated(network, events, backend="reference"):
    """v and s in the rows of a trace: silent in the first."""
    recording = run(network, {"x": events[None, :-1, None].astype(int)}, events.size - 1, ("s", "v"), backend=backend)
    v, s = recording.v["cell"][0, :, 0], recording.rasters["cell"].dense()[0, :, 0]
    return np.append(0, v), np.append(False, s)


def integer_network():
    return IntegerNetwork(
        {"x": Input((1,)), "cell": IntegerLIF((1,), du=4095, dv=163, v_threshold=25)},
        [IntegerProjection("x", "cell", Dense([[10]]))],
    )


@pytest.mark.parametrize("backend", ["reference", "fast", "torch"])
def test_every_step_of_the_chip_is_reproduced(backend):
    events, read, spikes = trace("loihi_fixed")
    v, s = simulated(integer_network(), events, backend)
    assert np.count_nonzero((chip_reading(v, s) == read) & (s == spikes)) == events.size == 1000
    assert spikes.sum() >= 4
    # Without the model of the reading, the steps of the spikes and no others are missed.
    np.testing.assert_array_equal(np.flatnonzero(v != read), np.flatnonzero(spikes))
    assert set(read[spikes > 0]) == {SPIKE_READING}


def test_every_step_of_the_cpu_simulator_is_reproduced():
    events, read, spikes = trace("cpu_fixed")
    v, s = simulated(integer_network(), events)
    assert np.count_nonzero((v == read) & (s == spikes)) == 1000


@pytest.mark.parametrize("parameter", ["dv", "v_threshold"])
def test_a_small_error_is_seen(parameter):
    events, read, spikes = trace("cpu_fixed")
    network = integer_network()
    values = {"du": 4095, "dv": 163, "v_threshold": 25}
    cell = IntegerLIF((1,), **{**values, parameter: values[parameter] - 8})
    v, s = simulated(IntegerNetwork({**network.populations, "cell": cell}, network.projections), events)
    assert np.any(v != read) or np.any(s != spikes)


def test_the_float_trace_is_that_of_a_float_network():
    """A weight of 0.04, a threshold of 0.1 and a decay of 0.04, in single precision there."""
    events, read, spikes = trace("cpu_float")
    network = Network(
        {"x": Input((1,)), "cell": LIF((1,), dv=0.04, v_threshold=0.1)}, [Projection("x", "cell", Dense([[0.04]]))]
    )
    v, s = simulated(network, events)
    np.testing.assert_allclose(v, read, atol=1e-7)
    np.testing.assert_array_equal(s, spikes)
