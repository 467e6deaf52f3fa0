"""Progressive networks: a column of units for each task, which hears the frozen ones before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from dlm_snn.learning.baselines.task_heads import Tasks
from dlm_snn.learning.descent.loop import Descent, DescentOptions, Piece
from dlm_snn.learning.descent.mlp import checked, largest, learner, no_spikes, sizes
from dlm_snn.learning.learner import Setting
from dlm_snn.networks.network import Network
from dlm_snn.training.initial import first_weights


class ProgressiveOptions(DescentOptions):
    """Of progressive networks; the label at test is always given.

    Attributes:
        hidden: units of one column.
    """

    hidden: int = Field(default=128, ge=1)
    lr: float = Field(default=3e-3, gt=0)
    label_at_test: bool = True


class Columns:
    """h_t = max(0, W_t x + b_t); logits of task t = V_t (h_1, ..., h_t) + c_t, of which only column t is trained.

    What task t answers does not depend on anything that a later task trains: forgetting is 0 by construction.

    Args:
        shape: features, units of a column, classes.
        n_tasks: columns.
        scale: the integer that stands for 1.
        rng: draws the first weights.

    Source: Rusu and others, "Progressive neural networks" (2016), with one hidden layer, whose adapters are linear.
    """

    def __init__(self, shape: Sequence[int], n_tasks: int, scale: float, rng: np.random.Generator) -> None:
        self.n_features, self._hidden, self.n_classes = shape
        self._scale = scale
        self.tasks = Tasks(n_tasks, "progressive")
        self._in = [
            torch.tensor(first_weights(rng, self._hidden, self.n_features), device="cpu") for _ in range(n_tasks)
        ]
        self._bias = [torch.zeros(self._hidden, dtype=torch.float32, device="cpu") for _ in range(n_tasks)]
        heard = [self._hidden * (task + 1) for task in range(n_tasks)]
        self._out = [torch.tensor(first_weights(rng, self.n_classes, n), device="cpu") for n in heard]
        self._offset = [torch.zeros(self.n_classes, dtype=torch.float32, device="cpu") for _ in range(n_tasks)]
        self.parameters = [p.requires_grad_() for p in (*self._in, *self._bias, *self._out, *self._offset)]

    def logits(self, x: Tensor) -> Tensor:
        """Of the present task."""
        return self._logits(x, self.tasks.present)

    def _logits(self, x: Tensor, task: int) -> Tensor:
        value = x.float() / self._scale
        with torch.no_grad():
            before = [self._column(value, earlier) for earlier in range(task)]
        heard = torch.cat([*before, self._column(value, task)], dim=1)
        return torch.nn.functional.linear(heard, self._out[task], self._offset[task])

    def _column(self, value: Tensor, task: int) -> Tensor:
        return torch.relu(torch.nn.functional.linear(value, self._in[task], self._bias[task]))

    def predict(self, x: NDArray[np.uint8], classes: Sequence[int]) -> NDArray[np.int64]:
        """The largest logit of the task that brought these classes."""
        task = self.tasks.of(classes)
        return largest(lambda part: self._logits(part, task), x, classes)

    def freeze(self) -> Network:
        """There is none."""
        raise no_spikes("progressive, a rate network,")

    def info(self) -> Mapping[str, Any]:
        """Neurons and synapses of all columns."""
        n = len(self._in)
        synapses = sum(w.numel() for w in (*self._in, *self._out))
        return {"neurons": n * (self._hidden + self.n_classes), "synapses": synapses}


def make_progressive(setting: Setting, rng: np.random.Generator, **options: Any) -> Descent:
    """A progressive network. It is told boundaries, and the task of a test sample.

    Options: see ProgressiveOptions.

    Raises:
        DlmError: an option that is unknown or out of range.
    """
    chosen = checked(ProgressiveOptions, "progressive", options)
    chosen = chosen.model_copy(update={"label_at_test": True})
    model = Columns(sizes(setting, (chosen.hidden,)), setting.n_tasks, setting.scale, rng)
    return learner(setting, model, chosen, (Piece(begin_task=model.tasks.begin),))
