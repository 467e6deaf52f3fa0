"""Avalanches: runs of active bins between silent ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.estimators.spectrum_slope import as_series
from dlm_snn.errors import DlmError
from dlm_snn.values import is_whole


@dataclass(frozen=True)
class Avalanches:
    """Avalanches of an activity.

    Attributes:
        size: (avalanche,) spikes above the threshold, summed over its bins.
        duration: (avalanche,) bins.
        cut: avalanches at the ends of a sample, which are left out.
        silent: share of bins that are not above the threshold.
        width: steps per bin.
        threshold: spikes per bin.
        n_bins: per sample.
        samples: of the activity.
    """

    size: NDArray[np.int64]
    duration: NDArray[np.int64]
    cut: int
    silent: float
    width: int
    threshold: float
    n_bins: int
    samples: int

    def __len__(self) -> int:
        return int(self.size.size)


def avalanches_of(activity: Any, width: int = 1, threshold: float = 0.0) -> Avalanches:
    """Cut an activity into avalanches.

    An avalanche is a run of bins with more spikes than the threshold, between bins with fewer or as many. Its size is
    the sum of what is above the threshold. A run at an end of a sample is left out: how long it is is not known.
    Source: Beggs and Plenz 2003, J. Neurosci. 23, 11167.

    Args:
        activity: (step,) or (sample, step), whole spikes per step, of a population.
        width: steps per bin; what is left over at the end is dropped.
        threshold: spikes per bin.

    Raises:
        DlmError: another shape, values that are not finite or below 0, a width below one step, a threshold below 0.
    """
    values = as_series(activity, "activity")
    if values.min() < 0 or np.any(values != np.round(values)):
        raise DlmError("the activity has values that are no whole numbers of spikes; give spikes per step")
    if not is_whole(width) or not 1 <= width <= values.shape[1]:
        raise DlmError(f"width = {width!r} is not a number of steps in 1..{values.shape[1]}")
    if not 0 <= threshold < np.inf:
        raise DlmError(f"threshold = {threshold!r} is not a number of spikes per bin from 0 on")
    n_bins = values.shape[1] // width
    binned = values[:, : n_bins * width].reshape(len(values), n_bins, width).sum(2)
    active = np.zeros((len(values), n_bins + 2), dtype=bool)
    active[:, 1:-1] = binned > threshold
    # Every row begins and ends silent, so that starts and ends pair up along the rows laid one after another.
    flat = np.flatnonzero(np.diff(active.ravel().astype(np.int8)))
    starts, ends = flat[::2], flat[1::2]
    row = starts // (n_bins + 2)
    first, last = starts - row * (n_bins + 2), ends - row * (n_bins + 2)
    sums = np.concatenate(([0.0], np.cumsum(np.maximum(binned - threshold, 0).ravel())))
    size = sums[row * n_bins + last] - sums[row * n_bins + first]
    whole = (first > 0) & (last < n_bins)
    return Avalanches(
        np.maximum(np.round(size[whole]), 1).astype(np.int64),
        (last - first)[whole].astype(np.int64),
        int(np.count_nonzero(~whole)),
        float(1 - active[:, 1:-1].mean()),
        width,
        threshold,
        n_bins,
        len(values),
    )
