"""Two-dimensional convolution."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.connections.connection import Connection, Sparse, checked_weight, in_arithmetic_of
from dlm_snn.description import told
from dlm_snn.errors import DlmError
from dlm_snn.values import as_array, is_whole

Pair = tuple[int, int]


class ImageConnection(Connection):
    """A connection between two images (channel, row, column), whose shapes say its sizes."""

    input_shape: tuple[int, int, int]

    @property
    @abstractmethod
    def output_shape(self) -> tuple[int, int, int]:
        """(channel, row, column) of the postsynaptic population."""

    @property
    def pre_shape(self) -> tuple[int, ...]:
        """``input_shape``."""
        return self.input_shape

    @property
    def post_shape(self) -> tuple[int, ...]:
        """``output_shape``."""
        return self.output_shape

    @property
    def n_pre(self) -> int:
        """Number of presynaptic neurons."""
        return prod(self.input_shape)

    @property
    def n_post(self) -> int:
        """Number of postsynaptic neurons."""
        return prod(self.output_shape)


@dataclass(frozen=True, eq=False)
class Conv2d(ImageConnection):
    """The same kernel at every place of an image (cross-correlation, as in torch).

    a[o, y, x] = sum over c, i, j of weight[o, c, i, j] * image[g(o) * C + c, y * stride - padding + i * dilation, ...]
    with C = channels of a group and g(o) the group of output channel o; outside the image the values are 0.

    Attributes:
        weight: (output channel, input channel of its group, row, column).
        input_shape: (channel, row, column) of the presynaptic population.
        stride, padding, dilation: a number, or (row, column).
        groups: equal contiguous blocks of channels that are convolved apart.

    Raises:
        DlmError: shapes that do not chain.
    """

    weight: NDArray
    input_shape: tuple[int, int, int]
    stride: Pair | int = 1
    padding: Pair | int = 0
    dilation: Pair | int = 1
    groups: int = 1

    __repr__ = told

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        form = "(output channel, input channel of its group, row, column)"
        set_(self, "weight", checked_weight(self.weight, form, 4))
        set_(self, "input_shape", checked_image(self.input_shape))
        for name, least in (("stride", 1), ("padding", 0), ("dilation", 1)):
            set_(self, name, checked_pair(name, getattr(self, name), least))
        outputs, inputs = self.weight.shape[:2]
        if not is_whole(self.groups) or self.groups < 1 or outputs % self.groups:
            raise DlmError(f"groups = {self.groups!r} does not divide the {outputs} output channels")
        if inputs * self.groups != self.input_shape[0]:
            raise DlmError(
                f"weight of shape {self.weight.shape} takes {inputs * self.groups} input channels in {self.groups} "
                f"groups, input_shape {self.input_shape} has {self.input_shape[0]}"
            )
        if min(self.output_shape) < 1:
            raise DlmError(
                f"a kernel of {self.weight.shape[2:]} with dilation {self.dilation} is larger than the padded image of "
                f"{self.input_shape[1:]}"
            )

    @property
    def spacing(self) -> tuple[Pair, Pair, Pair]:
        """Stride, padding and dilation, each (row, column)."""
        stride, padding, dilation = (cast(Pair, value) for value in (self.stride, self.padding, self.dilation))
        return stride, padding, dilation

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """(channel, row, column) of the postsynaptic population."""
        rows, columns = window_counts(self.input_shape, self.weight.shape[2:], self.stride, self.padding, self.dilation)
        return self.weight.shape[0], rows, columns

    def apply(self, x: NDArray) -> NDArray:
        """The synaptic sums of presynaptic values (..., pre): (..., post); see Connection.apply."""
        image = x.reshape(-1, *self.input_shape).astype(np.float64, copy=False)
        outputs, rows, columns = self.output_shape
        sums = np.zeros((len(image), self.groups, outputs // self.groups, rows, columns))
        kernel = self.weight.reshape(self.groups, outputs // self.groups, *self.weight.shape[1:]).astype(np.float64)
        for i, j, patch in self._patches(image):
            grouped = patch.reshape(len(image), self.groups, -1, rows, columns)
            sums += np.einsum("goc,bgcyx->bgoyx", kernel[..., i, j], grouped)
        return in_arithmetic_of(self.weight, sums.reshape(*x.shape[:-1], self.n_post))

    def _patches(self, image: NDArray) -> Iterator[tuple[int, int, NDArray]]:
        """For every place (i, j) of the kernel what lies under it: (..., channel, output row, output column)."""
        (down, across), (top, left), (deep, wide) = self.spacing
        _, rows, columns = self.output_shape
        around = [(0, 0)] * (image.ndim - 2) + [(top, top), (left, left)]
        padded = np.pad(image, around)
        for i in range(self.weight.shape[2]):
            for j in range(self.weight.shape[3]):
                y, x = i * deep, j * wide
                yield (
                    i,
                    j,
                    padded[..., y : y + (rows - 1) * down + 1 : down, x : x + (columns - 1) * across + 1 : across],
                )

    def with_weight(self, weight: ArrayLike) -> Conv2d:
        """The same convolution with another kernel of the same shape."""
        return Conv2d(
            as_array(weight, "weight"), self.input_shape, self.stride, self.padding, self.dilation, self.groups
        )

    def sparse(self) -> Sparse:
        """Its synapses one by one; kernel places outside the image have none."""
        outputs, rows, columns = self.output_shape
        # Neuron numbers from 1, so that the padding's 0 stands for none.
        numbers = np.arange(1, self.n_pre + 1).reshape(self.input_shape)
        post = np.arange(self.n_post).reshape(self.groups, outputs // self.groups, 1, rows, columns)
        kernel = self.weight.reshape(self.groups, outputs // self.groups, -1, *self.weight.shape[2:])
        found = []
        for i, j, patch in self._patches(numbers):
            pre = patch.reshape(self.groups, 1, -1, rows, columns)
            triple = np.broadcast_arrays(post, pre, kernel[..., i, j, None, None])
            inside = triple[1] > 0
            found.append([part[inside] for part in triple])
        posts, pres, weights = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return Sparse((self.n_post, self.n_pre), posts, pres - 1, weights)


def checked_image(shape: Any) -> tuple[int, int, int]:
    """(channel, row, column) of positive integers."""
    axes = tuple(shape) if np.ndim(shape) == 1 else ()
    if len(axes) != 3 or any(not is_whole(a) or a < 1 for a in axes):
        raise DlmError(f"input_shape = {shape!r} is not (channel, row, column) of positive integers")
    return int(axes[0]), int(axes[1]), int(axes[2])


def checked_pair(name: str, value: Any, least: int) -> Pair:
    """A number, or (row, column), as a pair of integers of at least ``least``."""
    pair = (value, value) if np.ndim(value) == 0 else tuple(value)
    if len(pair) != 2 or any(not is_whole(a) or a < least for a in pair):
        raise DlmError(f"{name} = {value!r} is not an integer >= {least}, or two of them (row, column)")
    return int(pair[0]), int(pair[1])


def window_counts(
    image: tuple[int, ...], kernel: tuple[int, ...], stride: Any, padding: Any, dilation: Any
) -> tuple[int, int]:
    """How many windows fit into the rows and the columns of an image.

    floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1, 0 where none fits.
    """
    counts = [
        max((size + 2 * pad - dil * (width - 1) - 1) // step + 1, 0)
        for size, width, step, pad, dil in zip(image[1:], kernel, stride, padding, dilation, strict=True)
    ]
    return counts[0], counts[1]
