"""Which classes, tasks or labels neurons answer to, and how much their answers overlap; for use as a library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.analysis.statistics.confidence import counts_interval
from dlm_snn.analysis.statistics.first_order import share
from dlm_snn.analysis.taking import raster_of
from dlm_snn.errors import DlmError, how_many
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.values import as_array, check_each, check_generator, is_whole

LEVEL = 0.95
"""Quantile of selectivity by chance."""


@dataclass(frozen=True, eq=False)
class Tuning:
    """Mean rates of neurons per class.

    Attributes:
        classes: (class,) labels, sorted.
        samples: (class,) of each.
        rate: (class, neuron) Hz, mean over the samples of the class.
        low, high: (class, neuron) 95 % interval of the rate, within 0 .. 1 / dt: Student's over samples, Garwood's of a
            Poisson count where these are all equal, or one; of fewer than 10 spikes the wider of both.
        preferred: (neuron,) index of the class with the highest rate, the first of equal ones; -1: it never fires.
        selectivity: (neuron,) (r - r') / (r + r'), r of the preferred class, r' the mean of the others; NaN: silent.
        by_chance: (neuron,) its 95 % quantile with labels shuffled; None where no generator was given.
    """

    classes: NDArray[Any]
    samples: NDArray[np.int64]
    rate: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    preferred: NDArray[np.int64]
    selectivity: NDArray[np.float64]
    by_chance: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class Overlap:
    """How much the neurons of two classes are the same.

    Attributes:
        classes: (class,) labels, sorted.
        active: (class, neuron) whether it fires in enough samples of the class.
        jaccard: (class, class) neurons active in both / in one of them; NaN where there are none.
        cosine: (class, class) of the mean rates over neurons; NaN where one is silent.
    """

    classes: NDArray[Any]
    active: NDArray[np.bool_]
    jaccard: NDArray[np.float64]
    cosine: NDArray[np.float64]


def tuning(
    spikes: Any,
    labels: ArrayLike,
    rng: np.random.Generator | None = None,
    shuffles: int = 200,
    dt: float | None = None,
) -> Tuning:
    """The rate of each neuron per class, its preferred class and its selectivity, with what chance would give.

    The best of several noisy rates is above the others by chance alone, so selectivity is above 0 without any tuning:
    hold it against ``by_chance``.

    Args:
        spikes: whatever ``raster_of`` takes.
        labels: (sample,) class, task or stimulus of each sample: numbers or texts.
        rng: for shuffled labels; None: no ``by_chance``.
        shuffles: how many times.
        dt: see ``raster_of``.

    Raises:
        DlmError: labels of another number than samples, or of fewer than 2 classes, or NaN; samples without time;
            shuffles that are no whole number from 1 on.
    """
    raster = raster_of(spikes, dt)
    classes, places = _classes(raster, labels)
    rates = _rates(raster)
    mean = _per_class(rates, places, classes.size)
    low, high = _intervals(raster, places, classes.size)
    chance = None
    if rng is not None:
        check_generator(rng)
        if not is_whole(shuffles) or shuffles < 1:
            raise DlmError(f"shuffles = {shuffles!r} is no whole number >= 1")
        shuffled = [_selectivity(_per_class(rates, rng.permutation(places), classes.size)) for _ in range(shuffles)]
        # Silent neurons are NaN in every one of them.
        chance = np.quantile(np.array(shuffled), LEVEL, axis=0)
    return Tuning(
        classes=classes,
        samples=np.bincount(places),
        rate=mean,
        low=low,
        high=high,
        preferred=np.where(mean.any(axis=0), mean.argmax(axis=0), -1),
        selectivity=_selectivity(mean),
        by_chance=chance,
    )


def overlap(spikes: Any, labels: ArrayLike, least: float = 0.5, dt: float | None = None) -> Overlap:
    """Jaccard index of the active neurons of classes or tasks, and the cosine of their mean rates.

    Args:
        spikes, labels, dt: as for ``tuning``.
        least: a neuron is active in a class if it fires in at least this share of its samples, above 0 to 1.

    Raises:
        DlmError: as ``tuning``; a share outside (0, 1].
    """
    raster = raster_of(spikes, dt)
    classes, places = _classes(raster, labels)
    if not isinstance(least, (int, float)) or not 0 < least <= 1:
        raise DlmError(f"least = {least!r} is not a share above 0 and up to 1")
    rates = _rates(raster)
    active = _per_class((rates > 0).astype(float), places, classes.size) >= least
    mean = _per_class(rates, places, classes.size)
    both = active.astype(np.int64) @ active.T
    each = active.sum(axis=1)
    length = np.sqrt(np.square(mean).sum(axis=1))
    return Overlap(
        classes=classes,
        active=active,
        jaccard=share(both, each[:, None] + each - both),
        cosine=share(mean @ mean.T, length[:, None] * length),
    )


def _classes(raster: SpikeRaster, labels: ArrayLike) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The labels that there are, and the place of each sample's among them."""
    told = np.asarray(labels)
    if told.dtype.kind not in "US":
        told = as_array(labels, "labels")
        check_each(told, "labels", ~np.isnan(told), "a class; leave such samples out")
    if told.shape != (raster.n_samples,):
        raise DlmError(f"labels have the shape {told.shape}; give one per sample, {raster.n_samples}")
    classes, places = np.unique(told, return_inverse=True)
    if classes.size < 2:
        raise DlmError(f"labels name {how_many(classes.size, 'classes')}; give 2 or more")
    return classes, places


def _rates(raster: SpikeRaster) -> NDArray[np.float64]:
    """(sample, neuron) Hz."""
    if not raster.n_steps:
        raise DlmError("samples of 0 steps have no rate; give some with time")
    return raster.counts() / (raster.n_steps * raster.dt)


def _intervals(raster: SpikeRaster, places: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Lower and upper ends of the rates, (2, class, neuron) Hz; a neuron spikes at most once in a step."""
    counts = raster.counts()
    found = [counts_interval(counts[places == k], raster.n_steps) for k in range(classes)]
    return np.array(found).swapaxes(0, 1) / (raster.n_steps * raster.dt)


def _per_class(values: NDArray[np.float64], places: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Means over the samples of each class, (class, neuron)."""
    return np.array([values[places == k].mean(axis=0) for k in range(classes)])


def _selectivity(mean: NDArray[np.float64]) -> NDArray[np.float64]:
    best = mean.max(axis=0)
    others = (mean.sum(axis=0) - best) / (len(mean) - 1)
    return share(best - others, best + others)
