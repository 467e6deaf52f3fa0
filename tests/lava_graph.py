"""A Lava user's own graph around a network of ours, as a script.

Arguments: the target, "float" or "fixed", and the form, "stock", "stock delays" or "fused"; or "set", for u and v that
are written between two runs.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

import dlm_snn as dlm
from lava_processes import build
from lava_processes.probe.process import StateProbe
from tests.nets import make

N_STEPS = 40


def networks(target):
    """A recurrent network of ours with delays, and the same with the user's population behind it."""
    rng = np.random.default_rng(5)
    if target == "fixed":
        ours = make("int_periodic_delays")[0]
        lif = dlm.IntegerLIF((7,), du=4095, dv=300, v_threshold=60)
        weight = 2 * rng.integers(-20, 40, (7, ours.neurons["output"].n))
        behind = dlm.IntegerProjection("output", "mine", dlm.Dense(weight))
    else:
        ours = make("periodic_delays")[0]
        lif = dlm.LIF((7,), dv=0.125)
        weight = rng.integers(-20, 40, (7, ours.neurons["output"].n)) / 64
        behind = dlm.Projection("output", "mine", dlm.Dense(weight))
    whole = type(ours)({**ours.populations, "mine": lif}, [*ours.projections, behind])
    return ours, whole, behind


def main(target: str, form: str) -> None:
    """Wire, run, compare; 0 spikes may differ."""
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc.dense.process import Dense
    from lava.proc.io.source import RingBuffer
    from lava.proc.lif.process import LIF
    from lava.proc.monitor.process import Monitor

    ours, whole, behind = networks(target)
    source_name, last = next(iter(ours.inputs)), behind.pre
    n = ours.inputs[source_name].n
    events = (np.random.default_rng(6).random((n, N_STEPS)) < 0.25).astype(int)
    mine = whole.neurons["mine"]
    steps = N_STEPS + max(whole.depth.values())

    graph = build(ours, target, fused=form == "fused", stock_delays=form == "stock delays")
    source = RingBuffer(data=np.pad(events, ((0, 0), (0, steps - N_STEPS))))
    dense = Dense(weights=np.array(behind.connection.weight))
    lif = LIF(shape=(7,), du=mine.du, dv=mine.dv, vth=mine.v_threshold)
    source.s_out.connect(graph.in_ports[source_name])
    graph.out_ports[last].connect(dense.s_in)
    dense.a_out.connect(lif.a_in)
    inner, outer = Monitor(), Monitor()
    inner.probe(graph.out_ports[last], steps)
    outer.probe(lif.s_out, steps)
    with tempfile.TemporaryDirectory() as folder:
        path, size = str(Path(folder) / "state.npy"), ours.neurons[last].n
        np.lib.format.open_memmap(path, mode="w+", dtype=np.float64, shape=(steps, 2, size)).flush()
        probe = StateProbe(path=path, n=size)
        probe.u.connect_var(graph.u[last])
        probe.v.connect_var(graph.v[last])
        lif.run(condition=RunSteps(num_steps=steps), run_cfg=Loihi2SimCfg(select_tag=graph.tag))
        seen = [next(iter(next(iter(monitor.get_data().values())).values())) for monitor in (inner, outer)]
        lif.stop()
        state = np.load(path)

    expected = dlm.run(whole, {source_name: events.T[None]}, N_STEPS, record=("s", "u", "v"))
    for name, spikes in zip((last, "mine"), seen, strict=True):
        first = whole.depth[name]
        raster = expected.rasters[name].dense()[0]
        if not 0.02 < raster.mean() < 0.5 or np.any(spikes[first : first + N_STEPS] != raster):
            raise SystemExit(f"{name}: {np.count_nonzero(spikes[first : first + N_STEPS] != raster)} spikes differ")
    rows = state[whole.depth[last] : whole.depth[last] + N_STEPS]
    if np.any(rows[:, 0] != expected.u[last][0]) or np.any(rows[:, 1] != expected.v[last][0]):
        raise SystemExit("u or v differ")
    print("equal")


def written(target: str, fused: bool) -> np.ndarray:
    """Spikes of a population whose u and v are set halfway, and of all behind it."""
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc.io.source import RingBuffer
    from lava.proc.monitor.process import Monitor

    network = make("int_filtered_recurrent" if target == "fixed" else "filtered_recurrent")[0]
    graph = build(network, target, fused=fused)
    rng = np.random.default_rng(3)
    for name, source in network.inputs.items():
        data = (rng.random((source.n, N_STEPS)) < 0.2).astype(int)
        for port in graph.in_ports[name]:
            RingBuffer(data=data).s_out.connect(port)
    monitors = {name: Monitor() for name in network.neurons}
    for name, monitor in monitors.items():
        monitor.probe(graph.out_ports[name], N_STEPS)
    process, config = next(iter(graph.neurons.values())), Loihi2SimCfg(select_tag=graph.tag)
    process.run(condition=RunSteps(num_steps=N_STEPS // 2), run_cfg=config)
    for name, neuron in network.neurons.items():
        threshold = np.max(neuron.v_threshold) * (64 if target == "fixed" else 1)
        for variable in (graph.u[name], graph.v[name]):
            variable.set((threshold * rng.integers(0, 4, neuron.n) / 4).astype(int if target == "fixed" else float))
    process.run(condition=RunSteps(num_steps=N_STEPS // 2), run_cfg=config)
    seen = [next(iter(next(iter(m.get_data().values())).values())) for m in monitors.values()]
    process.stop()
    return np.concatenate(seen, axis=1)


def set_alike(target: str) -> None:
    """The fused Process goes on from what was set, as the graph of stock Processes does."""
    stock, fused = (written(target, fused) for fused in (False, True))
    half = N_STEPS // 2
    if np.any(stock != fused) or not stock[half : half + 2].any():
        raise SystemExit(f"{np.count_nonzero(stock != fused)} spikes differ, {stock[half:].sum()} after the change")
    print("equal")


if __name__ == "__main__":
    set_alike(sys.argv[1]) if sys.argv[2] == "set" else main(*sys.argv[1:])
