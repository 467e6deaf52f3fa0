"""A continual learner in one file: the class whose samples' mean lies nearest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import UnsupportedError
from dlm_snn.learning.learner import Declaration, Setting


class Means:
    """Sums and counts by class."""

    declaration = Declaration(front_end="means of pixels")

    def __init__(self, setting: Setting, rng: np.random.Generator, prior: float = 0.0):
        self.setting, self.prior = setting, prior
        self.sums: NDArray = np.zeros((setting.n_classes, int(np.prod(setting.shape))))
        self.counts: NDArray = np.zeros(setting.n_classes)

    def observe(self, x: Any, y: Any) -> None:
        """Add them up."""
        x, y = self.setting.taught(x, y)
        np.add.at(self.sums, y, x)
        np.add.at(self.counts, y, 1)

    def predict(self, x: Any) -> NDArray[np.int64]:
        """The nearest mean; -1 before the first sample."""
        x = self.setting.asked(x).astype(float)
        seen = np.flatnonzero(self.counts)
        if not len(seen):
            return np.full(len(x), -1)
        means = self.sums[seen] / (self.counts[seen, None] + self.prior)
        return seen[np.argmin(((x[:, None] - means) ** 2).sum(axis=2), axis=1)]

    def freeze(self) -> Any:
        """It has no spiking form."""
        raise UnsupportedError("means", "freeze", "take a learner of spikes")

    def info(self) -> dict[str, Any]:
        """Its size."""
        return {"neurons": int(np.count_nonzero(self.counts))}
