"""Pulse-coupled neurons and their tangent vectors from spike to spike."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlm_snn.compilation import compiled


@compiled
def advance(
    v: Any, tangent: Any, weight: Any, drive: Any, tau: Any, v_threshold: Any, v_reset: Any, logs: Any, times: Any
) -> int:
    """Go on by as many spikes as there are rows; see ``lyapunov_events``.

    Args:
        v: (neuron,), changed in place.
        tangent: (neuron, exponent), orthonormal, changed in place.
        weight, drive, tau, v_threshold, v_reset: of the network.
        logs, times: (spike, exponent) and (spike,): growth and time since the instant before, to be filled.

    Returns:
        How many instants with spikes there were; fewer than rows where the network falls silent.
    """
    n = len(v)
    fires = np.zeros(n, dtype=np.bool_)
    waiting = np.empty(n, dtype=np.int64)
    kick = np.empty(n)
    for row in range(len(times)):
        first, wait = -1, np.inf
        for i in range(n):
            if drive[i] > v_threshold[i]:
                time = tau[i] * np.log((drive[i] - v[i]) / (drive[i] - v_threshold[i]))
                if time < wait:
                    first, wait = i, time
        if first < 0:
            return row
        for i in range(n):
            decay = np.exp(-wait / tau[i])
            v[i] = drive[i] + (v[i] - drive[i]) * decay
            tangent[i] *= decay
        # How much earlier or later a neighbor along each tangent vector spikes.
        slope = (drive[first] - v_threshold[first]) / tau[first]
        shift = -tangent[first] / slope
        fires[:] = False
        kick[:] = 0.0
        fires[first] = True
        waiting[0] = first
        begin, end = 0, 1
        while begin < end:
            j = waiting[begin]
            begin += 1
            for i in range(n):
                kick[i] += weight[i, j]
                if not fires[i] and v[i] + kick[i] >= v_threshold[i]:
                    fires[i] = True
                    waiting[end] = i
                    end += 1
        for i in range(n):
            if fires[i]:
                v[i] = v_reset[i]
                tangent[i] = -(drive[i] - v_reset[i]) / tau[i] * shift
            else:
                v[i] += kick[i]
                tangent[i] += kick[i] / tau[i] * shift
        times[row] = wait
        orthonormalize(tangent, logs[row])
    return len(times)


@compiled
def orthonormalize(tangent: Any, logs: Any) -> None:
    """Gram and Schmidt in place; the logarithms of the lengths are added to ``logs``."""
    n, m = tangent.shape
    for k in range(m):
        for earlier in range(k):
            product = 0.0
            for i in range(n):
                product += tangent[i, earlier] * tangent[i, k]
            for i in range(n):
                tangent[i, k] -= product * tangent[i, earlier]
        length = 0.0
        for i in range(n):
            length += tangent[i, k] ** 2
        length = np.sqrt(length)
        logs[k] += np.log(length)
        for i in range(n):
            tangent[i, k] /= length
