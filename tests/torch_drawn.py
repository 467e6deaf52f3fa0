"""Random torch modules from a seed: sums, skips, lags, pools, BatchNorm, one neuron twice, in-place functions.

Each keeps its spikes, layer by layer, so that a network can be compared with it without the intake's own proof.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from math import prod
from typing import Any, NamedTuple

import numpy as np
import snntorch as snn
import torch
from torch import Tensor, nn
from torch.nn import functional as F

PIXELS = (2, 4, 4)
BATCH, STEPS = 3, 6

LINEAR: Mapping[str, Callable[[Tensor], Tensor]] = {
    "none": lambda x: x,
    "half": lambda x: x * 0.5,
    "minus": lambda x: -x,
    "constant": lambda x: x + 0.25,
    "in place": lambda x: x.mul_(2.0).add_(-0.125),
    "dropout": lambda x: F.dropout(x, 0.4, training=False),
    "flip": lambda x: x.flip(1),
    "transposed and back": lambda x: x.transpose(1, -1).contiguous().transpose(1, -1),
    "halves": lambda x: torch.cat(list(x.chunk(2, dim=1))[::-1], dim=1),
    "minus the mean": lambda x: x - x.mean(dim=1, keepdim=True),
    "divided": lambda x: x / 4,
}
"""What may be done to a current."""
REFUSED: Mapping[str, Callable[[Tensor], Tensor]] = {
    "clamp": lambda x: x.clamp(max=1e6),
    "gate": lambda x: x * x.sigmoid(),
    "maximum of currents": lambda x: F.max_pool1d(x.flatten(1)[:, None], 1)[:, 0].reshape(x.shape),
    "other samples": lambda x: x.roll(1, 0),
    "branch": lambda x: x if float(x.sum()) > -1e6 else -x,
    "noise": lambda x: x + 1e-6 * torch.rand_like(x),
}
"""What no network does."""


class Way(NamedTuple):
    """How one layer feeds another: parts of the module by number, then a function by name."""

    source: int
    lag: int
    parts: tuple[int, ...]
    flat: bool
    function: str
    shape: tuple[int, ...]


class Layer(NamedTuple):
    ways: tuple[Way, ...]
    join: str
    neuron: int
    pooled: bool


def sample(seed: int) -> Tensor:
    """Spikes, (step, sample, channel, row, column)."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand((STEPS, BATCH, *PIXELS), generator=generator) < 0.4).float()


