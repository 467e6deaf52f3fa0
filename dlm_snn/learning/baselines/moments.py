"""Counts, sums and products of samples: all that a linear read-out needs, the same in any order, bit for bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.learning.descent.mlp import no_spikes
from dlm_snn.learning.learner import Declaration, Setting
from dlm_snn.networks.network import Network


class Moments:
    """n_c, sum of x by class, and sum of x x^T over all samples of integers; exact, for float64 holds them below 2^53.

    Attributes:
        counts: (class,).
        sums: (class, feature).
        products: (feature, feature).
    """

    def __init__(self, n_features: int, n_classes: int) -> None:
        self.counts = np.zeros(n_classes)
        self.sums = np.zeros((n_classes, n_features))
        self.products = np.zeros((n_features, n_features))

    def add(self, x: NDArray[np.uint8], y: NDArray[np.int64]) -> None:
        """Samples (sample, feature) and their classes."""
        values, taught = x.astype(np.float64), np.eye(len(self.counts))[y]
        self.counts += taught.sum(axis=0)
        self.sums += taught.T @ values
        self.products += values.T @ values

    @property
    def n(self) -> float:
        """Samples in all."""
        return float(self.counts.sum())


Solve = Callable[[Moments], tuple[NDArray[np.float64], NDArray[np.float64]]]
"""Moments -> weights (class, feature) and biases (class,) of integer samples."""


class Solved:
    """A linear read-out that is solved from the moments when it is asked.

    Classes that never came are never answered; before the first sample the answer is -1.

    Args:
        setting: as of every learner.
        solve: the read-out.
    """

    declaration = Declaration()

    def __init__(self, setting: Setting, solve: Solve) -> None:
        self._setting = setting
        self.moments = Moments(math.prod(setting.shape), setting.n_classes)
        self._solve = solve
        self._solution: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    def observe(self, x: NDArray[np.uint8], y: NDArray[np.int64]) -> None:
        """Add samples to the moments."""
        self.moments.add(*self._setting.taught(x, y))
        self._solution = None

    def predict(self, x: NDArray[np.uint8], classes: Sequence[int] | None = None) -> NDArray[np.int64]:
        """The largest output among the classes that came, and among ``classes`` where they are given."""
        seen, x = np.flatnonzero(self.moments.counts), self._setting.asked(x)
        if classes is not None:
            seen = np.intersect1d(seen, self._setting.named(classes))
        if not len(seen) or not len(x):
            return np.full(len(x), -1)
        weight, bias = self.solution()
        return seen[(x.astype(np.float64) @ weight[seen].T + bias[seen]).argmax(axis=1)]

    def solution(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weights (class, feature) and biases of integer samples."""
        if self._solution is None:
            self._solution = self._solve(self.moments)
        return self._solution

    def freeze(self) -> Network:
        """There is none."""
        raise no_spikes("a linear read-out of pixels")

    def info(self) -> Mapping[str, Any]:
        """Neurons, synapses, and the numbers that are counted."""
        moments = self.moments
        return {
            "neurons": len(moments.counts),
            "synapses": moments.sums.size,
            "counted": moments.products.size + moments.sums.size + moments.counts.size,
        }
