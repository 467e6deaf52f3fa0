"""What measuring the thermodynamics costs beside the Langevin step without it, on the spiking MNIST network.

Run: DLM_DATA=DIR OMP_NUM_THREADS=1 python benchmarks/physics_cost.py. 784-256-10, 26 winners, 20 steps; every kind
takes the same batches in turn, medians of the rounds; without MNIST random pixels of the same shape. "sgd" is torch's
SGD with momentum.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from dlm_snn.backends.torch import SpikingModule
from dlm_snn.physics.weights.optimizer import Langevin
from dlm_snn.surrogate import surrogate
from dlm_snn.training.initial import initial_network

SIZES = {"batch 32": 32, "batch 128": 128, "batch 256": 256, "full batch 1000": 1000}


def images(n: int) -> tuple[np.ndarray, np.ndarray]:
    """MNIST where it is, else noise."""
    from dlm_snn.errors import DlmError
    from dlm_snn.tasks.datasets import mnist

    try:
        data: Any = mnist(None)
        return data.x_train[:n], data.y_train[:n]
    except DlmError:
        rng = np.random.default_rng(0)
        return rng.integers(0, 256, (n, 784)).astype(np.uint8) * (rng.random((n, 784)) < 0.2), rng.integers(0, 10, n)


def stepper(kind: str, full: bool) -> Callable[[np.ndarray, np.ndarray], None]:
    """A training step of one kind."""
    network = initial_network(784, (256,), 10, np.random.default_rng(0), dv=410 / 4096, winners=26)
    module = SpikingModule(network, surrogate("fast_sigmoid", 5))
    weights = list(module.weights)
    constants: dict[str, Any] = {"temperature": 1e-6, "friction": 0.325, "alpha": 0.5, "warmup": 0}
    optimizer: Any
    if kind == "sgd":
        optimizer = torch.optim.SGD(weights, lr=0.1, momentum=0.9)
    else:
        optimizer = Langevin(
            weights,
            0.05,
            torch.Generator().manual_seed(0),
            measure=kind == "measured",
            full_batch=full,
            surrogate="fast_sigmoid(5)",
            **constants,
        )

    def step(x: np.ndarray, y: np.ndarray) -> None:
        """One update of the weights."""

        def closure() -> torch.Tensor:
            optimizer.zero_grad()
            counts = module({"pixels": torch.tensor(x)}, 20, ["output"])["output"].sum(0)
            loss = torch.nn.functional.cross_entropy(0.5 * counts, torch.tensor(y))
            loss.backward()
            return loss

        if kind == "measured":
            optimizer.step(closure)
        else:
            closure()
            optimizer.step()

    return step


def main() -> None:
    """Print a line a batch size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    x, y = images(1000)
    print("| batch | torch's SGD, ms | Langevin / SGD | measured / Langevin |\n|---|---|---|---|")
    for name, size in SIZES.items():
        steps = {kind: stepper(kind, size == 1000) for kind in ("sgd", "langevin", "measured")}
        times: dict[str, list[float]] = {kind: [] for kind in steps}
        for number in range(rounds + 2):
            start = 0 if size == 1000 else number * size % (1000 - size)
            for kind, step in steps.items():
                begun = time.perf_counter()
                step(x[start : start + size], y[start : start + size])
                if number >= 2:
                    times[kind].append(time.perf_counter() - begun)
        sgd, plain, measured = (statistics.median(times[kind]) for kind in steps)
        print(f"| {name} | {sgd * 1e3:.1f} | {plain / sgd:.3f} | {measured / plain:.3f} |", flush=True)


if __name__ == "__main__":
    main()
