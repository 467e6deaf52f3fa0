"""The recurrence of snnTorch's RLeaky and RSynaptic as a connection."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from dlm_snn.connections.connection import Connection, Sparse
from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.dense import Dense
from dlm_snn.errors import DlmError
from dlm_snn.exchange.snntorch.neurons import array
from dlm_snn.exchange.snntorch.parameters import each


def recurrence(neuron: Any, shape: tuple[int, ...], where: str) -> tuple[Connection, NDArray[np.float64]]:
    """The connection of a recurrent layer to itself, and its bias, (post,)."""
    n = int(np.prod(shape))
    if not neuron.all_to_all:
        try:
            own = np.broadcast_to(each(array(neuron.recurrent.V), shape), n)
        except ValueError as error:
            raise DlmError(f"the recurrence of {where}: V {error}") from error
        return diagonal(own), np.zeros(n)
    if getattr(type(neuron.recurrent), "forward", None) not in (nn.Linear.forward, nn.Conv2d.forward):
        what = type(neuron.recurrent).__name__
        raise DlmError(f"the recurrence of {where} is a {what}; give one Linear or Conv2d, as all_to_all=True makes")
    weight, bias = array(neuron.recurrent.weight), neuron.recurrent.bias
    image: Any = shape
    rows = n // weight.shape[0]
    try:
        if isinstance(neuron.recurrent, nn.Linear):
            # torch applies it to the last axis, row by row.
            by_row = rows > 1 and getattr(shape, "values", shape)[-1] == weight.shape[0]
            connection: Connection = Sparse.from_dense(np.kron(np.eye(rows), weight)) if by_row else Dense(weight)
        else:
            connection = Conv2d(weight, image, 1, neuron.recurrent.padding)
        if (connection.n_pre, connection.n_post) != (n, n):
            raise DlmError(f"{connection.n_pre} neurons feed {connection.n_post}, the layer has {n}")
    except DlmError as error:
        raise DlmError(f"the recurrence of {where}: {error}") from error
    values = np.zeros(1) if bias is None else array(bias)
    many = n // values.size
    return connection, np.tile(values, many) if isinstance(neuron.recurrent, nn.Linear) else np.repeat(values, many)


def diagonal(values: NDArray[np.float64]) -> Sparse:
    """One synapse to each neuron's own."""
    index = np.arange(values.size)
    return Sparse((values.size, values.size), index, index, values)
