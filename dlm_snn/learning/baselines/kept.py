"""The control that learns nothing: the first samples of each class are kept, and the nearest of them decides."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.dense import Dense
from dlm_snn.errors import DlmError
from dlm_snn.learning.learner import Declaration, Setting
from dlm_snn.networks.network import Input, Network, Projection
from dlm_snn.neurons.lif import LIF


class Kept:
    """Class of the kept sample with the largest cosine, argmax_i <k_i, x> / |k_i|; equal: the one kept earlier.

    No update of any kind: what a learner of prototypes adds is what it has over this, with the same number of them.

    Args:
        setting: of the sequence.
        rng: not used; every learner takes it.
        per_class: samples kept of each class, the first that come.

    Raises:
        DlmError: per_class below 1.
    """

    def __init__(self, setting: Setting, rng: np.random.Generator, per_class: int = 50) -> None:
        if per_class < 1:
            raise DlmError(f"per_class = {per_class}: at least one sample of a class is kept")
        self.setting = setting
        self.per_class = per_class
        self.declaration = Declaration(
            normalization="unit length, host", stored_samples=per_class * setting.n_classes, winner="host"
        )
        self._kept = np.zeros((0, math.prod(setting.shape)), dtype=np.min_scalar_type(setting.scale))
        self._classes = np.zeros(0, dtype=np.int64)

    def observe(self, x: NDArray[np.uint8], y: NDArray[np.int64]) -> None:
        """Keep what is among the first of its class; blank samples have no direction and are passed over."""
        x, y = self.setting.taught(x, y)
        count = np.bincount(self._classes, minlength=self.setting.n_classes)
        taken = []
        for index in np.flatnonzero(x.any(axis=1)):
            if count[y[index]] < self.per_class:
                count[y[index]] += 1
                taken.append(index)
        self._kept = np.concatenate([self._kept, x[taken]])
        self._classes = np.concatenate([self._classes, y[taken]])

    def predict(self, x: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The class of the nearest kept sample; -1 for a blank sample, or where nothing is kept yet."""
        x = self.setting.asked(x)
        if not len(self._classes):
            return np.full(len(x), -1, dtype=np.int64)
        match = x.astype(np.float64) @ self._directions().T
        return np.where(x.any(axis=1), self._classes[match.argmax(axis=1)], -1)

    def freeze(self) -> Network:
        """The same decision in spikes, exact up to the rounding of equal cosines, in one step or in many.

        pixels -> kept (one neuron a kept sample, full leak, threshold 0, the one largest v spikes) -> output (one a
        class). The length of x is the same for all, so that it need not be divided out.

        Raises:
            DlmError: nothing is kept yet.
        """
        n = len(self._classes)
        if not n:
            raise DlmError("nothing is kept yet, so there is no network; observe samples first")
        to_class = (np.arange(self.setting.n_classes)[:, None] == self._classes).astype(np.float64)
        pixels = Input(self.setting.shape, graded_bits=self.setting.graded_bits, scale=self.setting.scale)
        return Network(
            {
                "pixels": pixels,
                "kept": LIF((n,), dv=1.0, v_threshold=0.0, winners=1),
                "output": LIF((self.setting.n_classes,), dv=1.0, v_threshold=0.5),
            },
            (
                Projection("pixels", "kept", Dense(self._directions())),
                Projection("kept", "output", Dense(to_class)),
            ),
        )

    def info(self) -> dict[str, Any]:
        """How many samples are kept: neurons, and synapses other than zero."""
        return {"neurons": len(self._classes), "synapses": int(np.count_nonzero(self._kept))}

    def _directions(self) -> NDArray[np.float64]:
        kept = self._kept.astype(np.float64)
        return kept / np.linalg.norm(kept, axis=1, keepdims=True)
