"""All-to-all connection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.connections.connection import Connection, Sparse, checked_weight, in_arithmetic_of
from dlm_snn.description import told
from dlm_snn.values import as_array


@dataclass(frozen=True, eq=False)
class Dense(Connection):
    """Every neuron of the presynaptic population to every neuron of the postsynaptic one.

    a_i = sum_j weight_ij x_j

    Attributes:
        weight: (post, pre), float64, or int64 where an integer type was given; kept as a read-only copy.

    Raises:
        DlmError: weight is not a matrix of finite numbers.
    """

    weight: NDArray

    __repr__ = told

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", checked_weight(self.weight, "a (post, pre) matrix of numbers", 2))

    @property
    def n_pre(self) -> int:
        """Number of presynaptic neurons."""
        return self.weight.shape[1]

    @property
    def n_post(self) -> int:
        """Number of postsynaptic neurons."""
        return self.weight.shape[0]

    def apply(self, x: NDArray) -> NDArray:
        """The synaptic sums of presynaptic values (..., pre): (..., post); see Connection.apply."""
        sums = x.astype(np.float64, copy=False) @ self.weight.T.astype(np.float64, copy=False)
        return in_arithmetic_of(self.weight, sums)

    def with_weight(self, weight: ArrayLike) -> Dense:
        """The same connection with other values (post, pre)."""
        return Dense(as_array(weight, "weight"))

    def sparse(self) -> Sparse:
        """The nonzero synapses as a list."""
        return Sparse.from_dense(self.weight)

    def masked(self, keep: NDArray[np.bool_]) -> Dense:
        """The same connection with the synapses outside ``keep`` (post, pre) left out."""
        return Dense(np.where(keep, self.weight, 0).astype(self.weight.dtype))

    def transpose(self) -> Dense:
        """The connection that runs backwards: weight^T."""
        return Dense(self.weight.T)

    def fan_in(self) -> NDArray[np.int64]:
        """Number of nonzero synapses that reach each postsynaptic neuron, (post,)."""
        return np.count_nonzero(self.weight, axis=1)

    def fan_out(self) -> NDArray[np.int64]:
        """Number of nonzero synapses that leave each presynaptic neuron, (pre,): the operations an event costs."""
        return np.count_nonzero(self.weight, axis=0)
