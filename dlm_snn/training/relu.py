"""The control of the spiking networks: rectified linear units, trained by the same loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dlm_snn.physics.weights.divergence import Watched
from dlm_snn.physics.weights.trainer import Activities
from dlm_snn.training.initial import first_weights
from dlm_snn.training.loop import AdamW, Curve, Labeled, Progress, Stepper, TrainingConfig, checked, fit


@dataclass(frozen=True, eq=False)
class ReluNetwork:
    """A network of rectified linear units, the control of the spiking one.

    x -> W x / scale + b -> max(0, .) -> ... -> W x + b; the class is the largest output.

    Attributes:
        weights: (post, pre) a layer, float32.
        biases: (post,) a layer, float32.
        scale: of the integer samples.
    """

    weights: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]
    scale: float

    def predict(self, x: NDArray) -> NDArray[np.int64]:
        """The class of each sample (sample, pixel)."""
        value = x.astype(np.float32) / np.float32(self.scale)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            value = np.maximum(value @ weight.T + bias, 0)
        return (value @ self.weights[-1].T + self.biases[-1]).argmax(axis=1)


class _Relu:
    """The network while it is trained; see ``loop.Trained``."""

    def __init__(self, sizes: Sequence[int], config: TrainingConfig, rng: np.random.Generator, scale: float) -> None:
        self._config, self._scale = config, scale
        layers = list(pairwise(sizes))
        drawn = (first_weights(rng, post, pre) for pre, post in layers)
        self._weights = [torch.tensor(weight, device="cpu").requires_grad_() for weight in drawn]
        self._biases = [torch.zeros(post, requires_grad=True, dtype=torch.float32, device="cpu") for _, post in layers]
        self.watched = [Watched.of(f"layer {i}", weight, 1.0) for i, weight in enumerate(self._weights, 1)]

    def answer(self, batch: NDArray) -> tuple[Tensor, Activities, None]:
        """The output; no activities, no penalty."""
        value = torch.tensor(batch, device="cpu").float() / self._scale
        for weight, bias in zip(self._weights[:-1], self._biases[:-1], strict=True):
            value = torch.relu(value @ weight.T + bias)
        return value @ self._weights[-1].T + self._biases[-1], {}, None

    def stepper(self, n_updates: int) -> Stepper:
        """AdamW."""
        return AdamW([*self._weights, *self._biases], self._config, n_updates)

    def correct(self, samples: NDArray, labels: NDArray) -> float:
        """Share of the samples whose largest output is their class."""
        return float(np.mean(self.frozen().predict(samples) == labels))

    def frozen(self) -> ReluNetwork:
        """As it is now."""
        arrays = [tuple(p.detach().numpy().copy() for p in group) for group in (self._weights, self._biases)]
        return ReluNetwork(weights=arrays[0], biases=arrays[1], scale=self._scale)


def train_relu(
    sizes: Sequence[int],
    x: NDArray,
    y: NDArray,
    config: TrainingConfig,
    rng: np.random.Generator,
    scale: float = 255.0,
    progress: Progress | None = None,
    validation: Labeled | None = None,
) -> tuple[ReluNetwork, Curve]:
    """Train a ReLU network by the same loop, with the same data and budget; the control of ``train``.

    It has biases, which the spiking networks of ``initial_network`` lack; surrogate, logit_scale and activity do not
    apply.

    Args:
        sizes: pixels, hidden units ..., classes.
        rng: draws the first weights, in +-1/sqrt(fan-in).
        scale: real value = integer / scale.
        x, y, config, progress, validation: as in ``train``.

    Returns:
        The trained network and the curve.
    """
    extent = sizes[0], sizes[-1], (0, int(scale))
    data = checked((x, y), *extent)
    validation = None if validation is None else checked(validation, *extent)
    trained = _Relu(sizes, config, rng, scale)
    curve = fit(trained, data, config, progress, validation)
    return trained.frozen(), curve
