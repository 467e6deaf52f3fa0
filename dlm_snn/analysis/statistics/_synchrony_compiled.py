"""Coincidences and interval ratios of pairs of spike trains, for use as a library."""

from __future__ import annotations

from dlm_snn.compilation import compiled


@compiled
def half_gap(x, i, longest):  # type: ignore[no-untyped-def]
    """Twice the half of the shorter interval beside spike i; the sample's length where there is none."""
    gap = longest
    if i > 0:
        gap = min(gap, x[i] - x[i - 1])
    if i + 1 < x.shape[0]:
        gap = min(gap, x[i + 1] - x[i])
    return gap


@compiled
def paired(x, y, longest):  # type: ignore[no-untyped-def]
    """Spikes of x that have a partner in y: nearer than half the shortest of the four intervals beside both."""
    found, j = 0, 0
    for i in range(x.shape[0]):
        while j < y.shape[0] and y[j] < x[i]:
            j += 1
        for k in (j - 1, j):
            if 0 <= k < y.shape[0] and 2 * abs(x[i] - y[k]) < min(half_gap(x, i, longest), half_gap(y, k, longest)):
                found += 1
    return found


@compiled
def interval_at(x, k, longest):  # type: ignore[no-untyped-def]
    """The interval behind spike k (-1: before the first); at the edges at least as long as its neighbor."""
    n = x.shape[0]
    if n == 0:
        return longest
    if k < 0:
        return max(x[0], x[1] - x[0]) if n > 1 else x[0]
    if k == n - 1:
        return max(longest - x[k], x[k] - x[k - 1]) if n > 1 else longest - x[k]
    return x[k + 1] - x[k]


@compiled
def unlike(x, y, longest):  # type: ignore[no-untyped-def]
    """Sum over the steps of a sample of |p - q| / max(p, q), p and q the intervals in which the step lies."""
    total, now, i, j = 0.0, 0, -1, -1
    while now < longest:
        while i + 1 < x.shape[0] and x[i + 1] == now:
            i += 1
        while j + 1 < y.shape[0] and y[j + 1] == now:
            j += 1
        end = longest
        if i + 1 < x.shape[0]:
            end = min(end, x[i + 1])
        if j + 1 < y.shape[0]:
            end = min(end, y[j + 1])
        p, q = interval_at(x, i, longest), interval_at(y, j, longest)
        total += (end - now) * abs(p - q) / max(p, q)
        now = end
    return total


@compiled
def compared(time, starts, longest, partners, distances):  # type: ignore[no-untyped-def]
    """Add the partners and the interval distances of all pairs of trains, in place.

    Args:
        time, starts: trains of one sample, as ``trains_of`` lays them out.
        longest: steps of the sample.
        partners: (train, train) int64.
        distances: (train, train) float64, of sums over steps.
    """
    for a in range(starts.shape[0] - 1):
        for b in range(a):
            x, y = time[starts[a] : starts[a + 1]], time[starts[b] : starts[b + 1]]
            partners[a, b] += paired(x, y, longest)
            distances[a, b] += unlike(x, y, longest)
