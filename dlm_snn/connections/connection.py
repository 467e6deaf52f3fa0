"""What every connection is: a linear map from presynaptic values to synaptic sums."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.errors import DlmError
from dlm_snn.values import as_array

if TYPE_CHECKING:
    from dlm_snn.connections.sparse import Sparse


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
