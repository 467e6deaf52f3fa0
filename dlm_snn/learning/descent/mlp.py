"""The rate network of the baselines: rectified layers with biases, on pixels."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from dlm_snn.config import Config, validated
from dlm_snn.errors import UnsupportedError
from dlm_snn.learning.descent.loop import Descent, DescentOptions, Piece, optimizer
from dlm_snn.learning.learner import Declaration, Setting
from dlm_snn.networks.network import Network
from dlm_snn.training.initial import first_weights
from dlm_snn.values import slices


class MlpOptions(DescentOptions):
    """Of the baselines by gradient.

    Attributes:
        hidden: units of each hidden layer.
    """

    hidden: tuple[int, ...] = Field(default=(256,), min_length=1)


OptionsType = TypeVar("OptionsType", bound=Config)


class Mlp:
    """z = W x / scale + b, h = max(0, z), ...; logits of the last layer.

    Args:
        sizes: features, hidden units ..., classes.
        scale: the integer that stands for 1.
        rng: draws the first weights, in +-1/sqrt(fan-in); biases begin at 0.
    """

    def __init__(self, sizes: Sequence[int], scale: float, rng: np.random.Generator) -> None:
        self.sizes, self.scale = tuple(sizes), scale
        self.weights = [torch.tensor(first_weights(rng, post, pre), device="cpu") for pre, post in pairwise(sizes)]
        self.biases = [torch.zeros(post, dtype=torch.float32, device="cpu") for post in sizes[1:]]
        for parameter in self.parameters:
            parameter.requires_grad_()

    @property
    def parameters(self) -> list[Tensor]:
        """Weights and biases, layer by layer."""
        return [p for layer in zip(self.weights, self.biases, strict=True) for p in layer]

    @property
    def n_features(self) -> int:
        """Features of a sample."""
        return self.sizes[0]

    @property
    def n_classes(self) -> int:
        """Classes that it tells apart."""
        return self.sizes[-1]

    def logits(self, x: Tensor) -> Tensor:
        """(sample, feature) integers -> (sample, class)."""
        value = x.float() / self.scale
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            value = torch.relu(torch.nn.functional.linear(value, weight, bias))
        return torch.nn.functional.linear(value, self.weights[-1], self.biases[-1])

    def predict(self, x: NDArray[np.uint8], classes: Sequence[int]) -> NDArray[np.int64]:
        """The largest logit among some classes."""
        return largest(self.logits, x, classes)

    def copy(self) -> Mlp:
        """The same with weights of its own."""
        return copy.deepcopy(self)

    def freeze(self) -> Network:
        """There is none."""
        raise no_spikes("a rate network")

    def info(self) -> Mapping[str, Any]:
        """Neurons and synapses."""
        return {"neurons": sum(self.sizes[1:]), "synapses": sum(w.numel() for w in self.weights)}


@torch.no_grad()
def largest(
    score: Callable[[Tensor], Tensor], x: NDArray[np.uint8], classes: Sequence[int], block: int = 1000
) -> NDArray[np.int64]:
    """The class with the largest score among some, block of samples by block."""
    allowed = np.asarray(list(classes))
    parts = [score(torch.tensor(x[part], device="cpu"))[:, allowed].argmax(1).numpy() for part in slices(len(x), block)]
    return allowed[np.concatenate(parts)] if parts else np.zeros(0, np.int64)


def no_spikes(learner: str) -> UnsupportedError:
    """Why a baseline cannot be frozen."""
    return UnsupportedError(learner, "freeze into a spiking network", "use 'gradient', 'columns' or 'readout'")


def sizes(setting: Setting, hidden: Sequence[int]) -> tuple[int, ...]:
    """Features, hidden units, classes."""
    return (math.prod(setting.shape), *hidden, setting.n_classes)


def checked(model: type[OptionsType], learner: str, options: Mapping[str, Any]) -> OptionsType:
    """A learner's options.

    Raises:
        DlmError: an unknown option, or a value of wrong type or out of range.
    """
    return validated(model, options, f"learner '{learner}': ")


def learner(setting: Setting, model: Any, options: DescentOptions, pieces: Sequence[Piece], **declared: Any) -> Descent:
    """A model and the pieces of a method under the common loop, with what it declares."""
    boundary = declared.pop("boundary", False) or options.label_at_test
    declaration = Declaration(boundary=boundary, label_at_test=options.label_at_test, **declared)
    return Descent(setting, model, optimizer(model.parameters, options), options, pieces, declaration)
