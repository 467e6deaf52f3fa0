"""Sums of products of binned counts over the pairs of neurons that fire in a bin, for use as a library.

Bins are collected until a batch is full. Then its neurons are gone through one by one, so that a neuron's row of sums
stays in the cache for all of its bins; bin by bin every product would wait for another row.
"""

from __future__ import annotations

import numpy as np

from dlm_snn.compilation import compiled

WHO, COUNT, BIN, NEXT = range(4)
"""Rows of a batch, an entry per neuron and bin: the neuron, its spikes, the bin's first entry, the neuron's entry
before, counted from 1 (0: none)."""
SIZE = 2**15
"""Entries of a batch, which lie in a core's cache."""


@compiled
def close_bin(counts, active, n_active, batch, n):  # type: ignore[no-untyped-def]
    """Move what fires in the open bin to the batch, in the order of neurons, and empty the bin.

    Args:
        counts: (neuron,) int64 spikes in the bin.
        active: (neuron,) uint32, the first n_active of which fire in it.
        n_active: how many.
        batch: (4, entry) uint32.
        n: entries of the batch so far.

    Returns:
        Entries of the batch now.
    """
    ordered = np.sort(active[:n_active])
    for a in range(n_active):
        batch[0, n + a] = ordered[a]
        batch[1, n + a] = counts[ordered[a]]
        batch[2, n + a] = n
        counts[ordered[a]] = 0
    return n + n_active


@compiled
def add_batch(batch, n, sums):  # type: ignore[no-untyped-def]
    """Add the products c_i c_j of all bins of the batch to the sums, in place, for j <= i.

    Args:
        batch: (4, entry) uint32, filled up to n; NEXT is written here.
        n: entries.
        sums: (neuron, neuron) int64.
    """
    who, count, begin, before = batch[0], batch[1], batch[2], batch[3]
    head = np.zeros(sums.shape[0], np.uint32)
    for p in range(n):
        before[p] = head[who[p]]
        head[who[p]] = p + 1
    for i in range(sums.shape[0]):
        row, entry = sums[i], np.int64(head[i])
        while entry:
            here = entry - 1
            mine = np.int64(count[here])
            for q in range(np.int64(begin[here]), entry):
                row[who[q]] += mine * np.int64(count[q])
            entry = np.int64(before[here])


@compiled
def products(sample, step, neuron, width, whole, counts, active, batch, at, sums):  # type: ignore[no-untyped-def]
    """Take sorted events; the last bin and the last batch stay open.

    Args:
        sample, step, neuron: uint32 events, which follow the ones before.
        width, whole: steps of a bin, and of all whole bins of a sample; later events are left out.
        counts, active, batch, sums: as above; a batch has room for more entries than there are neurons.
        at: (4,) int64: sample and first step of the open bin, how many fire in it, entries of the batch.
    """
    current, begin, n_active, n = at[0], at[1], at[2], at[3]
    for i in range(step.shape[0]):
        if step[i] >= whole:
            continue
        if sample[i] != current or step[i] >= begin + width:
            n = close_bin(counts, active, n_active, batch, n)
            n_active = 0
            if n + active.shape[0] > batch.shape[1]:
                add_batch(batch, n, sums)
                n = 0
            current = sample[i]
            begin = step[i] // width * width
        if counts[neuron[i]] == 0:
            active[n_active] = neuron[i]
            n_active += 1
        counts[neuron[i]] += 1
    at[0], at[1], at[2], at[3] = current, begin, n_active, n