class Drawn(nn.Module):
    """One to four layers, each fed by one to three ways: from the layers below, from the input, from older spikes.

    Args:
        seed: of everything.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        rng = np.random.default_rng(seed)
        torch.manual_seed(seed)
        self.parts, self.neurons = nn.ModuleList(), nn.ModuleList()
        self.shapes: list[tuple[int, ...]] = [PIXELS]
        self.layers: list[Layer] = []
        self.kept: dict[int, list[Tensor]] = {}
        images = bool(rng.random() < 0.5)
        for layer in range(1, int(rng.integers(2, 5)) + 1):
            self.shapes.append((int(rng.integers(2, 4)), 4, 4) if images else (int(rng.integers(3, 9)),))
            others = [int(other) for other in rng.integers(0, layer, int(rng.integers(0, 3)))]
            ways = [self.way(source, layer, rng) for source in (layer - 1, *others)]
            if rng.random() < 0.25:
                ways.append(self.way(layer, layer, rng))
            join = str(rng.choice(["sum", "difference", "in place", "stack"]))
            pooled = images and bool(rng.random() < 0.25)
            self.layers.append(Layer(tuple(ways), join, self.neuron(rng), pooled))
        self.head = nn.Linear(prod(self.shapes[-1]), 3) if rng.random() < 0.3 else None

    def way(self, source: int, layer: int, rng: np.random.Generator) -> Way:
        """A linear map by one of several ways to write it; now and then one that no network has."""
        before, after = self.shapes[source], self.shapes[layer]
        lag = int(source == layer or (source > 0 and rng.random() < 0.15))
        bias = bool(rng.random() < 0.5)
        flat = not (len(before) == len(after) == 3 and rng.random() < 0.7)
        made: list[nn.Module] = (
            [nn.Linear(prod(before), prod(after), bias), nn.BatchNorm1d(prod(after))]
            if flat
            else [nn.Conv2d(before[0], after[0], 3, padding=1, bias=bias), nn.BatchNorm2d(after[0])]
        )
        made = made[: 1 + int(rng.random() < 0.3)]
        with torch.no_grad():
            for parameter in made[0].parameters():
                parameter.copy_(torch.round(parameter * 12) / 4)
            for norm in made[1:]:
                nn.init.uniform_(norm.running_mean, -0.3, 0.3)  # type: ignore[arg-type]
                nn.init.uniform_(norm.running_var, 0.3, 1.2)  # type: ignore[arg-type]
        self.parts.extend(made)
        numbers = tuple(range(len(self.parts) - len(made), len(self.parts)))
        function = str(rng.choice([*REFUSED] if rng.random() < 0.06 else [*LINEAR]))
        return Way(source, lag, numbers, flat, function, after)

    def neuron(self, rng: np.random.Generator) -> int:
        """The number of a new neuron module, or of one that an earlier layer has."""
        if len(self.neurons) and rng.random() < 0.25:
            return int(rng.integers(len(self.neurons)))
        beta, threshold = float(rng.choice((0.25, 0.5, 0.75, 0.9))), float(rng.choice((0.25, 0.5, 1.0)))
        if rng.random() < 0.3:
            self.neurons.append(snn.Synaptic(alpha=0.5, beta=beta, threshold=threshold))
        else:
            reset = str(rng.choice(["zero", "subtract"]))
            self.neurons.append(snn.Leaky(beta=beta, threshold=threshold, reset_mechanism=reset))
        return len(self.neurons) - 1

    def forward(self, x: Tensor) -> Tensor:
        self.kept = {layer: [] for layer in range(1, len(self.layers) + 1)}
        states: dict[int, Any] = {}
        old: dict[int, Tensor] = {}
        found = []
        for frame in x:
            now = {0: frame}
            for number, layer in enumerate(self.layers, 1):
                current = joined([self.current(way, old if way.lag else now) for way in layer.ways], layer.join)
                given = states.get(number) or self.rest(layer, current)
                spikes, *states[number] = self.neurons[layer.neuron](current, *given)
                spikes = spikes.to(x.dtype)
                self.kept[number].append(spikes.detach())
                now[number] = F.max_pool2d(spikes, 3, 1, 1) if layer.pooled else spikes
            old = now
            found.append(spikes if self.head is None else self.head(spikes.flatten(1)))
        return torch.stack(found)

    def rest(self, layer: Layer, current: Tensor) -> list[Tensor]:
        return [torch.zeros_like(current)] * (2 if isinstance(self.neurons[layer.neuron], snn.Synaptic) else 1)

    def current(self, way: Way, spikes: Mapping[int, Tensor]) -> Tensor:
        x = spikes[way.source] if way.source in spikes else torch.zeros(BATCH, *self.shapes[way.source])
        x = x.flatten(1) if way.flat else x
        for part in way.parts:
            x = self.parts[part](x)
        return {**LINEAR, **REFUSED}[way.function](x).reshape(BATCH, *way.shape)


def joined(currents: list[Tensor], join: str) -> Tensor:
    """All currents of a layer."""
    if join == "stack" and len(currents) > 1:
        return torch.stack(currents, dim=1).sum(dim=1)
    total = currents[0]
    for current in currents[1:]:
        if join == "in place":
            total += current
        else:
            total = total - current if join == "difference" else total + current
    return total


def spikes_of(module: Drawn, x: Tensor) -> dict[int, np.ndarray]:
    """What each layer of a module does in float64, (sample, step, neuron)."""
    module.kept = {}
    own = copy.deepcopy(module).double().eval()
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.no_grad():
            own(x.double())
    finally:
        torch.set_default_dtype(default)
    return {layer: torch.stack(kept, 1).flatten(2).numpy() > 0 for layer, kept in own.kept.items()}
