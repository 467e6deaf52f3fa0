"""spikingjelly: options of the neurons that are taken, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
from spikingjelly.activation_based import neuron, surrogate
from torch import Tensor, nn

from tests.libraries.nets import Case, Library


def call(module: nn.Module, x: Tensor, state: Any) -> tuple[Tensor, Any]:
    return module(x), None


class Mine(neuron.LIFNode):
    """A user's own neuron."""


def case(kind: type, **options: Any) -> Case:
    return Case(lambda n: kind(**options))


def in_newer(kind: str, options: dict[str, dict[str, Any]]) -> dict[str, Case]:
    """Cases of a class that 0.0.0.0.14 does not have."""
    found = getattr(neuron, kind, None)
    return {} if found is None else {f"{kind}, {name}": case(found, **given) for name, given in options.items()}


LIF, PLIF, IF = neuron.LIFNode, neuron.ParametricLIFNode, neuron.IFNode


def drawn(rng: np.random.Generator) -> Case:
    options: dict[str, Any] = {
        "v_threshold": rng.uniform(0.5, 1.5),
        "v_reset": [None, 0.0, rng.uniform(-1, 0.4)][rng.integers(3)],
    }
    kind = (IF, LIF, PLIF)[rng.integers(3)]
    if kind is not IF:
        options |= {"tau" if kind is LIF else "init_tau": rng.uniform(1.1, 20), "decay_input": bool(rng.integers(2))}
    return case(kind, **options)


OFF_ZERO = in_newer("CUBALIFNode", {"v_reset below 0": {"v_reset": -0.5}})
LIBRARY = Library(
    call,
    drawn,
    {
        "LIFNode, hard": case(LIF, tau=2.0),
        "LIFNode, hard, input not decayed": case(LIF, tau=2.0, decay_input=False, v_threshold=1.5),
        "LIFNode, v_reset below 0": case(LIF, tau=2.0, v_reset=-0.5),
        "LIFNode, v_reset above 0, input not decayed": case(LIF, tau=4.0, decay_input=False, v_reset=0.25),
        "LIFNode, soft": case(LIF, tau=2.0, v_reset=None),
        "LIFNode, soft, input not decayed": case(LIF, tau=4.0, decay_input=False, v_threshold=1.25, v_reset=None),
        "LIFNode, tau 3, hard": case(LIF, tau=3.0),
        "LIFNode, tau 3, soft": case(LIF, tau=3.0, v_reset=None),
        "LIFNode, another surrogate": case(LIF, tau=2.0, surrogate_function=surrogate.ATan()),
        "ParametricLIFNode, hard": case(PLIF, init_tau=2.0),
        "ParametricLIFNode, soft, input not decayed": case(PLIF, init_tau=2.0, decay_input=False, v_reset=None),
        "ParametricLIFNode, tau 3": case(PLIF, init_tau=3.0),
        **in_newer("CUBALIFNode", {"hard": {}, "soft": {"v_reset": None, "c_decay": 0.25, "v_decay": 0.5}}),
        "IFNode, hard": case(IF),
        "IFNode, v_reset above 0": case(IF, v_reset=0.25),
        "IFNode, soft": case(IF, v_threshold=1.25, v_reset=None),
    },
    {
        "several steps a call": (case(LIF, step_mode="m"), "step_mode 'm'"),
        "no step": (case(LIF, surrogate_function=surrogate.Sigmoid(spiking=False)), "surrogate_function"),
        "threshold at the reset": (case(LIF, v_threshold=0.0), "at rest"),
        "a neuron of one's own": (case(Mine), "Mine"),
        **{name: (found, "decays to 0") for name, found in OFF_ZERO.items()},
        "QIFNode": (case(neuron.QIFNode), "QIFNode"),
    },
)
