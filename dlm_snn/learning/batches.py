"""Samples on their way into a learner: chunks become batches, and a reservoir keeps an even share of a stream."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError

Samples = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Features (sample, feature) and classes (sample,)."""


def check_samples(x: NDArray, y: NDArray, n_features: int, n_classes: int) -> None:
    """Refuse samples that do not fit a learner.

    Raises:
        DlmError: another number of features, or classes that are not one a sample or out of range.
    """
    if x.ndim != 2 or x.shape[1] != n_features or x.dtype.kind not in "iu":
        raise DlmError(f"samples are {x.dtype} of shape {x.shape}; expected integers (sample, {n_features})")
    if y.shape != (len(x),) or y.dtype.kind not in "iu" or (len(y) and not 0 <= y.min() <= y.max() < n_classes):
        raise DlmError(f"classes of shape {y.shape} do not fit {len(x)} samples and {n_classes} classes")


class Batches:
    """Samples wait until there are ``size`` of them; so a learner's steps do not depend on how chunks are cut.

    Args:
        size: of a batch.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._waiting: list[Samples] = []
        self._n = 0

    def add(self, x: NDArray[np.uint8], y: NDArray[np.int64]) -> Iterator[Samples]:
        """Put samples in their order; yields every batch that is full."""
        self._waiting.append((np.array(x), np.array(y)))
        self._n += len(y)
        if self._n < self.size:
            return
        x, y = self._joined()
        full = len(y) - len(y) % self.size
        self._put(x[full:], y[full:])
        for start in range(0, full, self.size):
            yield x[start : start + self.size], y[start : start + self.size]

    def clear(self) -> None:
        """What waits is not learned."""
        self._waiting, self._n = [], 0

    def _joined(self) -> Samples:
        xs, ys = zip(*self._waiting, strict=True)
        return np.concatenate(xs), np.concatenate(ys)

    def _put(self, x: NDArray[np.uint8], y: NDArray[np.int64]) -> None:
        self._waiting, self._n = ([(x, y)] if len(y) else []), len(y)


class Latest:
    """The last ``size`` samples of a stream, for what is measured at its end.

    Args:
        size: how many are kept.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._kept: Samples | None = None

    def add(self, x: NDArray[np.uint8], y: NDArray[np.int64]) -> None:
        """The next samples of the stream."""
        if self._kept is not None:
            x, y = np.concatenate([self._kept[0], x]), np.concatenate([self._kept[1], y])
        self._kept = x[-self.size :], y[-self.size :]

    def take(self) -> Samples | None:
        """What is kept, which is then forgotten; None where there is nothing."""
        kept, self._kept = self._kept, None
        return kept


class Reservoir:
    """An even sample of a stream of unknown length: each of n samples is kept with chance size / n.

    Args:
        size: how many are kept.
        rng: draws.

    Source: Vitter, ACM Trans. Math. Softw. 11, 37 (1985), algorithm R.
    """

    def __init__(self, size: int, rng: np.random.Generator) -> None:
        self.size, self.seen = size, 0
        self._rng = rng
        self._x: NDArray[np.uint8] = np.zeros((0, 0), np.uint8)
        self._y: NDArray[np.int64] = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return min(self.seen, self.size)

    def add(self, x: NDArray[np.uint8], y: NDArray[np.int64]) -> None:
        """The next samples of the stream."""
        if not self.seen:
            self._x, self._y = np.zeros((self.size, x.shape[1]), np.uint8), np.zeros(self.size, np.int64)
        for one, label in zip(x, y, strict=True):
            place = self.seen if self.seen < self.size else int(self._rng.integers(self.seen + 1))
            self.seen += 1
            if place < self.size:
                self._x[place], self._y[place] = one, label

    def draw(self, n: int) -> Samples:
        """n of the kept samples, fewer where there are fewer, none twice."""
        chosen = self._rng.choice(len(self), min(n, len(self)), replace=False)
        return self._x[chosen], self._y[chosen]
