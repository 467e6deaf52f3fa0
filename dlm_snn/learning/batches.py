"""Samples on their way into a learner: chunks become batches, and a reservoir keeps an even share of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.values import as_array, as_integers, check_each, slices

Samples = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Features (sample, feature) and classes (sample,)."""


def checked_samples(x: Any, y: Any, n_features: int, n_classes: int, largest: int, lowest: int = 0) -> Samples:
    """Samples and their classes as a learner computes with them; everything that learns asks here.

    Args:
        x: (sample, feature) integers lowest..largest, of any type that ``values.as_array`` takes.
        y: (sample,) classes 0..n_classes-1.
        n_features, n_classes: of the learner.
        largest, lowest: integers that a feature may be.

    Raises:
        DlmError: another number of features or of classes, floats, or a value out of range, which is named.
    """
    features = checked_features(x, n_features, largest, lowest)
    return features, checked_classes(y, len(features), n_classes)


def checked_features(x: Any, n_features: int, largest: int, lowest: int = 0) -> NDArray[np.uint8]:
    """The samples alone, in the smallest type that holds all that they may be; see ``checked_samples``."""
    given = as_array(x, "samples")
    if given.ndim != 2 or given.shape[1] != n_features:
        raise DlmError(f"samples are {given.dtype} of shape {given.shape}; expected integers (sample, {n_features})")
    if given.dtype.kind not in "iu":
        extent = f" {given.min():g}..{given.max():g}" if given.size and given.dtype.kind == "f" else ""
        whole = given.size and given.max() > 1 and np.all(given == np.round(given))
        remedy = "x.astype(int)" if whole else f"np.rint(x / x.max() * {largest}).astype(int)"
        raise DlmError(f"samples are {given.dtype}{extent}; expected integers {lowest}..{largest}, such as {remedy}")
    check_each(given, "samples", (given >= lowest) & (given <= largest), f"in {lowest}..{largest}")
    return np.ascontiguousarray(given, dtype=np.promote_types(*map(np.min_scalar_type, (lowest, largest))))


def checked_classes(y: Any, n_samples: int, n_classes: int) -> NDArray[np.int64]:
    """The classes alone; see ``checked_samples``."""
    given = as_array(y, "classes")
    if given.size and given.min() == 1 and given.max() == n_classes:
        raise DlmError(f"classes reach from 1 to {n_classes}, not in 0..{n_classes - 1}; take 1 off each")
    classes = as_integers(given, "classes", 0, n_classes - 1)
    if classes.shape != (n_samples,):
        raise DlmError(f"classes of shape {classes.shape} do not fit {n_samples} samples; give one a sample")
    return np.ascontiguousarray(classes)


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
        for part in slices(full, self.size):
            yield x[part], y[part]

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
            self._x, self._y = np.zeros((self.size, x.shape[1]), x.dtype), np.zeros(self.size, np.int64)
        for one, label in zip(x, y, strict=True):
            place = self.seen if self.seen < self.size else int(self._rng.integers(self.seen + 1))
            self.seen += 1
            if place < self.size:
                self._x[place], self._y[place] = one, label

    def draw(self, n: int) -> Samples:
        """n of the kept samples, fewer where there are fewer, none twice."""
        chosen = self._rng.choice(len(self), min(n, len(self)), replace=False)
        return self._x[chosen], self._y[chosen]
