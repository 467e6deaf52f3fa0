"""Networks and runs whose balances are taken: for tests, and for the figures of benchmarks/balances.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from dlm_snn.backends.torch import SpikingModule
from dlm_snn.physics.weights.currents import paired
from dlm_snn.physics.weights.dynamics import Dynamics
from dlm_snn.physics.weights.langevin import Loss, flat_loss, init, step
from dlm_snn.surrogate import SoftSpikes
from dlm_snn.tasks.datasets import Dataset, digits
from dlm_snn.training.initial import initial_network

LAYERS = [64 * 32, 320]
"""Parameters of the spiking network's layers."""


@dataclass(frozen=True)
class CountedSpikes(SoftSpikes):
    """Soft spikes that note the share of (sample, step) in which the competition decides: its threshold is above 0."""

    shares: list[float] = field(default_factory=list, compare=False)

    def __call__(self, overshoot: Tensor, winners: int | None = None, groups: int = 1) -> Tensor:
        if winners is not None:
            last, next_ = overshoot.detach().topk(winners + 1).values[..., -2:].unbind(-1)
            self.shares.append((last + next_ > 0).double().mean().item())
        return super().__call__(overshoot, winners, groups)


class Sums(NamedTuple):
    """Of a run: everything booked, the prediction of the current's work, and its standard error.

    Attributes:
        scatter: standard error of the residual by the scatter of its steps.
    """

    heat: float
    work: float
    residual: float
    predicted: float
    error: float
    scatter: float


def balances(
    theta: Tensor, loss: Loss, h: float, time: float, temperature: float, alpha: float = 1.0, seed: int = 1
) -> Sums:
    """Run the overdamped dynamics and add up its books."""
    generator = torch.Generator().manual_seed(seed)
    current = paired([len(theta)], alpha, generator) if alpha else None
    dynamics = Dynamics(temperature=temperature, current=current)
    state = init(theta, loss, dynamics)
    heat, work, residual, predicted, residuals = 0.0, 0.0, 0.0, 0.0, []
    for _ in range(round(time / h)):
        flow = current(state.gradient).square().sum().item() if current else 0.0
        state, info = step(state, loss, h, dynamics, generator)
        after = current(state.gradient).square().sum().item() if current else 0.0
        heat, work = heat + info.heat.sum().item(), work + info.work_current.sum().item()
        residuals.append(info.residual.item())
        predicted += h * (flow + after) / 2
    residual = sum(residuals)
    return Sums(
        heat, work, residual, predicted, sqrt(2 * temperature * predicted), np.std(residuals) * sqrt(len(residuals))
    )


def smooth_network(dataset: Callable[[Any], Dataset] = digits) -> tuple[Tensor, Loss]:
    """49-24-10 tanh, 1,450 parameters, on 1,000 images of 7 x 7 pixels, weight decay .01."""
    data = dataset(None)
    x = torch.tensor(data.x_train[:1000], dtype=torch.float64) / data.scale
    side = round(sqrt(x.shape[1]))
    x = x.view(-1, 1, side, side)
    x = torch.nn.functional.interpolate(x, size=(7, 7), mode="area").flatten(1)
    y = torch.tensor(data.y_train[:1000])
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(49, 24), torch.nn.Tanh(), torch.nn.Linear(24, 10)).double()
    parameters = list(net.parameters())
    assert sum(p.numel() for p in parameters) == 1450

    def compute() -> Tensor:
        decay = sum(p.square().sum() for p in parameters)
        return torch.nn.functional.cross_entropy(net(x), y) + 0.005 * decay

    return flat_loss(parameters, compute)


def spiking_digits(spikes: Any, winners: int | None = None, samples: int = 500) -> tuple[Tensor, Loss]:
    """64-32-10, 10 steps, float64, full batch."""
    data = digits(None)
    x = torch.tensor(data.x_train[:samples].astype(np.int64))
    y = torch.tensor(data.y_train[:samples])
    network = initial_network(
        64, (32,), 10, np.random.default_rng(0), dv=410 / 4096, winners=winners, graded_bits=5, scale=16
    )
    module = SpikingModule(network, spikes, dtype=torch.float64)

    def compute() -> Tensor:
        counts = module({"pixels": x}, 10, ["output"])["output"].sum(0)
        return torch.nn.functional.cross_entropy(0.5 * counts, y)

    return flat_loss(list(module.weights), compute)
