"""The rank codes of many samples, compiled: what the front end's network computes, without simulating silent neurons.

Per sample: edges and pools event by event, then the levels of the code. Equal to the network's spikes by test.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.backends._fast_compiled import decayed
from dlm_snn.compilation import compiled
from dlm_snn.errors import DlmError
from dlm_snn.learning.columns.edges import SIZE, edge_kernels
from dlm_snn.learning.columns.front_end import FrontEnd
from dlm_snn.neurons.integer_lif import ALIGNMENT, DECAY_UNITY
from dlm_snn.runs.raster import SpikeRaster

STAGES = ("rate", "edges", "pools", "counters", "holders")
"""The populations whose spikes are counted."""
UNIT = 2 << ALIGNMENT
"""Of an edge's v: kernels are doubled, since mixed weights are even, and drive is shifted."""


def rank_codes(front_end: FrontEnd, images: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], dict[str, int]]:
    """How often each holder spikes, and how many spikes each stage has in all.

    Args:
        front_end: the constants, of images.
        images: (sample, pixel) 0..scale.

    Returns:
        (sample, code) 0..levels, and stage -> spikes up to the last level.
    """
    return _of_images(front_end, images)[1:]


def pool_counts(front_end: FrontEnd, images: NDArray[np.uint8]) -> tuple[NDArray[np.int32], dict[str, int]]:
    """How many spikes each pool has counted (sample, pool) when the image ends, and the spikes before the pools."""
    counts, _, spikes = _of_images(front_end, images)
    return counts, {stage: spikes[stage] for stage in STAGES[:2]}


def _of_images(
    front_end: FrontEnd, images: NDArray[np.uint8]
) -> tuple[NDArray[np.int32], NDArray[np.uint8], dict[str, int]]:
    counts, codes, spikes = empty(front_end, len(images))
    summed = images.reshape(len(images), front_end.shape[0], front_end.n_pixels).sum(axis=1, dtype=np.int32)
    _codes_of_images(summed, front_end.pixel_steps, front_end.pixel_threshold, *forms(front_end), counts, codes, spikes)
    return counts, codes, named(spikes)


def rank_codes_of_events(front_end: FrontEnd, events: SpikeRaster) -> tuple[NDArray[np.uint8], dict[str, int]]:
    """The same of recordings of an event camera.

    Args:
        front_end: the constants, of recordings.
        events: neuron = (polarity * rows + row) * columns + column; steps beyond ``pixel_steps`` are not seen.

    Raises:
        DlmError: a raster of another camera.
    """
    if events.n_neurons != front_end.n_inputs:
        raise DlmError(f"recordings of {events.n_neurons} pixels and polarities; {front_end.n_inputs} are wanted")
    counts, codes, spikes = empty(front_end, events.n_samples)
    start = np.searchsorted(events.sample, np.arange(events.n_samples + 1, dtype=np.uint32))
    _codes_of_events(events.step, events.neuron, start, front_end.pixel_steps, *forms(front_end), counts, codes, spikes)
    return codes, named(spikes, "events")


def empty(front_end: FrontEnd, samples: int) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.int64]]:
    """Room for the counts of pools, for codes, and for spikes by stage."""
    counts = np.zeros((samples, front_end.n_codes), dtype=np.int32)
    return counts, counts.astype(np.uint8), np.zeros(len(STAGES), dtype=np.int64)


def named(spikes: NDArray[np.int64], first: str = STAGES[0]) -> dict[str, int]:
    """Spikes by stage."""
    return dict(zip((first, *STAGES[1:]), spikes.tolist(), strict=True))


Forms = tuple[NDArray[np.int32], tuple[NDArray[np.int32], NDArray[np.int32]], tuple[Any, ...], tuple[Any, ...]]


@lru_cache(maxsize=8)
def forms(front_end: FrontEnd) -> Forms:
    """Kernels, synapses of the pools, and the constants of edges and code; edges in the integers of the network.

    Kept, since a sample by itself takes a tenth of the time that these take; nobody writes to them.
    """
    kernels = UNIT * edge_kernels(front_end.directions or 1).transpose(1, 2, 0)
    forward = front_end.pools.transpose()
    start = np.searchsorted(forward.post, np.arange(front_end.pools.n_pre + 1)).astype(np.int32)
    threshold = (2 * front_end.edge_threshold - 1) << ALIGNMENT
    keep = DECAY_UNITY - front_end.leak
    inhibition = UNIT * front_end.inhibition, front_end.inhibition_delay
    edges = front_end.directions is not None, front_end.shape[1:], threshold, inhibition, front_end.competition, keep
    code = front_end.form == "ramp", front_end.latency, front_end.flush, front_end.per_level, front_end.levels
    return np.ascontiguousarray(kernels).astype(np.int32), (start, forward.pre.astype(np.int32)), edges, code


