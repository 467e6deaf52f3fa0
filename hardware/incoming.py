"""What a projection asks of the core that its postsynaptic neurons lie on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from dlm_snn.connections.connection import Sparse
from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.dense import Dense
from dlm_snn.connections.pool2d import Pool2d
from dlm_snn.networks.network import Input, IntegerNetwork, IntegerProjection
from hardware.words import DELAY_BITS, INDEX_BITS, count_rows, kernel_words, list_words, weight_bits


class Load(NamedTuple):
    """What a block of neurons asks for: synapse words, and axons that end on its core."""

    synapses: int
    axons: int


class Incoming(ABC):
    """A projection into a population, as lists of synapses.

    Attributes:
        unchecked: what of it no print-out shows, for people; "" where one does.
    """

    unchecked: str = ""

    @abstractmethod
    def load(self, first: int, last: int) -> Load:
        """Of the neurons first, ..., last - 1 on one core."""


class AllToAll(Incoming):
    """Dense: a row for every presynaptic neuron."""

    def __init__(self, projection: IntegerProjection) -> None:
        self.n_pre, self.bits = projection.connection.n_pre, weight_bits(projection.connection.weight)
        if isinstance(projection.delay, np.ndarray):
            self.bits += DELAY_BITS
            self.unchecked = "delays that differ"
        elif projection.pre == projection.post:
            self.unchecked = "recurrence"

    def load(self, first: int, last: int) -> Load:
        """The rows of all presynaptic neurons."""
        return Load(self.n_pre * list_words(last - first, self.bits), self.n_pre)


class Listed(Incoming):
    """Any other connection: a row for every presynaptic neuron that has synapses on the core."""

    unchecked = "a list of synapses"

    def __init__(self, projection: IntegerProjection) -> None:
        listed = projection.connection.sparse()
        order = np.argsort(listed.post, kind="stable") if np.any(np.diff(listed.post) < 0) else slice(None)
        self.pre = listed.pre[order].astype(np.int32)
        self.begin = np.concatenate([[0], np.cumsum(np.bincount(listed.post, minlength=listed.n_post))])
        self.cost = weight_bits(listed.weight) + INDEX_BITS
        self.cost += DELAY_BITS * isinstance(projection.delay, np.ndarray)
        self.scratch = np.zeros(listed.n_pre, np.int32)

    def load(self, first: int, last: int) -> Load:
        """Rows of those that reach the block."""
        return Load(*count_rows(self.pre[self.begin[first] : self.begin[last]], self.scratch, self.cost))


class Kernel:
    """A convolution or pooling: weights shared by all places of a tile."""

    def __init__(self, projection: IntegerProjection) -> None:
        connection = projection.connection
        self.bits = weight_bits(connection.weight)
        self.channels = connection.post_shape[0]
        if isinstance(connection, Pool2d):
            self.rows, self.groups = int(np.prod(connection.kernel)), self.channels
            self.unchecked = "pooling"
        elif isinstance(connection, Conv2d):
            self.rows, self.groups = int(np.prod(connection.weight.shape[1:])), connection.groups
            self.unchecked = "groups of channels" if self.groups > 1 else ""
        else:
            raise TypeError(f"{type(connection).__name__} shares no weights")

    def words(self, channels: int) -> int:
        """Synapse words of a tile of so many output channels."""
        each = self.channels // self.groups
        whole, part = divmod(channels, each)
        return self.rows * (whole * kernel_words(each, self.bits) + (kernel_words(part, self.bits) if part else 0))


def written(projection: IntegerProjection, network: IntegerNetwork) -> bool:
    """Whether an image's values go straight into the neurons, as netx writes those of a layer "input": no synapses."""
    connection, pre = projection.connection, network.populations[projection.pre]
    return (
        isinstance(pre, Input)
        and len(pre.shape) == 3
        and np.array_equal(projection.delay, 1)
        and isinstance(connection, Sparse)
        and connection.weight.size == connection.n_pre == connection.n_post
        and bool(np.all(connection.post == connection.pre) and np.all(connection.weight == connection.weight[:1]))
    )


def listed(projection: IntegerProjection) -> Incoming:
    """A projection as lists of synapses."""
    return AllToAll(projection) if isinstance(projection.connection, Dense) else Listed(projection)


def is_shared(projection: IntegerProjection) -> bool:
    """Whether its weights can be shared by the places of a tile."""
    return isinstance(projection.connection, (Conv2d, Pool2d)) and not isinstance(projection.delay, np.ndarray)
