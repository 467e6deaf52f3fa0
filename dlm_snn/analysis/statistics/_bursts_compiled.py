"""Bursts of one spike train, for use as a library."""

from __future__ import annotations

from dlm_snn.compilation import compiled


@compiled
def bursts_of(time, rules, first, last):  # type: ignore[no-untyped-def]
    """Bursts by the max-interval method, as places of their first and last spike.

    Args:
        time: sorted int64 steps; samples lie further apart than any rule reaches.
        rules: in steps but for the last: the longest first interval, the longest later one, the shortest gap between
            bursts, the shortest burst; the fewest spikes.
        first, last: int64, filled; half as long as time at least.

    Returns:
        How many there are.
    """
    begins, goes_on, apart, shortest, fewest = rules
    n, i = 0, 0
    while i + 1 < time.shape[0]:
        if time[i + 1] - time[i] > begins:
            i += 1
            continue
        j = i + 1
        while j + 1 < time.shape[0] and time[j + 1] - time[j] <= goes_on:
            j += 1
        if n and time[i] - time[last[n - 1]] < apart:
            last[n - 1] = j
        else:
            first[n], last[n] = i, j
            n += 1
        i = j + 1
    kept = 0
    for k in range(n):
        if time[last[k]] - time[first[k]] >= shortest and last[k] - first[k] + 1 >= fewest:
            first[kept], last[kept] = first[k], last[k]
            kept += 1
    return kept
