"""95 % intervals of means and counts."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.analysis.finding import LEVEL

TAIL = (1 - LEVEL) / 2
"""Share on each side of an interval."""


def mean_interval(values: NDArray, axis: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Student's interval of a mean, m -+ t s / sqrt(n); NaN for a single value.

    Args:
        values: independent ones along the axis.
        axis: that goes away.

    Returns:
        Lower and upper bounds.
    """
    from scipy.special import stdtrit

    n = values.shape[axis]
    mean = values.mean(axis=axis)
    if n < 2:
        return np.full(np.shape(mean), np.nan), np.full(np.shape(mean), np.nan)
    half = stdtrit(n - 1, 1 - TAIL) * values.std(axis=axis, ddof=1) / math.sqrt(n)
    return mean - half, mean + half


def count_interval(count: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of the mean of a Poisson variable that was seen once. Garwood 1936, Biometrika 28:437."""
    from scipy.special import gammaincinv

    # There are far fewer different counts than bins, and each takes microseconds.
    counts, places = np.unique(np.asarray(count, dtype=np.float64), return_inverse=True)
    low = np.where(counts > 0, gammaincinv(np.maximum(counts, 1), TAIL), 0.0)
    shape = np.shape(count)
    return low[places].reshape(shape), gammaincinv(counts + 1, 1 - TAIL)[places].reshape(shape)
