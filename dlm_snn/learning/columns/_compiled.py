"""The columns on many samples, compiled: a sample at once from its rank code, equal to ``rule`` step by step.

A holder that spikes x times in ``levels`` levels does so in the last x of them; so its code says when it spiked.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlm_snn.compilation import compiled
from dlm_snn.errors import DlmError
from dlm_snn.learning.columns.rule import ColumnRule, Columns


def observe(
    rule: ColumnRule, columns: Columns, codes: NDArray[np.uint8], labels: NDArray[np.int64], levels: int
) -> int:
    """Learn from samples in their order, in place.

    Args:
        rule, columns: the constants, and what has been learned.
        codes: (sample, code) 0..levels.
        labels: (sample,), the column that the teacher opens.
        levels: of the code.

    Returns:
        ties: samples whose first spike was shared.
    """
    return int(_observe(codes, labels, columns.weight, columns.wins, levels, _constants(rule)))


def predict(
    rule: ColumnRule, columns: Columns, codes: NDArray[np.uint8], levels: int
) -> tuple[NDArray[np.int64], tuple[int, int]]:
    """The column that answers, (sample,), -1 where none does; ties of the first spike, and those between columns.

    Raises:
        DlmError: a neuron spikes before its code is complete, and more than the first spike answers: a code does not
            tell how many steps lie between its levels.
    """
    found = np.empty(len(codes), dtype=np.int64)
    if rule.winner == "largest":
        ties, between = _largest(codes, columns.weight, columns.wins, levels, _constants(rule), found)
        return found, (int(ties), int(between))
    ties, between, early = _race(codes, columns.weight, columns.wins, levels, _constants(rule), rule.evidence, found)
    if early and rule.evidence > 1:
        raise DlmError(
            f"threshold = {rule.threshold} of the columns: a neuron crosses it before the code is complete, and the "
            f"steps that follow would count as evidence, which is {rule.evidence}; give a higher threshold, a lower "
            "gain, or evidence = 1"
        )
    return found, (int(ties), int(between))


def _constants(rule: ColumnRule) -> tuple[int | bool, ...]:
    ramp = rule.winner == "ramp"
    return ramp, rule.threshold, rule.ramp, rule.ramp_steps, rule.novelty, rule.gain, rule.shift, rule.slowest


@compiled
def _observe(codes, labels, weight, wins, levels, constants):  # type: ignore[no-untyped-def]
    ramp, _, _, ramp_steps, novelty, gain, shift, slowest = constants
    v = np.empty(weight.shape[2], np.int32)
    active = np.empty(codes.shape[1], np.int32)
    ties = 0
    for b in range(codes.shape[0]):
        of_column, of_wins, code = weight[labels[b]], wins[labels[b]], codes[b]
        used = np.count_nonzero(of_wins)
        best, time, y, sharing = _first(code, of_column, used, levels, active, v, constants)
        fresh = used < of_wins.shape[0] and (best < 0 or (time > novelty if ramp else y < novelty))
        if fresh:
            of_wins[used] = 1
            for i in range(code.shape[0]):
                of_column[i, used] = min(gain * code[i], 255)
            continue
        if best < 0 or (ramp and time > ramp_steps):
            continue
        ties += sharing > 1
        of_wins[best] += 1
        s = 0
        while s < slowest and of_wins[best] >> (s + 1) > 0:
            s += 1
        if ramp and time < 0:
            # It spiked before the code was complete, and learns from what it had seen.
            for i in range(code.shape[0]):
                x = max(0, np.int64(code[i]) + time)
                of_column[i, best] = _moved(x, of_column[i, best], y, gain, shift, s)
        else:
            for i in range(code.shape[0]):
                of_column[i, best] = _moved(code[i], of_column[i, best], y, gain, shift, s)
    return ties


@compiled
def _moved(x, w, y, gain, shift, s):  # type: ignore[no-untyped-def]
    """w + 2^-s (gain x - 2^-shift y w), rounded to the nearest."""
    change = ((gain * np.int64(x)) << shift) - y * np.int64(w)
    moved = np.int64(w) + ((change + (1 << (shift + s - 1))) >> (shift + s))
    return np.uint8(min(255, max(0, moved)))


@compiled
def _first(code, weight, used, levels, active, v, constants):  # type: ignore[no-untyped-def]
    """The first neuron of a column to spike: its index, its time, y and how many share the spike; index -1 where there
    is none.

    The time is 1, 2, ... in the ramp, 0, -1, ... before its last level.
    """
    ramp, threshold, slope, ramp_steps, _, _, _, _ = constants
    if used == 0:
        return -1, ramp_steps + 1, 0, 0
    _integrate(code, weight, used, 0, active, v)
    best = np.argmax(v[:used])
    if not ramp:
        largest = np.int64(v[best])
        return (best, 1, largest, _above(v, used, largest - 1)[1]) if largest > 0 else (-1, ramp_steps + 1, 0, 0)
    if v[best] + slope > threshold:
        # Somebody may have spiked before the ramp: level by level.
        for left in range(levels - 1, 0, -1):
            _integrate(code, weight, used, left, active, v)
            first, sharing = _above(v, used, threshold)
            if sharing > 0:
                return first, -left, np.int64(threshold + slope // 2), sharing
        _integrate(code, weight, used, 0, active, v)
    time = max(1, (threshold - v[best]) // slope + 1)
    first, sharing = _above(v, used, threshold - slope * time)
    return first, time, np.int64(threshold + slope // 2 - slope * time), sharing


@compiled
def _above(v, used, limit):  # type: ignore[no-untyped-def]
    """The lowest index whose v is above a limit, -1 where there is none; and how many are."""
    first, count = -1, 0
    for j in range(used - 1, -1, -1):
        if v[j] > limit:
            first = j
            count += 1
    return first, count


@compiled
def _integrate(code, weight, used, left, active, v):  # type: ignore[no-untyped-def]
    """v = w . x of the first ``used`` neurons, where x counts the spikes up to ``left`` levels before the last."""
    v[:used] = 0
    count = 0
    for i in range(code.shape[0]):
        active[count] = i
        count += np.int64(code[i]) > left
    for k in range(count):
        row = weight[active[k]]
        x = np.int32(np.int32(code[active[k]]) - left)
        for j in range(used):
            v[j] += x * np.int32(row[j])


@compiled
def _largest(codes, weight, wins, levels, constants, found):  # type: ignore[no-untyped-def]
    v = np.empty(weight.shape[2], np.int32)
    active = np.empty(codes.shape[1], np.int32)
    ties, between = 0, 0
    for b in range(codes.shape[0]):
        found[b] = -1
        largest, sharing, columns = np.int64(0), 0, 0
        for c in range(weight.shape[0]):
            used = np.count_nonzero(wins[c])
            best, _, y, of_column = _first(codes[b], weight[c], used, levels, active, v, constants)
            if best >= 0 and y > largest:
                found[b], largest, sharing, columns = c, y, of_column, 1
            elif best >= 0 and y == largest:
                sharing += of_column
                columns += 1
        ties += sharing > 1
        between += columns > 1
    return ties, between


@compiled
def _race(codes, weight, wins, levels, constants, evidence, found):  # type: ignore[no-untyped-def]
    """Spikes of every column step by step, and the first output neuron whose v reaches the evidence."""
    ramp_steps = constants[3]
    v = np.empty(weight.shape[2], np.int32)
    active = np.empty(codes.shape[1], np.int32)
    # Whoever spikes last, in the last step of the ramp, has its evidence together by the end.
    spikes = np.empty((weight.shape[0], levels + ramp_steps + evidence), np.int64)
    u = np.empty((2, weight.shape[0]), np.int64)
    ties, between, early = 0, 0, False
    for b in range(codes.shape[0]):
        spikes[:] = 0
        for c in range(weight.shape[0]):
            used = np.count_nonzero(wins[c])
            early |= _spikes_of(codes[b], weight[c], used, levels, active, v[:used], constants, spikes[c])
        first, found[b], answering = 0, -1, 0
        u[:] = 0
        for step in range(spikes.shape[1]):
            u[0] += spikes[:, step]
            if first == 0:
                first = u[0].sum()
            u[1] += u[0]
            for c in range(weight.shape[0] - 1, -1, -1):
                if u[1, c] >= evidence:
                    found[b] = c
                    answering += 1
            if answering > 0:
                break
        ties += first > 1
        between += answering > 1
    return ties, between, early


@compiled
def _spikes_of(code, weight, used, levels, active, v, constants, spikes):  # type: ignore[no-untyped-def]
    """Count the spikes of a column in every step, the first level's first; the ramp begins with the last level.

    Once its code is complete a neuron spikes once: the ramp alone lifts nobody over the threshold. Of spikes before,
    only the first step is counted; True if there are any.
    """
    _, threshold, slope, ramp_steps, _, _, _, _ = constants
    if used == 0:
        return False
    _integrate(code, weight, used, 0, active, v)
    if v.max() + slope > threshold:
        for left in range(levels - 1, 0, -1):
            _integrate(code, weight, used, left, active, v)
            count = _above(v, used, threshold)[1]
            if count > 0:
                spikes[levels - 1 - left] = count
                return True
        _integrate(code, weight, used, 0, active, v)
    for j in range(used):
        time = max(1, (threshold - v[j]) // slope + 1)
        if time <= ramp_steps:
            spikes[levels - 2 + time] += 1
    return False
