"""The competition of patch neurons, compiled by numba; ``tests/patch_steps.py`` says the same step by step."""

from __future__ import annotations

import numpy as np

from dlm_snn.compilation import compiled


@compiled
def count_spikes(drive, slope, cell, limits, counts):  # type: ignore[no-untyped-def]
    """Add the spikes of all neurons of one image to the counts of their cells.

    drive: (position, neuron) whole numbers; slope: (position,); cell: (shift, position) rows of counts;
    limits: winners, levels and the steps by which the closing comes late; counts: (shift, cell, neuron) int32.
    """
    positions, neurons = drive.shape
    winners, levels, late = limits
    level = np.empty(neurons, np.int32)
    at_level = np.empty(levels + 1, np.int32)
    for p in range(positions):
        per_level = 1.0 / slope[p]
        for i in range(neurons):
            # The largest l with l * slope < drive; half a unit keeps the product off the whole numbers.
            reached = min((drive[p, i] - 0.5) * per_level, np.float64(levels))
            level[i] = np.int32(max(reached, 0.0))
        at_level[:] = 0
        for i in range(neurons):
            at_level[level[i]] += 1
        active, closing = 0, levels + 1
        while active <= winners and closing > 0:
            closing -= 1
            active += at_level[closing]
        last = np.int32(max(closing - late, 0))
        for i in range(neurons):
            level[i] = max(level[i] - last, np.int32(0))
        for shift in range(cell.shape[0]):
            row = counts[shift, cell[shift, p]]
            for i in range(neurons):
                row[i] += level[i]
