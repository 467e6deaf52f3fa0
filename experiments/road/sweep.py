"""A sweep over temperature and size: one JSON line per repetition, never run twice, and what its finite sizes say."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.estimators.crossover import Crossover, finite_size_check
from dlm_snn.backends import run
from dlm_snn.errors import DivergenceWarning
from dlm_snn.runs.metrics import interval
from dlm_snn.tasks.parts import Split, split
from experiments.harness.progress import Show
from experiments.harness.rows import Row, writing_rows
from experiments.recipes.config import RunConfig
from experiments.recipes.table import variant_config
from experiments.road.repeat import REPEATED_ROW, key, repeated_row
from experiments.road.road import train_network


def seeded(config: RunConfig, seed: int) -> RunConfig:
    """The same configuration with one seed for first weights, order of the samples and noise; the hold-out stays."""
    parts = ("network", "training") if config.dynamics is None else ("network", "training", "dynamics")
    return config.model_copy(update={p: getattr(config, p).model_copy(update={"seed": seed}) for p in parts})


def guessed(counts: NDArray, labels: NDArray) -> NDArray[np.float64]:
    """Chance of the right answer for each sample, where a tie is broken by guessing; (sample,).

    A silent output is a tie of all classes, so that a network that says nothing is exactly at chance.

    Args:
        counts: (sample, class) spikes of the output.
        labels: (sample,) classes.
    """
    best = counts == counts.max(1, keepdims=True)
    return best[np.arange(len(labels)), labels] / best.sum(1)


def measured(config: RunConfig, data: Split) -> dict[str, float]:
    """Train one network and test it: accuracy, and the order parameter (accuracy - chance) / (1 - chance)."""
    before = process_time()
    with warnings.catch_warnings():
        # Guessing is what a high temperature is here to show.
        warnings.simplefilter("ignore", DivergenceWarning)
        network, _ = train_network(config, data, lambda *_: None)
    fired = run(network, {"pixels": data.x_test}, config.simulation.n_steps, record={"output": "s"}, backend="fast")
    accuracy = float(guessed(fired.rasters["output"].dense().sum(1), data.y_test).mean())
    chance = 1 / data.dataset.n_classes
    return {
        "accuracy": round(accuracy, 6),
        "order": round((accuracy - chance) / (1 - chance), 6),
        "test_samples": len(data.y_test),
        "seconds": round(process_time() - before, 2),
    }


def sweep(
    name: str, variants: Iterable[str], seeds: Iterable[int], data_dir: Path | None, results: Path, show: Show
) -> list[Row]:
    """Run what is missing, seed by seed, so that a sweep that is cut short has few seeds of every variant.

    Args:
        name: of the experiment.
        variants, seeds: which repetitions.
        data_dir: where the data lie.
        results: JSON lines.
        show: told of every repetition.

    Returns:
        The rows of exactly these variants and seeds.
    """
    configs = {variant: variant_config(name, variant) for variant in dict.fromkeys(variants)}
    wanted = [(variant, seed, seeded(configs[variant], seed)) for seed in seeds for variant in configs]
    found = []
    with writing_rows(results, REPEATED_ROW) as file:
        for done, (variant, seed, config) in enumerate(wanted):
            row = file.find(config=key(config))
            if row is None:
                show(f"{variant} {seed}", done, len(wanted))
                data = split(config.data.model_copy(update={"data_dir": data_dir}))
                row = repeated_row(name, variant, seed, key(config), measured(config, data))
                file.append(row)
            found.append(row)
    return found


def checked(rows: Sequence[Row], sizes: Sequence[int], temperatures: Sequence[float]) -> Crossover:
    """The finite-size check of a whole sweep.

    Args:
        rows: of all sizes and temperatures, each with the same seeds.
        sizes, temperatures: of the recipe, whose variants are named "SIZE-TEMPERATURE".

    Raises:
        DlmError: fewer sizes, temperatures or seeds than the check needs.
    """
    cells = [[[r["figures"] for r in rows if r["variant"] == f"{n}-{t:g}"] for t in temperatures] for n in sizes]
    order = [[[figures["order"] for figures in cell] for cell in line] for line in cells]
    return finite_size_check(order, temperatures, sizes, [[floor(cell) for cell in line] for line in cells])


def floor(cell: Sequence[dict[str, float]]) -> float:
    """Variance of the order parameter by the number of test samples alone, at most."""
    p = float(np.mean([figures["accuracy"] for figures in cell]))
    order = float(np.mean([figures["order"] for figures in cell]))
    # order = (accuracy - chance) / (1 - chance), so that 1 - chance = (1 - accuracy) / (1 - order).
    return p * (1 - p) / cell[0]["test_samples"] * ((1 - order) / (1 - p)) ** 2 if p < 1 else 0.0


def table(found: Crossover, rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Accuracy, N Var|m| and U by size and temperature, with 95 % intervals; the first row is the heading."""
    chi = [np.exp(curve) for curve in (found.log_susceptibility.value, *found.log_susceptibility.interval())]
    u = [found.binder.value, *found.binder.interval()]
    lines: list[tuple[str, ...]] = [("neurons", "T", "accuracy %", "N Var|m|", "U")]
    for i, size in enumerate(found.sizes):
        for j, temperature in enumerate(found.temperatures):
            cell = f"{size:g}-{temperature:g}"
            accuracies = [100 * r["figures"]["accuracy"] for r in rows if r["variant"] == cell]
            figures = ("{:.2g} [{:.2g}, {:.2g}]".format(*(curve[i, j] for curve in curves)) for curves in (chi, u))
            lines.append((*cell.split("-", 1), interval(accuracies, ".1f"), *figures))
    return lines
