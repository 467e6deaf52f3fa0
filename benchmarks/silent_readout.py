"""A read-out without spikes on the digits: float and 8 bits, in every simulator, v against the reference's.

Run: python -m benchmarks.silent_readout [--samples 450] [--epochs 30]. A network 64-128-10, LIF and LI, is trained
by its own surrogate gradients on the mean v, converted to 8 bits, and run on the held-out images. Exit code 1 where a
simulator differs, or 8 bits cost more than half a point.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import dlm_snn as dlm
from dlm_snn.backends.torch import SpikingModule
from dlm_snn.surrogate import surrogate
from dlm_snn.tasks.parts import DataConfig, Split, split

N_STEPS, N_HIDDEN = 20, 128
KIND = "mean"
SIMULATORS = {
    "float": ("fast", "torch", "snntorch", "brian2", "lava-float", "lava-fused"),
    "integer": ("fast", "torch", "lava-fixed", "lava-fused"),
}
ALLOWED = 0.005
"""Accuracy that 8 bits may cost."""


def trained(data: Split, epochs: int, du: float, seed: int = 0) -> dlm.Network:
    """Hidden LIF neurons and a read-out without spikes; cross-entropy of the mean v."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    populations = {
        "pixels": dlm.Input((64,), graded_bits=5, scale=16),
        "hidden": dlm.LIF((N_HIDDEN,), dv=0.125, v_threshold=0.5),
        "output": dlm.LI((10,), dv=0.0625, du=du),
    }
    weights = (rng.normal(0, 64**-0.5, (N_HIDDEN, 64)), rng.normal(0, N_HIDDEN**-0.5, (10, N_HIDDEN)))
    ways = (("pixels", "hidden"), ("hidden", "output"))
    projections = [dlm.Projection(*way, dlm.Dense(weight)) for way, weight in zip(ways, weights, strict=True)]
    # A bias beside a filtered current would be added to v alone, for which snnTorch has no neuron.
    module = SpikingModule(dlm.Network(populations, projections), surrogate("fast_sigmoid", 5.0), biases=du == 1)
    optimizer = torch.optim.Adam(module.parameters(), lr=2e-3)
    x, y = torch.tensor(data.x_train.astype(np.int64)), torch.tensor(data.y_train)
    for _ in range(epochs):
        for part in torch.tensor(rng.permutation(len(x))).split(64):
            v = module({"pixels": x[part]}, N_STEPS, ["output"])["output"].mean(0)
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(v, y[part]).backward()
            optimizer.step()
    network = module.network()
    if not isinstance(network, dlm.Network):
        raise TypeError(type(network).__name__)
    return network


def simulated(network: Any, x: NDArray, backend: str) -> dlm.Recording:
    """All states of a run on some images."""
    return dlm.run(network, {"pixels": x}, N_STEPS, ("s", "u", "v"), backend=backend)


def held_against_each_other(data: Split, epochs: int, du: float, samples: int) -> bool:
    """Print a table; whether all simulators agree and 8 bits cost little enough."""
    floats = trained(data, epochs, du)
    integers, report = dlm.quantize(floats, 8, {"pixels": data.x_train[:300]}, N_STEPS, data.y_train[:300], KIND)
    print(f"\ndu = {du}, read by the {KIND} v\n{report}\n")
    print("| arithmetic | simulator | samples | accuracy | spikes that differ | largest difference of v | ties |")
    print("|---|---|---|---|---|---|---|")
    equal, right = True, {}
    for arithmetic, network in (("float", floats), ("integer", integers)):
        truth = simulated(network, data.x_test, "reference")
        right[arithmetic] = dlm.accuracy(truth, data.y_test, KIND)
        print(f"| {arithmetic} | reference | {len(data.y_test)} | {right[arithmetic]:.2%} | - | - | - |")
        if arithmetic == "integer":
            counted = truth.overflow["output"]
            print(f"| | | | {counted.wraps} wraps, {counted.saturations} saturations | | | |")
        few = simulated(network, data.x_test[:samples], "reference")
        for backend in SIMULATORS[arithmetic]:
            there = simulated(network, data.x_test[:samples], backend)
            comparison = dlm.compare(few, there)
            equal = equal and comparison.equal
            found = f"{dlm.accuracy(there, data.y_test[:samples], KIND):.2%} | {comparison.differ}"
            gap = comparison.values["output"][1]
            row = (arithmetic, backend, comparison.n_samples, found, f"{gap:.1e}", len(comparison.ties))
            print(f"| {' | '.join(map(str, row))} |", flush=True)
    lost = right["float"] - right["integer"]
    print(f"\n8 bits cost {100 * lost:.2f} points; the simulators {'agree' if equal else 'DIFFER'}")
    return equal and abs(lost) <= ALLOWED


def main() -> int:
    """Both kinds of current."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=450, help="held-out images that every simulator runs")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--du", type=float, nargs="+", default=[1.0, 0.25], help="of the read-out's current")
    arguments = parser.parse_args()
    data = split(DataConfig(dataset="digits"))
    found = [held_against_each_other(data, arguments.epochs, du, arguments.samples) for du in arguments.du]
    return int(not all(found))


if __name__ == "__main__":
    sys.exit(main())
