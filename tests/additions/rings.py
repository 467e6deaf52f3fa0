"""A dataset in one file, six rings of points; and a protocol over it, if another than ``split/rings`` is wanted."""

from __future__ import annotations

import numpy as np

from dlm_snn.tasks.datasets import Dataset
from dlm_snn.tasks.protocols import Protocol


def rings(data_dir: object = None) -> Dataset:
    """Each class at its own distance from the middle."""
    rng = np.random.default_rng(5)
    y = np.repeat(np.arange(6), 60)
    angle = rng.uniform(0, 2 * np.pi, len(y))
    radius = 20 + 20 * y + rng.uniform(-5, 5, len(y))
    x = np.rint(np.transpose([128 + radius * np.cos(angle) / 8, 128 + radius * np.sin(angle) / 8, radius]))
    none = np.zeros((0, 3), np.uint8)
    return Dataset("rings", x.astype(np.uint8), y, none, y[:0], shape=(3,), graded_bits=8, scale=255, n_classes=6)


THREES = Protocol("rings/class/2x3", "rings", "split", 2)
