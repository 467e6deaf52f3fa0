"""Learning by gradient from a stream: one loop, to which every method adds its piece."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from dlm_snn.config import Config
from dlm_snn.errors import DivergenceError, DlmError
from dlm_snn.learning.batches import Batches
from dlm_snn.learning.learner import Declaration, Setting
from dlm_snn.networks.network import IntegerNetwork, Network


class DescentOptions(Config):
    """What all learners by gradient take.

    Attributes:
        optimiser: "adam", or "sgd" without momentum.
        lr: its step.
        batch: samples a step; up to as many wait inside the learner.
        present: the loss compares only the classes that are in the batch, so that absent ones are not pushed down.
        label_at_test: the head is masked to the classes of the task, in training and in test; it is told both.
    """

    optimiser: Literal["adam", "sgd"] = "adam"
    lr: float = Field(default=1e-3, gt=0)
    batch: int = Field(default=64, ge=1)
    present: bool = False
    label_at_test: bool = False


class Model(Protocol):
    """What a loop of descent moves."""

    @property
    def parameters(self) -> Sequence[Tensor]:
        """The tensors that are trained."""

    @property
    def n_features(self) -> int:
        """Features of a sample."""

    @property
    def n_classes(self) -> int:
        """Classes that it tells apart."""

    def logits(self, x: Tensor) -> Tensor:
        """Integer samples (sample, feature) -> (sample, class), with a graph."""

    def predict(self, x: NDArray[np.uint8], classes: Sequence[int]) -> NDArray[np.int64]:
        """The class of each sample among some; -1 where there is none."""

    def freeze(self) -> Network | IntegerNetwork:
        """The model as a network, or UnsupportedError."""

    def info(self) -> Mapping[str, Any]:
        """neurons, synapses, ..."""


@dataclass(frozen=True, eq=False)
class Batch:
    """One batch.

    Attributes:
        x: (sample, feature) integers.
        y: (sample,) classes.
        weight: (sample,) of each in the loss, sum 1.
        new: how many, from the first on, come from the stream; the others are replayed.
    """

    x: Tensor
    y: Tensor
    weight: Tensor
    new: int


def plain(x: NDArray[np.uint8], y: NDArray[np.int64]) -> Batch:
    """A batch of new samples that count alike."""
    return Batch(
        torch.tensor(x, device="cpu"),
        torch.tensor(y, device="cpu"),
        torch.full((len(y),), 1 / max(len(y), 1), dtype=torch.float32, device="cpu"),
        len(y),
    )


def nothing(*_: Any) -> None:
    """A hook that does nothing."""


def unmixed(batch: Batch) -> Batch:
    """A batch as it is."""
    return batch


@dataclass(frozen=True, eq=False)
class Piece:
    """What a method adds to plain descent; each hook does nothing unless it is given.

    Hooks are functions of a module or methods, no closures, so that a learner can be pickled.

    Attributes:
        begin_task: before the first sample of a task, with the classes it brings.
        mix: a batch -> the batch to learn from, replayed samples added.
        loss: (batch, logits) -> a term of the loss, or None.
        before_step: the gradients are there, the weights have not moved.
        after_step: the weights have moved.
    """

    begin_task: Callable[[Sequence[int]], None] = nothing
    mix: Callable[[Batch], Batch] = unmixed
    loss: Callable[[Batch, Tensor], Tensor | None] = nothing
    before_step: Callable[[Batch], None] = nothing
    after_step: Callable[[Batch], None] = nothing


def optimizer(parameters: Sequence[Tensor], options: DescentOptions) -> torch.optim.Optimizer:
    """torch's Adam or SGD."""
    if options.optimiser == "adam":
        return torch.optim.Adam(parameters, lr=options.lr, fused=True)
    return torch.optim.SGD(parameters, lr=options.lr)


def masked(logits: Tensor, classes: Tensor | Sequence[int]) -> Tensor:
    """Logits of some classes; -inf for the others."""
    kept = torch.as_tensor(classes, device=logits.device)
    return torch.full_like(logits, -math.inf).index_copy(1, kept, logits[:, kept])


