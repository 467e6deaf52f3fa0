"""sinabs: options of the layers that are taken, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sinabs import layers
from sinabs.activation import MaxSpike, MembraneReset, MembraneSubtract, MultiSpike, SingleSpike
from torch import Tensor, nn

from tests.libraries.nets import Case, Library


def call(module: nn.Module, x: Tensor, state: Any) -> tuple[Tensor, Any]:
    if isinstance(module, layers.SqueezeMixin):
        return module(x).to(x.dtype), None
    return module(x.unsqueeze(1)).squeeze(1).to(x.dtype), None


def trained(kind: type, alpha_mem: float, alpha_syn: float | None = None, **options: Any) -> Case:
    """A layer with train_alphas, whose decays were trained to powers of two."""

    def build(n: int) -> nn.Module:
        tau_syn = {} if alpha_syn is None else {"tau_syn": 5.0}
        layer: Any = kind(tau_mem=10.0, **tau_syn, train_alphas=True, **options)
        with torch.no_grad():
            layer.alpha_mem.fill_(alpha_mem)
            if alpha_syn is not None:
                layer.alpha_syn.fill_(alpha_syn)
        return layer

    return Case(build)


def case(kind: type, **options: Any) -> Case:
    return Case(lambda n: kind(**options))


def by_neuron(n: int) -> nn.Module:
    layer: Any = layers.LIF(tau_mem=torch.full((n,), 10.0), train_alphas=True, **RESET)
    with torch.no_grad():
        layer.alpha_mem.copy_(torch.tensor([0.5, 0.75, 0.875]).repeat(n)[:n])
    return layer


LIF, IAF = layers.LIF, layers.IAF
SUBTRACT: dict[str, Any] = {"spike_fn": SingleSpike, "reset_fn": MembraneSubtract()}
RESET: dict[str, Any] = {"spike_fn": SingleSpike, "reset_fn": MembraneReset()}
HALF: dict[str, Any] = {"spike_fn": SingleSpike, "reset_fn": MembraneSubtract(subtract_value=0.5)}


def drawn(rng: np.random.Generator) -> Case:
    options: dict[str, Any] = (SUBTRACT, RESET, HALF)[rng.integers(3)] | {
        "spike_threshold": torch.tensor(rng.uniform(0.5, 1.5)),
        "tau_syn": [None, rng.uniform(0.5, 10)][rng.integers(2)],
    }
    if rng.integers(3) == 0:
        return case(IAF, **options)
    return case(LIF, tau_mem=rng.uniform(0.5, 20), norm_input=bool(rng.integers(2)), **options)


LIBRARY = Library(
    call,
    drawn,
    {
        "LIF, reset": trained(LIF, 0.5, **RESET),
        "LIF, reset, input not normed": trained(
            LIF, 0.75, norm_input=False, spike_threshold=torch.tensor(1.5), **RESET
        ),
        "LIF, subtract": trained(LIF, 0.5, **SUBTRACT),
        "LIF, subtract, input not normed": trained(LIF, 0.75, norm_input=False, **SUBTRACT),
        "LIF, subtract half": trained(LIF, 0.5, **HALF),
        "LIF, tau_syn, reset": trained(LIF, 0.5, 0.5, **RESET),
        "LIF, tau_syn, reset, input not normed": trained(LIF, 0.75, 0.5, norm_input=False, **RESET),
        "LIF, tau_syn, subtract": trained(LIF, 0.5, 0.5, **SUBTRACT),
        "LIF by its tau, reset": case(LIF, tau_mem=10.0, spike_threshold=torch.tensor(0.25), **RESET),
        "LIF by its tau, tau_syn, subtract": case(LIF, tau_mem=10.0, tau_syn=5.0, norm_input=False, **SUBTRACT),
        "LIF, one alpha a neuron": Case(by_neuron),
        "LIFSqueeze by its tau": case(
            layers.LIFSqueeze, tau_mem=5.0, num_timesteps=1, spike_threshold=torch.tensor(0.5), **RESET
        ),
        "IAF, reset": case(IAF, **RESET),
        "IAF, subtract": case(IAF, spike_threshold=torch.tensor(1.25), **SUBTRACT),
        "IAF, at most one spike": case(IAF, spike_fn=MaxSpike(1), reset_fn=MembraneSubtract()),
        "IAF, by its tau_syn": case(IAF, tau_syn=5.0, **RESET),
        "IAFSqueeze": case(layers.IAFSqueeze, num_timesteps=1, **SUBTRACT),
        "ExpLeak": Case(case(IAF, **RESET).hidden, lambda n: layers.ExpLeak(tau_mem=10.0)),
        "ExpLeak, input normed": Case(case(IAF, **RESET).hidden, trained(layers.ExpLeak, 0.75, norm_input=True).hidden),
    },
    {
        "MultiSpike": (case(IAF), "MultiSpike"),
        "two spikes": (case(IAF, spike_fn=MaxSpike(2)), "MaxSpike"),
        "a floor": (case(IAF, min_v_mem=-1.0, **RESET), "min_v_mem"),
        "reset to a value": (case(IAF, spike_fn=SingleSpike, reset_fn=MembraneReset(0.25)), "in every step"),
        "reset of one's own": (case(IAF, spike_fn=SingleSpike, reset_fn=lambda s, v, th: v), "reset_fn"),
        "an open number of steps": (case(layers.IAFSqueeze, batch_size=1, **RESET), "steps in one call"),
        "ALIF": (case(layers.ALIF, tau_mem=10.0, tau_adapt=20.0), "ALIF"),
        "several spikes are its default": (case(LIF, tau_mem=10.0, spike_fn=MultiSpike), "MultiSpike"),
    },
)
