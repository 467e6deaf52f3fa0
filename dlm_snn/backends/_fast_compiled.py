"""The loops of the fast simulator, compiled by numba; ``_fast_plain`` says the same in NumPy.

Arrays are (sample, neuron). The events of one step are ``index``, the neurons that spiked, sample after sample, and
``begin`` (sample + 1): those of sample b are index[begin[b]:begin[b + 1]].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from dlm_snn.backends import _fast_plain
from dlm_snn.backends._fast_plan import PlannedPopulation
from dlm_snn.compilation import compiled
from dlm_snn.neurons.integer_lif import STATE_LIMIT, Overflow

NAME = "compiled"
EVENT_COST = {True: 0.03, False: 0.12}
"""Nanoseconds to add one weight of a row, integer or float: measured by benchmarks/costs.py."""
NONE = np.zeros((0, 0), dtype=np.int32)

_LIMIT = np.int32(STATE_LIMIT)
_TWICE = np.int32(2 * STATE_LIMIT)
_LOWEST = np.int32(1 - STATE_LIMIT)
_HIGHEST = np.int32(STATE_LIMIT - 1)


def step(cell: PlannedPopulation, state: Any, drive: NDArray, sent: Any) -> Overflow | None:
    """One step of a population, in place; ``sent`` gets its spikes and events."""
    if drive.dtype == np.int64:
        return _fast_plain.step(cell, state, drive, sent)
    neuron = cell.neuron
    parameters = cell.keep_u, cell.keep_v, cell.v_threshold, cell.bias
    competition = 0 if neuron.winners is None else neuron.winners, neuron.groups
    events = sent.s, sent.index, sent.begin
    if drive.dtype == np.int32:
        wraps, saturations, first = _step_integer(state.u, state.v, drive, parameters, competition, events)
        return Overflow(wraps, saturations, first if wraps or saturations else None)
    rule = *competition, neuron.reset == "subtract", neuron.refractory
    _step_float(state.u, state.v, state.waiting, state.s, drive, parameters, rule, events)
    return None


@compiled
def extract(s, index, begin):  # type: ignore[no-untyped-def]
    """The events of spikes s (sample, neuron) of 0 and 1."""
    p = 0
    for b in range(s.shape[0]):
        begin[b] = p
        for i in range(s.shape[1]):
            index[p] = i
            p += s[b, i]
    begin[s.shape[0]] = p


@compiled
def add_rows(sums, columns, index, begin):  # type: ignore[no-untyped-def]
    """sums[b] += columns[j] for every event j of sample b; columns (pre, post)."""
    for b in range(sums.shape[0]):
        total = sums[b]
        k, end = begin[b], begin[b + 1]
        while k + 4 <= end:
            first, second = columns[index[k]], columns[index[k + 1]]
            third, fourth = columns[index[k + 2]], columns[index[k + 3]]
            for i in range(total.shape[0]):
                total[i] += (first[i] + second[i]) + (third[i] + fourth[i])
            k += 4
        while k < end:
            row = columns[index[k]]
            for i in range(total.shape[0]):
                total[i] += row[i]
            k += 1


@compiled
def add_synapses(sums, start, post, weight, index, begin):  # type: ignore[no-untyped-def]
    """sums[b, post[k]] += weight[k] for every synapse k of every event of sample b."""
    for b in range(sums.shape[0]):
        total = sums[b]
        for e in range(begin[b], begin[b + 1]):
            for k in range(start[index[e]], start[index[e] + 1]):
                total[post[k]] += weight[k]


@compiled
def add_values(sums, start, post, weight, values):  # type: ignore[no-untyped-def]
    """sums[b, post[k]] += weight[k] * values[b, j] for every synapse k of every neuron j with a value."""
    for b in range(sums.shape[0]):
        total = sums[b]
        for j in range(values.shape[1]):
            value = values[b, j]
            if value != 0:
                for k in range(start[j], start[j + 1]):
                    total[post[k]] += weight[k] * value


@compiled
def gather(index, offset, begin, sample, step, neuron):  # type: ignore[no-untyped-def]
    """Events kept step after step as arrays sorted by sample, step, neuron.

    index: all events; those of sample b in step t are offset[t] + begin[t, b] .. offset[t] + begin[t, b + 1].
    """
    p = 0
    for b in range(begin.shape[1] - 1):
        for t in range(begin.shape[0]):
            for k in range(offset[t] + begin[t, b], offset[t] + begin[t, b + 1]):
                sample[p] = b
                step[p] = t
                neuron[p] = index[k]
                p += 1


@njit(inline="always")
def decayed(value, keep):  # type: ignore[no-untyped-def]
    """trunc(value keep / 4096) in 32 bits: the value is split at its twelfth bit."""
    size = np.uint32(abs(np.int64(value)))
    share = np.uint32(keep)
    high = np.uint32(np.uint32(size >> np.uint32(12)) * share)
    low = np.uint32(np.uint32(np.uint32(size & np.uint32(4095)) * share) >> np.uint32(12))
    kept = np.int32(high + low)
    return np.int32(-kept) if value < 0 else kept


@njit(inline="always")
def _wrap(current):  # type: ignore[no-untyped-def]
    """One wrap into 24 bits; see ``integer_lif.wrap``."""
    if current > _LIMIT:
        return np.int32(current - _TWICE)
    return np.int32(current + _TWICE) if current <= -_LIMIT else current


@njit(inline="always")
def _choose_winners(v, v_threshold, winners, groups, s, overshoot):  # type: ignore[no-untyped-def]
    """Leave of the spikes s of one sample only the ``winners`` of each group; equal ones by lower index."""
    size = v.shape[0] // groups
    for g in range(groups):
        above = 0
        for i in range(g * size, (g + 1) * size):
            if s[i]:
                overshoot[above] = v[i] - v_threshold[i]
                above += 1
        if above > winners:
            last = _largest(overshoot, above, winners)
            places = winners
            for i in range(g * size, (g + 1) * size):
                places -= s[i] and v[i] - v_threshold[i] > last
            for i in range(g * size, (g + 1) * size):
                if s[i] and v[i] - v_threshold[i] <= last:
                    s[i] = places > 0 and v[i] - v_threshold[i] == last
                    places -= s[i]


@njit(inline="always")
def _largest(values, count, k):  # type: ignore[no-untyped-def]
    """The k-th largest of the first ``count`` values, by Hoare's selection; their order is changed."""
    low, high = 0, count - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] > pivot:
                i += 1
            while values[j] < pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k - 1 <= j:
            high = j
        elif k - 1 >= i:
            low = i
        else:
            break
    return values[k - 1]


