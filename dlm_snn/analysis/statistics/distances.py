"""Distances between spike trains: van Rossum's, Victor and Purpura's; for use as a library."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.statistics._distances_compiled import edited, overlapping
from dlm_snn.analysis.statistics.trains import trains_of
from dlm_snn.analysis.taking import raster_of
from dlm_snn.errors import DlmError
from dlm_snn.files.free_memory import check_room
from dlm_snn.runs.raster import SpikeRaster

Between = Literal["neurons", "samples"]
"""What is compared: neurons, over all samples; or samples (trials), over all neurons."""


def van_rossum_distance(
    spikes: Any, time_constant: float = 0.01, between: Between = "neurons", dt: float | None = None
) -> NDArray[np.float64]:
    """Distance of spike trains that are filtered by exp(-t / tau): D^2 = 2 / tau integral (f - g)^2 dt.

    In sums over spikes, with k = exp(-|x - y| / tau): D^2 = sum k(x, x') + sum k(y, y') - 2 sum k(x, y). It is 1
    between no spike and one, as Elephant has it; van Rossum's own is smaller by sqrt(2) (2001, Neural Comput. 13:751).
    One pass over the events with a trace per train; equal trains are at 0 exactly.

    Args:
        spikes: whatever ``raster_of`` takes.
        time_constant: tau, s.
        between: neurons, D^2 being summed over samples; or samples, D^2 being summed over neurons.
        dt: see ``raster_of``.

    Returns:
        (train, train), symmetric.

    Raises:
        DlmError: a time constant that is no number above 0, another ``between``, no room.
    """
    raster = _compared(spikes, between, dt)
    _check(time_constant, "time_constant", "seconds above 0")
    n = raster.n_neurons
    trace, overlaps, together = np.zeros(n), np.zeros((n, n)), np.zeros((n, n), np.int64)
    active = np.zeros(n, np.uint32)
    overlapping(raster.sample, raster.step, raster.neuron, raster.dt / time_constant, active, trace, overlaps, together)
    own, count = np.diag(overlaps), np.diag(together)
    apart = 2 * (own[:, None] + own - overlaps - overlaps.T) + (count[:, None] + count - 2 * together)
    return np.sqrt(np.maximum(apart, 0))


def victor_purpura_distance(
    spikes: Any, cost: float = 1.0, between: Between = "neurons", dt: float | None = None
) -> NDArray[np.float64]:
    """The least cost to turn one spike train into another: 1 per spike put in or taken out, q |t - t'| per shift.

    Victor and Purpura 1996, J. Neurophysiol. 76:1310. Time grows with the product of the trains' lengths.

    Args:
        spikes: whatever ``raster_of`` takes.
        cost: q, Hz; 0: the difference of the counts.
        between: neurons, the cost being summed over samples; or samples, over neurons.
        dt: see ``raster_of``.

    Returns:
        (train, train), symmetric.

    Raises:
        DlmError: a cost that is no number from 0 on, another ``between``, no room.
    """
    raster = _compared(spikes, between, dt)
    if cost != 0:
        _check(cost, "cost", "Hz from 0 on")
    distances = np.zeros((raster.n_neurons, raster.n_neurons))
    for sample in range(raster.n_samples):
        trains = trains_of(raster[sample])
        row = np.zeros(int(np.diff(trains.starts).max(initial=0)) + 1)
        edited(trains.time, trains.starts, float(cost) * raster.dt, row, distances)
    return distances


def _check(value: Any, name: str, what: str) -> None:
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not number or not 0 < value < math.inf:
        raise DlmError(f"{name} = {value!r} is not a number of {what}")


def _compared(spikes: Any, between: str, dt: float | None) -> SpikeRaster:
    """A raster whose neurons are what is compared."""
    raster = raster_of(spikes, dt)
    if between not in ("neurons", "samples"):
        raise DlmError(f"between = {between!r} is none of neurons, samples")
    if between == "samples":
        samples, steps, neurons = raster.extent
        raster = SpikeRaster(raster.neuron, raster.step, raster.sample, neurons, steps, samples, raster.dt)
    check_room(40 * raster.n_neurons**2, f"the distances of {raster.n_neurons} trains")
    return raster
