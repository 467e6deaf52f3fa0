"""Graphs of stock Lava processes as Lava users write them, their own run, and what from_lava makes of them: a script.

Arguments: "float" or "fixed", then names of GRAPHS, or "drawn" and a range of seeds. It prints as JSON, for each graph
and population, how many of the spikes, u and v of Lava's run differ from each backend's, and how many spikes there are.

All graphs are wired to one sink, by weights of 0, and so take one run of Lava.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

import lava_processes
from lava_processes import from_lava
from lava_processes.sink.process import SpikeSink
from tests.lava_drawn import drawn

N_STEPS = 40
TAGS = {"float": "floating_pt", "fixed": "fixed_pt"}
BACKENDS = ("fast", "reference")


class Parts:
    """Stock Processes with small numbers that are exact in either arithmetic."""

    def __init__(self, target: str, seed: int) -> None:
        self.fixed = target == "fixed"
        self.rng = np.random.default_rng(seed)

    def weights(self, *shape: int, low: int = -16, high: int = 32) -> np.ndarray:
        """Multiples of 1/64; odd integers too, of which Lava drops a bit."""
        drawn = self.rng.integers(low, high + 1, shape)
        return drawn if self.fixed else drawn / 64

    def parameters(self, du: float = 1, dv: float = 0.125, bias: float = 0, vth: float = 1) -> dict:
        """Of neurons, given in floats."""
        if not self.fixed:
            return {"du": du, "dv": dv, "bias_mant": bias, "bias_exp": 3, "vth": vth}
        return {
            "du": round(4096 * du) - 1,
            "dv": round(4096 * dv),
            "bias_mant": np.asarray(bias * 64).astype(int),
            "bias_exp": 6,
            "vth": round(64 * vth),
        }

    def source(self, *shape: int, rate: float = 0.2, steps: int = N_STEPS):
        from lava.proc.io.source import RingBuffer

        return RingBuffer(data=(self.rng.random((*shape, steps)) < rate).astype(int))


def feed_forward(parts: Parts) -> list:
    """Two layers, the second with a bias; the source comes round again."""
    from lava.proc.dense.process import Dense
    from lava.proc.lif.process import LIF

    source = parts.source(12, steps=17)
    first, second = Dense(weights=parts.weights(10, 12)), Dense(weights=parts.weights(6, 10), name="between")
    hidden = LIF(shape=(10,), name="hidden", **parts.parameters(du=0.5, vth=2))
    output = LIF(shape=(6,), name="output", **parts.parameters(bias=0.125, vth=2))
    source.s_out.connect(first.s_in)
    first.a_out.connect(hidden.a_in)
    hidden.s_out.connect(second.s_in)
    second.a_out.connect(output.a_in)
    return [hidden, output]


def recurrent(parts: Parts) -> list:
    """Delays by synapse, a loop, a skip, two sources into one port; parameters by neuron; sums shifted down."""
    from lava.proc.dense.process import DelayDense, Dense
    from lava.proc.lif.process import LIF
    from lava.proc.sparse.process import DelaySparse, Sparse
    from scipy.sparse import csr_matrix

    rng, source = parts.rng, parts.source(8)
    form = {"weight_exp": -1, "num_weight_bits": 6} if parts.fixed else {}
    slow = DelayDense(weights=parts.weights(9, 8), delays=rng.integers(0, 5, (9, 8)), **form)
    loop = Dense(weights=parts.weights(9, 9, low=-24, high=12))
    skip = Sparse(weights=csr_matrix(parts.weights(5, 8) * (rng.random((5, 8)) < 0.4)))
    late = csr_matrix(parts.weights(5, 9) * (rng.random((5, 9)) < 0.6))
    waits = late.copy()
    waits.data = rng.integers(0, 4, waits.data.size)
    behind = DelaySparse(weights=late, delays=waits.astype(int))
    first = LIF(shape=(9,), name="first", **parts.parameters(du=0.25, bias=np.arange(9) / 64))
    second = LIF(shape=(5,), name="second", **parts.parameters(du=0.5))
    spread = rng.integers(1, 4, 9)
    first.vth.init = 64 * spread if parts.fixed else spread / 1
    for into in (slow, skip):
        source.s_out.connect(into.s_in)
    for process, into in ((slow, first), (loop, first), (skip, second), (behind, second)):
        process.a_out.connect(into.a_in)
    for into in (loop, behind):
        first.s_out.connect(into.s_in)
    return [first, second]


def convolution(parts: Parts) -> list:
    """Images that are not square, groups, strides; flattened into Dense, turned into another Conv."""
    from lava.proc.conv.process import Conv
    from lava.proc.dense.process import Dense
    from lava.proc.lif.process import LIF, LIFReset

    source = parts.source(7, 5, 2)
    kernel = {"weight": parts.weights(4, 3, 2, 1, low=-24, high=40), "groups": 2}
    first = Conv(input_shape=(7, 5, 2), stride=(2, 1), padding=(1, 0), **kernel)
    image = LIF(shape=first.a_out.shape, name="image", **parts.parameters(dv=0.25))
    # One threshold a channel, which is Lava's last axis, and one bias a neuron.
    image.vth.init = np.array([32, 64, 96, 64]) if parts.fixed else np.array([0.5, 1, 1.5, 1])
    image.bias_mant.init = parts.rng.integers(-2, 3, image.v.shape) / (1 if parts.fixed else 64)
    across, down, channels = image.s_out.shape
    wide = parts.weights(2, 2, 2, 4, low=-24, high=40)
    second = Conv(weight=wide, input_shape=(down, across, channels), dilation=(2, 1))
    turned = LIF(shape=second.a_out.shape, name="turned", **parts.parameters())
    flat = Dense(weights=parts.weights(3, image.s_out.size, low=-20, high=20))
    classes = LIFReset(shape=(3,), name="classes", reset_interval=10, reset_offset=3, **parts.parameters())
    source.s_out.connect(first.s_in)
    first.a_out.connect(image.a_in)
    image.s_out.transpose((1, 0, 2)).connect(second.s_in)
    second.a_out.connect(turned.a_in)
    image.s_out.flatten().connect(flat.s_in)
    flat.a_out.connect(classes.a_in)
    return [image, turned, classes]


def winner_take_all(parts: Parts) -> list:
    """Graded input, lateral inhibition, a population that nothing reaches, a bias; in floats a refractory period."""
    from lava.proc.dense.process import Dense
    from lava.proc.io.source import RingBuffer
    from lava.proc.lif.process import LIF, LIFRefractory

    source = RingBuffer(data=parts.rng.integers(0, 4, (6, N_STEPS)))
    excite = Dense(weights=parts.weights(8, 6, low=0, high=20), num_message_bits=2)
    inhibit = Dense(weights=-abs(parts.weights(8, 8, low=20, high=40)) * (1 - np.eye(8, dtype=int)))
    inputs = {"shape": (8,), "name": "cells", **parts.parameters(du=0.75, bias=0.0625)}
    cells = LIF(**inputs) if parts.fixed else LIFRefractory(refractory_period=2, **inputs)
    pacer = LIF(shape=(2,), name="pacer", **parts.parameters(bias=0.25))
    pace = Dense(weights=parts.weights(8, 2, low=0, high=16))
    source.s_out.connect(excite.s_in)
    pacer.s_out.connect(pace.s_in)
    cells.s_out.connect(inhibit.s_in)
    for process in (excite, inhibit, pace):
        process.a_out.connect(cells.a_in)
    return [cells, pacer]


def currents(parts: Parts) -> list:
    """A source at the neurons themselves, u and v at the start, LIFResets that reset at steps of their own."""
    from lava.proc.dense.process import Dense
    from lava.proc.io.source import RingBuffer
    from lava.proc.lif.process import LIF, LIFReset

    amounts = parts.rng.integers(-16, 48, (5, 23))
    source = RingBuffer(data=amounts if parts.fixed else amounts / 64)
    unit = 4096 if parts.fixed else 1
    begun = LIF(shape=(5,), name="begun", u=unit * np.arange(5) // 2, v=unit // 2, **parts.parameters(du=0.5))
    between = Dense(weights=parts.weights(5, 5, high=64))
    again = LIFReset(shape=(5,), name="again", reset_interval=9, reset_offset=4, **parts.parameters(bias=0.0625, vth=2))
    also = LIFReset(shape=(5,), name="also", reset_interval=6, reset_offset=7, **parts.parameters())
    then = Dense(weights=parts.weights(5, 5, high=64))
    source.s_out.connect([begun.a_in, again.a_in])
    begun.s_out.connect(between.s_in)
    between.a_out.connect(again.a_in)
    again.s_out.connect(then.s_in)
    then.a_out.connect(also.a_in)
    return [begun, again, also]


GRAPHS = {graph.__name__: graph for graph in (feed_forward, recurrent, convolution, winner_take_all, currents)}


def main(target: str, *names: str) -> None:
    """Read every graph, run all of them at once, compare."""
    if names[0] == "drawn":
        graphs = {str(seed): drawn(Parts(target, seed)) for seed in range(*map(int, names[1:]))}
    else:
        graphs = {name: GRAPHS[name](Parts(target, 7 + len(name))) for name in names}
    from lava.magma.core.run_configs import Loihi2SimCfg

    config = Loihi2SimCfg(select_tag=TAGS[target])
    taken = {name: from_lava(neurons[0], config) for name, neurons in graphs.items()}
    with tempfile.TemporaryDirectory() as folder:
        seen = lava_run(graphs, config, Path(folder))
        report = {name: compared(taken[name], seen[name]) for name in graphs}
    print(json.dumps(report))


def lava_run(graphs: dict, config, folder: Path) -> dict:
    """u, v and s of every population, (step, *shape), by graph and name of the Process."""
    from lava.magma.core.run_conditions import RunSteps
    from lava.proc.dense.process import Dense
    from lava.proc.io.sink import RingBuffer
    from lava.proc.monitor.process import Monitor

    together = RingBuffer(shape=(1,), buffer=1)
    reads: dict = {}
    for graph, neurons in graphs.items():
        join = Dense(weights=np.zeros((1, neurons[0].s_out.size)))
        neurons[0].s_out.flatten().connect(join.s_in)
        join.a_out.connect(together.a_in)
        for process in neurons:
            read = _probed if len(process.v.shape) == 1 else _monitored
            reads[graph, process.name] = read(process, folder / f"{graph}-{process.name}", Monitor)
    together.run(condition=RunSteps(num_steps=N_STEPS), run_cfg=config)
    seen: dict = {graph: {} for graph in graphs}
    for (graph, name), read in reads.items():
        seen[graph][name] = read()
    together.stop()
    return seen


def _probed(process, path: Path, _monitor):
    n = process.v.shape[0]
    for ending, shape, dtype in ((".s", (N_STEPS, n), np.uint8), (".uv", (N_STEPS, 2, n), float)):
        np.lib.format.open_memmap(f"{path}{ending}", mode="w+", dtype=dtype, shape=shape).flush()
    sink = SpikeSink(path=f"{path}.s", n=n)
    probe = lava_processes.StateProbe(path=f"{path}.uv", n=n)
    process.s_out.connect(sink.a_in)
    probe.u.connect_var(process.u)
    probe.v.connect_var(process.v)

    def read():
        state = np.load(f"{path}.uv")
        return {"s": np.load(f"{path}.s"), "u": state[:, 0], "v": state[:, 1]}

    return read


def _monitored(process, _path, monitor):
    monitors = {kind: monitor() for kind in "suv"}
    for kind, watching in monitors.items():
        watching.probe(process.s_out if kind == "s" else getattr(process, kind), N_STEPS)

    def read():
        return {kind: next(iter(next(iter(m.get_data().values())).values())) for kind, m in monitors.items()}

    return read


def compared(taken, seen: dict) -> dict:
    """Population -> backend -> how many of s, u, v differ; and the rate."""
    report = {name: {"rate": float(values["s"].mean())} for name, values in seen.items()}
    for backend in BACKENDS:
        recording = taken.run(N_STEPS, record=("s", "u", "v"), backend=backend)
        for name, place in taken.places.items():
            there = seen[place.process]
            here = {kind: taken.clocked(recording, name, kind)[0][:N_STEPS] for kind in "suv"}
            report[place.process][backend] = [int(np.count_nonzero(here[kind] != there[kind])) for kind in "suv"]
    return report


if __name__ == "__main__":
    main(*sys.argv[1:])
