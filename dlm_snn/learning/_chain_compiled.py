"""The rank codes of many images, compiled: what the chain's network computes, without simulating silent neurons.

Per image: rates, edges and pools event by event; then the levels of the code. Equal to the network's spikes by test.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlm_snn.backends._fast_compiled import compiled
from dlm_snn.learning.chain import Chain
from dlm_snn.learning.edges import SIZE, edge_kernels

STAGES = ("rate", "edges", "pools", "counters", "holders")
"""The populations whose spikes are counted."""


def rank_codes(chain: Chain, images: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], dict[str, int]]:
    """How often each holder spikes, and how many spikes each stage has in all.

    Args:
        chain: the constants.
        images: (sample, pixel) 0..255.

    Returns:
        (sample, code) 0..levels, and stage -> spikes up to the last level.
    """
    codes = np.zeros((len(images), chain.n_codes), dtype=np.uint8)
    spikes = np.zeros(len(STAGES), dtype=np.int64)
    kernels = edge_kernels(chain.directions or 1)
    forward = chain.pools.transpose()
    start = np.searchsorted(forward.post, np.arange(chain.pools.n_pre + 1)).astype(np.int32)
    image_form = chain.shape[1], chain.shape[2], chain.pixel_steps, chain.pixel_threshold
    edge_form = chain.directions is not None, chain.edge_threshold, chain.inhibition, chain.competition
    code_form = chain.form == "ramp", chain.latency, chain.flush, chain.per_level, chain.levels
    by_place = np.ascontiguousarray(kernels.transpose(1, 2, 0)).astype(np.int32)
    _codes(images, by_place, (start, forward.pre.astype(np.int32)), (image_form, edge_form, code_form), codes, spikes)
    return codes, dict(zip(STAGES, spikes.tolist(), strict=True))


@compiled
def _codes(images, kernels, pools, forms, codes, spikes):  # type: ignore[no-untyped-def]
    (rows, columns, pixel_steps, pixel_threshold), (has_edges, threshold, inhibition, competition), code_form = forms
    ramp, latency, flush, per_level, levels = code_form
    start, post = pools
    n, n_codes, directions = rows * columns, codes.shape[1], kernels.shape[2]
    v_rate = np.zeros(n, np.int32)
    v_edge = np.zeros((n, directions), np.int32)
    inhibited = np.zeros(n, np.int32)
    count = np.zeros(n_codes, np.int32)
    v_pool = np.zeros(n_codes, np.int32)
    at = np.zeros(n_codes, np.int32)
    events = np.zeros(n * directions, np.int32)
    last = flush + levels if ramp else pixel_steps
    for b in range(images.shape[0]):
        v_rate[:] = 0
        v_edge[:] = 0
        inhibited[:] = 0
        count[:] = 0
        v_pool[:] = 0
        at[:] = -1
        for t in range(last):
            found = 0
            if t < pixel_steps:
                found = _rate(images[b], v_rate, pixel_threshold, events)
                spikes[0] += found
            if has_edges:
                _add_kernels(v_edge, kernels, rows, columns, events, found)
                found = _edges(v_edge, inhibited, threshold, inhibition, competition, events)
                spikes[1] += found
            for e in range(found):
                for k in range(start[events[e]], start[events[e] + 1]):
                    count[post[k]] += 1
            if ramp:
                _pool(count, v_pool, at, latency, t)
        if ramp:
            _ticks(at, last, flush, per_level, levels, codes[b], spikes)
        else:
            _ranks(count, per_level, levels, codes[b], spikes)


@compiled
def _rate(image, v, threshold, events):  # type: ignore[no-untyped-def]
    """One step of the pixels' integrators; returns how many spiked."""
    found = 0
    for p in range(v.shape[0]):
        v[p] += image[p]
        if v[p] >= threshold:
            v[p] = 0
            events[found] = p
            found += 1
    return found


@compiled
def _add_kernels(v, kernels, rows, columns, events, found):  # type: ignore[no-untyped-def]
    """The edges around every pixel that spiked; v (place, direction)."""
    half = SIZE // 2
    for e in range(found):
        row, column = events[e] // columns, events[e] % columns
        for y in range(max(0, row - half), min(rows, row + half + 1)):
            for x in range(max(0, column - half), min(columns, column + half + 1)):
                kernel = kernels[row - y + half, column - x + half]
                place = v[y * columns + x]
                for o in range(kernel.shape[0]):
                    place[o] += kernel[o]


@compiled
def _edges(v, inhibited, threshold, inhibition, competition, events):  # type: ignore[no-untyped-def]
    """One step of the edges; ``inhibited`` holds each place's spikes of the step before. Returns how many spiked."""
    found = 0
    for place in range(v.shape[0]):
        of_place = v[place]
        taken = inhibition * inhibited[place]
        inhibited[place] = 0
        best, largest = -1, threshold - 1
        for o in range(of_place.shape[0]):
            of_place[o] -= taken
            if of_place[o] > largest:
                best = o
                if competition:
                    largest = of_place[o]
                else:
                    of_place[o] = 0
                    events[found] = place * v.shape[1] + o
                    found += 1
                    inhibited[place] += 1
        if competition and best >= 0:
            of_place[best] = 0
            events[found] = place * v.shape[1] + best
            found += 1
            inhibited[place] = 1
    return found


@compiled
def _pool(count, v, at, latency, t):  # type: ignore[no-untyped-def]
    """One step of the pools of the ramp form: v = v + count, one spike each, ``at`` its step."""
    for g in range(count.shape[0]):
        if at[g] < 0:
            v[g] += count[g]
            if v[g] >= latency:
                at[g] = t


@compiled
def _ticks(at, last, flush, per_level, levels, code, spikes):  # type: ignore[no-untyped-def]
    """Ticks from the pools' spikes; a holder spikes at every tick from its pool's spike on."""
    arrived = np.zeros(last, np.int32)
    for g in range(at.shape[0]):
        if at[g] >= 0:
            arrived[at[g]] += 1
            spikes[2] += 1
    ticks, total = 0, 0
    for t in range(last):
        total += arrived[t]
        if ticks < levels and (total >= per_level * (ticks + 1) or t >= flush):
            ticks += 1
            for g in range(at.shape[0]):
                if 0 <= at[g] <= t:
                    code[g] += 1
    spikes[3] += ticks
    for g in range(at.shape[0]):
        spikes[4] += code[g]


@compiled
def _ranks(count, per_level, levels, code, spikes):  # type: ignore[no-untyped-def]
    """The pools with the largest counts above 0, ``per_level`` a level; equal counts by lower index."""
    order = np.argsort(-count, kind="mergesort")
    for rank in range(per_level * levels):
        g = order[rank]
        if count[g] == 0:
            break
        code[g] = levels - rank // per_level
        spikes[2] += 1
        spikes[4] += code[g]
