"""What each Lava target can do; known without importing Lava."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from dlm_snn.errors import DlmError, UnsupportedError, nearest
from dlm_snn.network import IntegerNetwork, Network
from dlm_snn.neurons.integer_lif import IntegerLIF
from dlm_snn.neurons.lif import LIF

Target = Literal["float", "fixed"]
TAGS = {"float": "floating_pt", "fixed": "fixed_pt"}
"""Lava's ProcessModel tag of each target: Loihi2SimCfg(select_tag=...)."""


def check_supported(network: Network | IntegerNetwork, target: str, sequential: bool) -> None:
    """Raise UnsupportedError for what a Lava target cannot do, by name."""
    if target not in TAGS:
        raise DlmError(f"no Lava target '{target}'; {nearest(str(target), TAGS)}")
    if target == "fixed" and not isinstance(network, IntegerNetwork):
        raise UnsupportedError("lava-fixed", "a float Network", "quantize it, or use lava-float")
    if target == "float" and isinstance(network, IntegerNetwork):
        raise UnsupportedError("lava-float", "an IntegerNetwork", "use lava-fixed")
    for name, neuron in network.neurons.items():
        if isinstance(neuron, LIF) and neuron.reset != "zero":
            raise UnsupportedError(
                f"lava-{target}",
                f"reset by subtraction ('{name}')",
                "Lava's LIF resets to zero: train with reset='zero'",
            )
        if isinstance(neuron, LIF) and neuron.refractory:
            raise UnsupportedError(
                f"lava-{target}", f"a refractory period ('{name}')", "use the reference, torch or brian2 backend"
            )
    if sequential and network.unbalanced:
        raise UnsupportedError(
            f"lava-{target}",
            f"samples one after another through '{network.unbalanced[0]}', which is not balanced",
            "run one sample at a time",
        )
    _check_early_spikes(network, target)


def _check_early_spikes(network: Network | IntegerNetwork, target: str) -> None:
    """Refuse a bias that crosses the threshold before the window, into a target whose window is open by then."""
    for name, neuron in network.neurons.items():
        carries = max((lag for p in network.projections if p.pre == name for lag in network.lags(p)), default=0)
        steps = network.depth[name]
        if carries and steps and np.any(_bias_voltage(neuron, steps) > _threshold(neuron)):
            raise UnsupportedError(
                f"lava-{target}",
                f"the bias of '{name}', which spikes before its window opens",
                "give it through an aligned constant Input",
            )


def _bias_voltage(neuron: LIF | IntegerLIF, steps: int) -> Any:
    """Largest v that the bias alone reaches within some steps, reset left out."""
    bias = np.asarray(neuron.bias, dtype=float)
    keep = 1 - np.asarray(neuron.dv) / (4096 if isinstance(neuron, IntegerLIF) else 1)
    return bias * sum(keep**i for i in range(steps)) if np.any(bias > 0) else np.zeros(1)


def _threshold(neuron: LIF | IntegerLIF) -> Any:
    return neuron.v_threshold * (64 if isinstance(neuron, IntegerLIF) else 1)
