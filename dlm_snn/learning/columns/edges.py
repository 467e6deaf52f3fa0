"""Oriented edges: the fixed kernels of the front end of the columns, and its windows."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.connection import Sparse
from dlm_snn.connections.conv2d import window_counts

SIZE = 5
"""Rows and columns of a kernel."""
MAGNITUDE = 32
"""Sum of a kernel's magnitudes."""
SMALL = 14
"""Rows and columns below which windows of 3x3 take the place of larger ones."""


@cache
def edge_kernels(directions: int) -> NDArray[np.int64]:
    """Derivatives of a Gaussian in equally spaced directions, in small integers.

    k_o(y, x) = round(c (x cos th_o + y sin th_o) exp(-(x^2 + y^2) / 2)), th_o = 2 pi o / directions, c the smallest
    number of a fine grid for which the magnitudes add up closest to 32.

    Args:
        directions: how many.

    Returns:
        (direction, 5, 5), each kernel antisymmetric, weights -4..4.
    """
    y, x = np.mgrid[-2:3, -2:3].astype(float)
    scales = np.linspace(0.5, 20, 4000)[:, None, None]
    kernels = []
    for angle in 2 * np.pi * np.arange(directions) / directions:
        rounded = np.round(scales * (x * np.cos(angle) + y * np.sin(angle)) * np.exp(-(x**2 + y**2) / 2))
        misses = np.abs(np.abs(rounded).sum(axis=(1, 2)) - MAGNITUDE)
        kernels.append(rounded[np.argmin(misses)])
    result = np.array(kernels).astype(np.int64)
    result.flags.writeable = False
    return result


def edge_synapses(rows: int, columns: int, directions: int, polarities: int = 1) -> Sparse:
    """From pixels (polarity, row, column) to edges (row, column, direction), zero padding.

    The direction is the last axis, so that the directions of a place are a contiguous group that competes. A second
    polarity counts with the opposite sign of the first.

    Returns:
        weights -4..4; kernel places outside the image, and zeros, have no synapse.
    """
    kernels = edge_kernels(directions)
    row, column, direction, i, j = np.indices((rows, columns, directions, SIZE, SIZE)).reshape(5, -1)
    from_row, from_column = row + i - SIZE // 2, column + j - SIZE // 2
    weight = kernels[direction, i, j]
    kept = (weight != 0) & _inside(from_row, rows) & _inside(from_column, columns)
    post = (row * columns + column) * directions + direction
    pre = from_row * columns + from_column
    n = rows * columns
    post, pre, weight = post[kept], pre[kept], weight[kept]
    signs = range(polarities)
    return Sparse(
        (n * directions, n * polarities),
        np.concatenate([post for _ in signs]),
        np.concatenate([pre + n * sign for sign in signs]),
        np.concatenate([(-1) ** sign * weight for sign in signs]),
    )


def window_synapses(rows: int, columns: int, channels: int, window: int, stride: int, padding: int = 0) -> Sparse:
    """From (row, column, channel) to (window row, window column, channel): every window sums up what lies under it.

    Args:
        rows, columns, channels: of what is pooled; the channel is the last axis.
        window, stride, padding: in places.

    Returns:
        weights of 1.
    """
    down, across = window_counts((1, rows, columns), (window, window), (stride,) * 2, (padding,) * 2, (1, 1))
    y, x, channel, i, j = np.indices((down, across, channels, window, window)).reshape(5, -1)
    row, column = y * stride + i - padding, x * stride + j - padding
    kept = _inside(row, rows) & _inside(column, columns)
    post = (y * across + x) * channels + channel
    pre = (row * columns + column) * channels + channel
    shape = (down * across * channels, rows * columns * channels)
    return Sparse(shape, post[kept], pre[kept], np.ones(np.count_nonzero(kept), dtype=np.int64))


def group_synapses(groups: int, size: int, weight: int) -> Sparse:
    """From every neuron to every one of its group, itself included.

    Args:
        groups: equal contiguous blocks.
        size: neurons of each.
        weight: of all synapses.
    """
    group, post, pre = np.indices((groups, size, size)).reshape(3, -1)
    n = groups * size
    return Sparse((n, n), group * size + post, group * size + pre, np.full(post.size, weight))


def _inside(place: NDArray, extent: int) -> NDArray[np.bool_]:
    return (place >= 0) & (place < extent)
