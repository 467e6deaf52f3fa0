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
    """

    dataset: str = "digits"
    data_dir: Path | None = None
    test_share: float = Field(default=0.25, gt=0, lt=1)
    split_seed: int = Field(default=0, ge=0)


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
    if len(dataset.y_test):
        return Split(dataset, dataset.x_train, dataset.y_train, dataset.x_test, dataset.y_test)
    kept, held = stratified_split(dataset.y_train, config.test_share, np.random.default_rng(config.split_seed))
    x, y = dataset.x_train, dataset.y_train
    return Split(dataset, x[kept], y[kept], x[held], y[held])
