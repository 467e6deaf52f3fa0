"""A generative classifier: one autoencoder a class, and the class under which a sample is likeliest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from dlm_snn.config import Config
from dlm_snn.learning.baselines.vae import Vae
from dlm_snn.learning.batches import Batches
from dlm_snn.learning.descent.mlp import checked, no_spikes
from dlm_snn.learning.learner import Declaration, Setting
from dlm_snn.networks.network import Network
from dlm_snn.values import slices

BLOCK = 500
"""Samples that are judged together."""


class GenerativeOptions(Config):
    """Of the generative classifier.

    Attributes:
        hidden, latent: units of a hidden layer, size of the code, of each class's autoencoder.
        lr, batch: of its Adam.
        importance: draws for the likelihood of a sample.
    """

    hidden: int = Field(default=100, ge=1)
    latent: int = Field(default=10, ge=1)
    lr: float = Field(default=0.004, gt=0)
    batch: int = Field(default=8, ge=1)
    importance: int = Field(default=10, ge=1)


class Generative:
    """argmax_c log p_c(x), with p_c an autoencoder trained on the samples of class c only, in one pass.

    Classes never meet in training: what is learned of one does not depend on the others, nor on their order. Classes
    of which no batch came are never answered; before the first batch the answer is -1.

    Args:
        setting, rng: as of every learner.
        options: see GenerativeOptions.

    Raises:
        DlmError: an option that is unknown or out of range.

    Source: van de Ven, Li and Tolias, CVPR workshops 2021.
    """

    declaration = Declaration()

    def __init__(self, setting: Setting, rng: np.random.Generator, **options: Any) -> None:
        self._options = chosen = checked(GenerativeOptions, "generative", options)
        self._setting = setting
        self._features, self._scale, self._n_classes = math.prod(setting.shape), setting.scale, setting.n_classes
        seeds = [int(seed) for seed in rng.integers(2**63, size=self._n_classes)]
        self._models = [
            Vae(self._features, chosen.hidden, chosen.latent, np.random.default_rng(seed)) for seed in seeds
        ]
        self._moves = [torch.optim.Adam(model.parameters, lr=chosen.lr, fused=True) for model in self._models]
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._waiting = [Batches(chosen.batch) for _ in range(self._n_classes)]
        self._steps = [0] * self._n_classes
        self._noise = torch.tensor(
            rng.standard_normal((chosen.importance, chosen.latent)), dtype=torch.float32, device="cpu"
        )

    def observe(self, x: NDArray[np.uint8], y: NDArray[np.int64]) -> None:
        """Each class's autoencoder sees its own samples, batch by batch."""
        x, y = self._setting.taught(x, y)
        for c in np.unique(y):
            chosen = y == c
            for batch, _ in self._waiting[c].add(x[chosen], y[chosen]):
                self._step(int(c), self._values(batch))

    def _values(self, x: NDArray[np.uint8]) -> Tensor:
        return torch.tensor(x, device="cpu").float() / self._scale

    def _step(self, c: int, x: Tensor) -> None:
        noise = torch.randn(
            len(x), self._options.latent, generator=self._generators[c], dtype=torch.float32, device="cpu"
        )
        self._moves[c].zero_grad()
        self._models[c].loss(x, noise).mean().backward()
        self._moves[c].step()
        self._steps[c] += 1

    def predict(self, x: NDArray[np.uint8], classes: Sequence[int] | None = None) -> NDArray[np.int64]:
        """The likeliest class of each sample, among ``classes`` where they are given."""
        met, x = np.flatnonzero(self._steps), self._setting.asked(x)
        if classes is not None:
            met = np.intersect1d(met, self._setting.named(classes))
        if not len(met) or not len(x):
            return np.full(len(x), -1)
        found = []
        for part in slices(len(x), BLOCK):
            values = self._values(x[part])
            scores = torch.stack([self._models[c].log_likelihood(values, self._noise) for c in met])
            found.append(met[scores.argmax(0).numpy()])
        return np.concatenate(found)

    def freeze(self) -> Network:
        """There is none."""
        raise no_spikes("generative, a rate network a class,")

    def info(self) -> Mapping[str, Any]:
        """Neurons and synapses of all autoencoders."""
        synapses = sum(p.numel() for model in self._models for p in model.parameters if p.ndim == 2)
        neurons = self._n_classes * (2 * self._options.hidden + 2 * self._options.latent + self._features)
        return {"neurons": neurons, "synapses": synapses, "updates": sum(self._steps)}
