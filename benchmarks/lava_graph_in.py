"""A graph that a Lava user wrote: its own run against from_lava and the fast simulator, on one job.

Run: python benchmarks/lava_graph_in.py [--rounds 5] [--samples 64] [--nets small six] [--arithmetic float fixed].

The graph is RingBuffer -> (Dense -> LIFReset) x layers -> RingBuffer, its samples one after the other, 25 steps each.
"stock" is its own run: build, compile, run, read the last layer's raster by Var.get. "from_lava" is the same graph
built, read by from_lava and run by *fast*: as it is, all steps in sequence, or its samples side by side. All rasters
are compared before anything is timed; Lava is loaded before.
"""

from __future__ import annotations

import argparse
import statistics
from functools import cache, partial
from itertools import pairwise
from typing import Any

import numpy as np
from workload import N_STEPS, interleaved, median_ratio

import dlm_snn as dlm
from lava_processes import from_lava

NETS = {"784-256-10": (784, 256, 10), "784-512-256-256-128-64-10": (784, 512, 256, 256, 128, 64, 10)}
TAGS = {"float": "floating_pt", "fixed": "fixed_pt"}
RATE, THRESHOLD = 0.1, 1.5


@cache
def numbers(sizes: tuple[int, ...], samples: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Events (neuron, step) and weights, which a user has before the job."""
    rng = np.random.default_rng(0)
    events = (rng.random((sizes[0], samples * N_STEPS)) < RATE).astype(int)
    padded = np.pad(events, ((0, 0), (0, len(sizes) - 1)))
    return padded, [2 * rng.integers(-32, 33, (post, pre)) for pre, post in pairwise(sizes)]


def graph(sizes: tuple[int, ...], fixed: bool, samples: int) -> list[Any]:
    """The neuron Processes, from the first layer to the last; both arithmetics have the same numbers."""
    from lava.proc.dense.process import Dense
    from lava.proc.io.source import RingBuffer
    from lava.proc.lif.process import LIFReset

    events, matrices = numbers(sizes, samples)
    before = RingBuffer(data=events).s_out
    decays = {"du": 4095, "dv": 410} if fixed else {"du": 1, "dv": 410 / 4096}
    layers = []
    for layer, weights in enumerate(matrices):
        post, pre = weights.shape
        # Some standard deviations of what a step brings.
        threshold = int(THRESHOLD * np.sqrt(RATE * pre) * 37)
        resets = {"reset_interval": N_STEPS, "reset_offset": layer + 2}
        dense = Dense(weights=weights if fixed else weights.astype(float))
        cells = LIFReset(shape=(post,), vth=threshold, name=f"layer{layer}", **decays, **resets)
        before.connect(dense.s_in)
        dense.a_out.connect(cells.a_in)
        before = cells.s_out
        layers.append(cells)
    return layers


def config_of(fixed: bool) -> Any:
    from lava.magma.core.run_configs import Loihi2SimCfg

    return Loihi2SimCfg(select_tag=TAGS["fixed" if fixed else "float"])


def stock(sizes: tuple[int, ...], fixed: bool, samples: int) -> dlm.SpikeRaster:
    """The graph's own run."""
    from lava.magma.core.run_conditions import RunSteps
    from lava.proc.io.sink import RingBuffer

    layers = graph(sizes, fixed, samples)
    length = samples * N_STEPS + len(layers)
    sink = RingBuffer(shape=(sizes[-1],), buffer=length)
    layers[-1].s_out.connect(sink.a_in)
    sink.run(condition=RunSteps(num_steps=length), run_cfg=config_of(fixed))
    rows = sink.data.get()[:, len(layers) :].T.reshape(samples, N_STEPS, -1)
    sink.stop()
    return dlm.SpikeRaster.from_dense(rows)


def sequence(sizes: tuple[int, ...], fixed: bool, samples: int) -> dlm.SpikeRaster:
    """The same steps by from_lava and the fast simulator."""
    layers = graph(sizes, fixed, samples)
    length = samples * N_STEPS + len(layers)
    taken = from_lava(layers[-1], config_of(fixed))
    name = layers[-1].name
    rows = taken.run(length, record={name: "s"}).rasters[name].dense()[0]
    return dlm.SpikeRaster.from_dense(rows[: samples * N_STEPS].reshape(samples, N_STEPS, -1))


def batch(sizes: tuple[int, ...], fixed: bool, samples: int) -> dlm.SpikeRaster:
    """The samples side by side, as the resets between them allow."""
    layers = graph(sizes, fixed, samples)
    taken = from_lava(layers[-1], config_of(fixed))
    name = layers[-1].name
    return dlm.run(taken.network, taken.samples(samples), N_STEPS, record={name: "s"}, backend="fast").rasters[name]


FORMS = {"stock": stock, "from_lava": sequence, "from_lava, samples side by side": batch}


def main() -> None:
    """Print one line for each network and form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--nets", nargs="+", choices=[*NETS], default=[*NETS])
    parser.add_argument("--arithmetic", nargs="+", choices=[*TAGS], default=[*TAGS])
    chosen = parser.parse_args()
    print("| net | arithmetic | form | median s | times as fast | last layer's rate |\n|---|---|---|---|---|---|")
    for net in chosen.nets:
        for arithmetic in chosen.arithmetic:
            given = (NETS[net], arithmetic == "fixed", chosen.samples)
            rasters = [form(*given) for form in FORMS.values()]
            first = rasters[0]
            if not all(raster == first for raster in rasters) or not 0.02 < first.rate < 0.5:
                raise SystemExit(f"{net}: the forms differ, or fire at {first.rate:.1%}: nothing is compared")
            seconds = interleaved({name: partial(form, *given) for name, form in FORMS.items()}, chosen.rounds)
            for name in FORMS:
                ratio = median_ratio(seconds["stock"], seconds[name])
                middle = statistics.median(seconds[name])
                print(f"| {net} | {arithmetic} | {name} | {middle:.4f} | {ratio:.0f} | {first.rate:.1%} |", flush=True)


if __name__ == "__main__":
    main()
