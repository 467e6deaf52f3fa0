"""The verb ``experiment``."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dlm_snn.verbs.verb import Verb
from experiments.harness.progress import progress
from experiments.verbs.shared import run_arguments


def _experiment_arguments(parser: ArgumentParser) -> None:
    trained = "digits, mnist, competition, competition_settings, dlm, dissipation, temperature"
    parser.add_argument("name", help=f"{trained}; of continual learning: split_digits, continual_p2 to _p6")
    parser.add_argument("--variant", action="append", metavar="NAME", help="only this one; repeatable")
    run_arguments(parser)


def _experiment(arguments: Namespace) -> int:
    from experiments.recipes.table import CONTINUAL, SWEEPS, known_experiment

    module = known_experiment(arguments.name)
    if arguments.name in CONTINUAL:
        from experiments.verbs.shared import run_table

        return run_table(arguments, module)
    if arguments.name in SWEEPS:
        return _swept(arguments, module)
    return _repeated(arguments, module)


def _rows(arguments: Namespace, module: Any, program: Callable[..., Any]) -> tuple[Any, Path]:
    """The rows of the variants that were asked for, run where they are missing, and their file."""
    from experiments.verbs.shared import refuse_continual

    refuse_continual(arguments)
    results: Path = arguments.results / f"{arguments.name}.jsonl"
    variants = arguments.variant or list(module.VARIANTS)
    with progress() as show:
        return program(arguments.name, variants, module.SEEDS, arguments.data_dir, results, show), results


def _swept(arguments: Namespace, module: Any) -> int:
    """A sweep over temperature and size, and what its finite sizes say."""
    from experiments.road.sweep import checked, sweep, table

    rows, results = _rows(arguments, module, sweep)
    if arguments.variant is None:
        found = checked(rows, module.SIZES, module.TEMPERATURES)
        for text in _aligned(table(found, rows)):
            print(text)
        for line in (*found.findings, f"verdict: {found}"):
            print(line)
    print(f"rows: {results}")
    return 0


def _repeated(arguments: Namespace, module: Any) -> int:
    """An experiment whose repetitions each train and convert one network."""
    from experiments.road.repeat import activity, paired, repeat, table

    rows, results = _rows(arguments, module, repeat)
    from rich.console import Console
    from rich.table import Table

    heading, *lines = table(rows)
    shown = Table(*heading, title=f"{arguments.name}: mean and 95 % interval over seeds, percent")
    for line in lines:
        shown.add_row(*line)
    Console().print(shown)
    heading, *lines = paired(rows)
    if lines:
        shown = Table(*heading, title="paired by seed: points of accuracy, percent of the spikes; 95 % intervals")
        for line in lines:
            shown.add_row(*line)
        Console().print(shown)
    for text in _turned(activity(rows)):
        print(text)
    print(f"rows: {results}")
    return 0


def _turned(lines: list[tuple[str, ...]]) -> list[str]:
    """A table of many columns as plain text, a row for each of them."""
    return _aligned(list(zip(*lines, strict=True)))


def _aligned(lines: list[tuple[str, ...]]) -> list[str]:
    """A table as plain text."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in lines]


experiment = Verb(
    "repeat an experiment over variants and seeds; a row that exists is not run again",
    _experiment_arguments,
    _experiment,
)
