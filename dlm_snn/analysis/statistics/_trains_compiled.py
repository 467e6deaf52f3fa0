"""Events of a raster, train after train, for use as a library."""

from __future__ import annotations

import numpy as np

from dlm_snn.compilation import compiled

NOBODY = 2**32 - 1
"""The train of neurons that are left out: no raster has as many."""
ONE = np.uint64(1)
"""Places are unsigned, since signed ones would be looked at for values below 0, at twice the time."""


@compiled
def wanted(neuron, slot, hits):  # type: ignore[no-untyped-def]
    """Find the events of neurons that have a slot.

    Args:
        neuron: (event,) uint32.
        slot: (neuron,) uint32, the train that takes a neuron's spikes, or NOBODY.
        hits: int64, filled with their places.

    Returns:
        How many there are.
    """
    n = 0
    for i in range(neuron.shape[0]):
        # Without a branch, which chance would make costly: what is no hit is written over.
        hits[n] = i
        n += slot[neuron[i]] != NOBODY
    return n


@compiled
def laid_out(sample, step, neuron, slot, period, free, time):  # type: ignore[no-untyped-def]
    """Put events into their train's part, in the order in which they come.

    Args:
        sample, step, neuron: uint32 events.
        slot: (neuron,) uint32, the train that takes a neuron's spikes.
        period: steps from the beginning of a sample to that of the next.
        free: (train,) uint64, where the next event of each goes; moves on.
        time: (event,) int64, filled with sample * period + step.
    """
    for i in range(step.shape[0]):
        mine = slot[neuron[i]]
        time[free[mine]] = sample[i] * period + step[i]
        free[mine] += ONE


@compiled
def differences(time, starts, longest, lengths, counts):  # type: ignore[no-untyped-def]
    """The intervals between spikes of each train, one train after another.

    Args:
        time, starts: trains, whose samples lie further apart than ``longest``.
        longest: what is longer leads from one sample into the next, and is none.
        lengths: int64, filled with the intervals.
        counts: (train,) int64, filled with how many each has.

    Returns:
        How many there are in all.
    """
    n = 0
    for k in range(counts.shape[0]):
        before = n
        for i in range(starts[k] + 1, starts[k + 1]):
            length = time[i] - time[i - 1]
            if length <= longest:
                lengths[n] = length
                n += 1
        counts[k] = n - before
    return n
