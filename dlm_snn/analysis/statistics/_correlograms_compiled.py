"""Differences of spike times of two trains, for use as a library."""

from __future__ import annotations

from dlm_snn.compilation import compiled


@compiled
def coincidences(first, second, most, counts):  # type: ignore[no-untyped-def]
    """Count pairs of spikes by how much later the second comes.

    Args:
        first, second: sorted int64 times, in bins.
        most: the largest difference that counts.
        counts: (2 most + 1,) int64, added to in place.
    """
    low = 0
    for i in range(first.shape[0]):
        earliest, latest = first[i] - most, first[i] + most
        while low < second.shape[0] and second[low] < earliest:
            low += 1
        j = low
        while j < second.shape[0] and second[j] <= latest:
            counts[second[j] - earliest] += 1
            j += 1


@compiled
def jittered(time, period, n_steps, window, drawn, moved):  # type: ignore[no-untyped-def]
    """Put each spike anywhere in its own window, all places equally likely, and the whole in order.

    Args:
        time: sorted int64 times, sample * period + step.
        period, n_steps: steps from sample to sample, and of a sample.
        window: steps; those of a sample begin at its step 0, and the last may be shorter.
        drawn: a number in [0, 1) per spike.
        moved: int64, filled with the times.
    """
    for i in range(time.shape[0]):
        start = time[i] // period * period
        begin = (time[i] - start) // window * window
        now = start + begin + int(drawn[i] * min(window, n_steps - begin))
        # No spike leaves its window, so that only those of the same window may have to give way.
        j = i
        while j > 0 and moved[j - 1] > now:
            moved[j] = moved[j - 1]
            j -= 1
        moved[j] = now
