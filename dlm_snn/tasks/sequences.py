"""A dataset as a sequence of tasks: split by class, permuted, or all at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.tasks.parts import Split
from dlm_snn.tasks.protocols import Protocol


@dataclass(frozen=True, eq=False)
class Task:
    """One task.

    Attributes:
        classes: that occur in it.
        x_train, y_train: its samples, in the order in which they come.
        x_test, y_test: its test samples.
    """

    classes: tuple[int, ...]
    x_train: NDArray[np.uint8]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.uint8]
    y_test: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TaskSequence:
    """The tasks of one protocol, one dataset and one seed, made when they are asked for.

    Attributes:
        protocol: which.
        data: where the samples come from.
        seed: of the order of classes, of the permutations and of the order of samples.

    Raises:
        DlmError: a dataset whose classes do not divide into the protocol's tasks.
    """

    protocol: Protocol
    data: Split
    seed: int

    def __post_init__(self) -> None:
        classes, tasks = self.data.dataset.n_classes, self.n_tasks
        if self.protocol.kind == "split" and classes % tasks:
            raise DlmError(
                f"{self.protocol.name} has {tasks} tasks, and {self.data.dataset.name} {classes} classes, which they "
                "do not divide; choose another dataset"
            )

    @property
    def n_tasks(self) -> int:
        """How many tasks there are."""
        if self.protocol.n_tasks is not None:
            return self.protocol.n_tasks
        classes = self.data.dataset.n_classes
        return classes if classes % 2 or classes == 2 else classes // 2

    @cached_property
    def class_order(self) -> tuple[int, ...]:
        """The classes in the order in which they come."""
        n = self.data.dataset.n_classes
        if not self.protocol.random_order:
            return tuple(range(n))
        return tuple(int(c) for c in np.random.default_rng([self.seed, 0]).permutation(n))

    def task(self, index: int) -> Task:
        """One task; its samples in an order drawn from the seed and the index."""
        if self.protocol.kind == "permuted":
            return self._permuted(index)
        width = self.data.dataset.n_classes // self.n_tasks
        classes = self.class_order[index * width : (index + 1) * width]
        train, test = (np.flatnonzero(np.isin(y, classes)) for y in (self.data.y_train, self.data.y_test))
        train = self._order(index).permutation(train)
        return Task(
            classes, self.data.x_train[train], self.data.y_train[train], self.data.x_test[test], self.data.y_test[test]
        )

    def __iter__(self) -> Iterator[Task]:
        return (self.task(index) for index in range(self.n_tasks))

    def _permuted(self, index: int) -> Task:
        """All classes, the features in an order of their own; the first task has the dataset's."""
        features = self.data.x_train.shape[1]
        order = np.arange(features)
        if index:
            order = np.random.default_rng([self.seed, 1, index]).permutation(features)
        train = self._order(index).permutation(len(self.data.y_train))
        return Task(
            tuple(range(self.data.dataset.n_classes)),
            self.data.x_train[train][:, order],
            self.data.y_train[train],
            self.data.x_test[:, order],
            self.data.y_test,
        )

    def _order(self, index: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, 2, index])
