"""Spikes over time, for use as a library: PSTH with intervals, counts of trials and their Fano factor."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.statistics.confidence import counts_interval
from dlm_snn.analysis.statistics.steps import steps_of
from dlm_snn.analysis.taking import raster_of
from dlm_snn.errors import DlmError
from dlm_snn.files.free_memory import check_room
from dlm_snn.runs.events import give_back, places
from dlm_snn.runs.raster import SpikeRaster


@dataclass(frozen=True, eq=False)
class Psth:
    """Spikes per neuron and second in bins of time, over trials.

    Attributes:
        start_ms: (bin,) time at which each bin begins, since step 0 of the sample, ms.
        width_ms: of a bin.
        spikes: (bin,) all spikes, of all trials and neurons.
        rate: (bin,) Hz, mean over trials and neurons.
        low, high: (bin,) 95 % interval of the rate, Hz; at most 1 / dt, one spike per step.
        interval: how it was made, in words.
        n_trials, n_neurons: that were averaged over.
    """

    start_ms: NDArray[np.float64]
    width_ms: float
    spikes: NDArray[np.int64]
    rate: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    interval: str
    n_trials: int
    n_neurons: int


def psth(spikes: Any, width: float, dt: float | None = None) -> Psth:
    """Peri-stimulus time histogram: rate = spikes / (trials * neurons * width), per neuron in Hz.

    Samples are trials; take neurons by ``raster[:, :, neurons]``. The 95 % interval is Student's over trials; with one
    trial, and in bins where all trials have equally many spikes, it is Garwood's of a Poisson count; in bins of fewer
    than 10 spikes the wider of both.

    Args:
        spikes: whatever ``raster_of`` takes.
        width: of a bin, s; what is left of a sample behind the last whole bin is left out.
        dt: see ``raster_of``.

    Raises:
        DlmError: a width that is no multiple of dt or longer than a sample; no sample or no neuron.
    """
    raster = raster_of(spikes, dt)
    steps = steps_of(width, raster.dt, "width", raster.n_steps)
    if not raster.n_samples or not raster.n_neurons:
        raise DlmError(f"a PSTH needs samples and neurons; the raster has {raster.n_samples} and {raster.n_neurons}")
    counts = trial_counts(raster, steps)
    to_rate = 1 / (raster.n_neurons * steps * raster.dt)
    total = counts.sum(axis=0)
    # A neuron spikes at most once in a step.
    low, high = counts_interval(counts, raster.n_neurons * steps)
    told = "Garwood's of a Poisson count, one trial"
    if raster.n_samples > 1:
        told = "Student's over trials; Garwood's of equal ones, and where wider of fewer than 10 spikes"
    return Psth(
        start_ms=1e3 * raster.dt * steps * np.arange(total.size),
        width_ms=1e3 * raster.dt * steps,
        spikes=total,
        rate=total / raster.n_samples * to_rate,
        low=low * to_rate,
        high=high * to_rate,
        interval=told,
        n_trials=raster.n_samples,
        n_neurons=raster.n_neurons,
    )


def trial_counts(raster: SpikeRaster, width: int) -> NDArray[np.int64]:
    """Spikes of all neurons together in whole bins of ``width`` steps, (sample, bin).

    Steps of a sample are sorted, so that the edges are looked up and the events themselves are not read.
    """
    bins = raster.n_steps // width
    check_room(8 * raster.n_samples * (bins + 1), f"counts of {raster.n_samples} samples x {bins} bins")
    edges = np.arange(bins + 1, dtype=np.uint64) * width
    starts = places(raster.sample, np.arange(raster.n_samples + 1))
    counts = np.empty((raster.n_samples, bins), dtype=np.int64)
    for sample, (first, last) in enumerate(pairwise(starts)):
        counts[sample] = np.diff(places(raster.step[first:last], edges))
    for event in (raster.sample, raster.step):
        give_back(event)
    return counts


def fano_over_trials(spikes: Any, dt: float | None = None) -> NDArray[np.float64]:
    """(neuron,) variance / mean over samples of the spikes per sample; NaN without a spike or with one sample.

    ``elephant.statistics.fanofactor`` of the trials of one neuron.

    Raises:
        DlmError: see ``raster_of``.
    """
    counts = raster_of(spikes, dt).counts()
    if len(counts) < 2:
        return np.full(counts.shape[1], np.nan)
    mean = counts.mean(axis=0)
    return np.divide(counts.var(axis=0), mean, out=np.full(mean.shape, np.nan), where=mean > 0)
