"""A bundle's network as Lava processes between sources and sinks. It needs lava-nc and NumPy only.

Events of step t of window w leave their source in Lava's step w * period + t + 1; a population of depth d computes that
step in Lava's step w * period + t + d + 1, and is reset before step 0 of each window.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .running import PROGRESS

MESSAGE_BITS = 24
"""Width of graded events; a simulator only asks whether it is above 0."""


class Graph(NamedTuple):
    """Lava processes of a bundle.

    Attributes:
        neurons: population -> its LIFReset.
        connections: those of the projections, in their order.
        sinks: population -> the file into which its spikes go.
    """

    neurons: dict[str, Any]
    connections: list[Any]
    sinks: dict[str, Path]


def build(
    bundle: Mapping[str, Any],
    folder: Path,
    recorded: list[str],
    n_windows: int,
    steps: int,
    later: int = 0,
    stock_delays: bool = True,
) -> Graph:
    """Turn a bundle's data into processes.

    Args:
        bundle: what ``contents.read`` gives.
        folder: where sources and sinks have their files.
        recorded: populations whose spikes are written.
        n_windows: how many windows are sent.
        steps: of the run; rows of the sinks.
        later: steps that an event takes from the host into the chip, beyond those of a simulator.
        stock_delays: all delays by Lava's DelaySparse and DelayDense, as a chip takes them; else one number for all
            synapses of a projection by a line in front of Sparse or Dense: the same spikes, far sooner on a CPU.
    """
    neurons = {name: _neuron(name, told, later) for name, told in bundle["populations"].items()}
    ports = {name: process.s_out for name, process in neurons.items()}
    ports.update({name: _input(name, told, bundle, folder, n_windows) for name, told in bundle["inputs"].items()})
    np.save(folder / PROGRESS, np.zeros(1, np.int64))
    connections = []
    for told in bundle["projections"]:
        source, graded = ports[told["pre"]], bundle["inputs"].get(told["pre"], {}).get("graded_bits") is not None
        if not stock_delays and np.ndim(told["delay"]) == 0 and told["delay"] > 1:
            source, told = _held(told, source), {**told, "delay": 1}
        connections.append(_connected(told, source, neurons[told["post"]].a_in, MESSAGE_BITS if graded else 0))
    return Graph(neurons, connections, {name: _sink(name, neurons[name], folder, steps) for name in recorded})


def _neuron(name: str, told: Mapping[str, Any], later: int) -> Any:
    from lava.proc.lif.process import LIFReset

    return LIFReset(
        shape=(told["n"],),
        du=told["du"],
        dv=told["dv"],
        vth=told["v_threshold"],
        bias_mant=told["bias_mant"],
        bias_exp=told["bias_exp"],
        reset_interval=told["reset_interval"],
        reset_offset=(told["depth"] + 1 + later) % told["reset_interval"],
        name=name,
    )


def _input(name: str, told: Mapping[str, Any], bundle: Mapping[str, Any], folder: Path, n_windows: int) -> Any:
    """The port on the network's side of an Input's adapter."""
    from .adapters.process import InputAdapter
    from .host.process import Source

    path = folder / f"stimulus-{name}.npy"
    np.save(path, told["values"].astype(np.int32))
    source = Source(
        path=str(path),
        n=told["n"],
        n_windows=n_windows,
        n_steps=told["n_steps"],
        period=bundle["period"],
        name=f"source {name}",
    )
    bits = MESSAGE_BITS if told["graded_bits"] is not None else 0
    adapter = InputAdapter(shape=(told["n"],), num_message_bits=bits, name=f"adapter {name}")
    source.s_out.connect(adapter.inp)
    return adapter.out


def _held(told: Mapping[str, Any], source: Any) -> Any:
    """The port behind a line that holds a projection's events back."""
    from .host.process import Line

    line = Line(n=int(np.prod(source.shape)), steps=told["delay"] - 1, name=f"{told['name']} delay")
    source.connect(line.s_in)
    return line.s_out


def _sink(name: str, neuron: Any, folder: Path, steps: int) -> Path:
    """The file into which a population's spikes go."""
    from .adapters.process import OutputAdapter
    from .host.process import Sink

    (n,) = neuron.s_out.shape
    path = folder / f"spikes-{name}.npy"
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(steps, n)).flush()
    adapter = OutputAdapter(shape=(n,), name=f"adapter {name}")
    neuron.s_out.connect(adapter.inp)
    sink = Sink(path=str(path), progress=str(folder / PROGRESS), n=n, name=f"sink {name}")
    adapter.out.connect(sink.a_in)
    return path


def _connected(told: Mapping[str, Any], source: Any, target: Any, bits: int) -> Any:
    """The Process of a projection, between two ports."""
    if told["kind"] == "conv":
        return _convolution(told, source, target, bits)
    process = _synapses(told, bits)
    source.connect(process.s_in)
    process.a_out.connect(target)
    return process


def _synapses(told: Mapping[str, Any], bits: int) -> Any:
    """Lava's Dense or Sparse; DelayDense or DelaySparse where a delay is above 1."""
    from lava.proc.dense.process import DelayDense, Dense
    from lava.proc.sparse.process import DelaySparse, Sparse
    from lava.utils.weightutils import SignMode

    weight, delay = told["weight"], told["delay"]
    given = {
        "name": told["name"],
        "num_message_bits": bits,
        "weight_exp": told["weight_exp"],
        "num_weight_bits": told["num_weight_bits"],
        "sign_mode": SignMode[told["sign_mode"].upper()],
    }
    delayed = np.max(delay, initial=1) > 1
    # Lava counts the step that a connection takes anyway apart, and takes arrays of Python's int alone.
    late = np.asarray(delay, dtype=int) - 1 if np.ndim(delay) else delay - 1
    if told["kind"] == "dense":
        return DelayDense(weights=weight, delays=late, **given) if delayed else Dense(weights=weight, **given)
    from scipy.sparse import csr_matrix

    places, shape = (told["post_index"], told["pre_index"]), (told["n_post"], told["n_pre"])
    matrix = csr_matrix((weight, places), shape=shape)
    if not delayed:
        return Sparse(weights=matrix, **given)
    delays = late if np.ndim(late) == 0 else csr_matrix((late, places), shape=shape)
    return DelaySparse(weights=matrix, delays=delays, **given)


def _convolution(told: Mapping[str, Any], source: Any, target: Any, bits: int) -> Any:
    """Lava's Conv, which has the channel last and turns its kernel by half a turn, between ports of ours."""
    from lava.proc.conv.process import Conv

    channel, row, column = told["input_shape"]
    process = Conv(
        weight=np.flip(told["weight"], (2, 3)).transpose(0, 2, 3, 1).copy(),
        input_shape=(row, column, channel),
        stride=told["stride"],
        padding=told["padding"],
        dilation=told["dilation"],
        groups=told["groups"],
        num_message_bits=bits,
        name=told["name"],
    )
    source.reshape((channel, row, column)).transpose((1, 2, 0)).connect(process.s_in)
    process.a_out.transpose((2, 0, 1)).flatten().connect(target)
    return process
