"""Delays of a projection: one for all synapses, or one each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.connection import Connection, Sparse
from dlm_snn.connections.dense import Dense
from dlm_snn.errors import DlmError
from dlm_snn.values import as_array

MAX_DELAY = 63
"""Integer delays have 6 bits (lava-nc 0.10.0, lava/proc/dense/models.py)."""


def checked_delay(delay: Any, connection: Connection) -> int | NDArray[np.int64]:
    """One delay, or one a synapse in the shape of the weights.

    Raises:
        DlmError: a delay below 1 or of the wrong shape.
    """
    array = as_array(delay, "delay")
    if array.dtype.kind not in "iu" or array.size == 0 or array.min() < 1:
        raise DlmError(f"delay = {delay!r} is not an integer >= 1 (one step is the least a connection takes)")
    if array.ndim == 0:
        return int(array)
    if not isinstance(connection, (Dense, Sparse)):
        raise DlmError(
            f"delay of shape {array.shape} for a {type(connection).__name__}; give one number, or its sparse() form"
        )
    synapses = connection.weight.shape
    if array.shape == (connection.n_post,) and array.shape != synapses:
        of_post = connection.post if isinstance(connection, Sparse) else np.arange(connection.n_post)[:, None]
        array = np.broadcast_to(array[of_post], synapses)
    if array.shape != synapses:
        raise DlmError(
            f"delay of shape {array.shape} is neither one number, nor ({connection.n_post},) one a post neuron, "
            f"nor {synapses} one a synapse"
        )
    array = array.astype(np.int64)
    array.flags.writeable = False
    return array


def split_by_delay(connection: Any, delay: int | NDArray[np.int64]) -> tuple[tuple[int, Connection], ...]:
    """The connection as (delay, part) with one part for each distinct delay."""
    if isinstance(delay, int):
        return ((delay, connection),)
    return tuple((int(d), connection.masked(delay == d)) for d in np.unique(delay))
