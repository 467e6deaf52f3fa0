"""What a continual learner is: it observes chunks of samples, predicts classes, and can be frozen into a network."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.learning.batches import Samples, checked_features, checked_samples
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.values import as_integers


@dataclass(frozen=True)
class Setting:
    """What a learner may know before the first sample.

    Attributes:
        shape: of one sample, (channel, row, column) or (n,).
        graded_bits, scale: of its integers, see Dataset.
        n_classes: of the whole sequence; classes are 0..n_classes-1.
        n_tasks: how many tasks will come; for learners that declare that they use boundaries.
    """

    shape: tuple[int, ...]
    graded_bits: int
    scale: int
    n_classes: int
    n_tasks: int

    def taught(self, x: Any, y: Any) -> Samples:
        """Samples and classes, checked: integers (sample, feature) 0..scale, and classes 0..n_classes-1.

        Raises:
            DlmError: see ``batches.checked_samples``.
        """
        return checked_samples(x, y, math.prod(self.shape), self.n_classes, int(self.scale))

    def asked(self, x: Any) -> NDArray[np.uint8]:
        """Samples to be classified, checked likewise."""
        return checked_features(x, math.prod(self.shape), int(self.scale))

    def named(self, classes: Iterable[int]) -> list[int]:
        """Classes that are named to a learner, in order, each once.

        Raises:
            DlmError: none, or one that is out of range.
        """
        found = np.unique(as_integers(list(classes), "classes", 0, self.n_classes - 1))
        if not len(found):
            raise DlmError("no classes are named; give at least one")
        return [int(c) for c in found]


@dataclass(frozen=True)
class Declaration:
    """What a learner uses, shown with every one of its figures.

    Attributes:
        front_end: what stands before the part that learns ("pixels", "16 edge directions, spikes", ...).
        normalization: of the samples ("none", "rank code, spikes", ...).
        winner: who decides the class: "spikes" or "host".
        boundary: it is told where a task begins.
        label_at_test: it is told the task of a test sample.
        stored_samples: how many training samples it keeps.
        replay: "none", "stored" or "generated".
        pre_training: data seen before the sequence, "none" or their name.
        joint: it sees all tasks at once: a ceiling, not a continual learner.
    """

    front_end: str = "pixels"
    normalization: str = field(default="none", metadata={"key": "normalisation"})
    winner: str = "host"
    boundary: bool = False
    label_at_test: bool = False
    stored_samples: int = 0
    replay: str = "none"
    pre_training: str = "none"
    joint: bool = False


@runtime_checkable
class Learner(Protocol):
    """One continual learner; it owns its state.

    A learner that wants the boundaries of tasks declares them and has ``begin_task(classes)``, called before the
    first sample of each with the classes that it brings. One that is told the task of a test sample declares that
    and takes ``predict(x, classes)``.
    """

    declaration: Declaration

    def observe(self, x: NDArray[np.uint8], y: NDArray[np.int64]) -> None:
        """Learn from samples (sample, feature) and their classes, in their order, once."""

    def predict(self, x: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The class of each sample; -1 where there is none."""

    def freeze(self) -> Network | IntegerNetwork:
        """What has been learned, as a network with an Input "pixels" and a population "output"."""

    def info(self) -> Mapping[str, Any]:
        """Figures of the learner itself for a row of results: neurons, synapses, steps, spikes by stage."""


class MakeLearner(Protocol):
    """What an entry point of the group ``dlm_snn.learners`` is: a function or class that makes a learner."""

    def __call__(self, setting: Setting, rng: np.random.Generator, **options: Any) -> Learner:
        """A fresh learner; the options are its own, and others are refused."""
