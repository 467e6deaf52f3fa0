"""Random torch modules from a seed: sums, skips, lags, pools, BatchNorm, one neuron twice, in-place functions, masks,
indices, parameters of each neuron, layers before the loop and in turn.

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


def every_third(x: Tensor) -> Tensor:
    """A mask of the values of one sample."""
    return (torch.arange(x[0].numel()) % 3 == 0).view(x.shape[1:])


def reversed_places(x: Tensor) -> Tensor:
    """Of the values along axis 1."""
    index = torch.arange(x.shape[1] - 1, -1, -1)
    return index.view(1, -1, *[1] * (x.ndim - 2)).expand(x.shape)


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
    # A quarter, so that sums stay exact and no membrane meets its threshold but for rounding.
    "minus a share": lambda x: x - x.sum(dim=1, keepdim=True) / 4,
    "divided": lambda x: x / 4,
    "lerp": lambda x: torch.lerp(x, x.flip(1), 0.25),
    "lerp to a constant": lambda x: torch.lerp(x, torch.ones(x.shape[1:]), 0.25),
    "masked": lambda x: x.masked_fill(every_third(x), 0.25),
    "where": lambda x: torch.where(every_third(x), x, -x),
    "where of two": lambda x: torch.where(every_third(x), x / 2, x.flip(1)),
    "gathered": lambda x: x.gather(1, reversed_places(x)),
    "indexed": lambda x: x[:, torch.arange(x.shape[1]).roll(1)],
    "index_add": lambda x: x.index_add(1, torch.arange(x.shape[1]).flip(0), x, alpha=0.5),
    "addcmul": lambda x: torch.addcmul(x, x.flip(1), torch.full((1,), 0.5), value=0.5),
}
"""What may be done to a current."""
OF_SPIKES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "none": lambda s: s,
    "bool": lambda s: s.bool().to(s.dtype),
    "int": lambda s: s.int().flip(1).to(s.dtype),
    "compared": lambda s: (s > 0.5).to(s.dtype),
    "not": lambda s: (~s.bool()).to(s.dtype),
    "cubed": lambda s: s**3,
    "ReLU": lambda s: F.relu(s) - 0.25,
    "sigmoid": lambda s: torch.where(s == 1, 0.5, -0.25),
    "integers": lambda s: (2 * s.long() - 1).to(s.dtype),
}
"""What may be done to spikes."""
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
    of_spikes: str


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
        self.shared: list[int] = []
        images = bool(rng.random() < 0.5)
        for layer in range(1, int(rng.integers(2, 5)) + 1):
            self.shapes.append((int(rng.integers(2, 4)), 4, 4) if images else (int(rng.integers(3, 9)),))
            others = [int(other) for other in rng.integers(0, layer, int(rng.integers(0, 3)))]
            ways = [self.way(source, layer, rng) for source in (layer - 1, *others)]
            if rng.random() < 0.25:
                ways.append(self.way(layer, layer, rng))
            join = str(rng.choice(["sum", "difference", "in place", "stack"]))
            pooled = images and bool(rng.random() < 0.25)
            self.layers.append(Layer(tuple(ways), join, self.neuron(rng, self.shapes[-1]), pooled))
        self.head = nn.Linear(prod(self.shapes[-1]), 3) if rng.random() < 0.3 else None
        self.in_turn = all(way.lag == 0 for layer in self.layers for way in layer.ways) and bool(rng.random() < 0.3)
        """Each layer over all steps before the next one begins."""
        self.before = bool(rng.random() < 0.3)
        """What comes from the input is computed before the loop."""

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
        function = str(rng.choice([*REFUSED] if rng.random() < 0.04 else [*LINEAR]))
        of_spikes = str(rng.choice([*OF_SPIKES])) if source > 0 and rng.random() < 0.3 else "none"
        return Way(source, lag, numbers, flat, function, after, of_spikes)

    def neuron(self, rng: np.random.Generator, shape: tuple[int, ...]) -> int:
        """The number of a new neuron module, or of one that an earlier layer has."""
        if self.shared and rng.random() < 0.25:
            return int(rng.choice(self.shared))
        beta: Any = float(rng.choice((0.25, 0.5, 0.75, 0.9)))
        threshold: Any = float(rng.choice((0.25, 0.5, 1.0)))
        if rng.random() < 0.3:
            beta, threshold = (self.each(shape, rng) for _ in range(2))
        else:
            self.shared.append(len(self.neurons))
        if rng.random() < 0.3:
            self.neurons.append(snn.Synaptic(alpha=0.5, beta=beta, threshold=threshold))
        else:
            reset = str(rng.choice(["zero", "subtract"]))
            self.neurons.append(snn.Leaky(beta=beta, threshold=threshold, reset_mechanism=reset))
        return len(self.neurons) - 1

    @staticmethod
    def each(shape: tuple[int, ...], rng: np.random.Generator) -> Tensor:
        """A parameter with a value for each neuron, row or channel, in a shape that torch broadcasts."""
        of = [n if rng.random() < 0.6 else 1 for n in shape]
        return torch.tensor(rng.integers(1, 4, ([1] if rng.random() < 0.3 else []) + of) / 4)

    def forward(self, x: Tensor) -> Tensor:
        self.kept = {layer: [] for layer in range(1, len(self.layers) + 1)}
        if self.in_turn:
            return self.layer_by_layer(x)
        hoisted = {way: self.at_once(way, x) for way in self.layers[0].ways if self.before and way.source == 0}
        states: dict[int, Any] = {}
        old: dict[int, Tensor] = {}
        found = []
        for step, frame in enumerate(x):
            now = {0: frame}
            for number, layer in enumerate(self.layers, 1):
                currents = [
                    hoisted[way][step] if way in hoisted else self.current(way, old if way.lag else now)
                    for way in layer.ways
                ]
                current = joined(currents, layer.join)
                given = states.get(number) or self.rest(layer, current)
                spikes, *states[number] = self.neurons[layer.neuron](current, *given)
                spikes = spikes.to(x.dtype)
                self.kept[number].append(spikes.detach())
                now[number] = F.max_pool2d(spikes, 3, 1, 1) if layer.pooled else spikes
            old = now
            found.append(spikes if self.head is None else self.head(spikes.flatten(1)))
        return torch.stack(found)

    def layer_by_layer(self, x: Tensor) -> Tensor:
        now = {0: x}
        for number, layer in enumerate(self.layers, 1):
            currents = joined([self.at_once(way, now[way.source]).flatten(0, 1) for way in layer.ways], layer.join)
            states: Any = None
            for current in currents.unflatten(0, (len(x), -1)):
                states = self.rest(layer, current) if states is None else states
                spikes, *states = self.neurons[layer.neuron](current, *states)
                self.kept[number].append(spikes.to(x.dtype))
            found = torch.stack(self.kept[number])
            now[number] = (
                F.max_pool2d(found.flatten(0, 1), 3, 1, 1).unflatten(0, (len(x), -1)) if layer.pooled else found
            )
        return found if self.head is None else self.head(found.flatten(2))

    def at_once(self, way: Way, x: Tensor) -> Tensor:
        """The currents of all steps, (step, sample, ...)."""
        merged = self.through(way, x.flatten(0, 1))
        return merged.reshape(len(x), -1, *way.shape)

    def rest(self, layer: Layer, current: Tensor) -> list[Tensor]:
        return [torch.zeros_like(current)] * (2 if isinstance(self.neurons[layer.neuron], snn.Synaptic) else 1)

    def current(self, way: Way, spikes: Mapping[int, Tensor]) -> Tensor:
        x = spikes[way.source] if way.source in spikes else torch.zeros(BATCH, *self.shapes[way.source])
        return self.through(way, x).reshape(BATCH, *way.shape)

    def through(self, way: Way, x: Tensor) -> Tensor:
        x = OF_SPIKES[way.of_spikes](x)
        x = x.flatten(1) if way.flat else x
        for part in way.parts:
            x = self.parts[part](x)
        return {**LINEAR, **REFUSED}[way.function](x)


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
