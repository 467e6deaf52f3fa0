"""What each Lava target can do; known without importing Lava."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from dlm_snn.errors import DlmError, UnsupportedError, nearest
from dlm_snn.networks.clocked import as_convolution
from dlm_snn.networks.known import check_known
from dlm_snn.networks.network import IntegerNetwork, IntegerProjection, Network
from dlm_snn.networks.signs import weight_grid
from dlm_snn.neurons.integer_lif import ALIGNMENT, DECAY_UNITY
from dlm_snn.neurons.models import is_integer

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
    check_known(network, f"lava-{target}")
    for p in network.projections:
        _check_grid(network, p, target)
    if sequential and network.unbalanced:
        raise UnsupportedError(
            f"lava-{target}",
            f"samples one after another through '{network.unbalanced[0]}', which is not balanced",
            "run one sample at a time",
        )
    _check_early_spikes(network, target)


def _check_grid(network: Network | IntegerNetwork, p: Any, target: str) -> None:
    """Refuse odd weights of a convolution that is built as Sparse, which drops their lowest bit."""
    if not isinstance(p, IntegerProjection) or as_convolution(network, p) is not None:
        return
    low, _, grain = weight_grid(p.sign_mode, p.num_weight_bits)
    if np.any((p.connection.weight - low) % grain):
        thing = f"odd weights of a convolution with a delay, or with sums beyond 24 bits ('{p.name}')"
        raise UnsupportedError(f"lava-{target}", thing, "use even ones")


def _check_early_spikes(network: Network | IntegerNetwork, target: str) -> None:
    """Refuse a bias whose spikes before the window would arrive, directly or through others, in an open one.

    Nothing rests on a clocked target: a bias is integrated from its first step, and whom it wakes may wake others.
    """
    awake = {name: name for name in network.neurons if _crosses_before_window(network, name)}
    while more := {p.post: awake[p.pre] for p in network.projections if p.pre in awake and p.post not in awake}:
        awake |= more
    for p in network.projections:
        if p.pre in awake and any(network.lags(p)):
            raise UnsupportedError(
                f"lava-{target}",
                f"the bias of '{awake[p.pre]}', whose spikes before its window reach '{p.post}'",
                "give it through an aligned constant Input",
            )


def _crosses_before_window(network: Network | IntegerNetwork, name: str) -> bool:
    """Whether the bias alone lifts v over the threshold within the steps before the window."""
    neuron = network.neurons[name]
    integer = is_integer(neuron)
    keep = 1 - np.asarray(neuron.dv) / (DECAY_UNITY if integer else 1)
    v = np.zeros(neuron.n)
    for _ in range(network.depth[name]):
        v = v * keep + neuron.bias
        if np.any(v > neuron.v_threshold * (2**ALIGNMENT if integer else 1)):
            return True
    return False
