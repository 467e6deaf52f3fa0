"""How many synapses a connection has, counted without listing those of images."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.chain import Chain
from dlm_snn.connections.connection import Connection
from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.dense import Dense
from dlm_snn.connections.pool2d import Pool2d


class Synapses(NamedTuple):
    """Of a connection: all that it has room for, weights of zero included, and those whose weight is another."""

    all: int
    nonzero: int


def synapses(connection: Connection) -> Synapses:
    """Count them; a chain as the one map that it multiplies out to, places of a kernel outside the image not at all."""
    if isinstance(connection, Dense):
        return Synapses(connection.weight.size, int(np.count_nonzero(connection.weight)))
    if isinstance(connection, Chain):
        return synapses(connection.merged())
    if isinstance(connection, Pool2d):
        return synapses(connection.convolution())
    if isinstance(connection, Conv2d):
        return _of_image(connection)
    weight = connection.sparse().weight
    return Synapses(len(weight), int(np.count_nonzero(weight)))


def _of_image(connection: Conv2d) -> Synapses:
    places = np.multiply.outer(*(_inside(connection, axis) for axis in (0, 1)))
    pairs = connection.weight.shape[0] * connection.weight.shape[1]
    nonzero = np.count_nonzero(connection.weight, axis=(0, 1))
    return Synapses(int(pairs * places.sum()), int((nonzero * places).sum()))


def _inside(connection: Conv2d, axis: int) -> NDArray[np.int64]:
    """For each row (axis 0) or column (1) of the kernel, how often it lies inside the image."""
    stride, padding, dilation = (pair[axis] for pair in connection.spacing)
    size, windows = connection.input_shape[1 + axis], connection.output_shape[1 + axis]
    kernel = connection.weight.shape[2 + axis]
    at = np.arange(windows) * stride - padding + dilation * np.arange(kernel)[:, None]
    return np.count_nonzero((at >= 0) & (at < size), axis=1)
