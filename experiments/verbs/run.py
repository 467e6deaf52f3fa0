"""The verbs ``run`` and ``train``."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dlm_snn.verbs.verb import Verb, add_replace, inside
from experiments.harness.progress import progress

if TYPE_CHECKING:
    from rich.table import Table

    from dlm_snn.runs.run_metrics import Agreement, RunMetrics

_KINDS = ("float", "integer")
_IN_LAVA = ("lava-float", "lava-fixed")
"""Stock Lava, float and integer."""


def _choice(parser: ArgumentParser) -> None:
    """The options that choose a configuration."""
    parser.add_argument("--dataset", help="digits (default), mnist, or another installed dataset")
    parser.add_argument(
        "--variant",
        help="digits: kwta, plain; mnist: k26, k13, plain; for chips lateral, counting (also -learned), penalty",
    )
    parser.add_argument(
        "--dynamics", choices=("dlm", "plain"), help="how weights learn: dlm (default) or plain, by AdamW"
    )
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="folder that holds the dataset")
    parser.add_argument("--config", type=Path, metavar="FILE", help="YAML file, or the folder of an earlier run")
    parser.add_argument("--set", action="append", default=[], metavar="A.B=C", help="change one value; repeatable")


def _run_arguments(parser: ArgumentParser) -> None:
    _choice(parser)
    parser.add_argument("--name", help="of the run's folder (default: the dataset and the time)")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="where runs lie (default: runs)")
    add_replace(parser, "a run")


def _run(arguments: Namespace) -> int:
    from dlm_snn.files.atomic import check, writing_folder
    from dlm_snn.runs.run_folder import RUN, read_record
    from experiments.recipes.table import chosen_config

    with progress() as show:
        show("read the configuration", 0, 1)
        config = chosen_config(arguments)
        name = _dated(config.data.dataset) if arguments.name is None else arguments.name
        folder = inside(arguments.runs, "--name", name)
        check(folder, RUN, arguments.replace)
        from experiments.road.again import Earlier
        from experiments.road.road import run_road

        # Read before the run: its folder may give way to the new one.
        earlier = Earlier.of(arguments.config)
        with writing_folder(folder, RUN, arguments.replace) as aside:
            metrics = run_road(config, aside, _command(arguments), show, earlier, folder)
    _print_summary(metrics, folder)
    if repetition := read_record(folder)["repetition"]:
        print(f"the run {repetition}")
    return 0 if all(row.equal for row in metrics.agreement or ()) else 1


def _train_arguments(parser: ArgumentParser) -> None:
    _choice(parser)
    parser.add_argument(
        "--out", type=Path, default=Path("network"), metavar="NETWORK", help="NETWORK.json, .safetensors"
    )
    add_replace(parser, "a float network")


def _train(arguments: Namespace) -> int:
    from experiments.recipes.table import chosen_config

    with progress() as show:
        show("read the configuration", 0, 1)
        config = chosen_config(arguments)
        from dlm_snn.networks import artifact
        from dlm_snn.networks.network import Network

        artifact.check(arguments.out, Network, arguments.replace)
        from dlm_snn.tasks.parts import split
        from experiments.road.evaluate import evaluate
        from experiments.road.road import train_network

        data = split(config.data)
        network, _ = train_network(config, data, show)
        written = artifact.save(network, arguments.out, arguments.replace)
        show("measure on the test samples", 0, 1)
        result = evaluate(network, data.x_test, data.y_test, config.simulation.n_steps)
    print(f"{result.verdict('held-out')}; network: {written}")
    return 0


def _dated(dataset: str) -> str:
    from datetime import datetime

    return f"{dataset}-{datetime.now():%Y%m%d-%H%M%S}"


def _command(arguments: Namespace) -> str:
    words = ["dlm-snn", "run"]
    for option in ("dataset", "variant", "dynamics"):
        if getattr(arguments, option):
            words += [f"--{option}", getattr(arguments, option)]
    if arguments.config:
        words += ["--config", arguments.config.name]
    return " ".join(words + [f"--set {text}" for text in arguments.set])


def _print_summary(metrics: RunMetrics, folder: Path) -> None:
    from rich.console import Console

    from dlm_snn.runs.run_folder import PAGE

    console = Console()
    console.print(_results(metrics))
    console.print(_pairs(metrics.agreement or ()))
    for line in (*_remarks(metrics), f"report: {folder / PAGE}"):
        console.print(line, highlight=False, soft_wrap=True)


def _results(metrics: RunMetrics) -> Table:
    """What both networks do on the test set, and in Lava."""
    from rich.table import Table

    from dlm_snn.runs.run_metrics import Activity, DatasetSize, LossBudget

    of, budget = metrics.dataset or DatasetSize(), metrics.loss_budget or LossBudget()
    table = Table(title=f"{of.name}, {of.test} test samples", show_header=True)
    table.add_column("")
    table.add_column("float", justify="right")
    table.add_column(f"{budget.bits}-bit", justify="right")
    accuracy, samples = metrics.accuracy or {}, metrics.accuracy_samples or {}
    table.add_row("accuracy", *(f"{accuracy[kind]:.2%}" for kind in _KINDS))
    unanswered = [metrics.unanswered(kind) for kind in _KINDS]
    if any(unanswered):
        table.add_row("samples without an answer", *(f"{share:.2%}" for share in unanswered))
    if set(_IN_LAVA) <= accuracy.keys():
        label = f"accuracy in Lava ({samples[_IN_LAVA[-1]]} samples)"
        table.add_row(label, *(f"{accuracy[simulator]:.2%}" for simulator in _IN_LAVA))
    activity = [metrics.active(kind) or Activity() for kind in _KINDS]
    table.add_row("spikes per sample", *(f"{cost.spikes:.0f}" for cost in activity))
    table.add_row("synaptic operations per sample", *(f"{cost.synaptic_operations:.0f}" for cost in activity))
    return table


def _pairs(rows: Sequence[Agreement]) -> Table:
    """The first simulator of each network against the others, and whoever differs."""
    from rich.table import Table

    equal = sum(bool(row.equal) for row in rows)
    table = Table(title=f"agreement of simulators: {equal} of {len(rows)} pairs are equal")
    for place, heading in enumerate(("network", "simulators", "samples", "spikes", "differ", "ties", "")):
        table.add_column(heading, justify="left" if place in (0, 1, 6) else "right", no_wrap=True)
    first = {row.network: row.first for row in reversed(rows)}
    for row in rows:
        if row.equal and row.first != first[row.network]:
            continue
        counts = (row.spikes or {}).values()
        numbers = (row.samples, sum(c[0] for c in counts), sum(c[2] for c in counts), row.ties)
        verdict = "equal" if row.equal else row.text
        table.add_row(row.network, f"{row.first} = {row.second}", *map(str, numbers), verdict)
    return table


def _remarks(metrics: RunMetrics) -> Iterator[str]:
    """What there is to say beside the tables, a line each."""
    from dlm_snn.runs.metrics import silence, silent_populations

    if single := metrics.float32:
        differ = f"{single.differ} of {single.spikes} spikes differ on {single.samples} samples"
        yield f"float32 instead of float64: {differ}"
    if books := [of for _, of in metrics.books]:
        heat, work = (
            sum(value or 0.0 for layers in layered for value in (layers or {}).values())
            for layered in ([of.heat for of in books], [of.work_current for of in books])
        )
        told = f"over training {heat:.3g} of heat, {work:.3g} of work by the current, in units of the loss"
        yield f"thermodynamics: {told}; the report has all"
    for kind, cost in ((kind, metrics.active(kind)) for kind in _KINDS):
        if cost and (quiet := silence(0.0, silent_populations(cost.rates))):
            yield f"warning: {kind} network: {quiet} on the test samples"
    if metrics.loss_budget:
        yield from (f"warning: {line}" for line in metrics.loss_budget.warnings)


run = Verb("the main job: train, convert, simulate everywhere, compare, report", _run_arguments, _run)
train = Verb("train a network and write it", _train_arguments, _train)
