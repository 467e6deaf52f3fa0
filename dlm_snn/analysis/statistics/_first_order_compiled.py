"""One pass over the events of a raster in their own order, with a few numbers of state per neuron."""

from __future__ import annotations

from dlm_snn.compilation import compiled

LAST, INTERVAL, SPIKES, SQUARES, IN_WINDOW, COINCIDENCES = range(6)
"""Columns that most events change: place of the last spike (-1: none yet), the last interval (0: none in this sample),
spikes, the sum of squared intervals, spikes in the window, and pairs of spikes within a window."""
HOT = 8
"""Columns of a neuron's row: 64 bytes, a line of the cache."""
SEEN, WAITED, LENGTHS, ALONE, BEHIND = range(5)
"""Columns that few events change: samples with a spike, the sum of steps to the first one, places of last spikes less
those of first ones, samples with an interval, spikes behind the last whole window."""
COLD = 5


@compiled
def first_order(sample, step, neuron, extent, hot, cold, variations, at):  # type: ignore[no-untyped-def]
    """Add sorted events to the state, in place.

    Args:
        sample, step, neuron: uint32 events, which follow the ones before.
        extent: steps of a sample, of a window, and of all whole windows of a sample.
        hot, cold: (neuron, HOT), (neuron, COLD) int64, see above. Squares may wrap around; what is made of them does
            not.
        variations: (neuron, 2) float64, sums over pairs of intervals x, y of z = |x - y| / (x + y) and of z^2.
        at: (2,) int64, the sample, and the end of the window on a clock over all samples.
    """
    n_steps, width, whole = extent
    current, end = at[0], at[1]
    start = current * n_steps
    for i in range(step.shape[0]):
        if sample[i] != current:
            current = sample[i]
            start = current * n_steps
            end = start
        now = start + step[i]
        if now >= end:
            end = start + (step[i] // width + 1) * width
        # Indexed by an unsigned number: a signed one would be looked at for values below 0, at twice the time.
        mine = hot[neuron[i]]
        last = mine[0]
        mine[0] = now
        mine[2] += 1
        if step[i] >= whole:
            cold[neuron[i], 4] += 1
        elif last < end - width:
            mine[4] = 1
        else:
            mine[5] += mine[4]
            mine[4] += 1
        if last < start:
            mine[1] = 0
            cold[neuron[i], 0] += 1
            cold[neuron[i], 1] += step[i]
            cold[neuron[i], 2] += max(last, 0) - now
            continue
        new, old = now - last, mine[1]
        mine[1] = new
        mine[3] += new * new
        if old:
            z = abs(new - old) / (new + old)
            variations[neuron[i], 0] += z
            variations[neuron[i], 1] += z * z
        else:
            cold[neuron[i], 3] += 1
    at[0], at[1] = current, end
