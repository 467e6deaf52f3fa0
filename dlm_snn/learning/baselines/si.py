"""Synaptic intelligence: a weight's importance is what its path contributed to the fall of the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from dlm_snn.learning.descent.anchor import Anchor
from dlm_snn.learning.descent.loop import Batch, Descent, Piece
from dlm_snn.learning.descent.mlp import Mlp, MlpOptions, checked, learner, sizes
from dlm_snn.learning.learner import Setting


class SiOptions(MlpOptions):
    """Of synaptic intelligence.

    Attributes:
        strength: c of the penalty c sum_i Omega_i (theta_i - theta*_i)^2.
        damping: xi, which keeps the importance of weights finite that did not move.
    """

    strength: float = Field(default=1e5, ge=0)
    damping: float = Field(default=0.1, gt=0)


class Intelligence:
    """omega_i <- omega_i - g_i dtheta_i each step; at a boundary Omega_i += max(0, omega_i) / (Delta_i^2 + xi).

    g is the gradient of the task's loss, Delta how far the task moved the weight. The penalty is entered implicitly.

    Attributes:
        path: omega.
        importance: Omega.

    Args:
        parameters: theta.
        strength: c.
        damping: xi.
        lr: the step of descent, which is the implicit one's too.

    Source: Zenke, Poole and Ganguli, ICML 2017.
    """

    def __init__(self, parameters: Sequence[Tensor], strength: float, damping: float, lr: float) -> None:
        self._strength, self._damping, self._lr = strength, damping, lr
        self._anchor = Anchor(parameters)
        self.path = [torch.zeros_like(p) for p in parameters]
        self.importance = [torch.zeros_like(p) for p in parameters]
        self._before: list[tuple[Tensor, Tensor]] = []

    @torch.no_grad()
    def begin_task(self, classes: Sequence[int]) -> None:
        """Importance from the path of the task that ends."""
        anchor = self._anchor
        for p, a, w, i, c in zip(
            anchor.parameters, anchor.place, self.path, self.importance, anchor.curvature, strict=True
        ):
            i.add_(w.clamp_min(0) / ((p - a).square() + self._damping))
            c.copy_(2 * self._strength * i)
            w.zero_()
        anchor.settle()

    def before_step(self, batch: Batch) -> None:
        """Remember the gradient and where the step began."""
        parameters = self._anchor.parameters
        self._before = [(p.detach().clone(), torch.zeros_like(p) if p.grad is None else p.grad) for p in parameters]

    @torch.no_grad()
    def after_step(self, batch: Batch) -> None:
        """Be pulled, and book the step."""
        self._anchor.pull(self._lr)
        for p, w, (start, gradient) in zip(self._anchor.parameters, self.path, self._before, strict=True):
            w.addcmul_(gradient, p - start, value=-1)


def make_si(setting: Setting, rng: np.random.Generator, **options: Any) -> Descent:
    """A rate network with synaptic intelligence. It is told boundaries.

    Options: see SiOptions.

    Raises:
        DlmError: an option that is unknown or out of range.
    """
    chosen = checked(SiOptions, "si", options)
    model = Mlp(sizes(setting, chosen.hidden), setting.scale, rng)
    held = Intelligence(model.parameters, chosen.strength, chosen.damping, chosen.lr)
    hooks = Piece(begin_task=held.begin_task, before_step=held.before_step, after_step=held.after_step)
    return learner(setting, model, chosen, (hooks,), boundary=True)
