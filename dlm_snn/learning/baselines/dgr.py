"""Deep generative replay: what an autoencoder imagines of earlier tasks is learned beside the new samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from pydantic import Field

from dlm_snn.learning.baselines.vae import Vae
from dlm_snn.learning.descent.loop import Batch, Descent, Piece
from dlm_snn.learning.descent.mlp import Mlp, MlpOptions, checked, learner, sizes
from dlm_snn.learning.learner import Setting


class DgrOptions(MlpOptions):
    """Of generative replay.

    Attributes:
        units, latent: units of a hidden layer of the autoencoder, size of its code.
    """

    units: int = Field(default=400, ge=1)
    latent: int = Field(default=10, ge=1)
    batch: int = Field(default=16, ge=1)


class Dream:
    """To every batch as many imagined samples, labeled by the network as it was when the task began.

    In task t (from 1) the new samples weigh 1/t in both losses, the imagined ones the rest.

    Args:
        model: the network that learns.
        generator: its autoencoder, trained beside it.
        lr: of the autoencoder's Adam.
        scale: the integer that stands for 1.
        draws: of the codes.

    Source: Shin and others, NeurIPS 2017.
    """

    def __init__(self, model: Mlp, generator: Vae, lr: float, scale: int, draws: torch.Generator) -> None:
        self._model, self._vae, self._scale, self._draws = model, generator, scale, draws
        self._moves = torch.optim.Adam(generator.parameters, lr=lr, fused=True)
        self._before: tuple[Mlp, Vae] | None = None
        self._known: set[int] = set()
        self._begun: set[int] = set()
        self._tasks = 0

    def begin_task(self, classes: Sequence[int]) -> None:
        """Network and autoencoder as they are will be asked for the past."""
        self._known, self._begun = self._known | self._begun, set(classes)
        self._before = (self._model.copy(), self._vae.copy()) if self._known else None
        self._tasks += 1

    @torch.no_grad()
    def mix(self, batch: Batch) -> Batch:
        """New and imagined samples."""
        if self._before is None:
            return batch
        model, vae = self._before
        codes = torch.randn(batch.new, vae.latent, generator=self._draws, dtype=torch.float32, device="cpu")
        imagined = (vae.decode(codes).sigmoid() * self._scale).round().to(batch.x.dtype)
        known = torch.tensor(sorted(self._known), device="cpu")
        labels = known[model.logits(imagined)[:, known].argmax(1)]
        share = 1 / self._tasks
        weight = torch.cat(
            [batch.weight * share, torch.full((batch.new,), (1 - share) / batch.new, dtype=torch.float32, device="cpu")]
        )
        return Batch(torch.cat([batch.x, imagined]), torch.cat([batch.y, labels]), weight, batch.new)

    def after_step(self, batch: Batch) -> None:
        """The autoencoder learns from the same batch."""
        noise = torch.randn(len(batch.y), self._vae.latent, generator=self._draws, dtype=torch.float32, device="cpu")
        self._moves.zero_grad()
        (self._vae.loss(batch.x.float() / self._scale, noise) @ batch.weight).backward()
        self._moves.step()


def make_dgr(setting: Setting, rng: np.random.Generator, **options: Any) -> Descent:
    """A rate network with generative replay; declared replay. It is told boundaries.

    Options: see DgrOptions.

    Raises:
        DlmError: an option that is unknown or out of range.
    """
    chosen = checked(DgrOptions, "dgr", options)
    shape = sizes(setting, chosen.hidden)
    model, vae = Mlp(shape, setting.scale, rng), Vae(shape[0], chosen.units, chosen.latent, rng)
    draws = torch.Generator().manual_seed(int(rng.integers(2**63)))
    dream = Dream(model, vae, chosen.lr, setting.scale, draws)
    hooks = Piece(begin_task=dream.begin_task, mix=dream.mix, after_step=dream.after_step)
    return learner(setting, model, chosen, (hooks,), boundary=True, replay="generated")
