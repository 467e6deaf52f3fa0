"""First law and current's work on networks: smooth, soft-spiking and hard-spiking, with intervals over seeds.

Run: DLM_DATA=DIR OMP_NUM_THREADS=1 python -m benchmarks.balances --mnist. Overdamped, float64, full batch, alpha = 1,
a random full pairing; residual / heat (the surrogate's work / heat on hard spikes) with its standard error over seeds,
and the current's work over its prediction, the integral of |Q g|^2, with its standard error sqrt(2 T w). Soft spikes
with competition also seed by seed against those without, and how often the competition decides. By layer: the
surrogate's work along the path that moves layer 1 first.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from dlm_snn.physics.weights.currents import paired
from dlm_snn.physics.weights.dynamics import Dynamics
from dlm_snn.physics.weights.langevin import Loss, init, step
from dlm_snn.physics.weights.thermodynamics import surrogate_work_by_layer
from dlm_snn.runs.metrics import interval
from dlm_snn.surrogate import SoftSpikes, surrogate
from dlm_snn.tasks.datasets import Dataset, digits, mnist
from tests.balancing import LAYERS, CountedSpikes, balances, smooth_network, spiking_digits

SAMPLES = 1000
FORM = "+.3g"


def against_0(values: list[float]) -> str:
    """Mean and 95 % interval, standard error, and mean / standard error."""
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{interval(values, FORM)} | {error:.2g} | {np.mean(values) / error:+.1f}"


def line(
    name: str, theta: torch.Tensor, loss: Loss, h: float, time: float, temperature: float, seeds: int
) -> list[float]:
    """Print one row; residual / heat of each seed."""
    found = [balances(theta, loss, h, time, temperature, seed=seed) for seed in range(seeds)]
    ratios = [s.residual / s.heat for s in found]
    work = interval([s.work / s.predicted for s in found], FORM)
    error = np.mean([s.error / s.predicted for s in found])
    print(f"| {name} | {h:g} | {temperature:g} | {against_0(ratios)} | {work} | {error:.3f} |", flush=True)
    return ratios


def soft(seeds: int) -> None:
    """Print the rows of soft spikes, and the pairs with and without competition."""
    attached = spiking_digits(SoftSpikes(5.0), samples=SAMPLES)
    detached = spiking_digits(SoftSpikes(5.0, attached=False), samples=SAMPLES)
    counted = {winners: CountedSpikes(5.0) for winners in (4, 1)}
    competing = {winners: spiking_digits(spikes, winners, SAMPLES) for winners, spikes in counted.items()}
    pairs = []
    for h in (0.02, 0.01, 0.005, 0.0025):
        alone = line("soft, reset attached", *attached, h, 1, 1e-5, seeds)
        if h >= 0.01:
            line("soft, reset detached (control)", *detached, h, 1, 1e-5, seeds)
        for winners in competing if h >= 0.01 else (1,):
            ratios = line(f"soft, attached, {winners} of 32 win", *competing[winners], h, 1, 1e-5, seeds)
            differences = [a - b for a, b in zip(ratios, alone, strict=True)]
            pairs.append(f"| {winners} of 32 win, less no competition | {h:g} | {against_0(differences)} |")
    print("\n| seed by seed | h | difference of residual / heat | s.e. | / s.e. |\n|---|---|---|---|---|")
    print("\n".join(pairs))
    for winners, spikes in counted.items():
        print(
            f"{winners} of 32: the competition decides in {np.mean(spikes.shares):.2%} of samples and steps", flush=True
        )


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
        print(f"layer {layer}: {interval(list(values), FORM)} of the heat", flush=True)


def smooth(seeds: int, dataset: Callable[[Any], Dataset]) -> None:
    """Print the rows of the smooth network."""
    for h in (0.1, 0.05, 0.025):
        line("smooth, 1,450 parameters", *smooth_network(dataset), h, 50, 1e-4, seeds)


def hard(seeds: int) -> None:
    """Print the rows of hard spikes, and the surrogate's work by layer."""
    for slope in (5, 25):
        network = spiking_digits(surrogate("fast_sigmoid", slope), samples=SAMPLES)
        line(f"hard, fast surrogate, slope {slope}, n = {SAMPLES}", *network, 0.05, 5, 1e-5, seeds)
    print("\nhard, slope 5, along layer 1 then layer 2:")
    by_layer(*spiking_digits(surrogate("fast_sigmoid", 5), samples=SAMPLES), 0.05, 5, 1e-5, seeds)


PARTS = ("smooth", "hard", "soft")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--mnist", action="store_true", help="the smooth network on MNIST ($DLM_DATA), not the digits")
    parser.add_argument("--part", choices=PARTS, help="this part alone")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for part in PARTS if options.part is None else (options.part,):
        print("\n| network | h | T | residual / heat | s.e. | / s.e. | work / prediction | its s.e. |")
        print("|---|---|---|---|---|---|---|---|")
        if part == "smooth":
            smooth(options.seeds, mnist if options.mnist else digits)
        else:
            {"hard": hard, "soft": soft}[part](options.seeds)


if __name__ == "__main__":
    main()
