"""Networks of other libraries' neurons on weights in quarters, where v meets the threshold exactly and often."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

INPUTS = 8
LAYERS = {"hidden": 12, "out": 6}
STEPS, SAMPLES = 16, 31
Call = Callable[[nn.Module, Tensor, Any], tuple[Tensor, Any]]
Build = Callable[[int], nn.Module]


@dataclass(frozen=True)
class Case:
    """A layer of ``hidden`` neurons and one of ``out`` (the same kind, where none is given), by their number."""

    hidden: Build
    out: Build | None = None


@dataclass(frozen=True)
class Library:
    """What is tried of a library.

    Attributes:
        call: of a neuron.
        drawn: a case with options at random.
        taken: cases that have an equal.
        refused: cases that have none, and what the line must say.
    """

    call: Call
    drawn: Callable[[np.random.Generator], Case]
    taken: Mapping[str, Case]
    refused: Mapping[str, tuple[Case, str]]


class Net(nn.Module):
    """Two layers; (step, sample, input) -> what the last one gives, (step, sample, neuron)."""

    def __init__(self, case: Case, call: Call) -> None:
        super().__init__()
        rng = np.random.default_rng(20)
        self.call = call
        self.first = _linear(rng, LAYERS["hidden"], INPUTS, 8)
        self.hidden = case.hidden(LAYERS["hidden"])
        self.second = _linear(rng, LAYERS["out"], LAYERS["hidden"], 5)
        self.out = (case.out or case.hidden)(LAYERS["out"])

    def forward(self, x: Tensor) -> Tensor:
        h = o = None
        outputs = []
        for current in x:
            spikes, h = self.call(self.hidden, self.first(current), h)
            output, o = self.call(self.out, self.second(spikes), o)
            outputs.append(output)
        return torch.stack(outputs)


def _linear(rng: np.random.Generator, post: int, pre: int, top: int) -> nn.Linear:
    linear = nn.Linear(pre, post)
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(rng.integers(-3, top, (post, pre)) / 4))
        linear.bias.copy_(torch.from_numpy(rng.integers(-2, 3, post) / 4))
    return linear


def sample(seed: int = 0) -> Tensor:
    """Spikes, (step, sample, input)."""
    rng = np.random.default_rng(seed)
    return torch.from_numpy((rng.random((STEPS, SAMPLES, INPUTS)) < 0.3).astype(np.float32))


def observed(net: Net, x: Tensor) -> dict[str, np.ndarray]:
    """What both layers give, (sample, step, neuron)."""
    seen: dict[str, list[Tensor]] = {name: [] for name in LAYERS}

    def keep(name: str) -> Callable[..., None]:
        return lambda module, args, output: seen[name].append(output[0] if isinstance(output, tuple) else output)

    hooks = [getattr(net, name).register_forward_hook(keep(name)) for name in seen]
    with torch.no_grad():
        net(x)
    for hook in hooks:
        hook.remove()
    return {
        name: torch.stack([o.detach().reshape(SAMPLES, -1) for o in steps], 1).numpy() for name, steps in seen.items()
    }


def written(values: np.ndarray) -> str | list[list[float]]:
    """Spikes as packed bits; of anything else the last step."""
    if set(np.unique(values)) <= {0.0, 1.0}:
        return base64.b64encode(np.packbits(values.astype(bool))).decode()
    return values[:, -1].tolist()


def spikes_of(text: str, neurons: int) -> np.ndarray:
    """The packed spikes, (sample, step, neuron)."""
    count = SAMPLES * STEPS * neurons
    bits = np.unpackbits(np.frombuffer(base64.b64decode(text), np.uint8), count=count)
    return bits.reshape(SAMPLES, STEPS, neurons).astype(bool)
