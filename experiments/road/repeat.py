"""An experiment over its variants and seeds: one JSON line a repetition, never run twice, and a table of means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from dlm_snn.backends import run
from dlm_snn.config import dump_config
from dlm_snn.files.atomic import write_text
from dlm_snn.files.layouts import text_file
from dlm_snn.provenance import installed_versions, origin
from dlm_snn.runs.metrics import accuracy, interval
from dlm_snn.tasks.parts import split
from dlm_snn.training.relu import train_relu
from experiments.harness.progress import Show
from experiments.harness.rows import Row, key_of, of_kind, writing_rows
from experiments.recipes.config import RunConfig
from experiments.recipes.table import EXPERIMENTS, variant_config
from experiments.road.competition import activity_table, competition
from experiments.road.evaluate import evaluate
from experiments.road.road import convert, train_network

LAVA_AT_MOST = 1000
"""Test sets up to this size are run on stock Lava processes whole; larger ones on the fused one, equal and faster."""


REPEATED_ROW = of_kind({"config": str, "variant": str, "seed": int, "figures": {"*": (float, None)}})
"""What a row of ``repeat`` is; its keys are written in this module alone."""
SETTINGS = text_file("the settings of an experiment", begins="data:\n", holds="\ntraining:\n")


def with_seed(config: RunConfig, seed: int) -> RunConfig:
    """The same configuration with one seed for hold-out, first weights, order of the samples, noise and current."""
    values = config.model_dump()
    values["data"]["split_seed"] = values["network"]["seed"] = values["training"]["seed"] = seed
    if values["dynamics"] is not None:
        values["dynamics"]["seed"] = seed
    return RunConfig.model_validate(values)


def key(config: RunConfig) -> str:
    """What decides the figures of a repetition: the configuration without the place of the data."""
    values = config.model_dump(mode="json")
    del values["data"]["data_dir"], values["simulation"]
    if values["dynamics"] is None:
        del values["dynamics"]
    else:
        # Named since the first rows; left out where they change nothing.
        values["dynamics"] = {k: v for k, v in values["dynamics"].items() if v or k not in ("layers", "curvature")}
    for part, later in (("data", "validation_share"), ("network", "inhibition"), ("training", "activity")):
        if values[part][later] is None:
            del values[part][later]
    values["n_steps"] = config.simulation.n_steps
    return key_of(values)


def repetition(config: RunConfig, show: Show, control: bool = True, active: str | None = None) -> dict[str, float]:
    """The figures of one repetition: float, integer, Lava fixed_pt (fused on large test sets), the ReLU control.

    Args:
        config: of the run.
        show: told of every stage.
        control: whether a ReLU network is trained beside it.
        active: the population whose active neurons are counted, if any.
    """
    data = split(config.data)
    network, _ = train_network(config, data, show)
    integer, report = convert(config, network, data)
    n_steps = config.simulation.n_steps
    show("measure float and integer", 0, 1)
    results = {"float": evaluate(network, data.x_test, data.y_test, n_steps)}
    results["integer"] = evaluate(integer, data.x_test, data.y_test, n_steps)
    figures: dict[str, float] = {name: result.accuracy for name, result in results.items()}
    backend = "lava-fixed" if len(data.y_test) <= LAVA_AT_MOST else "lava-fused"
    show(f"simulate in {backend}", 0, 1)
    lava = run(integer, {"pixels": data.x_test}, n_steps, record={"output": "s"}, backend=backend)
    figures[backend] = accuracy(lava.rasters["output"], data.y_test)
    if control:
        show("train the ReLU control", 0, 1)
        sizes = (data.x_train.shape[1], *config.network.hidden, data.dataset.n_classes)
        rng = np.random.default_rng(config.network.seed)
        relu, _ = train_relu(sizes, data.x_train, data.y_train, config.training, rng, scale=data.dataset.scale)
        figures["relu"] = float(np.mean(relu.predict(data.x_test) == data.y_test))
    figures["wraps"], figures["saturations"] = results["integer"].wraps, results["integer"].saturations
    figures["silent"] = results["integer"].silent
    figures["spikes"] = round(results["integer"].spikes, 1)
    figures["synaptic_operations"] = round(results["integer"].synaptic_operations)
    figures["hidden_rate"] = round(results["float"].rates[next(iter(network.neurons))], 4)
    figures["hidden_equal"] = round(report.populations[0].equal or float("nan"), 4)
    if active is not None:
        show("count active neurons", 0, 1)
        figures |= competition(network, integer, data, n_steps, active)
    return figures


def repeat(
    name: str, variants: Iterable[str], seeds: Iterable[int], data_dir: Path | None, results: Path, show: Show
) -> list[Row]:
    """Run what is missing and append it, row by row, to the results.

    Args:
        name: of the experiment.
        variants, seeds: which repetitions.
        data_dir: where the data lie.
        results: JSON lines; rows of another configuration stay as they are.
        show: told of every stage.

    Returns:
        The rows of exactly these variants and seeds, each with its ``settings``: the hash of its configuration without
        the seed.
    """
    wanted = []
    with writing_rows(results, REPEATED_ROW) as file:
        for variant in dict.fromkeys(variants):
            settings = key(with_seed(variant_config(name, variant), 0))
            for seed in seeds:
                config = with_seed(variant_config(name, variant), seed)
                found = file.find(config=key(config))
                if found is None:
                    placed = config.model_copy(update={"data": config.data.model_copy(update={"data_dir": data_dir})})
                    options = (getattr(EXPERIMENTS[name], "CONTROL", True), getattr(EXPERIMENTS[name], "ACTIVE", None))
                    figures = repetition(placed, _prefixed(show, f"{variant} {seed}: "), *options)
                    found = repeated_row(name, variant, seed, key(config), figures, settings=settings)
                    file.append(found)
                    _write_settings(results.with_name(f"{name}-{variant}.yaml"), variant_config(name, variant))
                # The row may have been made under another name, by a variant of the same configuration.
                wanted.append({**found, "variant": variant, "settings": settings})
    return wanted


def _write_settings(path: Path, config: RunConfig) -> None:
    """The variant's settings, beside its rows; those of an earlier row give way."""
    write_text(path, dump_config(config), SETTINGS, replace=True)


