"""Distances between spike trains, for use as a library."""

from __future__ import annotations

import math

from dlm_snn.compilation import compiled

NOTHING = 1e-200
"""A trace below it is 0: numbers that are smaller still take the processor a hundred times as long."""


@compiled
def traced(active, n_active, trace, overlaps, together):  # type: ignore[no-untyped-def]
    """Take the spikes of one step: add what the traces hold to the overlaps, count who fires together, add to traces.

    Args:
        active: (train,) uint32, the first n_active of which fire.
        n_active: how many.
        trace: (train,) float64, sum over earlier spikes of exp(-age / time constant).
        overlaps: (train, train) float64: [a, b] is the sum over spikes of a of the trace of b.
        together: (train, train) int64, spikes in the same step.
    """
    for a in range(n_active):
        row, beside = overlaps[active[a]], together[active[a]]
        for b in range(trace.shape[0]):
            row[b] += trace[b]
        for b in range(n_active):
            beside[active[b]] += 1
    for a in range(n_active):
        trace[active[a]] += 1


@compiled
def overlapping(sample, step, neuron, decay, active, trace, overlaps, together):  # type: ignore[no-untyped-def]
    """The overlaps of all trains of a raster, in one pass; traces begin anew with each sample.

    Args:
        sample, step, neuron: uint32 events.
        decay: 1 / time constant, per step.
        active, trace, overlaps, together: as for ``traced``, the last three 0 at first.
    """
    n_active = 0
    for i in range(step.shape[0]):
        if n_active and (step[i] != step[i - 1] or sample[i] != sample[i - 1]):
            traced(active, n_active, trace, overlaps, together)
            n_active = 0
            if sample[i] != sample[i - 1]:
                trace[:] = 0
            else:
                left = math.exp(-decay * (step[i] - step[i - 1]))
                for b in range(trace.shape[0]):
                    trace[b] = trace[b] * left if trace[b] > NOTHING else 0.0
        active[n_active] = neuron[i]
        n_active += 1
    traced(active, n_active, trace, overlaps, together)


@compiled
def edited(time, starts, cost, row, distances):  # type: ignore[no-untyped-def]
    """Add the cheapest way from each train to each other: a spike in or out costs 1, a shift ``cost`` per step.

    D(i, j) = min(D(i-1, j) + 1, D(i, j-1) + 1, D(i-1, j-1) + cost |x_i - y_j|) over the first i and j spikes.

    Args:
        time, starts: trains, as ``trains_of`` lays them out.
        cost: per step.
        row: float64, with room for the longest train and one more.
        distances: (train, train) float64, added to in place.
    """
    for first in range(starts.shape[0] - 1):
        for second in range(first):
            x, y = time[starts[first] : starts[first + 1]], time[starts[second] : starts[second + 1]]
            for j in range(y.shape[0] + 1):
                row[j] = j
            for i in range(x.shape[0]):
                before, row[0] = row[0], i + 1.0
                for j in range(y.shape[0]):
                    shifted = before + cost * abs(x[i] - y[j])
                    before = row[j + 1]
                    row[j + 1] = min(shifted, min(before, row[j]) + 1)
            distances[first, second] += row[y.shape[0]]
            distances[second, first] = distances[first, second]
