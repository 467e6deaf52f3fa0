"""The order-invariant read-out: spiking patch features, co-activity counts, ridge; the same weights in any order.

Two learners: ``fixed`` (entry point "readout"), whose Gabor features need no data, and ``first`` ("readout-first"),
whose dictionary and whitening are learned from the first samples of the stream. Their control, ``together``
("readout-joint"), has a dictionary of all tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.learning.learner import Declaration, Setting
from dlm_snn.learning.readout.device import chosen_device, device_name
from dlm_snn.learning.readout.dictionary import GaborRange, gabor_vectors, integer_weights, model_covariance, whitening
from dlm_snn.learning.readout.features import PatchFeatures, check_patch
from dlm_snn.learning.readout.gram import Gram
from dlm_snn.learning.readout.network import readout_network
from dlm_snn.learning.readout.options import ReadoutOptions, checked_options
from dlm_snn.learning.readout.patch_dictionary import learned_vectors
from dlm_snn.networks.network import Network
from dlm_snn.values import slices

BLOCK = 500
"""Samples whose features are held at once."""


def make_readout(setting: Setting, rng: np.random.Generator, **options: Any) -> Readout:
    """The learner with Gabor features, drawn before any data: the entry point "readout".

    Args:
        setting: with samples of shape (channel, row, column).
        rng: draws the Gabor functions.
        options: fields of ReadoutOptions.

    Raises:
        DlmError: samples without rows and columns, an unknown option or a value out of range.
    """
    return Readout(setting, rng, "gabor", options)


def make_first_readout(setting: Setting, rng: np.random.Generator, **options: Any) -> Readout:
    """The learner whose dictionary and whitening come from the first samples: the entry point "readout-first".

    The first ``first`` samples are held until the dictionary stands, then counted like all others and let go. Who asks
    for a prediction before has the dictionary made from what came so far.

    Args, Raises: as ``fixed``; rng draws patches and the beginning of k-means.
    """
    return Readout(setting, rng, "first-task", options)


def make_joint_readout(setting: Setting, rng: np.random.Generator, **options: Any) -> Readout:
    """``first`` on all tasks shuffled together, so that its dictionary is of them all: the entry point "readout-joint".

    No continual learner; what ``first`` lacks to it is what a dictionary of the first task costs.

    Args, Raises: as ``make_first_readout``.
    """
    learner = make_first_readout(setting, rng, **options)
    learner.declaration = replace(learner.declaration, joint=True)
    return learner


@dataclass
class _Solved:
    """Read-out weights and the number of samples that they follow from."""

    weight: NDArray[np.float64]
    offset: NDArray[np.float64]
    n_samples: int


class Readout:
    """See ``fixed`` and ``first``; the class of a sample is the largest of W f + b, solved when it is asked for."""

    def __init__(
        self,
        setting: Setting,
        rng: np.random.Generator,
        features: Literal["gabor", "first-task"],
        options: Mapping[str, Any],
    ) -> None:
        if len(setting.shape) != 3:
            raise DlmError(f"the read-out needs images (channel, row, column), not samples of shape {setting.shape}")
        self.options = checked_options(setting.shape, options)
        check_patch(setting.shape, (self.options.patch,) * 2, self.options.grid)
        self.declaration = _declared(self.options, features)
        self.setting, self._rng = setting, rng
        self._device = chosen_device()
        self._held: list[tuple[NDArray[np.uint8], NDArray[np.int64]]] = []
        self._features: PatchFeatures | None = None
        self._gram: Gram | None = None
        self._solved: _Solved | None = None
        if features == "gabor":
            self._take(self._fixed_vectors())

    def observe(self, x: NDArray[np.uint8], y: NDArray[np.int64]) -> None:
        """Count the samples' features and classes."""
        x, y = self.setting.taught(x, y)
        if self._features is not None:
            self._count(x, y)
            return
        self._held.append((x.copy(), y.copy()))
        if sum(len(y) for _, y in self._held) >= self.options.first:
            self._learn_dictionary()

    def predict(self, x: NDArray[np.uint8]) -> NDArray[np.int64]:
        """argmax of W f + b; -1 before the first sample."""
        x = self.setting.asked(x)
        if self._features is None and self._held:
            self._learn_dictionary()
        if self._gram is None or not self._gram.n_samples:
            return np.full(len(x), -1, dtype=np.int64)
        found = [self.scores(x[part]).argmax(axis=1) for part in slices(len(x), BLOCK)]
        return np.concatenate(found or [np.zeros(0, np.int64)])

    def scores(self, x: NDArray[np.uint8]) -> NDArray[np.float64]:
        """W f + b, (sample, class)."""
        solved = self._solution()
        return cast(PatchFeatures, self._features)(x) @ solved.weight.T + solved.offset

    def freeze(self) -> Network:
        """Patch neurons, closing neurons and the read-out as a network that decides by one spike.

        Raises:
            DlmError: nothing was learned yet.
            UnsupportedError: features that the host makes in part (normalized patches, roots of counts).
        """
        solved = self._solution()
        features = cast(PatchFeatures, self._features)
        return readout_network(features, solved.weight, solved.offset, self.setting.graded_bits, self.setting.scale)

    def info(self) -> Mapping[str, Any]:
        """Neurons, synapses and features, and the options that were used."""
        o, n = self.options, self.setting.n_classes
        if self._features is None:
            return {"dictionary": "not learned yet", **o.model_dump()}
        positions = int(np.prod(self._features.positions))
        return {
            "features": self._features.n,
            "neurons": o.neurons * positions + positions + n,
            "synapses": o.neurons * positions * (self._features.weight[0].size + 2 + n),
            "steps": o.levels + 1,
            **({"device": device_name(self._device)} if self._device else {}),
            **o.model_dump(),
        }

    @property
    def gram(self) -> Gram:
        """The co-activity counts.

        Raises:
            DlmError: there is no dictionary yet.
        """
        if self._gram is None:
            raise DlmError(f"no dictionary before {self.options.first} samples were observed; observe more")
        return self._gram

    @property
    def features(self) -> PatchFeatures | None:
        """The patch features; None before the dictionary stands."""
        return self._features

    def _count(self, x: NDArray[np.uint8], y: NDArray[np.int64]) -> None:
        by = self.options.shifts
        shifts = [(0, 0), *([(by, 0), (-by, 0), (0, by), (0, -by)] if by else [])]
        for part in slices(len(y), BLOCK):
            features = cast(PatchFeatures, self._features).shifted(x[part], shifts)
            self.gram.add(features.reshape(-1, features.shape[2]), np.repeat(y[part], len(shifts)))

    def _solution(self) -> _Solved:
        gram = self.gram
        if self._solved is None or self._solved.n_samples != gram.n_samples:
            self._solved = _Solved(*gram.ridge(self.options.strength), gram.n_samples)
        return self._solved

    def _fixed_vectors(self) -> NDArray[np.float64]:
        """Gabor functions in the space whitened by the model of an image."""
        o, size = self.options, (self.setting.shape[0], self.options.patch, self.options.patch)
        ranges = GaborRange(o.wavelength, o.sigma, o.offset, o.grey)
        return gabor_vectors(o.neurons, size, ranges, self._rng) @ whitening(model_covariance(size), o.eps)

    def _learn_dictionary(self) -> None:
        held, self._held = self._held, []
        images = np.concatenate([x for x, _ in held])[: self.options.first]
        o, shape = self.options, cast(tuple[int, int, int], self.setting.shape)
        floor = o.floor * self.setting.scale
        self._take(learned_vectors(images, shape, (o.patch, o.patch), o.neurons, floor, o.eps, self._rng))
        for x, y in held:
            self._count(x, y)

    def _take(self, vectors: NDArray[np.float64]) -> None:
        """The features of vectors (neuron, pixel) that a patch is multiplied with."""
        o = self.options
        shape = cast(tuple[int, int, int], self.setting.shape)
        weight, scale = integer_weights(vectors)
        self._features = PatchFeatures(
            weight.reshape(-1, shape[0], o.patch, o.patch),
            shape,
            self.setting.scale,
            o.grid,
            round(o.share * o.neurons),
            slope=scale / o.gain * (o.contrast * self.setting.scale if o.contrast else 1),
            floor=None if o.contrast else o.floor * self.setting.scale,
            levels=o.levels,
            root=o.root,
            device=self._device,
        )
        self._gram = Gram(self._features.n, self.setting.n_classes, self._device)


def _declared(options: ReadoutOptions, features: str) -> Declaration:
    """What the learner uses."""
    o = options
    source = "Gabor, no data" if features == "gabor" else f"k-means of the first {o.first} samples"
    counted = f"{o.root} x square root of counts" if o.root else "counts"
    counted += f", each sample with the grid moved by 0 and {o.shifts}" if o.shifts else ""
    return Declaration(
        front_end=f"{o.neurons} patch neurons ({source}), {o.grid}x{o.grid} grid, {counted}, ridge on host",
        normalization="none" if o.contrast else "contrast of the patch, host",
    )