def repeated_row(name: str, variant: str, seed: int, config: str, figures: dict[str, float], **more: str) -> Row:
    """The row of one repetition, with where it was made.

    Args:
        name, variant, seed: of the repetition.
        config: see ``key``.
        figures: what was measured.
        more: keys that stand behind the configuration.
    """
    where = {**origin(), "torch": installed_versions().get("torch")}
    return {"experiment": name, "variant": variant, "seed": seed, "config": config, **more, **where, "figures": figures}


def _prefixed(show: Show, prefix: str) -> Show:
    return lambda stage, done, total: show(prefix + stage, done, total)


def table(rows: list[Row]) -> list[tuple[str, ...]]:
    """Variant, seeds, then mean and 95 % interval in percent of each accuracy; the first row is the heading."""
    accuracies = ("float", "integer", "lava-fixed", "lava-fused", "relu")
    shown = [name for name in accuracies if all(name in row["figures"] for row in rows)]
    lines = [("variant", "seeds", *shown, "wraps", "saturations", "spikes", "synaptic operations")]
    for variant, chosen in _lines(rows).items():
        cells = [interval([100 * row["figures"][name] for row in chosen]) for name in shown]
        totals = [f"{sum(row['figures'][name] for row in chosen):.0f}" for name in ("wraps", "saturations")]
        means = [f"{np.mean([row['figures'][n] for row in chosen]):.0f}" for n in ("spikes", "synaptic_operations")]
        lines.append((variant, str(len(chosen)), *cells, *totals, *means))
    return lines


def paired(rows: list[Row]) -> list[tuple[str, ...]]:
    """Each variant against the first, seed by seed: points of accuracy, and hidden spikes in percent of the first's.

    Means and 95 % intervals; the first row is the heading. Variants with fewer than two seeds in common are left out.
    """
    by_variant = {name: {row["seed"]: row["figures"] for row in own} for name, own in _lines(rows).items()}
    first, *others = by_variant
    lines: list[tuple[str, ...]] = [(f"against {first}", "seeds", "float", "integer", "hidden spikes")]
    for variant in others:
        seeds = sorted(by_variant[variant].keys() & by_variant[first].keys())
        if len(seeds) < 2:
            continue
        pairs = [(by_variant[variant][seed], by_variant[first][seed]) for seed in seeds]
        cells = [interval([100 * (a[n] - b[n]) for a, b in pairs], "+.2f") for n in ("float", "integer")]
        spikes = interval([100 * (a["hidden_rate"] / b["hidden_rate"] - 1) for a, b in pairs], "+.1f")
        lines.append((variant, str(len(seeds)), *cells, f"{spikes} %"))
    return lines


def activity(rows: list[Row]) -> list[tuple[str, ...]]:
    """Active neurons of a step, see ``competition.activity_table``; nothing where they were not counted."""
    return activity_table(_lines(rows))


def _lines(rows: list[Row]) -> dict[str, list[Row]]:
    """The rows of each line of a table, by its name: a variant, with the hash of its settings where several share it.

    Rows from before ``settings`` was stored have none; those of ``repeat`` always do.
    """
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["variant"], row.get("settings", "")), []).append(row)
    shared = Counter(variant for variant, _ in found)
    return {
        f"{variant} ({settings})" if settings and shared[variant] > 1 else variant: own
        for (variant, settings), own in found.items()
    }
