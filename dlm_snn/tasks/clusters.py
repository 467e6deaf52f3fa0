"""Clusters: a made-up set of ten classes for trying things out in milliseconds; no figure of interest comes from it."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from dlm_snn.tasks.datasets import Dataset

SEED = 20_261
"""Of the one set that there is; another seed is another set."""
N_CLASSES, FEATURES, SCALE = 10, 16, 255
TRAIN, TEST = 100, 30
"""Samples of each class."""
SPREAD = 36
"""Of each of the four uniform integers whose sum is the noise: standard deviation 2 SPREAD / sqrt(3), about 42."""


def clusters(data_dir: str | os.PathLike[str] | None = None, seed: int = SEED) -> Dataset:
    """Ten clusters of 16 integer features: x = clip(center + noise, 0, 255), the noise a sum of four uniform integers.

    Args:
        data_dir: not used; every dataset takes it.
        seed: of centers and noise.
    """
    rng = np.random.default_rng(seed)
    center = rng.integers(48, 208, (N_CLASSES, FEATURES))
    parts = {part: _samples(center, count, rng) for part, count in (("train", TRAIN), ("test", TEST))}
    return Dataset(
        name="clusters",
        x_train=parts["train"][0],
        y_train=parts["train"][1],
        x_test=parts["test"][0],
        y_test=parts["test"][1],
        shape=(FEATURES,),
        graded_bits=8,
        scale=SCALE,
        n_classes=N_CLASSES,
    )


def _samples(center: NDArray, count: int, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """``count`` samples of each class, class by class."""
    y = np.repeat(np.arange(N_CLASSES, dtype=np.int64), count)
    noise = rng.integers(-SPREAD, SPREAD + 1, (4, len(y), FEATURES)).sum(axis=0)
    return np.clip(center[y] + noise, 0, SCALE).astype(np.uint8), y
