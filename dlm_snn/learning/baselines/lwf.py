"""Learning without forgetting: the network before the task teaches the one that learns it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from dlm_snn.learning.descent.loop import Batch, Descent, Piece
from dlm_snn.learning.descent.mlp import Mlp, MlpOptions, checked, learner, sizes
from dlm_snn.learning.learner import Setting


class LwfOptions(MlpOptions):
    """Of learning without forgetting.

    Attributes:
        strength: of the distillation beside the cross-entropy.
        softness: by which logits are divided, on both sides.
    """

    strength: float = Field(default=16.0, ge=0)
    softness: float = Field(default=2.0, gt=0)


def distillation(logits: Tensor, taught: Tensor, softness: float) -> Tensor:
    """S^2 KL(softmax(taught / S) | softmax(logits / S)), mean over samples; S is the softness.

    Its gradient is S (softmax(logits / S) - softmax(taught / S)) / samples.
    """
    log_p, log_t = (logits / softness).log_softmax(1), (taught / softness).log_softmax(1)
    return softness**2 * torch.nn.functional.kl_div(log_p, log_t, reduction="batchmean", log_target=True)


class Teacher:
    """The network as it was when the task began, on the classes that it knew.

    Args:
        model: the network that learns.
        strength, softness: see LwfOptions.

    Source: Li and Hoiem, ECCV 2016.
    """

    def __init__(self, model: Mlp, strength: float, softness: float) -> None:
        self._model, self._strength, self._softness = model, strength, softness
        self._teacher: Mlp | None = None
        self._known: set[int] = set()
        self._begun: set[int] = set()

    def begin_task(self, classes: Sequence[int]) -> None:
        """The network as it is becomes the teacher."""
        self._known = self._known | self._begun
        self._teacher = self._model.copy() if self._known else None
        self._begun = set(classes)

    def loss(self, batch: Batch, logits: Tensor) -> Tensor | None:
        """What the answers differ from the teacher's."""
        if self._teacher is None:
            return None
        known = sorted(self._known)
        with torch.no_grad():
            taught = self._teacher.logits(batch.x)[:, known]
        return self._strength * distillation(logits[:, known], taught, self._softness)


def make_lwf(setting: Setting, rng: np.random.Generator, **options: Any) -> Descent:
    """A rate network that learns without forgetting, by distillation on the new samples. It is told boundaries.

    Options: see LwfOptions.

    Raises:
        DlmError: an option that is unknown or out of range.
    """
    chosen = checked(LwfOptions, "lwf", options)
    model = Mlp(sizes(setting, chosen.hidden), setting.scale, rng)
    teacher = Teacher(model, chosen.strength, chosen.softness)
    return learner(setting, model, chosen, (Piece(begin_task=teacher.begin_task, loss=teacher.loss),), boundary=True)
