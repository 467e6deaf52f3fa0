"""What one call of ``dlm.run`` costs: beside the backend's own time, and on Lava, in an interpreter that waits for it
or in one that is started for it.

Run: python benchmarks/call_cost.py [--rounds 7] [--calls 200]. A 64-128-10 network, 25 steps, binary spikes, every
spike recorded. First warm calls of one sample on "fast", and the backend module's own ``run`` between them, medians of
process time; then whole calls on Lava of 1 and of 64 samples, of that network and of 784-1024-10, "lava-float" with
floats and the others with 8 bits: waiting, started and "fast" interleaved, medians of wall time, and the median of the
ratio within a round. Rasters are compared before anything is timed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import workload
from workload import N_STEPS, interleaved, median_ratio

import dlm_snn as dlm
from dlm_snn.plugins import load

BACKENDS = {"lava-float": "float", "lava-fixed": "8 bit", "lava-fused": "8 bit"}
"""Which of a pair of networks each is given."""


def small() -> tuple[dict[str, Any], Any]:
    """64-128-10 in floats and in 8 bits, and 64 samples of spikes."""
    rng = np.random.default_rng(0)
    w1, w2 = rng.normal(0, 0.3, (128, 64)), rng.normal(0, 0.3, (10, 128))
    populations = {"x": dlm.Input((64,)), "hidden": dlm.LIF((128,), dv=0.1), "output": dlm.LIF((10,), dv=0.1)}
    projections = [dlm.Projection("x", "hidden", dlm.Dense(w1)), dlm.Projection("hidden", "output", dlm.Dense(w2))]
    spikes = rng.random((64, N_STEPS, 64)) < 0.2
    net = dlm.Network(populations, projections)
    integer, _ = dlm.quantize(net, 8, {"x": spikes}, N_STEPS)
    return {"float": net, "8 bit": integer}, spikes


def alternating(first: Callable[[], Any], second: Callable[[], Any], calls: int) -> list[float]:
    """Median process time of each in ms, one call of the one after one of the other."""
    times: tuple[list[float], list[float]] = ([], [])
    for index in range(2 * calls + 2):
        start = time.thread_time()
        (first, second)[index % 2]()
        times[index % 2].append(1e3 * (time.thread_time() - start))
    return [statistics.median(each[1:]) for each in times]


def main() -> None:
    """Print the two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=200)
    chosen = parser.parse_args()
    nets, spikes = small()
    net, module, one = nets["8 bit"], load("dlm_snn.backends", "fast"), {"x": spikes[:1]}
    call, own = alternating(
        lambda: dlm.run(net, one, N_STEPS, backend="fast"), lambda: module.run(net, one, N_STEPS), chosen.calls
    )
    print(f"one sample, warm: dlm.run {call:.3f} ms, the backend's own run {own:.3f} ms, ratio {call / own:.2f}\n")
    print("| net | samples | backend | waiting, s | started, s | times | *fast*, s |")
    print("|---|---|---|---|---|---|---|")
    whole_calls("64-128-10", nets, {"x": spikes}, chosen.rounds)
    large = {kind: workload.network(1024, integer=kind == "8 bit", graded=False) for kind in nets}
    whole_calls("784-1024-10", large, {"pixels": workload.spikes(64)}, chosen.rounds)


def whole_calls(title: str, nets: Mapping[str, Any], given: Mapping[str, Any], rounds: int) -> None:
    """A line for each backend and number of samples."""
    for samples, (backend, kind) in product((1, 64), BACKENDS.items()):
        part = {name: values[:samples] for name, values in given.items()}
        job = partial(dlm.run, nets[kind], part, N_STEPS)
        jobs = {
            "waiting": partial(job, backend=backend, reuse=True),
            "started": partial(job, backend=backend, reuse=False),
            "fast": partial(job, backend="fast"),
        }
        rasters = [job().rasters for job in jobs.values()]
        if any(other != rasters[0] for other in rasters):
            raise SystemExit("the backends differ: nothing is compared")
        seconds = interleaved(jobs, rounds)
        waiting, started, fast = (f"{statistics.median(taken):.3g}" for taken in seconds.values())
        ratio = median_ratio(seconds["started"], seconds["waiting"])
        print(f"| {title} | {samples} | {backend} | {waiting} | {started} | {ratio:.3g} | {fast} |", flush=True)


if __name__ == "__main__":
    main()
