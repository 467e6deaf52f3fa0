"""95 % intervals of means and counts."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.analysis.finding import LEVEL

TAIL = (1 - LEVEL) / 2
"""Share on each side of an interval."""
FEW = 10
"""Spikes from which on the mean of counts is taken as normal, the common rule. Of 4 Poisson spikes in 20 trials
Student's interval holds the mean in 90 %, and one spike, in 7 % of cases, puts its upper end below."""


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


def counts_interval(counts: NDArray[np.int64], most: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of the mean count over trials, the first axis, within 0 .. most: Student's, and Garwood's where Student's fails.

    Garwood's is that of the trials' sum. It stands alone for one trial, and where all trials are equal, so that
    Student's would have no length. Of fewer than 10 spikes, whose mean is far from normal, the wider ends count.

    Args:
        counts: (trial, ...), at least one trial.
        most: that a trial can hold.
    """
    total = counts.sum(axis=0)
    low, high = (bound / len(counts) for bound in count_interval(total))
    if len(counts) > 1:
        varied, few = counts.min(axis=0) < counts.max(axis=0), total < FEW
        lower, upper = mean_interval(counts)
        low = np.where(varied, np.maximum(np.where(few, np.minimum(lower, low), lower), 0), low)
        high = np.where(varied, np.where(few, np.maximum(upper, high), upper), high)
    return low, np.minimum(high, most)
