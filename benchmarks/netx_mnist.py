"""A network that others trained, on all 10,000 MNIST test images: accuracy, time, and 100 images against stock Lava.

Run: DLM_DATA=folder python benchmarks/netx_mnist.py [--compared 100]. The folder holds mnist.npz and
netx/mnist/network.net (lava-dl's tutorial, BSD-3). Spikes from pixels: v += pixel / 255, spike when v > 1, v = 0.
"""

from __future__ import annotations

import argparse
import os
import statistics
from pathlib import Path
from time import perf_counter

import numpy as np

import dlm_snn as dlm
from dlm_snn.exchange.netx.reader import read_net
from dlm_snn.tasks.encoding import pixels_to_spikes

N_STEPS = 32


def main() -> None:
    """Print accuracy and agreement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compared", type=int, default=100, help="images that stock Lava simulates too")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    folder = Path(os.environ["DLM_DATA"])
    network = read_net(folder / "netx" / "mnist" / "network.net")
    with np.load(folder / "mnist.npz") as stored:
        images, labels = stored["x_test"], stored["y_test"]
    times, recording = [], None
    for _ in range(arguments.rounds):
        start = perf_counter()
        spikes = pixels_to_spikes(images, N_STEPS)
        encoded = perf_counter()
        recording = dlm.run(network, {"input": spikes}, N_STEPS, record={"layer2": "s"}, backend="fast")
        classes = dlm.read_out(recording.rasters["layer2"])
        times.append((encoded - start, perf_counter() - encoded))
    encoding, simulation = (statistics.median(part) for part in zip(*times, strict=True))
    print(
        f"{len(images)} images, {N_STEPS} steps, {len(spikes)} input spikes: accuracy {np.mean(classes == labels):.2%}"
    )
    print(f"no output spike: {np.mean(classes < 0):.2%}; encoded in {encoding:.2f} s, simulated in {simulation:.2f} s")
    few = spikes[: arguments.compared]
    for backend in ("lava-fixed", "reference"):
        runs = [dlm.run(network, {"input": few}, N_STEPS, ("s", "u", "v"), backend=b) for b in ("fast", backend)]
        comparison = dlm.compare(*runs)
        total = sum(counts[0] for counts in comparison.spikes.values())
        told = f"{comparison.differ} of {total} spikes differ; {comparison}"
        print(f"fast against {backend}, {arguments.compared} images: {told}")


if __name__ == "__main__":
    main()
