"""The correlation matrix of binned spike counts, for use as a library."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.statistics._correlation_compiled import SIZE, add_batch, close_bin, products
from dlm_snn.analysis.statistics.steps import steps_of
from dlm_snn.analysis.taking import raster_of
from dlm_snn.errors import DlmError, how_many
from dlm_snn.files.free_memory import check_room
from dlm_snn.runs.events import give_back
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.values import slices

SPARSE = 0.15
"""Share of neurons that fire in a bin, up to which their pairs are gone through one by one; above it a matrix product
takes less time."""
BINS = 4096
"""Bins multiplied together."""
BLOCK = 2**22
"""Events passed together."""
EXACT = 2**24
"""Whole numbers below it are float32s, and so are their sums."""


def correlation_matrix(spikes: Any, width: float, dt: float | None = None) -> NDArray[np.float64]:
    """Pearson's correlation of the neurons' spike counts in bins, over all bins of all samples.

    r_ij = (sum c_i c_j - sum c_i sum c_j / L) / sqrt(the same of ii * the same of jj) over L bins. Sums are exact.

    Args:
        spikes: whatever ``raster_of`` takes; a mapped file is passed in pieces.
        width: s, of a bin; what is left of a sample behind the last whole bin is left out.
        dt: see ``raster_of``.

    Returns:
        (neuron, neuron); NaN for a neuron whose count never changes.

    Raises:
        DlmError: a width that is no multiple of dt or longer than a sample; fewer than 2 bins; no room.
    """
    raster = raster_of(spikes, dt)
    steps = steps_of(width, raster.dt, "width", raster.n_steps)
    bins = raster.n_samples * (raster.n_steps // steps)
    if bins < 2:
        raise DlmError(
            f"width = {width:g} s leaves {how_many(bins, 'bins')} of the raster, and correlations need 2; give less"
        )
    check_room(24 * raster.n_neurons**2, f"the pairs of {raster.n_neurons} neurons")
    busy = len(raster) > SPARSE * bins * raster.n_neurons
    sums, totals = (_dense if busy else _sparse)(raster, steps)
    covariance = sums - totals[:, None] * (totals / bins)
    spread = np.sqrt(np.diag(covariance))
    spread[spread == 0] = np.nan
    return covariance / (spread[:, None] * spread)


def _sparse(raster: SpikeRaster, width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sums of products of counts, and of counts: pair by pair of those that fire."""
    n = raster.n_neurons
    sums, counts, active = np.zeros((n, n), np.int64), np.zeros(n, np.int64), np.zeros(n, np.uint32)
    batch = np.zeros((4, max(SIZE, 2 * n)), np.uint32)
    at, totals = np.zeros(4, np.int64), np.zeros(n, np.int64)
    whole = raster.n_steps // width * width
    for block in slices(len(raster), BLOCK):
        step, neuron = raster.step[block], raster.neuron[block]
        products(raster.sample[block], step, neuron, width, whole, counts, active, batch, at, sums)
        totals += np.bincount(neuron if whole == raster.n_steps else neuron[step < whole], minlength=n)
        for event in (raster.sample, raster.step, raster.neuron):
            give_back(event)
    add_batch(batch, close_bin(counts, active, at[2], batch, at[3]), sums)
    return sums + sums.T - np.diag(np.diag(sums)), totals


def _dense(raster: SpikeRaster, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same by products of matrices of float32, of few enough bins that every sum is a whole number below 2^24."""
    n = raster.n_neurons
    sums, totals = np.zeros((n, n)), np.zeros(n)
    together = max(min(BINS, (EXACT - 1) // width**2), 1)
    number = np.float32 if together * width**2 < EXACT else np.float64
    for _, _, piece in raster.pieces(together * width):
        counts = piece[:, : piece.n_steps // width * width].binned(width)[0].T.astype(number)
        totals += counts.sum(axis=1)
        sums += counts @ counts.T
    return sums, totals
