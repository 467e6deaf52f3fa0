"""The linear maps between two populations as one connection."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.chain import Chain
from dlm_snn.connections.connection import Connection, Sparse
from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.dense import Dense
from dlm_snn.exchange.torch_modules.meaning import Element


def connected(path: Sequence[Element], n: int) -> Connection:
    """The linear maps of a path as one connection, scalings folded into the weights beside them."""
    parts: list[Connection] = []
    waiting = np.ones(1)
    for element in path:
        if element.factors is not None:
            factors = element.factors.numpy().reshape(-1)
            folded = folded_into(parts[-1], factors) if parts and waiting.size == 1 and np.all(waiting == 1) else None
            if folded is None:
                waiting = waiting * factors
            else:
                parts[-1] = folded
            continue
        made = element.make()
        if np.any(waiting != 1):
            uniform = np.all(waiting == waiting[0])
            made, before = (made.with_weight(made.weight * waiting[0]), None) if uniform else (made, waiting)
            parts += [] if before is None else [diagonal(before)]
            waiting = np.ones(1)
        parts.append(made)
    if np.any(waiting != 1) or not parts:
        parts.append(diagonal(np.broadcast_to(waiting, n) if waiting.size == 1 else waiting))
    return parts[0] if len(parts) == 1 else Chain(parts)


def folded_into(connection: Connection, factors: NDArray[np.float64]) -> Connection | None:
    """A connection whose results are multiplied, one factor a neuron; None where its weights cannot hold that."""
    if isinstance(connection, Dense):
        return Dense(connection.weight * factors[:, None])
    if isinstance(connection, Sparse):
        return connection.with_weight(connection.weight * factors[connection.post])
    if isinstance(connection, Conv2d):
        channels = factors.reshape(connection.output_shape[0], -1)
        if np.all(channels == channels[:, :1]):
            return connection.with_weight(connection.weight * channels[:, 0, None, None, None])
    return None


def diagonal(weight: NDArray[np.float64]) -> Sparse:
    """One synapse to each neuron's own."""
    index = np.arange(weight.size)
    return Sparse((weight.size, weight.size), index, index, np.array(weight))
