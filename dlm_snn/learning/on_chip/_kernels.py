"""The loops of ``_compiled``. Matrices here are (pre, post): what one neuron sends lies together."""

import numpy as np

from dlm_snn.compilation import compiled
from dlm_snn.learning.on_chip._plain import HIGHEST, LOWEST
from dlm_snn.learning.on_chip.limits import FRACTION

_LOWEST, _HIGHEST = np.int32(LOWEST), np.int32(HIGHEST)


@compiled
def take(into, line, rows):  # type: ignore[no-untyped-def]
    """Some values of a line; no rows: all."""
    if len(rows):
        for r in range(len(rows)):
            into[r] = line[rows[r]]
    else:
        into[:] = line


@compiled
def put(line, values, rows, kept):  # type: ignore[no-untyped-def]
    """Write some values of a line; no rows: all but those that are kept."""
    if len(rows):
        for r in range(len(rows)):
            line[rows[r]] = values[r]
        return
    for k in range(len(kept)):
        values[kept[k]] = line[kept[k]]
    line[:] = values


@compiled
def update_float(out, columns, rows, kept, across, down, constant, low, high):  # type: ignore[no-untyped-def]
    """w + (a + b (w + constant)), where a and b are products of a column's number and a row's."""
    n, c, d = down.shape[1], down[0], down[1]
    value = np.empty(n)
    bounded = low > -np.inf or high < np.inf
    for p in range(len(columns)):
        j, a, b = columns[p], across[0, p], across[1, p]
        # Few rows of many columns: with no more ado than this.
        for r in range(len(rows)):
            w = out[j, rows[r]]
            w = w + (a * c[r] + b * d[r] * (w + constant))
            out[j, rows[r]] = min(max(w, low), high) if bounded else w
        if len(rows):
            continue
        for r in range(n):
            w = out[j, r]
            value[r] = w + (a * c[r] + b * d[r] * (w + constant))
        if bounded:
            for r in range(n):
                value[r] = min(max(value[r], low), high)
        put(out[j], value, rows, kept)


@compiled
def update_fixed(  # type: ignore[no-untyped-def]
    out, old, columns, rows, kept, across, down, tables, draws, low, high
):
    """Products summed within 15 bits and 7 bits below the point, then rounded stochastically."""
    terms, own = tables
    n = down.shape[1]
    total, value, stored = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    for c in range(len(columns)):
        line = out[columns[c]]
        take(total, line, rows)
        for r in range(n):
            total[r] = total[r] << FRACTION
        for p in range(len(terms)):
            column, row = across[p, c], down[p]
            for r in range(n):
                value[r] = column * row[r]
            for o in range(terms[p, 2], terms[p, 3]):
                take(stored, old[own[o, 0], columns[c]], rows)
                _multiply(value, stored, np.int32(own[o, 1]), own[o, 2] != 0, np.int32(own[o, 3]))
            surplus, power = np.int32(terms[p, 0]), np.int32(1 << terms[p, 1])
            for r in range(n):
                term = min(max(np.int32(np.int32(value[r] >> surplus) * power), _LOWEST), _HIGHEST)
                total[r] = min(max(np.int32(total[r] + term), _LOWEST), _HIGHEST)
        _round(total, draws, c, np.int32(low), np.int32(high))
        put(line, total, rows, kept)


@compiled
def _multiply(value, stored, constant, sign, size):  # type: ignore[no-untyped-def]
    """Times (variable + constant), or its sign, clipped to its width."""
    for r in range(len(value)):
        found = np.int32(stored[r] + constant)
        if sign:
            found = np.int32(np.int32(found > 0) - np.int32(found < 0))
        value[r] *= np.int32(min(max(found, np.int32(-size)), np.int32(size - 1)))


@compiled
def _round(total, draws, c, low, high):  # type: ignore[no-untyped-def]
    """Stochastically, to whole numbers within limits; one draw for all, or one each."""
    below = np.int32(2**FRACTION - 1)
    for r in range(len(total)):
        draw = np.int32(draws[c, r] if draws.size > 1 else draws[0, 0])
        new = np.int32((total[r] >> FRACTION) + np.int32((total[r] & below) > draw))
        total[r] = min(max(new, low), high)


@compiled
def add_lines(total, weight, events):  # type: ignore[no-untyped-def]
    """The sum of the lines of the events, in order."""
    for e in range(len(events)):
        line = weight[events[e]]
        for i in range(len(total)):
            total[i] += line[i]


@compiled
def philox_words(found, lines, epoch, kind, first_key, second_key):  # type: ignore[no-untyped-def]
    """See ``dlm_snn.physics.membranes.noise.philox``."""
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
