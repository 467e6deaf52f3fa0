"""Network -> a graph of named Lava processes with open in and out ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlm_snn.connections.chain import Chain
from dlm_snn.connections.connection import Connection
from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.dense import Dense as DenseConnection
from dlm_snn.description import unfailing
from dlm_snn.errors import UnsupportedError
from dlm_snn.networks.clocked import as_convolution, clocked_delay
from dlm_snn.networks.network import Input, IntegerNetwork, IntegerProjection, Network, Projection
from dlm_snn.neurons.models import is_integer
from lava_processes.support import TAGS, Target, check_supported

NEVER = 2**30
"""A reset interval longer than any run; a power of two, as chips want it."""
MESSAGE_BITS = 24
"""Width that a graded Dense is told; Lava only asks whether it is above 0."""


@dataclass(frozen=True, eq=False)
class Graph:
    """Lava processes of one network.

    Attributes:
        neurons: population -> its LIFReset, or one of our Processes; the fused one under every name.
        connections: ``pre->post``, with #2, #3 ... for a second one between the same two -> its Dense, Sparse or
            Convolution, behind a Delay where one delay above 1 is given for all synapses.
        in_ports: Input -> the open InPorts that its events must be sent to, every one of them.
        out_ports: population -> the OutPort of its spikes.
        u, v: population -> the Var of its currents and voltages, for a Monitor, or a StateProbe in long runs.
        tag: the ProcessModel tag to run it with, Loihi2SimCfg(select_tag=graph.tag).
    """

    neurons: Mapping[str, Any]
    connections: Mapping[str, Any]
    in_ports: Mapping[str, list[Any]]
    out_ports: Mapping[str, Any]
    u: Mapping[str, Any]
    v: Mapping[str, Any]
    tag: str

    @unfailing
    def __repr__(self) -> str:
        neurons = ", ".join(f"{name}: {type(process).__name__}" for name, process in self.neurons.items())
        return f"Graph of Lava processes ({self.tag}): {neurons}; inputs: {', '.join(self.in_ports) or 'none'}"


def build(
    network: Network | IntegerNetwork,
    target: Target,
    period: int | None = None,
    fused: bool = False,
    stock_delays: bool = False,
    begin: int = 0,
) -> Graph:
    """Turn a network into Lava processes, to be wired into a graph of one's own.

    Events of step t of a window (t = 0, 1, ...) are sent into ``in_ports`` in Lava's step begin + t + 1; a population
    of depth d computes its window in Lava's steps begin + d + 1, begin + d + 2, ...

    Args:
        network: a Network for target "float", an IntegerNetwork for "fixed".
        target: "float" (floating_pt) or "fixed" (fixed_pt, bit-accurate).
        period: samples follow one another every ``period`` steps, each from rest; only for balanced networks.
            None: one endless window.
        fused: the whole network as one Process, many times as fast; CPU only. It takes one endless window.
        stock_delays: all delays by Lava's DelaySparse and DelayDense, as a chip takes them; on the CPU they take a
            hundred times as long as a line in front of Sparse or Dense, which else delays what all synapses delay
            alike. Spikes are the same.
        begin: steps of Lava before the first window, as behind another graph; it counts where samples are periodic.

    Returns:
        The Graph; run any of its processes with Loihi2SimCfg(select_tag=graph.tag).

    Raises:
        UnsupportedError: something that stock Lava and our Processes cannot do, by name.
    """
    check_supported(network, target, sequential=period is not None)
    if fused:
        return _fused(network, target, period, stock_delays)
    neurons = {name: _neuron(network, name, period or NEVER, begin) for name in network.neurons}
    connections: dict[str, Any] = {}
    in_ports: dict[str, list[Any]] = {name: [] for name in network.inputs}
    for projection in network.projections:
        name = _free_name(projection.name, connections)
        delay = clocked_delay(network, projection)
        held = 0 if stock_delays or isinstance(delay, np.ndarray) else delay - 1
        process = connections[name] = _connection(network, projection, 1 if held else delay, name)
        process.a_out.connect(neurons[projection.post].a_in)
        s_in = _delayed(process.s_in, held, name) if held else process.s_in
        if projection.pre in in_ports:
            in_ports[projection.pre].append(s_in)
        else:
            neurons[projection.pre].s_out.connect(s_in)
    out_ports = {name: process.s_out for name, process in neurons.items()}
    u, v = ({name: getattr(process, key) for name, process in neurons.items()} for key in ("u", "v"))
    return Graph(neurons, connections, in_ports, out_ports, u, v, TAGS[target])


def _fused(network: Network | IntegerNetwork, target: Target, period: int | None, stock_delays: bool) -> Graph:
    """One Process under the name of every population."""
    from lava_processes.fused.process import Fused

    if period is not None:
        raise UnsupportedError("the fused Process", f"period = {period}", "use FusedRun for many samples")
    if stock_delays:
        raise UnsupportedError("the fused Process", "stock_delays = True", "leave one of them out")
    process = Fused(network=network, name="network")
    parts = {key: {n: getattr(process, f"{key}_{n}") for n in network.neurons} for key in ("out", "u", "v")}
    in_ports = {name: [getattr(process, f"in_{name}")] for name in network.inputs}
    return Graph(
        dict.fromkeys(network.neurons, process), {}, in_ports, parts["out"], parts["u"], parts["v"], TAGS[target]
    )


def _neuron(network: Network | IntegerNetwork, name: str, interval: int, begin: int) -> Any:
    """The Process of a population: stock where stock Lava has one."""
    from lava.proc.lif.process import LIFReset

    from lava_processes.kwta.process import KWTA
    from lava_processes.lif_subtract.process import LIFSubtract
    from lava_processes.refractory_lif.process import RefractoryLIF

    neuron: Any = network.populations[name]
    integer = is_integer(neuron)
    parameters = {
        "shape": (neuron.n,),
        "du": neuron.du,
        "dv": neuron.dv,
        "vth": neuron.v_threshold,
        "bias_mant": neuron.bias_mant if integer else neuron.bias,
        "reset_interval": neuron.period or interval,
        "reset_offset": begin + network.depth[name] + 1,
        "name": name,
    }
    competition = {"winners": neuron.winners, "groups": neuron.groups}
    if not integer and neuron.reset == "subtract":
        return LIFSubtract(**competition, **parameters)
    if not integer and neuron.refractory:
        return RefractoryLIF(refractory=neuron.refractory, **competition, **parameters)
    exponent = neuron.bias_exp if integer else 0
    if neuron.winners is None:
        return LIFReset(bias_exp=exponent, **parameters)
    return KWTA(bias_exp=exponent, **competition, **parameters)


def _delayed(port: Any, steps: int, name: str) -> Any:
    """The InPort of a line that holds events back on their way to a port."""
    from lava_processes.delay.process import Delay

    line = Delay(n=port.shape[0], steps=steps, name=f"{name} delay")
    line.s_out.connect(port)
    return line.s_in


def _connection(
    network: Network | IntegerNetwork, projection: Projection | IntegerProjection, delay: Any, name: str
) -> Any:
    """The Process of a projection: Conv, else Dense or Sparse, with delays where one is above 1."""
    from lava.proc.dense.process import DelayDense, Dense
    from lava.proc.sparse.process import DelaySparse, Sparse

    pre = network.populations[projection.pre]
    convolution = as_convolution(network, projection)
    if convolution is not None:
        return _convolution(convolution, pre, name)
    connection, delay = _as_matrix(projection.connection, delay)
    parameters = {
        "weights": connection,
        "name": name,
        "num_message_bits": _message_bits(pre),
        **_weight_format(projection),
    }
    listed = not isinstance(connection, np.ndarray)
    if np.max(delay if isinstance(delay, (int, np.ndarray)) else delay.data) == 1:
        return (Sparse if listed else Dense)(**parameters)
    return (DelaySparse if listed else DelayDense)(delays=_less_one(delay), **parameters)


def _convolution(connection: Conv2d, pre: Any, name: str) -> Any:
    """Lava's Conv between flat ports."""
    from lava_processes.convolution.process import Convolution

    stride, padding, dilation = connection.spacing
    return Convolution(
        weight=np.array(connection.weight),
        input_shape=connection.input_shape,
        output_shape=connection.output_shape,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=connection.groups,
        num_message_bits=_message_bits(pre),
        name=name,
    )


