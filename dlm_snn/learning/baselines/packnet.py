"""PackNet: each task keeps a share of the free weights, which later tasks use and never change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from dlm_snn.learning.baselines.task_heads import Tasks
from dlm_snn.learning.descent.loop import Batch, Descent, DescentOptions, Piece, optimizer
from dlm_snn.learning.descent.mlp import checked, largest, no_spikes, sizes
from dlm_snn.learning.learner import Declaration, Setting
from dlm_snn.networks.network import Network
from dlm_snn.training.initial import first_weights

FREE = -1
"""Owner of a weight that no task has kept."""


class PacknetOptions(DescentOptions):
    """Of PackNet; the label at test is always given.

    Attributes:
        hidden: units.
        dense: samples of a task that train all free weights; then it keeps its share and trains only that.
    """

    hidden: int = Field(default=256, ge=1)
    dense: int = Field(default=4000, ge=1)
    lr: float = Field(default=3e-3, gt=0)
    label_at_test: bool = True


class Packed:
    """h = max(0, (W * mask_t) x + b), logits = V h + c; mask_t: weights that tasks up to t own.

    Task t trains all free weights, keeps the largest 1 / (tasks to come, its own included) of them by magnitude, sets
    the others to 0 and trains on. Hidden biases are trained by the first task only; rows of V belong to their class and
    so to one task. What a task answers is therefore settled bit for bit when the next one begins. The published form
    prunes at the end and goes over the task's data again; here a task is seen once.

    Args:
        shape: features, hidden units, classes.
        n_tasks: how many come.
        dense: see PacknetOptions.
        scale: the integer that stands for 1.
        rng: draws the first weights.

    Source: Mallya and Lazebnik, CVPR 2018.
    """

    def __init__(self, shape: Sequence[int], n_tasks: int, dense: int, scale: float, rng: np.random.Generator) -> None:
        self.n_features, self._hidden, self.n_classes = shape
        self.tasks = Tasks(n_tasks, "packnet")
        self._dense, self._scale = dense, scale
        self._seen, self._settled = 0, True
        self._first = torch.tensor(first_weights(rng, self._hidden, self.n_features), device="cpu").requires_grad_()
        self._bias = torch.zeros(self._hidden, dtype=torch.float32, device="cpu").requires_grad_()
        self._second = torch.tensor(first_weights(rng, self.n_classes, self._hidden), device="cpu").requires_grad_()
        self._offset = torch.zeros(self.n_classes, dtype=torch.float32, device="cpu").requires_grad_()
        self.parameters = [self._first, self._bias, self._second, self._offset]
        self.owner = torch.full_like(self._first, FREE, dtype=torch.int64)

    def begin_task(self, classes: Sequence[int]) -> None:
        """The last task keeps its share, if it has not yet."""
        if not self._settled:
            self._settle()
        self.tasks.begin(classes)
        self._seen, self._settled = 0, False

    def before_step(self, batch: Batch) -> None:
        """Only the task's own weights, or the free ones before it has any, are moved."""
        moved = self.tasks.present if self._settled else FREE
        for parameter, kept in ((self._first, self.owner == moved), (self._bias, self.tasks.present == 0)):
            if parameter.grad is not None:
                parameter.grad.mul_(kept)

    def settles(self, batch: Batch) -> bool:
        """Count samples; whether the task has just kept its share."""
        self._seen += batch.new
        if self._settled or self._seen < self._dense:
            return False
        self._settle()
        return True

    @torch.no_grad()
    def _settle(self) -> None:
        self.owner[self._share()] = self.tasks.present
        self._first.mul_(self.owner != FREE)
        self._settled = True

    def _share(self) -> Tensor:
        """The free weights that the present task keeps, or would keep if it ended now."""
        free = self.owner == FREE
        size = torch.where(free, self._first.detach().abs(), -1.0).flatten()
        n = int(free.sum()) // (self.tasks.n_tasks - self.tasks.present)
        chosen = torch.zeros(size.numel(), dtype=torch.bool, device="cpu")
        chosen[size.sort(descending=True, stable=True).indices[:n]] = True
        return chosen.view_as(free)

    def logits(self, x: Tensor) -> Tensor:
        """Of the present task, as it is trained: all weights."""
        return self._logits(x, self._first)

    def _logits(self, x: Tensor, first: Tensor) -> Tensor:
        hidden = torch.relu(torch.nn.functional.linear(x.float() / self._scale, first, self._bias))
        return torch.nn.functional.linear(hidden, self._second, self._offset)

    def predict(self, x: NDArray[np.uint8], classes: Sequence[int]) -> NDArray[np.int64]:
        """The largest logit of the task that brought these classes, with the weights that it has or would keep."""
        task = self.tasks.of(classes)
        used = (self.owner >= 0) & (self.owner <= task)
        if task == self.tasks.present and not self._settled:
            used = used | self._share()
        first = self._first.detach() * used
        return largest(lambda part: self._logits(part, first), x, classes)

    def freeze(self) -> Network:
        """There is none."""
        raise no_spikes("packnet, a rate network,")

    def info(self) -> Mapping[str, Any]:
        """Neurons, synapses, and the share of weights that tasks own."""
        synapses = self._first.numel() + self._second.numel()
        owned = float((self.owner >= 0).float().mean())
        return {"neurons": self._hidden + self.n_classes, "synapses": synapses, "owned": owned}


class _Hooks:
    """What begins and settles tasks; then what Adam remembers, which would move weights without a gradient, goes."""

    def __init__(self, model: Packed, moves: torch.optim.Optimizer) -> None:
        self._model, self._moves = model, moves

    def begin_task(self, classes: Sequence[int]) -> None:
        """The last task is settled."""
        self._model.begin_task(classes)
        self._moves.state.clear()

    def after_step(self, batch: Batch) -> None:
        """Count samples."""
        if self._model.settles(batch):
            self._moves.state.clear()


def make_packnet(setting: Setting, rng: np.random.Generator, **options: Any) -> Descent:
    """PackNet, in one pass. It is told boundaries, and the task of a test sample.

    Options: see PacknetOptions.

    Raises:
        DlmError: an option that is unknown or out of range.
    """
    chosen = checked(PacknetOptions, "packnet", options).model_copy(update={"label_at_test": True})
    model = Packed(sizes(setting, (chosen.hidden,)), setting.n_tasks, chosen.dense, setting.scale, rng)
    moves = optimizer(model.parameters, chosen)
    hooks = _Hooks(model, moves)
    pieces = (Piece(begin_task=hooks.begin_task, before_step=model.before_step, after_step=hooks.after_step),)
    return Descent(setting, model, moves, chosen, pieces, Declaration(boundary=True, label_at_test=True))
