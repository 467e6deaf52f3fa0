"""The fast simulator against the bare matrix products of the same shapes: 10,000 images, 784-1024-10, 25 steps, 8 bit.

Run: python benchmarks/fast_batch.py [--rounds 5]. Constant pixels: the products are one (images, 784) @ (784, 1024)
and 25 (images, 1024) @ (1024, 10), all in float32. Spikes from pixels: 25 of both. Only the output raster is recorded.
The peak memory is that of a run in a process of its own. MNIST comes from $DLM_DATA/mnist.npz where that is set, else
images as dark as its.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from workload import N_STEPS, interleaved, median_ratio, network, pixels

import dlm_snn as dlm

IMAGES = 10_000
HIDDEN = 1024


def images() -> NDArray[np.uint8]:
    """(sample, 784)."""
    folder = os.environ.get("DLM_DATA")
    if folder is None:
        return pixels(IMAGES)
    return np.load(Path(folder) / "mnist.npz")["x_test"].reshape(IMAGES, 784)


def stimulus(coding: str) -> NDArray[np.uint8]:
    """The images held constant, or as spikes with the probability of each pixel, (sample, step, 784)."""
    if coding == "constant":
        return images()
    rng = np.random.default_rng(2)
    shown = images()
    spikes = np.empty((IMAGES, N_STEPS, 784), dtype=np.uint8)
    for step in range(N_STEPS):
        spikes[:, step] = rng.integers(0, 255, shown.shape, dtype=np.uint8) < shown
    return spikes


def simulate(coding: str, given: NDArray[np.uint8], record: Any = None) -> dlm.Recording:
    net = network(HIDDEN, integer=True, graded=coding == "constant")
    return dlm.run(net, {"pixels": given}, N_STEPS, record=record or {"output": "s"}, backend="fast")


def products(coding: str) -> Any:
    """A job: the bare products."""
    net = network(HIDDEN, integer=True, graded=coding == "constant")
    first, second = (np.ascontiguousarray(p.connection.weight.T, dtype=np.float32) for p in net.projections)
    rng = np.random.default_rng(3)
    inputs = (rng.random((IMAGES, 784)) < 0.13).astype(np.float32)
    hidden = (rng.random((IMAGES, HIDDEN)) < 0.15).astype(np.float32)
    a, b = np.empty((IMAGES, HIDDEN), np.float32), np.empty((IMAGES, 10), np.float32)

    def job() -> None:
        for step in range(N_STEPS):
            if step == 0 or coding == "spikes":
                np.matmul(inputs, first, out=a)
            np.matmul(hidden, second, out=b)

    return job


def peak_memory(coding: str) -> float:
    """GiB that one run takes in a process of its own, interpreter and stimulus included."""
    command = [sys.executable, __file__, "--one", coding]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])


def main() -> None:
    """Print one line for each way of coding."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", choices=["constant", "spikes"], help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        simulate(chosen.one, stimulus(chosen.one))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
        return
    print("| coding | fires (hidden, output) | simulator s | products s | ratio | samples/s | peak GiB |")
    print("|---|---|---|---|---|---|---|")
    for coding in ("constant", "spikes"):
        given = stimulus(coding)
        rates = [f"{r.rate:.1%}" for r in simulate(coding, given[:500], "s").rasters.values()]
        jobs = {"simulator": lambda c=coding, g=given: simulate(c, g), "products": products(coding)}
        seconds = interleaved(jobs, chosen.rounds)
        middle = {name: statistics.median(times) for name, times in seconds.items()}
        ratio = median_ratio(seconds["simulator"], seconds["products"])
        print(
            f"| {coding} | {', '.join(rates)} | {middle['simulator']:.2f} | {middle['products']:.2f} | {ratio:.2f} | "
            f"{IMAGES / middle['simulator']:.0f} | {peak_memory(coding):.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
