"""Features of an image as spike counts of competing patch neurons, summed over a grid: whole numbers throughout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.values import slices

LATE = 2
"""Steps from the spikes that close a position to the first step without any: one to the closing neuron, one back."""
EXACT = 2**24
"""Sums of whole numbers below it are exact in float32, in any order."""


AT_ONCE = 50
"""Images whose drives an accelerator holds at once."""


def check_patch(shape: tuple[int, ...], patch: tuple[int, int], grid: int) -> None:
    """Whether every cell of a grid has a position of a patch.

    Args:
        shape: of an image, (channel, row, column).
        patch: (rows, columns).
        grid: cells along each side.

    Raises:
        DlmError: one has none.
    """
    rows, columns = (max(0, extent - size + 1) for extent, size in zip(shape[1:], patch, strict=True))
    if min(rows, columns) < grid:
        raise DlmError(
            f"patches of {patch[0]} x {patch[1]} in an image {tuple(shape)} have {rows} x {columns} positions, too few "
            f"for a grid of {grid}; choose a smaller patch or grid"
        )


@dataclass(frozen=True, eq=False)
class PatchFeatures:
    """Neurons that look at every patch of an image, raised by a ramp until enough of a position are active.

    At position p neuron i is driven by z = weight_i . patch_p. A ramp lets it spike in every step from the one on in
    which its level, the largest l with l slope_p < z, is reached; levels come down from ``levels`` to 1. In the step
    in which more than ``winners`` neurons of the position are active, at level m, a closing neuron spikes, and LATE
    steps later all are silent:

        n_pi = max(0, l_pi - max(0, m_p - LATE))

    These counts are summed over the cells of a grid. ``network`` builds the same as a network.

    Attributes:
        weight: (neuron, channel, row, column) whole numbers, each neuron's of sum 0.
        shape: of an image, (channel, row, column).
        peak: largest value of a pixel.
        grid: cells along each side.
        winners: how many neurons of a position may be active before it is closed.
        slope: drive of one level; with ``floor`` that of a patch whose standard deviation is 1.
        floor: None: the same slope everywhere. Else slope_p = slope sqrt(variance_p + floor^2), rounded: divisive
            normalization, which the host computes.
        levels: steps of the ramp.
        root: 0: the counts. Else floor(root sqrt(count)).
        device: torch's name of the accelerator that counts; None: numba. The features are the same.

    Raises:
        DlmError: a patch or a grid that does not fit the image, or sums that are not exact in float32.
    """

    weight: NDArray[np.int64]
    shape: tuple[int, int, int]
    peak: int
    grid: int
    winners: int
    slope: float
    floor: float | None = None
    levels: int = 64
    root: int = 0
    device: str | None = None

    def __post_init__(self) -> None:
        check_patch(self.shape, (self.weight.shape[2], self.weight.shape[3]), self.grid)
        if self.weight.shape[1] != self.shape[0]:
            raise DlmError(f"patches {self.weight.shape[1:]} of an image {self.shape}; give as many channels")
        if self.peak * np.abs(self.weight).reshape(len(self.weight), -1).sum(axis=1).max() >= EXACT:
            raise DlmError(f"patches {self.weight.shape[1:]} are too large: sums pass 2^24; choose a smaller patch")
        if self.floor is None and self.slope < 1:
            raise DlmError(f"a slope of {self.slope:g} is less than 1; choose a smaller gain")

    @property
    def positions(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        return self.shape[1] - self.weight.shape[2] + 1, self.shape[2] - self.weight.shape[3] + 1

    @property
    def n(self) -> int:
        """Number of features: neuron by neuron within a cell."""
        return self.grid**2 * len(self.weight)

    def cells(self, shift: tuple[int, int] = (0, 0)) -> NDArray[np.int64]:
        """The cell of each position, (position,), as equal as the grid allows; the grid moved by (rows, columns)."""
        moved = (np.clip(np.arange(n) - by, 0, n - 1) for n, by in zip(self.positions, shift, strict=True))
        row, column = (place * self.grid // n for place, n in zip(moved, self.positions, strict=True))
        return (row[:, None] * self.grid + column).ravel()

    @cached_property
    def _matrix(self) -> NDArray[np.float32]:
        return np.ascontiguousarray(self.weight.reshape(len(self.weight), -1).T, dtype=np.float32)

    def __call__(self, x: NDArray[np.uint8]) -> NDArray[np.int32]:
        """The features (sample, feature) of images (sample, pixel); no sample changes another's.

        Raises:
            DlmError: images of another size.
        """
        return self.shifted(x, ((0, 0),))[:, 0]

    def shifted(self, x: NDArray[np.uint8], shifts: Sequence[tuple[int, int]]) -> NDArray[np.int32]:
        """The features with the grid moved, (sample, shift, feature); the spikes are the same ones.

        Args:
            x: images (sample, pixel).
            shifts: (rows, columns), in positions.

        Raises:
            DlmError: images of another size.
        """
        if x.ndim != 2 or x.shape[1] != prod(self.shape):
            raise DlmError(f"samples of shape {x.shape}; (sample, {prod(self.shape)}) are wanted")
        cells = np.stack([self.cells(shift) for shift in shifts])
        counts = self._counted(x, cells) if self.device is None else self._counted_there(x, cells, self.device)
        features = counts.reshape(len(x), len(shifts), self.n)
        if self.root:
            return np.sqrt(self.root**2 * features.astype(np.float64)).astype(np.int32)
        return features

    def _counted(self, x: NDArray[np.uint8], cells: NDArray[np.int64]) -> NDArray[np.int32]:
        """Spikes of images (sample, pixel) by cells (shift, position): (sample, shift, cell, neuron)."""
        from dlm_snn.learning.readout._features_compiled import count_spikes

        counts = np.zeros((len(x), len(cells), self.grid**2, len(self.weight)), dtype=np.int32)
        for image, count in zip(x, counts, strict=True):
            patches = self.patches(image)
            # One product an image: it stays in the cache. It is exact, so that its order does not matter.
            count_spikes(patches @ self._matrix, self.slopes(patches), cells, self._limits, count)
        return counts

    def _counted_there(self, x: NDArray[np.uint8], cells: NDArray[np.int64], device: str) -> NDArray[np.int32]:
        """The same on an accelerator, as many images at once as fill it."""
        from dlm_snn.learning.readout._features_torch import count_spikes

        counts = [np.zeros((0, len(cells), self.grid**2, len(self.weight)), dtype=np.int32)]
        for part in slices(len(x), AT_ONCE):
            patches = np.stack([self.patches(image) for image in x[part]])
            slopes = np.stack([self.slopes(part) for part in patches])
            counts.append(count_spikes(patches, self._matrix, slopes, cells, self._limits, device))
        return np.concatenate(counts)

    @property
    def _limits(self) -> tuple[int, int, int]:
        return self.winners, self.levels, LATE

    def patches(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """All patches of one image, (position, pixel)."""
        return all_patches(image, self.shape, self.weight.shape[2:]).astype(np.float32)

    def slopes(self, patches: NDArray[np.float32]) -> NDArray[np.float64]:
        """The drive of one level at each position, whole numbers of at least 1."""
        if self.floor is None:
            return np.full(len(patches), float(round(self.slope)))
        whole = patches.astype(np.float64)
        n = patches.shape[1]
        # Exact: whole numbers far below 2^53.
        variance = (n * (whole**2).sum(axis=1) - whole.sum(axis=1) ** 2) / n**2
        return np.maximum(np.rint(self.slope * np.sqrt(variance + self.floor**2)), 1.0)


def all_patches(image: NDArray, shape: tuple[int, int, int], size: tuple[int, ...]) -> NDArray:
    """Every patch (channel, row, column) of one image, flat: (position, pixel)."""
    windows: NDArray = sliding_window_view(image.reshape(shape), size, (1, 2))  # type: ignore[call-overload]
    return windows.transpose(1, 2, 0, 3, 4).reshape(-1, shape[0] * prod(size))
