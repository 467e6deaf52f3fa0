"""The loop over epochs and batches, its configuration, and the plain recipe, AdamW."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from dlm_snn.config import Config
from dlm_snn.errors import DlmError
from dlm_snn.learning.batches import checked_samples
from dlm_snn.physics.weights.divergence import Watched, check_finite, warn_of_guessing
from dlm_snn.physics.weights.trainer import Activities
from dlm_snn.runs.run_metrics import Books, Epoch
from dlm_snn.training.activity import ActivityConfig
from dlm_snn.values import slices

Labeled = tuple[NDArray, NDArray]
"""Samples (n, features) and their classes (n,)."""
Curve = list[Epoch]
Progress = Callable[[Epoch], None]


class TrainingConfig(Config):
    """How a network is trained: AdamW on the cross-entropy of logit_scale * output spike counts.

    Attributes:
        epochs, batch_size: passes over the data, samples a step.
        learning_rate: of AdamW; the peak where the schedule is one-cycle.
        weight_decay: of AdamW.
        schedule: "one-cycle" (torch's OneCycleLR) or "constant".
        surrogate, slope: name of a snnTorch surrogate and its steepness.
        logit_scale: logits = logit_scale * counts.
        activity: a penalty on active neurons, added to the loss; null: none.
        seed: of the order of the samples.
        threads: of torch while training. Small networks train fastest on one, and sums keep their order.
    """

    epochs: int = Field(default=5, ge=1)
    batch_size: int = Field(default=128, ge=1)
    learning_rate: float = Field(default=0.004, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    schedule: Literal["one-cycle", "constant"] = "one-cycle"
    surrogate: Literal["fast_sigmoid", "atan", "sigmoid"] = "atan"
    slope: float = Field(default=2.0, gt=0)
    logit_scale: float = Field(default=0.5, gt=0)
    activity: ActivityConfig | None = None
    seed: int = Field(default=0, ge=0)
    threads: int = Field(default=1, ge=1)


class Stepper(Protocol):
    """Moves the weights, batch by batch."""

    def update(self, evaluate: Callable[[], tuple[Tensor, Tensor, Activities]]) -> tuple[Tensor, Tensor]:
        """One batch: (loss, logits) before the step, of what ``evaluate`` computes with a graph."""

    def take_books(self) -> Books | None:
        """What was measured since the last call; None: nothing."""

    def cause(self, layer: int, size: float) -> str:
        """The key that made a layer's weights so large, and its value."""


class AdamW:
    """The plain recipe."""

    def __init__(self, parameters: Iterable[Tensor], config: TrainingConfig, n_updates: int) -> None:
        self._config = config
        rate, decay = config.learning_rate, config.weight_decay
        self._optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=decay, fused=True)
        self._schedule = _schedule(self._optimizer, config, n_updates)

    def update(self, evaluate: Callable[[], tuple[Tensor, Tensor, Activities]]) -> tuple[Tensor, Tensor]:
        """One step of AdamW."""
        loss, score, _ = evaluate()
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        self._schedule.step()
        return loss.detach(), score.detach()

    def cause(self, layer: int, size: float) -> str:
        """The rate; or the decay, where it alone turns weights over and enlarges them."""
        config = self._config
        overturns = config.learning_rate * config.weight_decay > 2 and config.weight_decay > config.learning_rate
        key = "weight_decay" if overturns else "learning_rate"
        return f"training.{key} = {getattr(config, key):g}"

    def take_books(self) -> Books | None:
        """Nothing is measured: AdamW's scaling breaks the relation of noise to friction."""
        return None


def _schedule(optimizer: torch.optim.Optimizer, config: TrainingConfig, n_updates: int) -> Any:
    if config.schedule == "constant":
        return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=config.learning_rate, total_steps=n_updates)


class Trained(Protocol):
    """What the loop trains.

    Attributes:
        watched: the layers whose weights must stay finite.
    """

    watched: list[Watched]

    def answer(self, batch: NDArray) -> tuple[Tensor, Activities, Tensor | None]:
        """Logits of a batch, the activities that its dynamics ask for, and what is added to its loss."""

    def correct(self, samples: NDArray, labels: NDArray) -> float:
        """The accuracy on samples that are only measured."""

    def stepper(self, n_updates: int) -> Stepper:
        """What moves the weights, for so many batches in all."""


def checked(data: Labeled, n_features: int, n_classes: int, bounds: tuple[int, int]) -> Labeled:
    """Samples and classes as training computes with them; at least one."""
    x, y = checked_samples(*data, n_features, n_classes, bounds[1], bounds[0])
    if not len(y):
        raise DlmError("there are 0 samples; training needs at least one")
    return x, y


def fit(
    trained: Trained, data: Labeled, config: TrainingConfig, progress: Progress | None, validation: Labeled | None
) -> Curve:
    """Train over epochs and shuffled batches, on ``config.threads`` threads."""
    x, y = data
    labels = torch.tensor(y, dtype=torch.int64, device="cpu")
    rng = np.random.default_rng(config.seed)
    curve = []
    with _threads(config.threads):
        mover = trained.stepper(config.epochs * math.ceil(len(x) / config.batch_size))
        for epoch in range(1, config.epochs + 1):
            order = rng.permutation(len(x))
            batches = [order[part] for part in slices(len(x), config.batch_size)]
            loss, right, n_classes = _epoch(trained, mover, x, labels, batches)
            check_finite(trained.watched, loss / len(x), epoch, mover.cause)
            with torch.no_grad():
                measured = None if validation is None else trained.correct(*validation)
            curve.append(Epoch(epoch, loss / len(x), right / len(x), measured, mover.take_books()))
            if progress is not None:
                progress(curve[-1])
        warn_of_guessing(trained.watched, loss / len(x), right / len(x), n_classes, mover.cause)
    return curve


def _epoch(
    trained: Trained, mover: Stepper, x: NDArray, labels: Tensor, batches: Iterable[NDArray]
) -> tuple[float, int, int]:
    """One pass over the batches: the loss, summed over samples, how many were right, and the number of classes."""
    loss_sum, hits, n_classes = 0.0, 0, 0
    for chosen in batches:
        batch, target = x[chosen], labels[chosen]

        def evaluate(batch: NDArray = batch, target: Tensor = target) -> tuple[Tensor, Tensor, Activities]:
            score, active, penalty = trained.answer(batch)
            loss = torch.nn.functional.cross_entropy(score, target)
            return loss if penalty is None else loss + penalty, score, active

        loss, score = mover.update(evaluate)
        loss_sum += loss.item() * len(chosen)
        # A sample without an output spike has no answer, rather than the first class.
        hits += int(((score.argmax(1) == target) & score.any(1)).sum())
        n_classes = score.shape[1]
    return loss_sum, hits, n_classes


@contextmanager
def _threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
