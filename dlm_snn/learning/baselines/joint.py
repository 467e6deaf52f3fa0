"""The ceiling: all samples at once, in random order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dlm_snn.learning.descent.loop import Descent
from dlm_snn.learning.descent.mlp import Mlp, MlpOptions, checked, learner, no_spikes, sizes
from dlm_snn.learning.learner import Declaration, Setting
from dlm_snn.networks.network import Network


class JointOptions(MlpOptions):
    """Of the ceiling; see MlpOptions."""

    lr: float = Field(default=2e-3, gt=0)
    batch: int = Field(default=16, ge=1)


class Joint:
    """Keeps every sample; asked, it trains a fresh rate network on all of them, shuffled, each once.

    The first weights and the order depend on the seed and the number of samples only, so that asking changes nothing.

    Args:
        setting, rng, options: as of every learner; see JointOptions for the options.
    """

    def __init__(self, setting: Setting, rng: np.random.Generator, **options: Any) -> None:
        self._setting, self._options = setting, checked(JointOptions, "joint", options)
        self._sizes = sizes(setting, self._options.hidden)
        self._seed = int(rng.integers(2**63))
        self._kept: list[tuple[NDArray[np.uint8], NDArray[np.int64]]] = []
        self._trained: Descent | None = None

    @property
    def declaration(self) -> Declaration:
        """All samples so far are stored: a ceiling, no continual learner."""
        label = self._options.label_at_test
        stored = sum(len(y) for _, y in self._kept)
        return Declaration(boundary=label, label_at_test=label, stored_samples=stored, replay="stored", joint=True)

    def begin_task(self, classes: Sequence[int]) -> None:
        """A boundary means nothing to it."""

    def observe(self, x: NDArray[np.uint8], y: NDArray[np.int64]) -> None:
        """Keep samples."""
        features, labels = self._setting.taught(x, y)
        self._kept.append((features.copy(), labels.copy()))
        self._trained = None

    def _network(self) -> Descent:
        if self._trained is None:
            rng = np.random.default_rng(self._seed)
            plain = self._options.model_copy(update={"label_at_test": False})
            self._trained = learner(self._setting, Mlp(self._sizes, self._setting.scale, rng), plain, ())
            if self._kept:
                x, y = (np.concatenate(part) for part in zip(*self._kept, strict=True))
                order = rng.permutation(len(y))
                self._trained.observe(x[order], y[order])
        return self._trained

    def predict(self, x: NDArray[np.uint8], classes: Sequence[int] | None = None) -> NDArray[np.int64]:
        """The class of each sample; among ``classes``, where they are given."""
        return self._network().predict(x, classes)

    def freeze(self) -> Network:
        """There is none."""
        raise no_spikes("a rate network")

    def info(self) -> Mapping[str, Any]:
        """The network's figures."""
        return self._network().info()
