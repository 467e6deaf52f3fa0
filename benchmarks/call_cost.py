"""What one call of ``dlm.run`` costs: beside the backend's own time, and on Lava, in an interpreter that waits for it
or in one that is started for it.

Run: python benchmarks/call_cost.py [--rounds 7] [--calls 200]. An 8-bit 64-128-10 network, 25 steps, binary spikes,
every spike recorded. First warm calls of one sample on "fast", and the backend module's own ``run`` between them,
medians of process time; then whole calls on "fast", "lava-fused" and "lava-fixed" (each with and without a start) of 1
and of 64 samples, of that network and of 784-1024-10, interleaved, medians of wall time. Rasters are compared before
anything is timed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import workload
from workload import N_STEPS, interleaved, median_ratio

import dlm_snn as dlm
from dlm_snn.plugins import load

CALLS: dict[tuple[str, str], dict[str, Any]] = {("fast", ""): {}} | {
    (backend, how): {"reuse": reuse}
    for backend in ("lava-fused", "lava-fixed")
    for how, reuse in (("waiting", True), ("started", False))
}


def small() -> tuple[Any, Any]:
    """64-128-10 and 64 samples of spikes."""
    rng = np.random.default_rng(0)
    w1, w2 = rng.normal(0, 0.3, (128, 64)), rng.normal(0, 0.3, (10, 128))
    populations = {"x": dlm.Input((64,)), "hidden": dlm.LIF((128,), dv=0.1), "output": dlm.LIF((10,), dv=0.1)}
    projections = [dlm.Projection("x", "hidden", dlm.Dense(w1)), dlm.Projection("hidden", "output", dlm.Dense(w2))]
    spikes = rng.random((64, N_STEPS, 64)) < 0.2
    integer, _ = dlm.quantize(dlm.Network(populations, projections), 8, {"x": spikes}, N_STEPS)
    return integer, spikes


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
    net, spikes = small()
    module, one = load("dlm_snn.backends", "fast"), {"x": spikes[:1]}
    call, own = alternating(
        lambda: dlm.run(net, one, N_STEPS, backend="fast"), lambda: module.run(net, one, N_STEPS), chosen.calls
    )
    print(f"one sample, warm: dlm.run {call:.3f} ms, the backend's own run {own:.3f} ms, ratio {call / own:.2f}\n")
    print("| net | samples | backend | interpreter | s a call | times as fast as lava-fixed |")
    print("|---|---|---|---|---|---|")
    whole_calls("64-128-10", net, {"x": spikes}, chosen.rounds)
    large = workload.network(1024, integer=True, graded=False)
    whole_calls("784-1024-10", large, {"pixels": workload.spikes(64)}, chosen.rounds)


def whole_calls(title: str, net: Any, given: Mapping[str, Any], rounds: int) -> None:
    """A line for each backend and number of samples."""
    for samples in (1, 64):
        part = {name: values[:samples] for name, values in given.items()}
        jobs = {
            name: partial(dlm.run, net, part, N_STEPS, backend=name[0], **options) for name, options in CALLS.items()
        }
        rasters = [job().rasters for job in jobs.values()]
        if any(other != rasters[0] for other in rasters):
            raise SystemExit("the backends differ: nothing is compared")
        seconds = interleaved(jobs, rounds)
        for name, taken in seconds.items():
            ratio = median_ratio(seconds["lava-fixed", name[1] or "waiting"], taken)
            median = statistics.median(taken)
            print(f"| {title} | {samples} | {' | '.join(name)} | {median:.4g} | {ratio:.3g} |", flush=True)


if __name__ == "__main__":
    main()
