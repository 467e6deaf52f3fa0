"""How few neurons answer to a sample, and to how few samples a neuron answers; for use as a library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.analysis.statistics.first_order import share
from dlm_snn.analysis.taking import raster_of
from dlm_snn.errors import DlmError
from dlm_snn.values import as_floats, check_each, is_whole


@dataclass(frozen=True, eq=False)
class Sparsity:
    """Sparseness of spike counts, 0 (all alike) to 1 (one alone answers); NaN where nothing fires.

    Attributes:
        lifetime: (neuron,) Vinje and Gallant's over samples; NaN with a single sample.
        population: (sample,) the same over neurons; NaN with a single neuron.
        lifetime_hoyer, population_hoyer: Hoyer's of the same.
        silent: (neuron,) whether it never fires.
        active: (sample,) the share of neurons that fire in it.
    """

    lifetime: NDArray[np.float64]
    population: NDArray[np.float64]
    lifetime_hoyer: NDArray[np.float64]
    population_hoyer: NDArray[np.float64]
    silent: NDArray[np.bool_]
    active: NDArray[np.float64]


def sparsity(spikes: Any, dt: float | None = None) -> Sparsity:
    """Lifetime and population sparseness of the spikes per sample.

    Args:
        spikes: whatever ``raster_of`` takes; its samples are what neurons answer to.
        dt: see ``raster_of``.

    Raises:
        DlmError: see ``raster_of``.
    """
    counts = raster_of(spikes, dt).counts()
    return Sparsity(
        lifetime=treves_rolls(counts, axis=0),
        population=treves_rolls(counts, axis=1),
        lifetime_hoyer=hoyer(counts, axis=0),
        population_hoyer=hoyer(counts, axis=1),
        silent=counts.sum(axis=0) == 0,
        active=share(np.count_nonzero(counts, axis=1), np.full(len(counts), counts.shape[1])),
    )


def treves_rolls(rates: ArrayLike, axis: int = -1) -> NDArray[np.float64]:
    """S = (1 - a) / (1 - 1 / n) with a = (mean r)^2 / mean(r^2), of n rates.

    a is Treves and Rolls' (1991, Network 2:371), S Vinje and Gallant's (2000, Science 287:1273).

    Args:
        rates: from 0 on, along the axis.
        axis: that goes away.

    Raises:
        DlmError: a rate below 0; an axis that is not there.
    """
    found, n = _rates(rates, axis)
    alike = share(np.square(found.sum(axis=axis)), n * np.square(found).sum(axis=axis))
    return (1 - alike) / (1 - 1 / n) if n > 1 else np.full(alike.shape, np.nan)


def hoyer(rates: ArrayLike, axis: int = -1) -> NDArray[np.float64]:
    """H = (sqrt(n) - sum r / sqrt(sum r^2)) / (sqrt(n) - 1), of n rates. Hoyer 2004, J. Mach. Learn. Res. 5:1457.

    Args, raises: as ``treves_rolls``.
    """
    found, n = _rates(rates, axis)
    flat = share(found.sum(axis=axis), np.sqrt(np.square(found).sum(axis=axis)))
    return (np.sqrt(n) - flat) / (np.sqrt(n) - 1) if n > 1 else np.full(flat.shape, np.nan)


def _rates(rates: ArrayLike, axis: int) -> tuple[NDArray[np.float64], int]:
    """The rates in units of a power of 2 near the largest along the axis, whose squares are in range; and how many."""
    found = as_floats(rates, "rates")
    if not found.ndim:
        raise DlmError(f"rates = {rates!r} is one number; give an array")
    check_each(found, "rates", (found >= 0) & np.isfinite(found), "a rate from 0 on")
    if not is_whole(axis) or not -found.ndim <= axis < found.ndim:
        raise DlmError(f"axis = {axis!r} is none of rates of shape {found.shape}; give {-found.ndim}..{found.ndim - 1}")
    n = found.shape[axis]
    # Exact: both measures are quotients, and a power of 2 leaves every digit as it is.
    return (np.ldexp(found, -np.frexp(found.max(axis=axis, keepdims=True))[1]) if n else found), n
