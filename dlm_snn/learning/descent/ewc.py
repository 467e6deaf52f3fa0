"""Elastic weight consolidation, online: weights that mattered are held where they were."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from dlm_snn.learning.batches import Latest
from dlm_snn.learning.descent.anchor import Anchor
from dlm_snn.learning.descent.loop import Batch, Descent, Model, Piece, masked
from dlm_snn.learning.descent.mlp import Mlp, MlpOptions, checked, learner, sizes
from dlm_snn.learning.learner import Setting


class EwcOptions(MlpOptions):
    """Of elastic weight consolidation.

    Attributes:
        strength: lambda.
        samples: of a task's end, kept until the next begins, on which the Fisher information is measured.
        decay: share of the old Fisher information that is kept at a boundary.
    """

    optimiser: Literal["adam", "sgd"] = "sgd"
    lr: float = Field(default=0.05, gt=0)
    strength: float = Field(default=1e7, ge=0)
    samples: int = Field(default=200, ge=1)
    decay: float = Field(default=1.0, ge=0, le=1)


def fisher(logits: Callable[[Tensor], Tensor], parameters: Sequence[Tensor], x: Tensor) -> list[Tensor]:
    """The diagonal of the Fisher information of the model's own classes.

    F_i = mean over samples of sum_c p_c (d log p_c / d theta_i)^2, sample by sample, not of batches.

    Args:
        logits: (sample, feature) -> (sample, class); -inf for classes that are not compared.
        parameters: theta.
        x: (sample, feature).
    """
    found = [torch.zeros_like(p) for p in parameters]
    for sample in x.split(1):
        chances = logits(sample).log_softmax(1)[0]
        for log_p in chances[chances.isfinite()]:
            gradients = torch.autograd.grad(log_p, list(parameters), retain_graph=True)
            for total, gradient in zip(found, gradients, strict=True):
                total.addcmul_(gradient, gradient, value=log_p.exp().item() / len(x))
    return found


class OnlineEwc:
    """The well lambda / 2 sum_i F_i (theta_i - theta*_i)^2, entered implicitly after every step.

    At a boundary F <- decay F + F(task), theta* <- theta.

    Args:
        model: whose weights.
        strength: lambda.
        samples: of a task on which F is measured.
        decay: of the old F.
        lr: the step of descent, which is the implicit one's too.
        present: whether only the classes of those samples are compared, as the loss does then.

    Source: Kirkpatrick and others, PNAS 114, 3521 (2017); Schwarz and others, ICML 2018 (online form).
    """

    def __init__(self, model: Model, strength: float, samples: int, decay: float, lr: float, present: bool) -> None:
        self.anchor = Anchor(model.parameters)
        self._model, self._strength, self._decay, self._lr, self._present = model, strength, decay, lr, present
        self._latest = Latest(samples)

    def begin_task(self, classes: Sequence[int]) -> None:
        """Measure what the task that ends needs."""
        kept = self._latest.take()
        if kept is None:
            return
        x, y = (torch.tensor(part, device="cpu") for part in kept)

        def logits(x: Tensor) -> Tensor:
            found = self._model.logits(x)
            return masked(found, y.unique()) if self._present else found

        found = fisher(logits, self._model.parameters, x)
        for c, f in zip(self.anchor.curvature, found, strict=True):
            c.mul_(self._decay).add_(f, alpha=self._strength)
        self.anchor.settle()

    def after_step(self, batch: Batch) -> None:
        """Keep the newest samples, and be pulled."""
        self._latest.add(batch.x[: batch.new].numpy(), batch.y[: batch.new].numpy())
        self.anchor.pull(self._lr)


def piece(model: Model, strength: float, lr: float, present: bool, samples: int = 200, decay: float = 1.0) -> Piece:
    """Elastic weight consolidation for any model; see OnlineEwc."""
    held = OnlineEwc(model, strength, samples, decay, lr, present)
    return Piece(begin_task=held.begin_task, after_step=held.after_step)


def make_ewc(setting: Setting, rng: np.random.Generator, **options: Any) -> Descent:
    """A rate network with online elastic weight consolidation. It is told boundaries.

    Options: see EwcOptions.

    Raises:
        DlmError: an option that is unknown or out of range.
    """
    chosen = checked(EwcOptions, "ewc", options)
    model = Mlp(sizes(setting, chosen.hidden), setting.scale, rng)
    masks = chosen.present or chosen.label_at_test
    held = piece(model, chosen.strength, chosen.lr, masks, chosen.samples, chosen.decay)
    return learner(setting, model, chosen, (held,), boundary=True, stored_samples=chosen.samples)
