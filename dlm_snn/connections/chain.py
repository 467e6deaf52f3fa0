"""One connection after another, without a delay in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.connections.connection import Connection, Sparse
from dlm_snn.connections.dense import Dense
from dlm_snn.description import told
from dlm_snn.errors import DlmError
from dlm_snn.values import slices

DENSE_FROM = 0.5
"""From this share of nonzero entries on, a matrix takes less room than a list of synapses (two indices each)."""
BLOCK = 256
"""Presynaptic neurons multiplied out at a time."""


@dataclass(frozen=True, eq=False)
class Chain(Connection):
    """Several linear maps applied one after the other: a = W_n ... W_2 W_1 x.

    Attributes:
        parts: the connections in the order in which they are applied; all of floats or all of integers.

    Raises:
        DlmError: fewer than two parts, or sizes that do not chain.
    """

    parts: Sequence[Connection]

    __repr__ = told

    def __post_init__(self) -> None:
        parts = tuple(self.parts)
        object.__setattr__(self, "parts", parts)
        if len(parts) < 2 or not all(isinstance(part, Connection) for part in parts):
            raise DlmError(f"a Chain needs at least two connections, got {len(parts)}")
        for i, (first, second) in enumerate(pairwise(parts)):
            shapes = first.post_shape, second.pre_shape
            images = all(len(shape) == 3 for shape in shapes) and shapes[0] != shapes[1]
            if first.n_post != second.n_pre or images:
                raise DlmError(
                    f"part {i} of a Chain gives {shapes[0]}, part {i + 1} takes {shapes[1]}; they do not chain"
                )
        if len({part.integer for part in parts}) > 1:
            raise DlmError("a Chain mixes float and integer weights; give one kind")

    @property
    def pre_shape(self) -> tuple[int, ...]:
        """That of the first part."""
        return self.parts[0].pre_shape

    @property
    def post_shape(self) -> tuple[int, ...]:
        """That of the last part."""
        return self.parts[-1].post_shape

    @property
    def n_pre(self) -> int:
        """Number of presynaptic neurons."""
        return self.parts[0].n_pre

    @property
    def n_post(self) -> int:
        """Number of postsynaptic neurons."""
        return self.parts[-1].n_post

    @property
    def integer(self) -> bool:
        """Whether the weights are integers."""
        return self.parts[0].integer

    def apply(self, x: NDArray) -> NDArray:
        """The synaptic sums of presynaptic values (..., pre): (..., post); see Connection.apply."""
        for part in self.parts:
            x = part.apply(x)
        return x

    def with_weight(self, weight: ArrayLike) -> Connection:
        """A Chain has no weights of its own."""
        raise DlmError("a Chain has no weights of its own; change its parts, or take chain.merged()")

    def astype(self, dtype: Any) -> Chain:
        """The same chain with the weights of its parts converted."""
        return Chain(tuple(part.astype(dtype) for part in self.parts))

    def absolute_sums(self) -> NDArray:
        """sum_j |weight_ij| of the product, (post,)."""
        return self.merged().absolute_sums()

    def sparse(self) -> Sparse:
        """The product's nonzero synapses as a list."""
        return self.merged().sparse()

    def merged(self) -> Sparse | Dense:
        """The product multiplied out: Dense where at least half of its entries are nonzero, else Sparse."""
        found = []
        for part in slices(self.n_pre, BLOCK):
            block = np.arange(self.n_pre)[part]
            columns = self.apply((block[:, None] == np.arange(self.n_pre)).astype(np.float64))
            row, post = np.nonzero(columns)
            found.append((post, block[row], columns[row, post]))
        post, pre, weight = (np.concatenate(parts) for parts in zip(*found, strict=True))
        synapses = Sparse((self.n_post, self.n_pre), post, pre, weight)
        return Dense(synapses.dense()) if weight.size >= DENSE_FROM * self.n_post * self.n_pre else synapses
