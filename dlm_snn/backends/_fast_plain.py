"""What ``_fast_compiled`` does, in plain NumPy: the form to read, and to hold the compiled one against."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.backends._fast_plan import PlannedPopulation
from dlm_snn.neurons import integer_lif, lif
from dlm_snn.neurons.integer_lif import Overflow

NAME = "plain"
EVENT_COST = {True: 0.3, False: 1.3}
"""Nanoseconds to add one weight of a row, integer or float: measured by benchmarks/costs.py."""


def step(cell: PlannedPopulation, state: Any, drive: NDArray, sent: Any) -> Overflow | None:
    """One step of a population, in place; ``sent`` gets its spikes and events."""
    overflow = None
    after: Any
    if drive.dtype.kind == "i":
        before = integer_lif.State(state.u.astype(np.int64), state.v.astype(np.int64), state.s)
        after, overflow = integer_lif.step(cell.neuron, before, drive.astype(np.int64))
    else:
        after = lif.step(cell.neuron, lif.State(state.u, state.v, state.s, state.waiting), drive)
        state.waiting[...] = after.refractory
        state.s[...] = after.s
    state.u[...], state.v[...], sent.s[...] = after.u, after.v, after.s
    extract(sent.s, sent.index, sent.begin)
    return overflow


def extract(s: NDArray, index: NDArray, begin: NDArray) -> None:
    """The events of spikes s (sample, neuron) of 0 and 1."""
    places = np.nonzero(s)[1]
    index[: places.size] = places
    begin[0] = 0
    np.cumsum(np.count_nonzero(s, axis=1), out=begin[1:])


def add_rows(sums: NDArray, columns: NDArray, index: NDArray, begin: NDArray) -> None:
    """sums[b] += columns[j] for every event j of sample b; columns (pre, post)."""
    for b, total in enumerate(sums):
        total += columns[index[begin[b] : begin[b + 1]]].sum(axis=0, dtype=sums.dtype)


def add_synapses(sums: NDArray, start: NDArray, post: NDArray, weight: NDArray, index: NDArray, begin: NDArray) -> None:
    """sums[b, post[k]] += weight[k] for every synapse k of every event of sample b."""
    for b, total in enumerate(sums):
        sources = index[begin[b] : begin[b + 1]]
        k = _ranges(start[sources], start[sources + 1] - start[sources])
        total += np.bincount(post[k], weights=weight[k], minlength=total.size).astype(sums.dtype)


def add_values(sums: NDArray, start: NDArray, post: NDArray, weight: NDArray, values: NDArray) -> None:
    """sums[b, post[k]] += weight[k] * values[b, j] for every synapse k of every neuron j with a value."""
    for total, row in zip(sums, values, strict=True):
        sources = np.flatnonzero(row)
        fan_out = start[sources + 1] - start[sources]
        k = _ranges(start[sources], fan_out)
        products = weight[k] * np.repeat(row[sources].astype(np.float64), fan_out)
        total += np.bincount(post[k], weights=products, minlength=total.size).astype(sums.dtype)


def _ranges(start: NDArray, count: NDArray) -> NDArray[np.int64]:
    """start, start + 1 ... of ``count`` numbers each, one range after another."""
    return np.arange(count.sum()) + np.repeat(start - np.cumsum(count) + count, count)


def gather(index: NDArray, offset: NDArray, begin: NDArray, sample: NDArray, step: NDArray, neuron: NDArray) -> None:
    """Events kept step after step as arrays sorted by sample, step, neuron; see ``_fast_compiled.gather``."""
    count = np.diff(begin, axis=1).T
    samples, steps = count.shape
    neuron[...] = index[_ranges((offset[:, None] + begin[:, :-1]).T.ravel(), count.ravel())]
    sample[...] = np.repeat(np.arange(samples), count.sum(axis=1))
    step[...] = np.repeat(np.tile(np.arange(steps), samples), count.ravel())