def cross_entropy(logits: Tensor, batch: Batch) -> Tensor:
    """The weighted sum of -log p(y) over a batch."""
    return torch.nn.functional.cross_entropy(logits, batch.y, reduction="none") @ batch.weight


class Descent:
    """A learner that moves a model along the gradient of the cross-entropy, batch by batch, once.

    Samples that do not fill a batch wait for the next ones; those that still wait when a task begins are left out, for
    what a task has learned is settled then. Predicting and freezing change nothing.

    Args:
        setting: what its samples are.
        model: what is trained.
        moves: torch's optimizer of its parameters.
        options: of the loop.
        pieces: of the method, in their order.
        declaration: what it uses.
    """

    def __init__(
        self,
        setting: Setting,
        model: Model,
        moves: torch.optim.Optimizer,
        options: DescentOptions,
        pieces: Sequence[Piece],
        declaration: Declaration,
    ) -> None:
        self.setting, self.model, self.declaration = setting, model, declaration
        self._moves, self._options, self._pieces = moves, options, pieces
        self._batches = Batches(options.batch)
        self._task: tuple[int, ...] | None = None
        self._steps = 0

    def begin_task(self, classes: Sequence[int]) -> None:
        """The next samples belong to a new task."""
        self._task = tuple(self.setting.named(classes))
        self._batches.clear()
        for piece in self._pieces:
            piece.begin_task(self._task)

    def observe(self, x: NDArray[np.uint8], y: NDArray[np.int64]) -> None:
        """Learn from samples (sample, feature) and their classes, in their order, once."""
        for batch in self._batches.add(*self.setting.taught(x, y)):
            self._step(*batch)
        self._check_weights()

    def _step(self, x: NDArray[np.uint8], y: NDArray[np.int64]) -> None:
        batch = plain(x, y)
        for piece in self._pieces:
            batch = piece.mix(batch)
        self._moves.zero_grad()
        logits = self.model.logits(batch.x)
        loss = cross_entropy(self._compared(logits, batch.y), batch)
        for piece in self._pieces:
            term = piece.loss(batch, logits)
            loss = loss if term is None else loss + term
        if not math.isfinite(loss.item()):
            raise DlmError(f"the loss is {loss.item()} in step {self._steps + 1}; lower lr = {self._options.lr}")
        loss.backward()  # type: ignore[no-untyped-call]
        for piece in self._pieces:
            piece.before_step(batch)
        self._moves.step()
        for piece in self._pieces:
            piece.after_step(batch)
        self._steps += 1

    def _check_weights(self) -> None:
        """A spiking network's loss stays finite when its weights do not: nothing spikes any more."""
        for number, parameter in enumerate(self.model.parameters):
            if not torch.isfinite(parameter.detach().sum()):
                found = f"weights of layer {number + 1} are not finite after step {self._steps}"
                raise DivergenceError(found, f"lower lr = {self._options.lr}", number)

    def _compared(self, logits: Tensor, y: Tensor) -> Tensor:
        if self._options.label_at_test:
            if self._task is None:
                raise DlmError("label_at_test: the head is masked by the task; call begin_task(classes) first")
            return masked(logits, self._task)
        return masked(logits, y.unique()) if self._options.present else logits

    def predict(self, x: NDArray[np.uint8], classes: Sequence[int] | None = None) -> NDArray[np.int64]:
        """The class of each sample; among ``classes``, where they are given."""
        if classes is None and self._options.label_at_test:
            raise DlmError(
                "it must be told the task of a test sample: choose a protocol such as P6, or call predict(x, classes)"
            )
        among = range(self.setting.n_classes) if classes is None else self.setting.named(classes)
        return self.model.predict(self.setting.asked(x), among)

    def freeze(self) -> Network | IntegerNetwork:
        """The model as a network with an Input "pixels" and a population "output"; rate models have none."""
        return self.model.freeze()

    def info(self) -> Mapping[str, Any]:
        """The model's figures, and the steps of descent."""
        return {**self.model.info(), "updates": self._steps}
