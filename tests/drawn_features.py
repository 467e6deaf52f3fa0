"""What a drawn network holds, told from the network itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dlm_snn import Chain, Conv2d, Dense, Input, Pool2d, Recording, Sparse
from dlm_snn.neurons.integer_lif import STATE_LIMIT
from dlm_snn.neurons.models import spikes


def features(network: Any, stimulus: Mapping[str, Any], recording: Recording) -> set[str]:
    """Names of what is there; ``recording`` is of the reference, with u and v."""
    neurons = list(network.neurons.values())
    found = {f for p in network.projections for f in _of_projection(network, p)}
    found |= {f for neuron in neurons for f in _of_neuron(neuron)}
    found |= {f for name, given in stimulus.items() for f in _of_input(network.inputs[name], np.asarray(given))}
    ends = [(p.pre, p.post) for p in network.projections]
    checks = {
        "two projections between one pair": len(set(ends)) < len(ends),
        "feedback": any((post, pre) in ends for pre, post in ends if pre != post),
        "several inputs": len(network.inputs) > 1,
        "unbalanced": bool(network.unbalanced),
        "skip": any(p.pre in network.inputs and network.depth[p.post] > 1 for p in network.projections),
        "three hidden": len(neurons) > 3,
        "wraps": any(count.wraps for count in recording.overflow.values()),
        "beyond one wrap": any(np.abs(u).max() > STATE_LIMIT for u in recording.u.values()) and _integer(network),
        "saturates": any(count.saturations for count in recording.overflow.values()),
    }
    return found | {name for name, there in checks.items() if there}


def _integer(network: Any) -> bool:
    return any(hasattr(neuron, "bias_mant") for neuron in network.neurons.values())


def _of_projection(network: Any, p: Any) -> set[str]:
    connection = p.connection
    delay = np.asarray(p.delay)
    aligned = isinstance(network.populations[p.pre], Input) and network.populations[p.pre].aligned
    by_row = delay.ndim == 2 and bool((delay == delay[:, :1]).all())
    kinds = {Dense: "dense", Sparse: "sparse", Conv2d: "conv2d", Pool2d: "pool2d", Chain: "chain"}
    checks = {
        kinds[type(connection)]: not aligned,
        "recurrence": p.pre == p.post,
        "delay": delay.ndim == 0 and int(delay) > 1,
        "delay per post": by_row,
        "delay per synapse": delay.ndim > 0 and not by_row,
        "negative weight_exp": getattr(p, "weight_exp", 0) < 0,
        "positive weight_exp": getattr(p, "weight_exp", 0) > 0,
        "few bits": getattr(p, "num_weight_bits", 8) < 8,
        getattr(p, "sign_mode", "real weights"): True,
    }
    if isinstance(connection, Conv2d):
        checks |= {
            "stride": connection.stride != (1, 1),
            "padding": connection.padding != (0, 0),
            "dilation": connection.dilation != (1, 1),
            "convolution groups": connection.groups > 1,
        }
    return {name for name, there in checks.items() if there}


def _of_neuron(neuron: Any) -> set[str]:
    full = 4095 if hasattr(neuron, "bias_mant") else 1
    held = -1 if hasattr(neuron, "bias_mant") else 0
    checks = {
        "u held": bool(np.all(neuron.du == held)),
        "u forgotten": bool(np.all(neuron.du == full)),
        "u filtered": bool(np.any((neuron.du != full) & (neuron.du != held))),
        "v held": bool(np.all(neuron.dv == 0)),
        "v leaks": bool(np.any(neuron.dv > 0)),
        "bias": bool(np.any(neuron.bias)),
        "bias with exponent": getattr(neuron, "bias_exp", 0) > 0,
        "competition": neuron.winners is not None and neuron.groups == 1,
        "competition in groups": neuron.groups > 1,
        "period": neuron.period is not None,
        "refractory": getattr(neuron, "refractory", 0) > 0,
        "per-neuron decay": np.ndim(neuron.dv) > 0 or np.ndim(neuron.du) > 0,
        "image shape": len(neuron.shape) == 3,
        "read-out": not spikes(neuron),
    }
    return {name for name, there in checks.items() if there}


def _of_input(population: Input, given: Any) -> set[str]:
    kind = "binary" if population.graded_bits is None else "signed" if population.signed else "unsigned"
    held = given.ndim == 1 + len(population.shape)
    return {f"{kind} input", "constant stimulus" if held else "changing stimulus"} | (
        {"aligned input"} if population.aligned else set()
    )


BOTH = {
    *("dense", "sparse", "conv2d", "pool2d", "stride", "padding", "dilation", "convolution groups", "delay"),
    *("delay per post", "delay per synapse", "recurrence", "feedback", "skip", "two projections between one pair"),
    *("competition", "competition in groups", "period", "u held", "u forgotten", "u filtered", "v held", "v leaks"),
    *(
        "bias",
        "per-neuron decay",
        "image shape",
        "read-out",
        "binary input",
        "signed input",
        "unsigned input",
        "aligned input",
    ),
    *("constant stimulus", "changing stimulus", "several inputs", "three hidden", "unbalanced"),
}
"""What at least 20 of the 200 networks of either form hold."""
FLOAT_ONLY = {"chain", "refractory", "real weights"}
INTEGER_ONLY = {
    *("negative weight_exp", "positive weight_exp", "few bits", "mixed", "excitatory", "inhibitory"),
    "bias with exponent",
}
EACH, WRAPPING = 20, 10
"""In how many networks each of these is, and in how many u wraps."""