def _message_bits(pre: Any) -> int:
    """How wide events are; 0 for binary ones."""
    return MESSAGE_BITS if isinstance(pre, Input) and pre.graded_bits is not None else 0


def _weight_format(projection: Projection | IntegerProjection) -> dict[str, Any]:
    """How wide weights are."""
    from lava.utils.weightutils import SignMode

    if not isinstance(projection, IntegerProjection):
        return {}
    return {
        "weight_exp": projection.weight_exp,
        "num_weight_bits": projection.num_weight_bits,
        "sign_mode": SignMode[projection.sign_mode.upper()],
    }


def _as_matrix(connection: Connection, delay: Any) -> tuple[Any, Any]:
    """Weights (post, pre) as Lava takes them, an array or a SciPy matrix, and the delays in the same form or one."""
    from scipy.sparse import csr_matrix

    if isinstance(connection, Chain):
        connection = connection.merged()
    if isinstance(connection, DenseConnection):
        return np.array(connection.weight), delay
    synapses = connection.sparse()
    places, shape = (synapses.post, synapses.pre), synapses.shape
    if isinstance(delay, np.ndarray):
        delay = csr_matrix((delay, places), shape=shape)
    return csr_matrix((synapses.weight, places), shape=shape), delay


def _less_one(delay: Any) -> Any:
    """Lava counts the step that a connection takes anyway apart."""
    if isinstance(delay, (int, np.ndarray)):
        return delay - 1
    less = delay.copy()
    less.data -= 1
    less.eliminate_zeros()
    return less


def _free_name(name: str, taken: Mapping[str, Any]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}#{number}"
    return free
