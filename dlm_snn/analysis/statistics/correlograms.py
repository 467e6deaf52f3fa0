"""Auto- and cross-correlograms with a control by jitter, for use as a library."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.statistics._correlograms_compiled import coincidences, jittered
from dlm_snn.analysis.statistics.confidence import TAIL
from dlm_snn.analysis.statistics.steps import steps_of
from dlm_snn.analysis.statistics.trains import Trains, trains_of
from dlm_snn.analysis.taking import raster_of
from dlm_snn.errors import DlmError
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.values import as_integers, is_whole

FEW = 20
"""Neurons of which all pairs are made where none are named."""
LEAST = 40
"""Surrogates that a 95 % band takes: one beyond each of its ends."""


@dataclass(frozen=True, eq=False)
class Correlogram:
    """Pairs of spikes by lag, for pairs of neurons.

    Attributes:
        pairs: (pair, 2) reference neuron, target neuron.
        lag_ms: (lag,) by how much the target's spike follows the reference's, ms; bins are centered on it.
        counts: (pair, lag) pairs of spikes. A spike and itself are no pair.
        reference: (pair,) spikes of the reference neuron.
        width_ms: of a bin of lags.
        expected, low, high: (pair, lag) mean and 95 % band of the counts with the target's spikes jittered; None
            without jitter. The band is that of each lag by itself: of 100 lags some 5 lie outside by chance.
        jitter_ms, surrogates: the window of the jitter and how many there were; None and 0 without.
    """

    pairs: NDArray[np.int64]
    lag_ms: NDArray[np.float64]
    counts: NDArray[np.int64]
    reference: NDArray[np.int64]
    width_ms: float
    expected: NDArray[np.float64] | None = None
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    jitter_ms: float | None = None
    surrogates: int = 0

    @property
    def rate(self) -> NDArray[np.float64]:
        """(pair, lag) Hz, of the target around a spike of the reference: counts / (reference spikes * bin)."""
        seconds = self.reference[:, None] * self.width_ms / 1e3
        return np.divide(self.counts, seconds, out=np.full(self.counts.shape, np.nan), where=seconds > 0)


class _Lags(NamedTuple):
    """Steps of a bin, and the most bins between two spikes."""

    width: int
    most: int


def correlogram(
    spikes: Any,
    pairs: Iterable[tuple[int, int]] | None = None,
    longest: float = 0.05,
    width: float | None = None,
    jitter: float | None = None,
    surrogates: int = 200,
    rng: np.random.Generator | None = None,
    dt: float | None = None,
) -> Correlogram:
    """How often a spike of one neuron follows one of another after each lag, within samples only.

    Spikes are put into bins of ``width`` first, as Elephant does. The control is interval jitter (Amarasingham et al.
    2012, J. Neurophysiol. 107:517): each spike of the target goes to a random place of its own window, so that what
    is slower than the window stays.

    Args:
        spikes, dt: whatever ``raster_of`` takes.
        pairs: (reference, target) neurons; equal ones are an auto-correlogram. None: all of at most 20 neurons.
        longest: s, the largest lag.
        width: s, of a bin; a step by default.
        jitter: s, the window of the jitter; None: no control.
        surrogates, rng: how many jittered copies per pair, at least 40, and the generator that they need.

    Raises:
        DlmError: neurons that are not there, no pair named among many, unfit lengths, jitter without a generator.
    """
    raster = raster_of(spikes, dt)
    step = raster.dt
    bins = steps_of(step if width is None else width, step, "width", raster.n_steps)
    lags = _Lags(bins, steps_of(longest, step * bins, "longest", raster.n_steps // bins))
    chosen = _pairs(raster, pairs)
    neurons, places = np.unique(chosen, return_inverse=True)
    # As far between samples as no lag reaches.
    trains = trains_of(raster, (lags.most + 1) * bins, neurons)
    each = [trains.time[a:b] for a, b in pairwise(trains.starts)]
    couples = [(each[first], each[second]) for first, second in places.reshape(-1, 2)]
    counts = np.array([_counts(first, second, trains, lags) for first, second in couples])
    reference = np.array([first.size for first, _ in couples])
    counts[:, lags.most] -= np.where(chosen[:, 0] == chosen[:, 1], reference, 0)
    control = {} if jitter is None else _control(raster, trains, couples, lags, jitter, surrogates, rng)
    return Correlogram(
        pairs=chosen,
        lag_ms=1e3 * step * bins * np.arange(-lags.most, lags.most + 1),
        counts=counts,
        reference=reference,
        width_ms=1e3 * step * bins,
        **control,
    )


def _pairs(raster: SpikeRaster, pairs: Iterable[tuple[int, int]] | None) -> NDArray[np.int64]:
    n = raster.n_neurons
    if pairs is None:
        if not 0 < n <= FEW:
            raise DlmError(f"the raster has {n} neurons; give pairs=[(reference, target), ...], or 1 to {FEW} neurons")
        return np.stack(np.triu_indices(n), axis=1)
    if not isinstance(pairs, Iterable):
        raise DlmError(f"pairs = {pairs!r} are none; give [(reference, target), ...]")
    chosen = as_integers(list(pairs), "pairs", 0, n - 1)
    if chosen.ndim != 2 or chosen.shape[1] != 2 or not chosen.size:
        raise DlmError(f"pairs have the shape {chosen.shape}; give [(reference, target), ...]")
    return chosen


def _binned(time: NDArray[np.int64], trains: Trains, lags: _Lags) -> NDArray[np.int64]:
    """Times in bins, which begin anew in each sample."""
    if lags.width == 1:
        return time
    sample, step = np.divmod(time, trains.period)
    return sample * (trains.period // lags.width + 1) + step // lags.width


def _counts(first: NDArray[np.int64], second: NDArray[np.int64], trains: Trains, lags: _Lags) -> NDArray[np.int64]:
    counts = np.zeros(2 * lags.most + 1, dtype=np.int64)
    coincidences(_binned(first, trains, lags), _binned(second, trains, lags), lags.most, counts)
    return counts


def _control(
    raster: SpikeRaster,
    trains: Trains,
    couples: list[tuple[NDArray[np.int64], NDArray[np.int64]]],
    lags: _Lags,
    length: float,
    surrogates: int,
    rng: np.random.Generator | None,
) -> dict[str, Any]:
    """What jittered targets give, by attribute."""
    if not isinstance(rng, np.random.Generator):
        raise DlmError("jitter draws random numbers; give rng=np.random.default_rng(SEED)")
    if not is_whole(surrogates) or surrogates < LEAST:
        raise DlmError(f"surrogates = {surrogates!r} is no whole number >= {LEAST}, which a 95 % band takes")
    window = steps_of(length, raster.dt, "jitter", raster.n_steps)
    bands = []
    for first, second in couples:
        found = np.empty((surrogates, 2 * lags.most + 1), dtype=np.int64)
        moved = np.empty_like(second)
        for k in range(surrogates):
            jittered(second, trains.period, raster.n_steps, window, rng.random(second.size), moved)
            found[k] = _counts(first, moved, trains, lags)
        bands.append((found.mean(axis=0), *np.quantile(found, (TAIL, 1 - TAIL), axis=0)))
    expected, low, high = (np.array(part) for part in zip(*bands, strict=True))
    told = {"jitter_ms": 1e3 * window * raster.dt, "surrogates": surrogates}
    return {"expected": expected, "low": low, "high": high, **told}
