"""A connection as a list of synapses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.connections.connection import Connection, checked_weight, in_arithmetic_of
from dlm_snn.errors import DlmError
from dlm_snn.values import as_array, as_integers


@dataclass(frozen=True, eq=False)
class Sparse(Connection):
    """Some neurons of the presynaptic population to some of the postsynaptic one.

    a_i = sum over the synapses k with post_k = i of weight_k x_(pre_k)

    Attributes:
        shape: (n_post, n_pre).
        post, pre: int32, the neurons that each synapse joins.
        weight: float64 or int64, one a synapse.

    The three arrays are kept as read-only copies, sorted by post, then pre.

    Raises:
        DlmError: arrays of unequal length, an index outside ``shape``, the same synapse twice.
    """

    shape: tuple[int, int]
    post: NDArray[np.int32]
    pre: NDArray[np.int32]
    weight: NDArray

    def __post_init__(self) -> None:
        shape = tuple(int(n) for n in self.shape)
        if len(shape) != 2 or not all(0 < n < 2**31 for n in shape):
            raise DlmError(f"shape {self.shape!r} of a sparse connection is not (n_post, n_pre) of positive integers")
        post, pre, given = (as_array(getattr(self, name), name) for name in ("post", "pre", "weight"))
        weight = checked_weight(given, "one number a synapse", 1) if given.size else _none(given)
        if not post.shape == pre.shape == weight.shape:
            raise DlmError(
                f"post, pre and weight have shapes {post.shape}, {pre.shape} and {weight.shape}; give one a synapse"
            )
        post, pre = as_integers(post, "post", 0, shape[0] - 1), as_integers(pre, "pre", 0, shape[1] - 1)
        place = post * shape[1] + pre
        if np.any(np.diff(place) <= 0):
            order = np.argsort(place, kind="stable")
            place, post, pre, weight = place[order], post[order], pre[order], weight[order]
            twice = np.flatnonzero(np.diff(place) == 0)
            if twice.size:
                where = divmod(int(place[twice[0]]), shape[1])
                raise DlmError(f"the synapse (post, pre) = {where} is given twice; add the weights up")
        object.__setattr__(self, "shape", shape)
        for name, array, dtype in (
            ("post", post, np.int32),
            ("pre", pre, np.int32),
            ("weight", weight, weight.dtype),
        ):
            kept = np.array(array, dtype=dtype)
            kept.flags.writeable = False
            object.__setattr__(self, name, kept)

    @classmethod
    def from_dense(cls, matrix: ArrayLike) -> Sparse:
        """The nonzero entries of a (post, pre) matrix."""
        weight = checked_weight(matrix, "a (post, pre) matrix of numbers", 2)
        post, pre = np.nonzero(weight)
        return cls((weight.shape[0], weight.shape[1]), post, pre, weight[post, pre])

    @classmethod
    def from_scipy(cls, matrix: Any) -> Sparse:
        """The stored entries of a SciPy sparse (post, pre) matrix; entries of the same place are added."""
        entries = matrix.tocsr().tocoo()
        return cls(entries.shape, entries.row, entries.col, entries.data)

    @property
    def n_pre(self) -> int:
        """Number of presynaptic neurons."""
        return self.shape[1]

    @property
    def n_post(self) -> int:
        """Number of postsynaptic neurons."""
        return self.shape[0]

    def apply(self, x: NDArray) -> NDArray:
        """The synaptic sums of presynaptic values (..., pre): (..., post); see Connection.apply."""
        rows = x.reshape(-1, self.n_pre).astype(np.float64, copy=False)
        sums = np.empty((len(rows), self.n_post))
        for i, row in enumerate(rows):
            sums[i] = np.bincount(self.post, weights=row[self.pre] * self.weight, minlength=self.n_post)
        return in_arithmetic_of(self.weight, sums.reshape(*x.shape[:-1], self.n_post))

    def with_weight(self, weight: ArrayLike) -> Sparse:
        """The same synapses with other values, in the order of ``weight``."""
        return Sparse(self.shape, self.post, self.pre, as_array(weight, "weight"))

    def sparse(self) -> Sparse:
        """Itself."""
        return self

    def dense(self) -> NDArray:
        """As a (post, pre) matrix."""
        matrix = np.zeros(self.shape, dtype=self.weight.dtype)
        matrix[self.post, self.pre] = self.weight
        return matrix

    def masked(self, keep: NDArray[np.bool_]) -> Sparse:
        """The same connection with the synapses outside ``keep`` (one a synapse) left out."""
        return Sparse(self.shape, self.post[keep], self.pre[keep], self.weight[keep])

    def transpose(self) -> Sparse:
        """The connection that runs backwards."""
        return Sparse(self.shape[::-1], self.pre, self.post, self.weight)


def _none(weight: NDArray) -> NDArray:
    return np.zeros(0, dtype=np.int64 if weight.dtype.kind in "iub" else np.float64)
