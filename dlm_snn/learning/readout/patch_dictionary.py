"""A dictionary and a whitening learned from the patches of images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlm_snn.learning.readout.dictionary import spherical_kmeans, whitening
from dlm_snn.learning.readout.features import all_patches

PATCHES = 200_000
"""That a dictionary is learned from."""


def learned_vectors(
    images: NDArray[np.uint8],
    shape: tuple[int, int, int],
    size: tuple[int, int],
    number: int,
    floor: float,
    eps: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Vectors (number, pixel) whose product with a patch is that of its whitened form with a k-means direction.

    Patches are brought to zero mean and divided by sqrt(variance + floor^2), whitened by their own covariance, and
    clustered by direction; whitening and directions are folded into one matrix.

    Args:
        images: (sample, pixel).
        shape: of an image, (channel, row, column).
        size: rows and columns of a patch.
        number: of vectors.
        floor: in units of a pixel.
        eps: of the whitening.
        rng: draws patches and the beginning of k-means.

    Raises:
        DlmError: fewer patches than vectors.
    """
    patches = normalized(sampled(images, shape, size, rng), floor)
    folded = whitening(np.cov(patches, rowvar=False).astype(np.float64), eps)
    return spherical_kmeans(patches @ folded.T.astype(np.float32), number, rng) @ folded


def sampled(
    images: NDArray[np.uint8], shape: tuple[int, int, int], size: tuple[int, int], rng: np.random.Generator
) -> NDArray[np.float32]:
    """About PATCHES patches (patch, pixel), equally many of each image, at most all."""
    found = []
    for image in images:
        patches = all_patches(image, shape, size)
        chosen = rng.permutation(len(patches))[: -(-PATCHES // len(images))]
        found.append(patches[chosen].astype(np.float32))
    return np.concatenate(found)


def normalized(patches: NDArray[np.float32], floor: float) -> NDArray[np.float32]:
    """Patches of zero mean, divided by sqrt(variance + floor^2)."""
    centered = patches - patches.mean(axis=1, keepdims=True)
    return centered / np.sqrt(centered.var(axis=1, keepdims=True) + floor**2)
