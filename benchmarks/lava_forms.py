"""Stock Lava, our graph, the fused Process and the fast simulator on one job: build, run, read the output raster.

Run: python benchmarks/lava_forms.py [--rounds 5] [--samples 64] [--hidden 256] [--arithmetic fixed]. All run in this
interpreter, with Lava loaded; their rasters are compared before anything is timed. "stock" is what a Lava user writes:
RingBuffer -> Dense -> LIFReset -> Dense -> LIFReset -> RingBuffer, sample after sample, the raster read by Var.get.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from workload import N_STEPS, interleaved, median_ratio, network, pixels

import dlm_snn as dlm
from dlm_snn.networks.network import IntegerNetwork
from lava_processes import build
from lava_processes.fused.process import FusedRun
from lava_processes.sink.process import SpikeSink
from lava_processes.source.process import StimulusSource
from lava_processes.support import TAGS


def run_lava(process: Any, steps: int, tag: str) -> None:
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg

    process.run(condition=RunSteps(num_steps=steps), run_cfg=Loihi2SimCfg(select_tag=tag))


def target_of(net: Any) -> str:
    return "fixed" if isinstance(net, IntegerNetwork) else "float"


def stock(net: Any, images: np.ndarray) -> dlm.SpikeRaster:
    """The graph that a Lava user writes by hand."""
    from lava.proc.io.sink import RingBuffer as Sink
    from lava.proc.io.source import RingBuffer as Source

    samples = len(images)
    graph = build(net, target_of(net), period=N_STEPS)
    length = samples * N_STEPS + 2
    columns = np.repeat(images.T.astype(int), N_STEPS, axis=1)
    source = Source(data=np.concatenate([columns, np.zeros((784, 2), int)], axis=1))
    source.s_out.connect(graph.in_ports["pixels"])
    sink = Sink(shape=(10,), buffer=length)
    graph.out_ports["output"].connect(sink.a_in)
    run_lava(sink, length, graph.tag)
    rows = sink.data.get()[:, 2:].T.reshape(samples, N_STEPS, 10)
    sink.stop()
    return dlm.SpikeRaster.from_dense(rows)


def mapped(net: Any, images: np.ndarray) -> dlm.SpikeRaster:
    """The same graph with a memory-mapped source and sink."""
    samples = len(images)
    length = samples * N_STEPS + 2
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "in.npy", images[:, None].astype(np.int32 if target_of(net) == "fixed" else float))
        path = str(Path(folder) / "out.npy")
        np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(length, 10)).flush()
        graph = build(net, target_of(net), period=N_STEPS)
        source = StimulusSource(
            path=str(Path(folder) / "in.npy"), n=784, n_steps=N_STEPS, period=N_STEPS, count=samples
        )
        source.s_out.connect(graph.in_ports["pixels"])
        sink = SpikeSink(path=path, n=10)
        graph.out_ports["output"].connect(sink.a_in)
        run_lava(sink, length, graph.tag)
        sink.stop()
        return dlm.SpikeRaster.from_dense(np.load(path)[2:].reshape(samples, N_STEPS, 10))


def fused(net: Any, images: np.ndarray) -> dlm.SpikeRaster:
    """One Process for the whole network."""
    samples = len(images)
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "in.npy", images[:, None].astype(np.int32 if target_of(net) == "fixed" else float))
        path = str(Path(folder) / "out.npy")
        np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(N_STEPS, samples, 10)).flush()
        files = {"stimuli": {"pixels": str(Path(folder) / "in.npy")}, "spikes": {"output": path}, "traces": {}}
        process = FusedRun(network=net, samples=samples, **files)
        run_lava(process, N_STEPS, TAGS[target_of(net)])
        process.stop()
        return dlm.SpikeRaster.from_dense(np.load(path).swapaxes(0, 1))


def fast(net: Any, images: np.ndarray) -> dlm.SpikeRaster:
    """No Lava at all."""
    return dlm.run(net, {"pixels": images}, N_STEPS, record={"output": "s"}, backend="fast").rasters["output"]


FORMS = {"stock": stock, "mapped": mapped, "fused": fused, "fast": fast}


def main() -> None:
    """Print one line for each network and form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--samples", type=int, nargs="+", default=[64])
    parser.add_argument("--hidden", type=int, nargs="+", default=[256, 1024])
    parser.add_argument("--arithmetic", nargs="+", choices=["float", "fixed"], default=["float", "fixed"])
    parser.add_argument("--forms", nargs="+", choices=[*FORMS], default=[*FORMS])
    chosen = parser.parse_args()
    print("| net | samples | form | median s | times as fast as stock |\n|---|---|---|---|---|")
    for hidden in chosen.hidden:
        for arithmetic in chosen.arithmetic:
            for samples in chosen.samples:
                net, images = network(hidden, arithmetic == "fixed"), pixels(samples)
                rasters = {name: FORMS[name](net, images) for name in chosen.forms}
                first = rasters[chosen.forms[0]]
                if not all(raster == first for raster in rasters.values()) or not 0.02 < first.rate < 0.4:
                    raise SystemExit(f"the forms differ, or fire at {first.rate:.1%}: nothing is compared")
                jobs = {name: partial(FORMS[name], net, images) for name in chosen.forms}
                seconds = interleaved(jobs, chosen.rounds)
                for name in chosen.forms:
                    ratio = median_ratio(seconds[chosen.forms[0]], seconds[name])
                    middle = statistics.median(seconds[name])
                    print(
                        f"| 784-{hidden}-10 {arithmetic} | {samples} | {name} | {middle:.3f} | {ratio:.1f} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