@compiled
def _codes_of_images(images, pixel_steps, threshold, kernels, pools, edges, code, counts, codes, spikes):  # type: ignore[no-untyped-def]
    n = images.shape[1]
    v = np.zeros(n, np.int32)
    inputs = np.zeros(n * pixel_steps, np.int32)
    begin = np.zeros(pixel_steps + 1, np.int64)
    for b in range(images.shape[0]):
        v[:] = 0
        found = 0
        for t in range(pixel_steps):
            for p in range(n):
                v[p] += images[b, p]
                if v[p] >= threshold:
                    v[p] = 0
                    inputs[found] = p
                    found += 1
            begin[t + 1] = found
        spikes[0] += found
        code_of(inputs, begin, kernels, pools, edges, code, counts[b], codes[b], spikes)


@compiled
def _codes_of_events(step, neuron, start, n_steps, kernels, pools, edges, code, counts, codes, spikes):  # type: ignore[no-untyped-def]
    begin = np.zeros(n_steps + 1, np.int64)
    for b in range(codes.shape[0]):
        inputs = neuron[start[b] : start[b + 1]].astype(np.int32)
        of_sample = step[start[b] : start[b + 1]]
        k = 0
        for t in range(n_steps):
            while k < of_sample.shape[0] and of_sample[k] <= t:
                k += 1
            begin[t + 1] = k
        spikes[0] += k
        code_of(inputs, begin, kernels, pools, edges, code, counts[b], codes[b], spikes)


@compiled
def code_of(inputs, begin, kernels, pools, edge_form, code_form, count, code, spikes):  # type: ignore[no-untyped-def]
    """One sample's counts and code; the inputs of step t are inputs[begin[t]:begin[t + 1]]."""
    has_edges, (rows, columns) = edge_form[0], edge_form[1]
    ramp, latency, flush, per_level, levels = code_form
    start, post = pools
    v = np.zeros((rows * columns, kernels.shape[2]), np.int32)
    before = np.zeros((2, rows * columns), np.int32)
    v_pool = np.zeros(code.shape[0], np.int32)
    at = np.full(code.shape[0], -1, np.int32)
    events = np.zeros(v.size, np.int32)
    n_steps = begin.shape[0] - 1
    last = flush + levels if ramp else n_steps
    for t in range(last):
        of_step = inputs[begin[t] : begin[t + 1]] if t < n_steps else inputs[:0]
        if has_edges and t < n_steps:
            found = edge_step(v, kernels, rows, columns, of_step, before, edge_form, events)
            spikes[1] += found
            of_step = events[:found]
        for event in of_step:
            for k in range(start[event], start[event + 1]):
                count[post[k]] += 1
        if ramp:
            pool_step(count, v_pool, at, latency, t)
    if ramp:
        ticks_of(at, last, flush, per_level, levels, code, spikes)
    else:
        _ranks(count, per_level, levels, code, spikes)


@compiled
def _add_kernels(v, kernels, rows, columns, inputs):  # type: ignore[no-untyped-def]
    """Drive of the edges around every input; the second polarity counts with the opposite sign of the first."""
    half = SIZE // 2
    for event in inputs:
        sign = 1 if event < rows * columns else -1
        row, column = event % (rows * columns) // columns, event % columns
        for y in range(max(0, row - half), min(rows, row + half + 1)):
            for x in range(max(0, column - half), min(columns, column + half + 1)):
                kernel = kernels[row - y + half, column - x + half]
                place = v[y * columns + x]
                for o in range(kernel.shape[0]):
                    place[o] += sign * kernel[o]


@compiled
def edge_step(v, kernels, rows, columns, inputs, before, form, events):  # type: ignore[no-untyped-def]
    """One step of the edges; ``before`` holds each place's spikes one and two steps ago. Returns how many spiked."""
    _, _, threshold, (inhibition, delay), competition, keep = form
    if keep < DECAY_UNITY:
        for place in range(v.shape[0]):
            of_place = v[place]
            for o in range(v.shape[1]):
                of_place[o] = decayed(of_place[o], keep)
    _add_kernels(v, kernels, rows, columns, inputs)
    found = 0
    for place in range(v.shape[0]):
        of_place = v[place]
        taken = inhibition * before[delay - 1, place]
        before[1, place] = before[0, place]
        before[0, place] = 0
        best, largest = -1, threshold
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
                    before[0, place] += 1
        if competition and best >= 0:
            of_place[best] = 0
            events[found] = place * v.shape[1] + best
            found += 1
            before[0, place] = 1
    return found


@compiled
def pool_step(count, v, at, latency, t):  # type: ignore[no-untyped-def]
    """One step of the pools of the ramp form: v = v + count, one spike each, ``at`` its step."""
    for g in range(count.shape[0]):
        if at[g] < 0:
            v[g] += count[g]
            if v[g] >= latency:
                at[g] = t


@compiled
def ticks_of(at, last, flush, per_level, levels, code, spikes):  # type: ignore[no-untyped-def]
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
