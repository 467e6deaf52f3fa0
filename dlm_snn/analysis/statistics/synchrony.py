"""How much neurons fire together: Golomb's chi, SPIKE-synchronization, ISI-distance; for use as a library."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.finding import Control, Finding
from dlm_snn.analysis.statistics._synchrony_compiled import compared
from dlm_snn.analysis.statistics.first_order import spike_table
from dlm_snn.analysis.statistics.histograms import trial_counts
from dlm_snn.analysis.statistics.steps import steps_of
from dlm_snn.analysis.statistics.trains import trains_of
from dlm_snn.analysis.taking import raster_of
from dlm_snn.errors import DlmError, how_many
from dlm_snn.files.free_memory import check_room

FEWEST = 10
"""Bins that a variance over bins takes here."""


class Likeness(NamedTuple):
    """Of every pair of neurons.

    Attributes:
        synchronization: (neuron, neuron) SPIKE-synchronization, 0..1: the share of both neurons' spikes that have a
            partner; NaN where neither fires, 1 on the diagonal.
        distance: (neuron, neuron) ISI-distance, 0..1: the mean over time of |p - q| / max(p, q).
    """

    synchronization: NDArray[np.float64]
    distance: NDArray[np.float64]


def synchrony(spikes: Any, width: float, dt: float | None = None) -> Finding:
    """Golomb's chi of spike counts in bins, 0..1: chi^2 = var_t(mean_i c_i) / mean_i var_t(c_i).

    Over the neurons that fire. 1 where all do the same, about 1 / sqrt(neurons) where they are independent, which is
    the control. Golomb and Rinzel 1994, Physica D 72:259. Bins of all samples are taken together.

    Args:
        spikes: whatever ``raster_of`` takes; a mapped file is passed in pieces.
        width: s, of a bin.
        dt: see ``raster_of``.

    Returns:
        Not resolved with fewer than 2 neurons that fire, or 10 bins.

    Raises:
        DlmError: a width that is no multiple of dt or longer than a sample.
    """
    raster = raster_of(spikes, dt)
    steps = steps_of(width, raster.dt, "width", raster.n_steps)
    counts = trial_counts(raster, steps)
    table = spike_table(raster[:, : raster.n_steps // steps * steps], width)
    active = int(np.count_nonzero(table.spikes))
    size = {"active neurons": active, "bins": counts.size, "spikes": int(table.spikes.sum())}
    estimator = f"Golomb's chi of the neurons that fire, counts in {1e3 * table.window:g} ms"
    doubts = []
    if active < 2:
        doubts.append(f"{how_many(active, 'neurons')} {'fires' if active == 1 else 'fire'}, where 2 are needed")
    if counts.size < FEWEST:
        doubts.append(f"{how_many(counts.size, 'bins')}, where {FEWEST} are needed")
    if doubts:
        return Finding("synchrony", None, None, "", estimator, size, doubts=tuple(doubts))
    # A neuron's variance is its Fano factor times its mean count.
    alone = float(np.nansum(table.fano * table.spikes)) / counts.size / active
    control = Control("independent neurons", 1 / math.sqrt(active))
    if not alone:
        return Finding("synchrony", None, None, "", estimator, size, (control,), ("no count ever changes",))
    return Finding("synchrony", math.sqrt(counts.var() / alone) / active, None, "", estimator, size, (control,))


def spike_likeness(spikes: Any, dt: float | None = None) -> Likeness:
    """SPIKE-synchronization and ISI-distance of every pair of neurons, without a time scale to choose.

    Two spikes are partners where they lie nearer than half the shortest of the four intervals beside them (Kreuz,
    Mulansky and Bozanic 2015, J. Neurophysiol. 113:3432). Of the ISI-distance (Kreuz et al. 2007, J. Neurosci.
    Methods 165:151) p and q are the intervals that hold a time; before the first spike and behind the last they are at
    least as long as their neighbors, as PySpike has it. Several samples: partners over all spikes, the mean distance.

    Args:
        spikes: whatever ``raster_of`` takes.
        dt: see ``raster_of``.

    Raises:
        DlmError: no sample, no room.
    """
    raster = raster_of(spikes, dt)
    n = raster.n_neurons
    if not raster.n_samples or not raster.n_steps:
        raise DlmError(
            f"a raster of {how_many(raster.n_samples, 'samples')} x {how_many(raster.n_steps, 'steps')} has no time to "
            "compare"
        )
    check_room(40 * n * n, f"the pairs of {how_many(n, 'neurons')}")
    partners, distances = np.zeros((n, n), np.int64), np.zeros((n, n))
    for sample in range(raster.n_samples):
        trains = trains_of(raster[sample])
        compared(trains.time, trains.starts, raster.n_steps, partners, distances)
    spikes_of = raster.counts().sum(axis=0)
    both = spikes_of[:, None] + spikes_of
    found = np.divide(2 * (partners + partners.T), both, out=np.full((n, n), np.nan), where=both > 0)
    found[np.diag_indices(n)] = np.where(spikes_of > 0, 1.0, np.nan)
    return Likeness(found, (distances + distances.T) / (raster.n_samples * raster.n_steps))
