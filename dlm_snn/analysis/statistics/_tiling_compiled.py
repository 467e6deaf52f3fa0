"""Time around the spikes of a train, and spikes that lie near those of another, for use as a library."""

from __future__ import annotations

from dlm_snn.compilation import compiled


@compiled
def covered(time, starts, reach, n_steps, steps):  # type: ignore[no-untyped-def]
    """Add how many steps of a sample lie within ``reach`` of a spike of each train.

    Args:
        time, starts: trains of one sample, as ``trains_of`` lays them out.
        reach: steps to both sides.
        n_steps: of the sample.
        steps: (train,) int64, added to in place.
    """
    for k in range(steps.shape[0]):
        x = time[starts[k] : starts[k + 1]]
        end = 0
        for i in range(x.shape[0]):
            first, last = max(x[i] - reach, end), min(x[i] + reach + 1, n_steps)
            steps[k] += last - first
            end = last


@compiled
def nearby(time, starts, reach, near):  # type: ignore[no-untyped-def]
    """Add how many spikes of each train lie within ``reach`` of a spike of each other.

    Args:
        time, starts, reach: as for ``covered``.
        near: (train, train) int64, added to in place: spikes of the first, near those of the second.
    """
    n = starts.shape[0] - 1
    for a in range(n):
        for b in range(n):
            x, y = time[starts[a] : starts[a + 1]], time[starts[b] : starts[b + 1]]
            j = 0
            for i in range(x.shape[0]):
                while j < y.shape[0] and y[j] < x[i] - reach:
                    j += 1
                if j < y.shape[0] and y[j] <= x[i] + reach:
                    near[a, b] += 1
