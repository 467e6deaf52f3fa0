"""All-to-all connection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError


@dataclass(frozen=True, eq=False)
class Dense:
    """Every neuron of the presynaptic population to every neuron of the postsynaptic one.

    a_i = sum_j weight_ij x_j

    Attributes:
        weight: (post, pre), float64, or int64 where an integer type was given; kept as a read-only copy.

    Raises:
        DlmError: weight is not a matrix of finite numbers.
    """

    weight: NDArray

    def __post_init__(self) -> None:
        weight = np.asarray(self.weight)
        if weight.ndim != 2 or weight.size == 0 or weight.dtype.kind not in "iufb":
            raise DlmError(
                f"weight of shape {weight.shape} and type {weight.dtype} is not a (post, pre) matrix of numbers"
            )
        if not np.isfinite(weight).all():
            bad = np.argwhere(~np.isfinite(weight))
            raise DlmError(f"weight holds {len(bad)} NaN or infinite values, first at {tuple(map(int, bad[0]))}")
        weight = np.array(weight, dtype=np.float64 if weight.dtype.kind == "f" else np.int64)
        weight.flags.writeable = False
        object.__setattr__(self, "weight", weight)

    @property
    def n_pre(self) -> int:
        """Number of presynaptic neurons."""
        return self.weight.shape[1]

    @property
    def n_post(self) -> int:
        """Number of postsynaptic neurons."""
        return self.weight.shape[0]

    def apply(self, x: NDArray) -> NDArray:
        """The synaptic sums of presynaptic values (..., pre): (..., post), in the arithmetic of ``weight``.

        Integers pass through float64 products: with |weight| <= 255, values below 2^24 and fewer than 2^20 inputs
        every partial sum is below 2^53, so they are exact.
        """
        sums = x.astype(np.float64, copy=False) @ self.weight.T.astype(np.float64, copy=False)
        return sums if self.weight.dtype.kind == "f" else sums.astype(np.int64)

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
