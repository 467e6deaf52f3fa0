"""The sums of co-activity counts on an accelerator, in torch: the same integers as those of NumPy."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray


class DeviceSums:
    """sum f f^T and f y^T in int64 on a device, and the ridge solved there; see ``gram.HostSums``.

    Args:
        n_features, n_classes: of the sums.
        device: torch's name.
    """

    def __init__(self, n_features: int, n_classes: int, device: str) -> None:
        self._device = device
        self._pairs = torch.zeros((n_features, n_features), dtype=torch.int64, device=device)
        self._classes = torch.zeros((n_features, n_classes), dtype=torch.int64, device=device)

    def add(self, features: NDArray, of_class: NDArray) -> None:
        """Add a block whose sums are exact in the features' own format."""
        moved, classes = torch.from_numpy(features).to(self._device), torch.from_numpy(of_class).to(self._device)
        self._pairs += (moved.T @ moved).long()
        self._classes += (moved.T @ classes).long()

    @property
    def pairs(self) -> NDArray[np.int64]:
        """sum f f^T, (feature, feature)."""
        return cast(NDArray[np.int64], self._pairs.cpu().numpy())

    @property
    def classes(self) -> NDArray[np.int64]:
        """sum f y^T, (feature, class)."""
        return cast(NDArray[np.int64], self._classes.cpu().numpy())

    def solve(self, total: NDArray[np.float64], right: NDArray[np.float64], n: int, strength: float) -> NDArray:
        """See ``gram.HostSums``."""
        totals = torch.from_numpy(total).to(self._device)
        centered = self._pairs.double().addr_(totals, totals / n, alpha=-1)
        penalty = max(strength * centered.trace().item() / len(total), 1e-9)
        centered.diagonal().add_(penalty)
        factor = torch.linalg.cholesky(centered)
        return cast(NDArray, torch.cholesky_solve(torch.from_numpy(right).to(self._device), factor).cpu().numpy())
