"""What every connection is, a linear map from presynaptic values to synaptic sums, and its canonical form, Sparse."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.description import told
from dlm_snn.errors import DlmError
from dlm_snn.values import as_array, as_integers


class Connection(ABC):
    """A linear map a = W x, kept in the form that suits it.

    Attributes:
        weight: its distinct values, float64 or int64, read-only; what shape they have is the form's own affair.
    """

    weight: NDArray

    @property
    @abstractmethod
    def n_pre(self) -> int:
        """Number of presynaptic neurons."""

    @property
    @abstractmethod
    def n_post(self) -> int:
        """Number of postsynaptic neurons."""

    @property
    def pre_shape(self) -> tuple[int, ...]:
        """The shape that the presynaptic population must have, (n_pre,) where only its size matters."""
        return (self.n_pre,)

    @property
    def post_shape(self) -> tuple[int, ...]:
        """The shape that the postsynaptic population must have, (n_post,) where only its size matters."""
        return (self.n_post,)

    @property
    def integer(self) -> bool:
        """Whether the weights are integers."""
        return self.weight.dtype.kind == "i"

    @abstractmethod
    def apply(self, x: NDArray) -> NDArray:
        """The synaptic sums of presynaptic values (..., pre): (..., post), in the arithmetic of the weights.

        Integers pass through float64 products: with |weight| <= 256, values below 2^24 and fewer than 2^20 inputs
        every partial sum is below 2^53, so they are exact.
        """

    @abstractmethod
    def with_weight(self, weight: ArrayLike) -> Connection:
        """The same connection with other values, of the shape of ``weight``."""

    @abstractmethod
    def sparse(self) -> Sparse:
        """The same map as a list of its synapses."""

    def astype(self, dtype: Any) -> Connection:
        """The same connection with its weights converted."""
        return self.with_weight(self.weight.astype(dtype))

    def transpose(self) -> Connection:
        """The connection that runs backwards: W^T."""
        return self.sparse().transpose()

    def absolute_sums(self) -> NDArray:
        """sum_j |weight_ij|, (post,): the largest |a_i| that values of at most 1 can cause."""
        return self.with_weight(np.abs(self.weight)).apply(np.ones(self.n_pre))

    def fan_in(self) -> NDArray[np.int64]:
        """Number of nonzero synapses that reach each postsynaptic neuron, (post,)."""
        synapses = self.sparse()
        return np.bincount(synapses.post[synapses.weight != 0], minlength=self.n_post)

    def fan_out(self) -> NDArray[np.int64]:
        """Number of nonzero synapses that leave each presynaptic neuron, (pre,): the operations an event costs."""
        synapses = self.sparse()
        return np.bincount(synapses.pre[synapses.weight != 0], minlength=self.n_pre)


def checked_weight(weight: ArrayLike, form: str, *ndims: int) -> NDArray:
    """Weights as a read-only float64 or int64 copy.

    Args:
        weight: numbers.
        form: what they should be, for the message.
        ndims: how many axes they may have.

    Raises:
        DlmError: not numbers, not finite, empty or of other axes.
    """
    array = as_array(weight, "weight")
    if array.ndim not in ndims or array.size == 0:
        raise DlmError(f"weight of shape {array.shape} and type {array.dtype} is not {form}")
    if not np.isfinite(array).all():
        bad = np.argwhere(~np.isfinite(array))
        raise DlmError(f"weight holds {len(bad)} NaN or infinite values, first at {tuple(map(int, bad[0]))}")
    array = np.array(array, dtype=np.float64 if array.dtype.kind == "f" else np.int64)
    array.flags.writeable = False
    return array


def in_arithmetic_of(weight: NDArray, sums: NDArray) -> NDArray:
    """float64 sums, as int64 where the weights are integers."""
    return sums.astype(np.int64) if weight.dtype.kind == "i" else sums


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

    __repr__ = told

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
