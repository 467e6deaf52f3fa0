"""Network -> a graph of named Lava processes with open in and out ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlm_snn.network import Input, IntegerNetwork, IntegerProjection, Network, Projection
from dlm_snn.neurons.integer_lif import IntegerLIF
from lava_processes import _compat  # noqa: F401  (lets Lava be imported)
from lava_processes.support import TAGS, Target, check_supported

NEVER = 2**30
"""A reset interval longer than any run; a power of two, as chips want it."""
MESSAGE_BITS = 24
"""Width that a graded Dense is told; Lava only asks whether it is above 0."""


@dataclass(frozen=True, eq=False)
class Graph:
    """Lava processes of one network.

    Attributes:
        neurons: population -> its LIFReset or KWTA Process; ``u``, ``v`` are Vars, ``s_out`` its spikes.
        connections: ``pre->post``, with #2, #3 ... for a second one between the same two -> its Dense Process.
        in_ports: Input -> the open InPorts that its events must be sent to, every one of them.
        out_ports: population -> the OutPort of its spikes.
        tag: the ProcessModel tag to run it with, Loihi2SimCfg(select_tag=graph.tag).
    """

    neurons: Mapping[str, Any]
    connections: Mapping[str, Any]
    in_ports: Mapping[str, list[Any]]
    out_ports: Mapping[str, Any]
    tag: str


def build(network: Network | IntegerNetwork, target: Target, period: int | None = None) -> Graph:
    """Turn a network into Lava processes, to be wired into a graph of one's own.

    Events of step t of a window (t = 0, 1, ...) are sent into ``in_ports`` in Lava's step t + 1; a population of
    depth d computes its window in Lava's steps d + 1, d + 2, ...

    Args:
        network: a Network for target "float", an IntegerNetwork for "fixed".
        target: "float" (floating_pt) or "fixed" (fixed_pt, bit-accurate).
        period: samples follow one another every ``period`` steps, each from rest; only for balanced networks.
            None: one endless window.

    Returns:
        The Graph; run any of its processes with Loihi2SimCfg(select_tag=graph.tag).

    Raises:
        UnsupportedError: something that stock Lava and our k-WTA Process cannot do, by name.
    """
    check_supported(network, target, sequential=period is not None)
    neurons = {name: _neuron(network, name, period or NEVER) for name in network.neurons}
    connections: dict[str, Any] = {}
    in_ports: dict[str, list[Any]] = {name: [] for name in network.inputs}
    for projection in network.projections:
        name = _free_name(projection.name, connections)
        dense = connections[name] = _dense(network, projection, name)
        dense.a_out.connect(neurons[projection.post].a_in)
        if projection.pre in in_ports:
            in_ports[projection.pre].append(dense.s_in)
        else:
            neurons[projection.pre].s_out.connect(dense.s_in)
    out_ports = {name: process.s_out for name, process in neurons.items()}
    return Graph(neurons, connections, in_ports, out_ports, TAGS[target])


def _neuron(network: Network | IntegerNetwork, name: str, interval: int) -> Any:
    from lava.proc.lif.process import LIFReset

    from lava_processes.kwta.process import KWTA

    neuron: Any = network.populations[name]
    integer = isinstance(neuron, IntegerLIF)
    parameters = {
        "shape": (neuron.n,),
        "du": neuron.du,
        "dv": neuron.dv,
        "vth": neuron.v_threshold,
        "bias_mant": neuron.bias_mant if integer else neuron.bias,
        "bias_exp": neuron.bias_exp if integer else 0,
        "reset_interval": interval,
        "reset_offset": network.depth[name] + 1,
        "name": name,
    }
    if neuron.winners is None:
        return LIFReset(**parameters)
    return KWTA(winners=neuron.winners, groups=neuron.groups, **parameters)


def _dense(network: Network | IntegerNetwork, projection: Projection | IntegerProjection, name: str) -> Any:
    from lava.proc.dense.process import DelayDense, Dense
    from lava.utils.weightutils import SignMode

    pre = network.populations[projection.pre]
    graded = isinstance(pre, Input) and pre.graded_bits is not None
    parameters: dict[str, Any] = {
        "weights": np.array(projection.connection.weight),
        "num_message_bits": MESSAGE_BITS if graded else 0,
        "name": name,
    }
    if isinstance(projection, IntegerProjection):
        parameters["weight_exp"] = projection.weight_exp
        parameters["num_weight_bits"] = projection.num_weight_bits
        parameters["sign_mode"] = SignMode[projection.sign_mode.upper()]
    aligned = isinstance(pre, Input) and pre.aligned
    delay = network.depth[projection.post] if aligned else projection.delay
    if np.max(delay) == 1:
        return Dense(**parameters)
    return DelayDense(delays=delay - 1, **parameters)


def _free_name(name: str, taken: Mapping[str, Any]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}#{number}"
    return free