@compiled
def _step_integer(u, v, drive, parameters, rule, events):  # type: ignore[no-untyped-def]
    """See ``integer_lif.step``; all sums in 32 bits. Returns wraps, saturations and the lowest neuron with one."""
    samples, n = u.shape
    keep_u, keep_v, v_threshold, bias = parameters
    winners, groups = rule
    s, index, begin = events
    overshoot = np.empty(n, np.int32)
    wraps, saturations, first = 0, 0, n
    p = 0
    for b in range(samples):
        begin[b] = p
        u_b, v_b, drive_b, s_b = u[b], v[b], drive[b], s[b]
        wrapped: Any = np.int32(0)
        saturated: Any = np.int32(0)
        lowest: Any = np.int32(n)
        for i in range(n):
            shifted = np.int32(drive_b[i] << np.int32(6))
            current = np.int32(decayed(u_b[i], keep_u[i]) + shifted)
            inside = _wrap(current)
            wrapped += np.int32(inside != current)
            u_b[i] = inside
            voltage = np.int32(np.int32(decayed(v_b[i], keep_v[i]) + inside) + bias[i])
            reached = min(max(voltage, _LOWEST), _HIGHEST)
            saturated += np.int32(reached != voltage)
            v_b[i] = reached
            s_b[i] = reached > v_threshold[i]
            lowest = min(lowest, np.int32(i) if inside != current or reached != voltage else np.int32(n))
        wraps += wrapped
        saturations += saturated
        first = min(first, lowest)
        if winners:
            _choose_winners(v_b, v_threshold, winners, groups, s_b, overshoot)
        for i in range(n):
            v_b[i] = 0 if s_b[i] else v_b[i]
        for i in range(n):
            index[p] = i
            p += s_b[i]
    begin[samples] = p
    return wraps, saturations, first


@compiled
def _step_float(u, v, waiting, last, drive, parameters, rule, events):  # type: ignore[no-untyped-def]
    """See ``lif.step``; the same operations in the same order."""
    samples, n = u.shape
    keep_u, keep_v, v_threshold, bias = parameters
    winners, groups, subtract, refractory = rule
    s, index, begin = events
    overshoot = np.empty(n)
    p = 0
    for b in range(samples):
        begin[b] = p
        u_b, v_b, drive_b, s_b = u[b], v[b], drive[b], s[b]
        for i in range(n):
            u_b[i] = keep_u[i] * u_b[i] + drive_b[i]
            v_b[i] = keep_v[i] * v_b[i] + u_b[i] + bias[i]
        if subtract:
            for i in range(n):
                v_b[i] -= v_threshold[i] * last[b, i]
        if refractory:
            for i in range(n):
                v_b[i] *= waiting[b, i] == 0
        for i in range(n):
            s_b[i] = v_b[i] > v_threshold[i]
        if winners:
            _choose_winners(v_b, v_threshold, winners, groups, s_b, overshoot)
        if subtract:
            for i in range(n):
                last[b, i] = s_b[i]
        else:
            for i in range(n):
                v_b[i] = 0.0 if s_b[i] else v_b[i]
        if refractory:
            for i in range(n):
                left = waiting[b, i] - (waiting[b, i] > 0)
                waiting[b, i] = refractory if s_b[i] else left
        for i in range(n):
            index[p] = i
            p += s_b[i]
    begin[samples] = p
