"""A step of a graph of one's own: a network of ours in it as stock processes, or as one Process.

Run: python benchmarks/own_graph.py [--steps 400] [--rounds 5]. A RingBuffer sends spikes into the network, another one
takes its output, as a Lava user wires them; 784-256-10 and six layers, in 8 bits. Both graphs are built and started,
and run some steps that do not count; then they run in turn, so many steps each. "processes" is the number of Lava
processes, each in a process of the operating system. Output spikes are compared before anything is timed.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from workload import DECAY, interleaved, median_ratio

import dlm_snn as dlm
from lava_processes import build

SIZES = {"784-256-10": (784, 256, 10), "784-512-256-256-128-64-10": (784, 512, 256, 256, 128, 64, 10)}
FORMS = {"stock processes": False, "one Process": True}


def network(sizes: Sequence[int]) -> dlm.IntegerNetwork:
    """Dense layers whose neurons spike in some 10 to 30 % of the steps."""
    rng = np.random.default_rng(0)
    populations: dict[str, Any] = {"l0": dlm.Input((sizes[0],))}
    projections = []
    for layer, (n_pre, n_post) in enumerate(pairwise(sizes), 1):
        weight = 2 * rng.integers(-50, 54, (n_post, n_pre))
        populations[f"l{layer}"] = dlm.IntegerLIF((n_post,), dv=DECAY, v_threshold=int(30 * n_pre**0.5))
        projections.append(dlm.IntegerProjection(f"l{layer - 1}", f"l{layer}", dlm.Dense(weight)))
    return dlm.IntegerNetwork(populations, tuple(projections))


class Running:
    """A graph that has been started."""

    def __init__(self, net: dlm.IntegerNetwork, events: np.ndarray, fused: bool, compared: int) -> None:
        from lava.magma.core.run_configs import Loihi2SimCfg
        from lava.proc.io.sink import RingBuffer as Sink
        from lava.proc.io.source import RingBuffer as Source

        graph = build(net, "fixed", fused=fused)
        last = list(net.neurons)[-1]
        source, self.sink = Source(data=events), Sink(shape=(net.populations[last].n,), buffer=compared)
        source.s_out.connect(graph.in_ports["l0"])
        graph.out_ports[last].connect(self.sink.a_in)
        self.config = Loihi2SimCfg(select_tag=graph.tag)
        self.run(compared)
        self.first: np.ndarray = self.sink.data.get()
        self.processes = len(self.sink.runtime._messaging_infrastructure.actors)

    def run(self, steps: int) -> None:
        """So many steps more."""
        from lava.magma.core.run_conditions import RunSteps

        self.sink.run(condition=RunSteps(num_steps=steps), run_cfg=self.config)


def main() -> None:
    """Print a line for each network and form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    print("| net | form | processes | ms a step | times as fast |\n|---|---|---|---|---|")
    for title, sizes in SIZES.items():
        net = network(sizes)
        events = (np.random.default_rng(1).random((sizes[0], 100)) < 0.1).astype(int)
        graphs = {form: Running(net, events, fused, 60) for form, fused in FORMS.items()}
        stock, one = (graph.first for graph in graphs.values())
        alike = np.array_equal(stock, one) and 0.02 < stock.mean() < 0.5
        rounds = chosen.rounds if alike else 0
        seconds = interleaved({form: partial(g.run, chosen.steps) for form, g in graphs.items()}, rounds)
        for graph in graphs.values():
            graph.sink.stop()
        if not alike:
            raise SystemExit(f"the forms differ, or fire at {stock.mean():.1%}: nothing is compared")
        for form, graph in graphs.items():
            ratio = median_ratio(seconds["stock processes"], seconds[form])
            step = 1e3 * statistics.median(seconds[form]) / chosen.steps
            print(f"| {title} | {form} | {graph.processes} | {step:.2f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
