"""Two-dimensional pooling with a fixed weight."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.connections.connection import Sparse, checked_weight
from dlm_snn.connections.conv2d import Conv2d, ImageConnection, Pair, checked_image, checked_pair, window_counts
from dlm_snn.description import told
from dlm_snn.errors import DlmError
from dlm_snn.values import as_array


@dataclass(frozen=True, eq=False)
class Pool2d(ImageConnection):
    """Each channel's windows summed up, times one weight.

    a[c, y, x] = weight * sum over i, j of image[c, y * stride - padding + i, x * stride - padding + j]

    Attributes:
        input_shape: (channel, row, column) of the presynaptic population.
        kernel: size of a window, a number or (row, column).
        stride: from window to window; None: windows side by side.
        padding: zeros around the image, a number or (row, column).
        weight: one number, kept as an array of one; None: the mean of a window, 1 / (rows * columns).

    Raises:
        DlmError: shapes that do not chain.
    """

    input_shape: tuple[int, int, int]
    kernel: Pair | int
    stride: Pair | int | None = None
    padding: Pair | int = 0
    weight: NDArray = None  # type: ignore[assignment]

    __repr__ = told

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "input_shape", checked_image(self.input_shape))
        set_(self, "kernel", checked_pair("kernel", self.kernel, 1))
        set_(self, "stride", checked_pair("stride", self.kernel if self.stride is None else self.stride, 1))
        set_(self, "padding", checked_pair("padding", self.padding, 0))
        weight = 1 / prod(checked_pair("kernel", self.kernel, 1)) if self.weight is None else self.weight
        set_(self, "weight", checked_weight(np.ravel(as_array(weight, "weight")), "one number", 1))
        if self.weight.size != 1:
            raise DlmError(f"weight of shape {self.weight.shape} is not one number")
        if min(self.output_shape) < 1:
            raise DlmError(f"a window of {self.kernel} is larger than the padded image of {self.input_shape[1:]}")

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """(channel, row, column) of the postsynaptic population."""
        kernel = checked_pair("kernel", self.kernel, 1)
        return self.input_shape[0], *window_counts(self.input_shape, kernel, self.stride, self.padding, (1, 1))

    def convolution(self) -> Conv2d:
        """The same map as a convolution of each channel with a constant kernel."""
        channels = self.input_shape[0]
        kernel = np.full((channels, 1, *checked_pair("kernel", self.kernel, 1)), self.weight[0])
        return Conv2d(kernel, self.input_shape, self.stride or 1, self.padding, groups=channels)

    def apply(self, x: NDArray) -> NDArray:
        """The synaptic sums of presynaptic values (..., pre): (..., post); see Connection.apply."""
        return self.convolution().apply(x)

    def with_weight(self, weight: ArrayLike) -> Pool2d:
        """The same windows with another weight."""
        return Pool2d(self.input_shape, self.kernel, self.stride, self.padding, as_array(weight, "weight"))

    def sparse(self) -> Sparse:
        """Its synapses one by one."""
        return self.convolution().sparse()
