"""The verbs ``run`` and ``train``."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from dlm_snn.verbs.verb import Verb, add_replace, inside
from experiments.harness.progress import progress


def _choice(parser: ArgumentParser) -> None:
    """The options that choose a configuration."""
    parser.add_argument("--dataset", help="digits (default), mnist, or another installed dataset")
    parser.add_argument("--variant", help="of its experiment: digits has kwta, plain; mnist has k26, k13, plain")
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
            metrics = run_road(config, aside, _command(arguments), show, earlier)
    _print_summary(metrics, folder)
    if repetition := read_record(folder)["repetition"]:
        print(f"the run {repetition}")
    return 0 if all(row["equal"] for row in metrics["agreement"]) else 1


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
        from dlm_snn.networks import artefact
        from dlm_snn.networks.network import Network

        artefact.check(arguments.out, Network, arguments.replace)
        from dlm_snn.tasks.split import split
        from experiments.road.evaluate import evaluate
        from experiments.road.road import train_network

        data = split(config.data)
        network, _ = train_network(config, data, show)
        written = artefact.save(network, arguments.out, arguments.replace)
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


def _print_summary(metrics: dict[str, Any], folder: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    from dlm_snn.runs.metrics import silence, silent_populations

    bits = metrics["loss_budget"]["bits"]
    table = Table(title=f"{metrics['dataset']['name']}, {metrics['dataset']['test']} test samples", show_header=True)
    table.add_column("")
    table.add_column("float", justify="right")
    table.add_column(f"{bits}-bit", justify="right")
    accuracy, samples, activity = metrics["accuracy"], metrics["accuracy_samples"], metrics["activity"]
    table.add_row("accuracy", *(f"{accuracy[kind]:.2%}" for kind in ("float", "integer")))
    unanswered = {kind: metrics["silent"][kind] / samples[kind] for kind in ("float", "integer")}
    if any(unanswered.values()):
        table.add_row("samples without an answer", *(f"{share:.2%}" for share in unanswered.values()))
    if {"lava-float", "lava-fixed"} <= accuracy.keys():
        label = f"accuracy in Lava ({samples['lava-fixed']} samples)"
        table.add_row(label, f"{accuracy['lava-float']:.2%}", f"{accuracy['lava-fixed']:.2%}")
    table.add_row("spikes per sample", *(f"{activity[kind]['spikes']:.0f}" for kind in ("float", "integer")))
    operations = (f"{activity[kind]['synaptic_operations']:.0f}" for kind in ("float", "integer"))
    table.add_row("synaptic operations per sample", *operations)
    console = Console()
    console.print(table)
    rows = metrics["agreement"]
    equal = sum(row["equal"] for row in rows)
    pairs = Table(title=f"agreement of simulators: {equal} of {len(rows)} pairs are equal")
    for heading in ("network", "simulators", "samples", "spikes", "differ", "ties", ""):
        left = heading in ("network", "simulators", "")
        pairs.add_column(heading, justify="left" if left else "right", no_wrap=True)
    first = {row["network"]: row["first"] for row in reversed(rows)}
    for row in rows:
        if row["equal"] and row["first"] != first[row["network"]]:
            continue
        compared = sum(counts[0] for counts in row["spikes"].values())
        differ = sum(counts[2] for counts in row["spikes"].values())
        verdict = "equal" if row["equal"] else row["text"]
        pair = f"{row['first']} = {row['second']}"
        pairs.add_row(row["network"], pair, str(row["samples"]), str(compared), str(differ), str(row["ties"]), verdict)
    console.print(pairs)
    single = metrics["float32"]
    differ = f"{single['differ']} of {single['spikes']} spikes differ on {single['samples']} samples"
    console.print(f"float32 instead of float64: {differ}", highlight=False, soft_wrap=True)
    if books := [epoch["thermodynamics"] for epoch in metrics["curve"] if "thermodynamics" in epoch]:
        heat, work = (sum(sum(book[name].values()) for book in books) for name in ("heat", "work_current"))
        told = f"over training {heat:.3g} of heat, {work:.3g} of work by the current, in units of the loss"
        console.print(f"thermodynamics: {told}; the report has all", highlight=False, soft_wrap=True)
    for kind, cost in activity.items():
        if quiet := silence(0.0, silent_populations(cost["rates"])):
            console.print(f"warning: {kind} network: {quiet} on the test samples", highlight=False, soft_wrap=True)
    for line in metrics["loss_budget"]["warnings"]:
        console.print(f"warning: {line}", highlight=False, soft_wrap=True)
    console.print(f"report: {folder / 'report.html'}", highlight=False, soft_wrap=True)


run = Verb("the main job: train, convert, simulate everywhere, compare, report", _run_arguments, _run)
train = Verb("train a network and write it", _train_arguments, _train)
