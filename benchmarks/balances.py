"""First law and current's work on networks: smooth, soft-spiking and hard-spiking, with intervals over seeds.

Run: DLM_DATA=DIR OMP_NUM_THREADS=1 python -m benchmarks.balances --mnist. Overdamped, float64, full batch, alpha = 1,
a random full pairing;
residual / heat (the surrogate's work / heat on hard spikes) and the current's work over its prediction, the integral of
|Q g|^2, with its standard error sqrt(2 T w). By layer: the surrogate's work along the path that moves layer 1 first.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from scipy.stats import t as student

from dlm_snn.physics.currents import paired
from dlm_snn.physics.langevin import Dynamics, Loss, init, step
from dlm_snn.physics.thermodynamics import surrogate_work_by_layer
from dlm_snn.surrogate import SoftSpikes, surrogate
from dlm_snn.tasks.datasets import digits, mnist
from tests.balancing import LAYERS, balances, smooth_network, spiking_digits

SAMPLES = 1000


def interval(values: list[float]) -> str:
    """Mean and 95 % interval."""
    half = student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{np.mean(values):+.3g} +- {half:.2g}"


def line(name: str, theta: torch.Tensor, loss: Loss, h: float, time: float, temperature: float, seeds: int) -> None:
    """Print one row."""
    found = [balances(theta, loss, h, time, temperature, seed=seed) for seed in range(seeds)]
    ratio = interval([s.residual / s.heat for s in found])
    work = interval([s.work / s.predicted for s in found])
    error = np.mean([s.error / s.predicted for s in found])
    print(f"| {name} | {h:g} | {temperature:g} | {ratio} | {work} | {error:.3f} |", flush=True)


def by_layer(theta: torch.Tensor, loss: Loss, h: float, time: float, temperature: float, seeds: int) -> None:
    """Print the surrogate's work of each layer over the heat."""
    shares = []
    for seed in range(seeds):
        generator = torch.Generator().manual_seed(seed)
        dynamics = Dynamics(temperature=temperature, current=paired([len(theta)], 1.0, generator))
        state, heat, work = init(theta, loss, dynamics), 0.0, torch.zeros(2, dtype=torch.float64)
        for _ in range(round(time / h)):
            before = state.theta
            state, info = step(state, loss, h, dynamics, generator)
            heat += info.heat.sum().item()
            work += surrogate_work_by_layer(loss, before, state.theta, LAYERS)
        shares.append((work / heat).tolist())
    for layer, values in enumerate(zip(*shares, strict=True), start=1):
        print(f"layer {layer}: {interval(list(values))} of the heat", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--mnist", action="store_true", help="the smooth network on MNIST ($DLM_DATA), not the digits")
    options = parser.parse_args()
    seeds = options.seeds
    torch.set_num_threads(1)
    print("| network | h | T | residual / heat | work / prediction | its s.e. |\n|---|---|---|---|---|---|")
    for h in (0.1, 0.05, 0.025):
        line("smooth, 1,450 parameters", *smooth_network(mnist if options.mnist else digits), h, 50, 1e-4, seeds)
    for h in (0.02, 0.01):
        line("soft, reset attached", *spiking_digits(SoftSpikes(5.0), samples=SAMPLES), h, 1, 1e-5, seeds)
        detached = spiking_digits(SoftSpikes(5.0, attached=False), samples=SAMPLES)
        line("soft, reset detached (control)", *detached, h, 1, 1e-5, seeds)
        line("soft, attached, k-WTA", *spiking_digits(SoftSpikes(5.0), 4, SAMPLES), h, 1, 1e-5, seeds)
    for slope in (5, 25):
        hard = spiking_digits(surrogate("fast_sigmoid", slope), samples=SAMPLES)
        line(f"hard, fast surrogate, slope {slope}, n = {SAMPLES}", *hard, 0.05, 5, 1e-5, seeds)
    print("\nhard, slope 5, along layer 1 then layer 2:")
    by_layer(*spiking_digits(surrogate("fast_sigmoid", 5), samples=SAMPLES), 0.05, 5, 1e-5, seeds)


if __name__ == "__main__":
    main()
