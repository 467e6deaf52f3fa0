"""Events of a raster, train after train, for use as a library."""

from __future__ import annotations

from dlm_snn.compilation import compiled


@compiled
def laid_out(sample, step, neuron, period, free, time):  # type: ignore[no-untyped-def]
    """Put events into their neuron's part, in the order in which they come.

    Args:
        sample, step, neuron: uint32 events.
        period: steps from the beginning of a sample to that of the next.
        free: (neuron,) int64, where the next event of each goes; moves on.
        time: (event,) int64, filled with sample * period + step.
    """
    for i in range(step.shape[0]):
        time[free[neuron[i]]] = sample[i] * period + step[i]
        free[neuron[i]] += 1
