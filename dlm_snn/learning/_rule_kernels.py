"""The loops of ``_rule_compiled``."""

import numpy as np

from dlm_snn.backends._fast_compiled import compiled
from dlm_snn.learning._rule_plain import HIGHEST, LOWEST
from dlm_snn.learning.rule_limits import FRACTION

_LOWEST, _HIGHEST = np.int32(LOWEST), np.int32(HIGHEST)


@compiled
def _held(held, out, old, i, places, used):  # type: ignore[no-untyped-def]
    """Row i near at hand: what is changed, first, and the variables w, d, t that the products use."""
    if len(places):
        for q in range(len(places)):
            held[0, q] = out[i, places[q]]
    else:
        held[0] = out[i]
    for v in range(3):
        if used[v] and len(places):
            for q in range(len(places)):
                held[1 + v, q] = old[v, i, places[q]]
        elif used[v]:
            held[1 + v] = old[v, i]


@compiled
def update_float(out, rows, places, across, down, constant, low, high):  # type: ignore[no-untyped-def]
    """w + (a + b (w + constant)), where a and b are products of a column's number and a row's; no places: all."""
    a, b = across
    bounded = low > -np.inf or high < np.inf
    for r in range(len(rows)):
        row, c, d = out[rows[r]], down[0, r], down[1, r]
        if len(places):
            for q in range(len(places)):
                w = row[places[q]]
                row[places[q]] = w + (a[q] * c + b[q] * d * (w + constant))
        else:
            for q in range(len(row)):
                row[q] = row[q] + (a[q] * c + b[q] * d * (row[q] + constant))
        if bounded:
            for q in range(len(row)):
                row[q] = min(max(row[q], low), high)


@compiled
def update_fixed(out, old, rows, places, across, down, tables, draws, low, high):  # type: ignore[no-untyped-def]
    """Products summed within 15 bits and 7 bits below the point, then rounded stochastically; no places: all."""
    products, own, used = tables
    n = across.shape[1]
    held, total, value = np.empty((4, n), np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    for r in range(len(rows)):
        _held(held, out, old, rows[r], places, used)
        for q in range(n):
            total[q] = held[0, q] << FRACTION
        for p in range(len(products)):
            surplus, power = np.int32(products[p, 0]), np.int32(1 << products[p, 1])
            for q in range(n):
                value[q] = across[p, q] * down[p, r]
            for o in range(products[p, 2], products[p, 3]):
                stored, constant, size = held[1 + own[o, 0]], np.int32(own[o, 1]), np.int32(own[o, 3])
                for q in range(n):
                    found = np.int32(stored[q] + constant)
                    if own[o, 2]:
                        found = np.int32(found > 0) - np.int32(found < 0)
                    value[q] *= np.int32(min(max(found, np.int32(-size)), np.int32(size - 1)))
            for q in range(n):
                term = min(max(np.int32(np.int32(value[q] >> surplus) * power), _LOWEST), _HIGHEST)
                total[q] = min(max(np.int32(total[q] + term), _LOWEST), _HIGHEST)
        for q in range(n):
            draw = np.int32(draws[r, q] if draws.size > 1 else draws[0, 0])
            total[q] = (total[q] >> FRACTION) + np.int32((total[q] & np.int32(2**FRACTION - 1)) > draw)
        _put(out, total, rows[r], places, np.int32(low), np.int32(high))


@compiled
def _put(out, values, i, places, low, high):  # type: ignore[no-untyped-def]
    """Write a row back, within limits."""
    if len(places):
        for q in range(len(places)):
            out[i, places[q]] = min(max(values[q], low), high)
    else:
        for q in range(len(values)):
            out[i, q] = min(max(values[q], low), high)


@compiled
def add_columns(total, weight, events):  # type: ignore[no-untyped-def]
    """total[i] = the sum of weight[i, j] over the events j, in order; four rows at a time, since each addition waits."""
    n = len(total)
    none = total[0] * 0
    for i in range(0, n - 3, 4):
        first, second, third, fourth = none, none, none, none
        for q in range(len(events)):
            j = events[q]
            first += weight[i, j]
            second += weight[i + 1, j]
            third += weight[i + 2, j]
            fourth += weight[i + 3, j]
        total[i], total[i + 1], total[i + 2], total[i + 3] = first, second, third, fourth
    for i in range(n - n % 4, n):
        rest = none
        for q in range(len(events)):
            rest += weight[i, events[q]]
        total[i] = rest


@compiled
def philox_words(found, lines, epoch, kind, first_key, second_key):  # type: ignore[no-untyped-def]
    """See ``dlm_snn.physics.noise.philox``."""
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    for line in range(len(lines)):
        for block in range(found.shape[1] // 4):
            c0, c1, c2, c3 = np.uint64(block), np.uint64(lines[line]), np.uint64(epoch), np.uint64(kind)
            k0, k1 = np.uint64(first_key), np.uint64(second_key)
            for _ in range(10):
                first, second = c0 * np.uint64(0xD2511F53), c2 * np.uint64(0xCD9E8D57)
                c0, c1, c2, c3 = (second >> half) ^ c1 ^ k0, second & low, (first >> half) ^ c3 ^ k1, first & low
                k0, k1 = (k0 + np.uint64(0x9E3779B9)) & low, (k1 + np.uint64(0xBB67AE85)) & low
            found[line, 4 * block] = c0
            found[line, 4 * block + 1] = c1
            found[line, 4 * block + 2] = c2
            found[line, 4 * block + 3] = c3
