"""Top-K: a rate network whose hidden units compete, in the manner of a sparse distributed memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from dlm_snn.errors import DlmError
from dlm_snn.learning.descent.loop import Batch, Descent, DescentOptions, Piece
from dlm_snn.learning.descent.mlp import checked, largest, learner, no_spikes, sizes
from dlm_snn.learning.learner import Setting
from dlm_snn.networks.network import Network
from dlm_snn.training.initial import first_weights


class TopkOptions(DescentOptions):
    """Of Top-K; see DescentOptions for the rest.

    Attributes:
        hidden: units.
        winners: of them stay active for a sample.
        constrained: samples and the weights of each hidden unit have unit length, and these weights are not negative.
        anneal: samples over which the number of winners falls from all to ``winners``.
    """

    hidden: int = Field(default=1000, ge=1)
    winners: int = Field(default=10, ge=1)
    constrained: bool = False
    anneal: int = Field(default=0, ge=0)
    optimiser: Literal["adam", "sgd"] = "sgd"
    lr: float = Field(default=0.2, gt=0)


class TopK:
    """h = W x, of which the k largest stay where they are positive; logits = V h. No biases.

    Args:
        shape: features, hidden units, classes.
        scale: the integer that stands for 1.
        options: see TopkOptions.
        rng: draws the first weights.

    Source: Bricken and others, "Sparse distributed memory is a continual learner", ICLR 2023, simplified: the
    competition is annealed by k alone, without their switch of inhibition.
    """

    def __init__(self, shape: Sequence[int], scale: float, options: TopkOptions, rng: np.random.Generator) -> None:
        self.n_features, self.n_hidden, self.n_classes = shape
        self._scale, self._options, self._seen = scale, options, 0
        self._first = torch.tensor(first_weights(rng, self.n_hidden, self.n_features), device="cpu")
        self._second = torch.tensor(first_weights(rng, self.n_classes, self.n_hidden), device="cpu")
        self.parameters = [self._first.requires_grad_(), self._second.requires_grad_()]
        self.constrain()

    @property
    def winners(self) -> int:
        """k at this moment."""
        done = min(self._seen / self._options.anneal, 1.0) if self._options.anneal else 1.0
        return round(self.n_hidden + (self._options.winners - self.n_hidden) * done)

    def after_step(self, batch: Batch) -> None:
        """Anneal and constrain."""
        self._seen += batch.new
        self.constrain()

    @torch.no_grad()
    def constrain(self) -> None:
        """Non-negative weights of unit length onto each hidden unit."""
        if self._options.constrained:
            self._first.clamp_min_(0)
            self._first.div_(self._first.norm(dim=1, keepdim=True).clamp_min(1e-12))

    def code(self, x: Tensor) -> Tensor:
        """The hidden units' activity, (sample, hidden)."""
        value = x.float() / self._scale
        if self._options.constrained:
            value = value / value.norm(dim=1, keepdim=True).clamp_min(1e-12)
        drive = value @ self._first.T
        least = drive.detach().topk(self.winners, dim=1).values[:, -1:]
        return torch.relu(drive) * (drive >= least)

    def logits(self, x: Tensor) -> Tensor:
        """(sample, feature) integers -> (sample, class)."""
        return self.code(x) @ self._second.T

    def predict(self, x: NDArray[np.uint8], classes: Sequence[int]) -> NDArray[np.int64]:
        """The largest logit among some classes."""
        return largest(self.logits, x, classes)

    def freeze(self) -> Network:
        """There is none."""
        raise no_spikes("topk, a rate network,")

    def info(self) -> Mapping[str, Any]:
        """Neurons and synapses."""
        synapses = sum(p.numel() for p in self.parameters)
        return {"neurons": self.n_hidden + self.n_classes, "synapses": synapses, "winners": self.winners}


def make_topk(setting: Setting, rng: np.random.Generator, **options: Any) -> Descent:
    """A rate network with k winners in its hidden layer.

    Options: see TopkOptions.

    Raises:
        DlmError: an option that is unknown or out of range, or more winners than units.
    """
    chosen = checked(TopkOptions, "topk", options)
    if chosen.winners > chosen.hidden:
        raise DlmError(f"learner 'topk': winners = {chosen.winners} of {chosen.hidden} hidden units; give fewer")
    model = TopK(sizes(setting, (chosen.hidden,)), setting.scale, chosen, rng)
    normalization = "unit length" if chosen.constrained else "none"
    return learner(setting, model, chosen, (Piece(after_step=model.after_step),), normalization=normalization)
