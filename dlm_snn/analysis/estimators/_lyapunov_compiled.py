"""Pulse-coupled neurons and their tangent vectors from spike to spike, in scalar loops, which compile fast."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlm_snn.compilation import compiled


@compiled
def next_spike(v: Any, drive: Any, tau: Any, v_threshold: Any) -> Any:
    """Who spikes next by its own drive, and when; -1 where nobody does."""
    first, wait = -1, np.inf
    for i in range(len(v)):
        if drive[i] > v_threshold[i]:
            time = tau[i] * np.log((drive[i] - v[i]) / (drive[i] - v_threshold[i]))
            if time < wait:
                first, wait = i, time
    return first, wait


@compiled
def cascade(first: int, v: Any, weight: Any, v_threshold: Any, fires: Any, waiting: Any, kick: Any) -> None:
    """The pulses of one instant: who spikes with the first, and by how much everybody is moved."""
    waiting[0] = first
    begin, end = 0, 1
    while begin < end:
        j = waiting[begin]
        begin += 1
        for i in range(len(v)):
            kick[i] += weight[i, j]
            if fires[i] == 0 and v[i] + kick[i] >= v_threshold[i]:
                fires[i], waiting[end] = 1, i
                end += 1


@compiled
def orthonormalize(tangent: Any, logs: Any) -> None:
    """Gram and Schmidt in place; ``logs`` gets the logarithms of the lengths."""
    n, m = tangent.shape
    for k in range(m):
        for earlier in range(k):
            product = 0.0
            for i in range(n):
                product += tangent[i, earlier] * tangent[i, k]
            for i in range(n):
                tangent[i, k] -= product * tangent[i, earlier]
        square = 0.0
        for i in range(n):
            square += tangent[i, k] * tangent[i, k]
        logs[k] = np.log(square) / 2
        for i in range(n):
            tangent[i, k] /= np.sqrt(square)


@compiled
def advance(
    v: Any, tangent: Any, weight: Any, drive: Any, tau: Any, v_threshold: Any, v_reset: Any, logs: Any, times: Any
) -> int:
    """Go on by as many instants with spikes as there are rows; see ``lyapunov_events``.

    Args:
        v: (neuron,), changed in place.
        tangent: (neuron, exponent), orthonormal, changed in place.
        weight, drive, tau, v_threshold, v_reset: of the network.
        logs, times: (row, exponent) and (row,): growth and time since the instant before, to be filled.

    Returns:
        How many there were; fewer than rows where the network falls silent.
    """
    n, m = tangent.shape
    fires, waiting = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    kick, shift = np.zeros(n), np.zeros(m)
    for row in range(len(times)):
        first, wait = next_spike(v, drive, tau, v_threshold)
        if first < 0:
            return row
        for i in range(n):
            fires[i], kick[i] = 0, 0.0
            decay = np.exp(-wait / tau[i])
            v[i] = drive[i] + (v[i] - drive[i]) * decay
            for k in range(m):
                tangent[i, k] *= decay
        # How much later a neighbor along each tangent vector spikes.
        for k in range(m):
            shift[k] = -tangent[first, k] * tau[first] / (drive[first] - v_threshold[first])
        fires[first] = 1
        cascade(first, v, weight, v_threshold, fires, waiting, kick)
        for i in range(n):
            moved = (v_reset[i] - drive[i]) / tau[i] if fires[i] else kick[i] / tau[i]
            for k in range(m):
                tangent[i, k] = moved * shift[k] if fires[i] else tangent[i, k] + moved * shift[k]
            v[i] = v_reset[i] if fires[i] else v[i] + kick[i]
        times[row] = wait
        orthonormalize(tangent, logs[row])
    return len(times)
