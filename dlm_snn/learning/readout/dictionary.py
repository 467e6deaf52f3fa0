"""Dictionaries of patches: Gabor functions that need no data, or directions learned from patches; whitening."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.values import slices

WEIGHT_LIMIT = 127
"""Largest magnitude of an integer weight: 8 bits with a sign."""
CORRELATION = 0.95
"""Of neighboring pixels, in the model of an image."""
COLOR_CORRELATION = 0.9
ROUNDS = 10
"""Of spherical k-means."""


@dataclass(frozen=True)
class GaborRange:
    """From where the parameters of Gabor functions are drawn, each uniformly.

    Attributes:
        wavelength, sigma: (least, most), in pixels; of the wave and of its envelope.
        offset: largest distance of the center from that of the patch, in pixels.
        grey: share of the functions that are the same in all colors; the others get a random color.
    """

    wavelength: tuple[float, float]
    sigma: tuple[float, float]
    offset: float
    grey: float = 1.0


def gabor_vectors(
    number: int, shape: tuple[int, int, int], ranges: GaborRange, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Gabor functions of random orientation, phase and aspect (0.3..1), (number, pixel), zero mean and unit norm.

    g(x, y) = exp(-(a^2 + (aspect b)^2) / (2 sigma^2)) cos(2 pi a / wavelength + phase), with a, b the coordinates
    along and across the wave.

    Args:
        number: how many.
        shape: of a patch, (channel, row, column).
        ranges: of their parameters.
        rng: draws them.
    """
    channels, rows, columns = shape
    y, x = np.mgrid[:rows, :columns] - (np.array([rows, columns]).reshape(2, 1, 1) - 1) / 2
    found = np.empty((number, *shape))
    for vector in found:
        angle, phase, aspect = rng.uniform((0, 0, 0.3), (np.pi, 2 * np.pi, 1))
        wavelength, sigma = rng.uniform(*ranges.wavelength), rng.uniform(*ranges.sigma)
        down, right = rng.uniform(-ranges.offset, ranges.offset, 2)
        along = (x - right) * np.cos(angle) + (y - down) * np.sin(angle)
        across = -(x - right) * np.sin(angle) + (y - down) * np.cos(angle)
        envelope = np.exp(-(along**2 + (aspect * across) ** 2) / (2 * sigma**2))
        color = np.ones(channels) if rng.random() < ranges.grey else rng.standard_normal(channels)
        vector[...] = color[:, None, None] * envelope * np.cos(2 * np.pi * along / wavelength + phase)
    return _unit(_centered(found.reshape(number, -1)))


def model_covariance(shape: tuple[int, int, int]) -> NDArray[np.float64]:
    """Covariance of the pixels of a patch, of variance 1, as a model of images: .95^distance, times .9 between colors.

    Args:
        shape: of a patch, (channel, row, column).
    """
    y, x = np.mgrid[: shape[1], : shape[2]].reshape(2, -1)
    distance = np.hypot(y[:, None] - y, x[:, None] - x)
    return np.kron(np.where(np.eye(shape[0]), 1.0, COLOR_CORRELATION), CORRELATION**distance)


def whitening(covariance: NDArray[np.float64], eps: float) -> NDArray[np.float64]:
    """V (e + eps)^-1/2 V^T M of the covariance of centered patches, M C M = V e V^T; M takes a patch's mean away.

    Args:
        covariance: of the pixels, (pixel, pixel).
        eps: keeps directions of little variance small; in units of the covariance.
    """
    center = np.eye(len(covariance)) - 1 / len(covariance)
    values, vectors = np.linalg.eigh(center @ covariance @ center)
    return (vectors * (np.maximum(values, 0) + eps) ** -0.5) @ vectors.T @ center


def spherical_kmeans(points: NDArray, number: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Unit vectors (number, pixel) that points of any length cluster around, by their direction.

    ROUNDS times: each point goes to the vector with the largest product, each vector becomes the sum of its points,
    brought to length 1: what a column does in which the winner alone learns. One without points stays.

    Args:
        points: (point, pixel), at least as many as vectors.
        number: of vectors.
        rng: draws the points that they begin as.

    Raises:
        DlmError: fewer points than vectors.
    """
    if len(points) < number:
        raise DlmError(f"{len(points)} patches for a dictionary of {number}; take more samples or fewer vectors")
    points = points.astype(np.float32, copy=False)
    found = _unit(points[rng.choice(len(points), number, replace=False)].astype(np.float64))
    for _ in range(ROUNDS):
        sums = np.zeros_like(found)
        for part in slices(len(points), 20000):
            block = points[part]
            nearest = (block @ found.T.astype(np.float32)).argmax(axis=1)
            order = np.argsort(nearest, kind="stable")
            present, first = np.unique(nearest[order], return_index=True)
            sums[present] += np.add.reduceat(block[order].astype(np.float64), first, axis=0)
        grown = np.linalg.norm(sums, axis=1) > 0
        found[grown] = _unit(sums[grown])
    return found


def integer_weights(weight: NDArray[np.float64]) -> tuple[NDArray[np.int64], float]:
    """Weights of zero mean as 8-bit integers whose rows sum to 0 exactly, and how much one was multiplied.

    Rounding is by the largest remainder, row by row: an even patch drives nobody.

    Args:
        weight: (row, pixel), each row of zero mean.
    """
    scale = (WEIGHT_LIMIT - 1) / np.abs(weight).max()
    exact = weight * scale
    rounded = np.floor(exact)
    for row, remainder in zip(rounded, exact - rounded, strict=True):
        row[np.argsort(-remainder, kind="stable")[: round(-row.sum())]] += 1
    return rounded.astype(np.int64), float(scale)


def _centered(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return vectors - vectors.mean(axis=1, keepdims=True)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300)
