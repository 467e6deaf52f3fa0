"""Co-activity counts of features, streamed and exact, and the ridge read-out that follows from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.values import slices

if TYPE_CHECKING:
    from dlm_snn.learning.readout._gram_torch import DeviceSums

EXACT = 2**24
"""Sums of whole numbers up to here are exact in float32, whatever their order."""
BLOCK = 4096
"""Samples that are added up together: fewer make the copying of the sums dear."""


class Gram:
    """Sums over all samples seen: f f^T, f y^T, f, y with features f and one-hot classes y, in 64-bit integers.

    Features are whole numbers >= 0. A product of a block of samples is computed in float32 where its largest entry,
    which is a diagonal one, stays below 2^24: then every partial sum is exact; else the block is halved. So the sums
    are the same, bit for bit, in any order of samples and any chunks. At most BLOCK samples' features are held.

    Args:
        n_features: of a sample.
        n_classes: classes are 0..n_classes-1.
        device: torch's name of the accelerator that holds the sums; None: NumPy.
    """

    def __init__(self, n_features: int, n_classes: int, device: str | None = None) -> None:
        self.n_samples = 0
        self._sums = _sums(n_features, n_classes, device)
        self._counts = np.zeros(n_classes, dtype=np.int64)
        self._waiting: list[tuple[NDArray, NDArray]] = []

    def add(self, features: NDArray[np.int32], y: NDArray[np.int64]) -> None:
        """Count samples (sample, feature) with their classes.

        Raises:
            DlmError: a class out of range, or a feature below 0.
        """
        if len(y) and not (y.min() >= 0 and y.max() < len(self._counts) and features.min() >= 0):
            raise DlmError(
                f"classes {y.min()}..{y.max()}, features from {features.min()}; 0..{len(self._counts) - 1} and whole "
                "numbers from 0 on are wanted"
            )
        self.n_samples += len(y)
        self._waiting.append((features.astype(np.float32), y))
        if sum(len(y) for _, y in self._waiting) >= BLOCK:
            self._flush()

    @property
    def pairs(self) -> NDArray[np.int64]:
        """sum f f^T, (feature, feature)."""
        self._flush()
        return self._sums.pairs

    @property
    def classes(self) -> NDArray[np.int64]:
        """sum f y^T, (feature, class)."""
        self._flush()
        return self._sums.classes

    @property
    def counts(self) -> NDArray[np.int64]:
        """Samples of each class."""
        self._flush()
        return self._counts

    def _flush(self) -> None:
        if self._waiting:
            features, y = (np.concatenate(part) for part in zip(*self._waiting, strict=True))
            self._waiting = []
            for part in slices(len(y), BLOCK):
                self._count(features[part], y[part])

    def _count(self, features: NDArray[np.float32], y: NDArray[np.int64]) -> None:
        squares = np.einsum("sf,sf->f", features, features, dtype=np.float64).max(initial=0)
        if squares >= EXACT and len(y) > 1:
            half = len(y) // 2
            self._count(features[:half], y[:half])
            self._count(features[half:], y[half:])
            return
        if squares >= EXACT:
            features = features.astype(np.float64)
        of_class = np.eye(len(self._counts), dtype=features.dtype)[y]
        self._sums.add(features, of_class)
        self._counts += np.bincount(y, minlength=len(self._counts))

    def ridge(self, strength: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weights (class, feature) and offsets (class,) of the centered ridge regression onto one-hot classes.

        W = (C + strength mean(diag C) I)^-1 R, with C and R the centered sums f f^T and f y^T; diag C / n are the
        features' variances. The offset makes the mean of the outputs the classes' shares. On the host, in float64.

        Raises:
            DlmError: nothing was counted yet, or the strength is not positive.
        """
        if not self.n_samples or not strength > 0:
            raise DlmError(f"ridge of strength {strength} over {self.n_samples} samples; both must be above 0")
        # Each sample has one class: the sum over the classes is the sum over the samples.
        total, counts, n = self.classes.sum(axis=1).astype(np.float64), self.counts.astype(np.float64), self.n_samples
        right = self.classes.astype(np.float64) - np.outer(total, counts / n)
        weight = self._sums.solve(total, right, n, strength).T
        return weight, counts / n - weight @ (total / n)


class HostSums:
    """sum f f^T and f y^T in int64, in NumPy.

    Args:
        n_features, n_classes: of the sums.
    """

    def __init__(self, n_features: int, n_classes: int) -> None:
        self.pairs: NDArray[np.int64] = np.zeros((n_features, n_features), dtype=np.int64)
        self.classes: NDArray[np.int64] = np.zeros((n_features, n_classes), dtype=np.int64)

    def add(self, features: NDArray, of_class: NDArray) -> None:
        """Add a block (sample, feature), (sample, class) whose sums are exact in the features' own format."""
        _add_whole(self.pairs, features.T @ features)
        _add_whole(self.classes, features.T @ of_class)

    def solve(self, total: NDArray[np.float64], right: NDArray[np.float64], n: int, strength: float) -> NDArray:
        """(C + strength mean(diag C) I)^-1 right, with C = sum f f^T - total total^T / n, in float64.

        Args:
            total: sum f.
            right: (feature, class).
            n: samples.
            strength: see ``Gram.ridge``.
        """
        from scipy.linalg import cho_factor, cho_solve

        centered = self.pairs.astype(np.float64)
        for rows in slices(len(total), BLOCK):
            centered[rows] -= np.outer(total[rows], total / n)
        # Features that never vary leave the matrix singular; the tiny floor keeps it solvable.
        penalty = max(strength * centered.trace() / len(total), 1e-9)
        centered[np.diag_indices_from(centered)] += penalty
        # The matrix is symmetric, so its transpose, which LAPACK takes without a copy, is the same.
        factor = cho_factor(centered.T, lower=True, overwrite_a=True, check_finite=False)
        return cast(NDArray, cho_solve(factor, right, check_finite=False))


def _sums(n_features: int, n_classes: int, device: str | None) -> HostSums | DeviceSums:
    if device is None:
        return HostSums(n_features, n_classes)
    from dlm_snn.learning.readout._gram_torch import DeviceSums

    return DeviceSums(n_features, n_classes, device)


def _add_whole(sums: NDArray[np.int64], product: NDArray) -> None:
    """Add in pieces: the integers of the whole product would take as much memory as the sums."""
    for rows in slices(len(sums), BLOCK):
        sums[rows] += product[rows].astype(np.int64)
