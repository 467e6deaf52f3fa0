"""The read-out as a network: pixels, patch neurons on a ramp, closing neurons, and one output spike for the class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.dense import Dense
from dlm_snn.errors import UnsupportedError
from dlm_snn.learning.readout.features import PatchFeatures
from dlm_snn.networks.network import Input, Network, Projection
from dlm_snn.neurons.lif import LIF

ONCE = 10**9
"""A refractory period that no run outlasts."""
OUTPUT_THRESHOLD = 1e6
"""Far above any score on its way, far below where float64 would round a score."""
PUSH = 1.001e6
"""What lets the outputs with a score above -1000 cross the threshold; their competition takes the largest."""


def readout_network(
    features: PatchFeatures, weight: NDArray[np.float64], offset: NDArray[np.float64], graded_bits: int, scale: int
) -> Network:
    """Features and read-out weights as spiking populations; run it for ``levels`` + 1 steps.

    Patch neurons have no leak and no reset (threshold 0, "subtract"): above 0 they spike in every step.

        pixels -> patches   +weight, and -weight one step later: what comes is added once, then held
        start -> patches    -(levels + 1) slope, once; the bias is +slope in every step: the ramp
        patches -> closing  1 each; a closing neuron spikes when more than ``winners`` of its position are active
        closing -> patches  silences the position, two steps after the spikes that did it
        stop -> patches     ends the ramp at level 1
        patches -> output   the read-out weights, over the cells of the grid; start -> output: the offset
        stop -> output      lets the largest score, alone, spike in the last step

    The counts of the patch neurons are those of PatchFeatures, and the spike is at the class with the largest score.

    Args:
        features: with one slope everywhere and plain counts.
        weight, offset: (class, feature) and (class,).
        graded_bits, scale: of the pixels.

    Raises:
        UnsupportedError: features that the host makes in part.
    """
    if features.floor is not None or features.root:
        thing = "normalized patches" if features.floor is not None else "roots of counts"
        raise UnsupportedError("the read-out's network", thing, "learn with contrast=0.35 and root=0 to freeze it")
    shape = (len(features.weight), *features.positions)
    n_classes, slope = len(offset), float(round(features.slope))
    patches = LIF(shape, dv=0, v_threshold=0, bias=slope, reset="subtract")
    return Network(
        {
            "pixels": Input(features.shape, graded_bits=graded_bits, scale=scale),
            "start": _once(0),
            "stop": _once(features.levels),
            "patches": patches,
            "closing": LIF((1, *features.positions), dv=1, v_threshold=features.winners + 0.5),
            "output": LIF((n_classes,), dv=0, v_threshold=OUTPUT_THRESHOLD, winners=1),
        },
        (
            *_drive(features, scale),
            *_ramp(features, patches.n, slope),
            *_closing(features, slope),
            Projection("patches", "output", Dense(_by_position(features, weight))),
            Projection("start", "output", Dense(offset[:, None]), delay=2),
            Projection("stop", "output", Dense(np.full((n_classes, 1), PUSH)), delay=2),
        ),
    )


def _once(step: int) -> LIF:
    """One neuron that spikes in one step."""
    return LIF((1,), dv=0, v_threshold=step + 0.5, bias=1, refractory=ONCE)


def _drive(features: PatchFeatures, scale: int) -> tuple[Projection, ...]:
    """The patches' weights, once with each sign; simulators divide pixels by the scale."""
    weight = features.weight * float(scale)
    return tuple(
        Projection("pixels", "patches", Conv2d(sign * weight, features.shape), delay=delay)
        for sign, delay in ((1, 1), (-1, 2))
    )


def _ramp(features: PatchFeatures, n: int, slope: float) -> tuple[Projection, ...]:
    """Drives are whole multiples of 1; half of one keeps a sum at the threshold from crossing it by rounding."""
    begin = np.full((n, 1), -(features.levels + 1) * slope - 0.5)
    return (
        Projection("start", "patches", Dense(begin)),
        Projection("stop", "patches", Dense(np.full((n, 1), -_silence(features, slope)))),
    )


def _closing(features: PatchFeatures, slope: float) -> tuple[Projection, ...]:
    neurons = len(features.weight)
    inhibition = np.full((neurons, 1, 1, 1), -_silence(features, slope))
    return (
        Projection("patches", "closing", Conv2d(np.ones((1, neurons, 1, 1)), (neurons, *features.positions))),
        Projection("closing", "patches", Conv2d(inhibition, (1, *features.positions))),
    )


def _silence(features: PatchFeatures, slope: float) -> float:
    """More than any drive and the whole ramp."""
    largest = np.maximum(features.weight, 0).reshape(len(features.weight), -1).sum(axis=1).max()
    return float(features.peak * largest + 2 * features.levels * slope)


def _by_position(features: PatchFeatures, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights (class, cell and neuron) as (class, neuron and position): a spike counts for its position's cell."""
    classes, neurons = len(weight), len(features.weight)
    by_cell = weight.reshape(classes, features.grid**2, neurons)
    return by_cell[:, features.cells()].transpose(0, 2, 1).reshape(classes, -1)
