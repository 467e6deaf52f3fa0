"""A dataset brought to a training and a test part."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dlm_snn.config import Config
from dlm_snn.plugins import load
from dlm_snn.tasks.datasets import Dataset, stratified_split


class DataConfig(Config):
    """Which data, and how they are parted.

    Attributes:
        dataset: name of an entry point of the group dlm_snn.datasets.
        data_dir: folder that holds it; None: $DLM_DATA, then the cache.
        test_share: share of a one-pool dataset that is held out, stratified by class.
        split_seed: of that hold-out.
        validation_share: for choosing hyper-parameters: the test part is left aside, and this share of the training
            part, stratified by class, takes its place.
    """

    dataset: str = "digits"
    data_dir: Path | None = None
    test_share: float = Field(default=0.25, gt=0, lt=1)
    split_seed: int = Field(default=0, ge=0)
    validation_share: float | None = Field(default=None, gt=0, lt=1)


@dataclass(frozen=True, eq=False)
class Split:
    """The two parts of a dataset.

    Attributes:
        dataset: where they come from.
        x_train, x_test: (sample, feature) uint8.
        y_train, y_test: (sample,) int64.
    """

    dataset: Dataset
    x_train: NDArray[np.uint8]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.uint8]
    y_test: NDArray[np.int64]


def split(config: DataConfig) -> Split:
    """Load a dataset and part it: its own test set, or a stratified hold-out of its one pool.

    Raises:
        DlmError: no such dataset, or its files are missing or altered.
    """
    dataset: Any = load("dlm_snn.datasets", config.dataset)(config.data_dir)
    parts = Split(dataset, dataset.x_train, dataset.y_train, dataset.x_test, dataset.y_test)
    rng = np.random.default_rng(config.split_seed)
    if not len(dataset.y_test):
        parts = hold_out(parts, config.test_share, rng)
    return parts if config.validation_share is None else hold_out(parts, config.validation_share, rng)


def hold_out(parts: Split, share: float, rng: np.random.Generator) -> Split:
    """The same with a share of the training part, stratified by class, in the place of the test part."""
    x, y = parts.x_train, parts.y_train
    kept, held = stratified_split(y, share, rng)
    return Split(parts.dataset, x[kept], y[kept], x[held], y[held])
