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


def recurrence(neuron: Any, shape: tuple[int, ...], where: str) -> tuple[Connection, NDArray[np.float64]]:
    """The connection of a recurrent layer to itself, and its bias, (post,)."""
    n = int(np.prod(shape))
    if not neuron.all_to_all:
        return diagonal(np.broadcast_to(array(neuron.recurrent.V), shape).ravel()), np.zeros(n)
    weight, bias = array(neuron.recurrent.weight), neuron.recurrent.bias
    image: Any = shape
    try:
        if isinstance(neuron.recurrent, nn.Linear):
            connection: Connection = Dense(weight)
        else:
            connection = Conv2d(weight, image, 1, neuron.recurrent.padding)
        if (connection.n_pre, connection.n_post) != (n, n):
            raise DlmError(f"{connection.n_pre} neurons feed {connection.n_post}, the layer has {n}")
    except DlmError as error:
        raise DlmError(f"the recurrence of {where}: {error}") from error
    values = np.zeros(1) if bias is None else array(bias)
    return connection, np.repeat(values, n // values.size)


def diagonal(values: NDArray[np.float64]) -> Sparse:
    """One synapse to each neuron's own."""
    index = np.arange(values.size)
    return Sparse((values.size, values.size), index, index, values)
