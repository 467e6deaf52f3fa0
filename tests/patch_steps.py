"""The patch neurons step by step, slow and obvious: what ``PatchFeatures`` computes in closed form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlm_snn.learning.readout.features import LATE, PatchFeatures


def counts_of_position(drive: NDArray[np.int64], slope: int, winners: int, levels: int) -> NDArray[np.int64]:
    """Spikes of the neurons of one position: a ramp from -levels slope to -slope, closed LATE steps after enough."""
    counts, closed_from = np.zeros_like(drive), levels
    for step in range(levels):
        if step == closed_from:
            break
        active = drive - (levels - step) * slope > 0
        counts += active
        if active.sum() > winners:
            closed_from = min(closed_from, step + LATE)
    return counts


def features_of_image(features: PatchFeatures, image: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The features of one image, position by position."""
    neurons, channels, rows, columns = features.weight.shape
    pixels = image.reshape(features.shape).astype(np.int64)
    down, across = features.positions
    sums = np.zeros((features.grid, features.grid, neurons), dtype=np.int64)
    for y in range(down):
        for x in range(across):
            patch = pixels[:, y : y + rows, x : x + columns].reshape(channels * rows * columns)
            slope = round(features.slope)
            if features.floor is not None:
                slope = max(round(features.slope * np.sqrt(np.var(patch) + features.floor**2)), 1)
            drive = features.weight.reshape(neurons, -1) @ patch
            cell = y * features.grid // down, x * features.grid // across
            sums[cell] += counts_of_position(drive, slope, features.winners, features.levels)
    flat = sums.ravel()
    return np.floor(features.root * np.sqrt(flat)).astype(np.int64) if features.root else flat
