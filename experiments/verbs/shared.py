"""What the verbs ``learn`` and ``experiment`` share: continual learners through protocols."""

from __future__ import annotations

import re
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlm_snn.verbs.verb import add_replace, inside
from experiments.harness.progress import progress

if TYPE_CHECKING:
    from dlm_snn.continual.row import ContinualRow
    from dlm_snn.continual.standings import Standing
    from experiments.harness.cells import Cell, Entry

CONTINUAL_ONLY = ("seeds", "jobs", "scheduler", "validation", "joint", "csv", "report")
"""Options of ``experiment`` that say something about continual learning alone."""


def run_arguments(parser: ArgumentParser) -> None:
    """The options that ``learn`` and ``experiment`` share."""
    results = Path("experiments/results")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="folder that holds the dataset")
    parser.add_argument(
        "--results", type=Path, default=results, metavar="DIR", help=f"of the rows (default: {results})"
    )
    group = parser.add_argument_group("continual learning")
    group.add_argument("--seeds", type=int, metavar="N", help="0 to N-1 (learn: 1; a table: its own)")
    group.add_argument("--jobs", type=int, metavar="N", help="processes on this machine (default: 1)")
    group.add_argument("--scheduler", metavar="ADDRESS", help="of dask.distributed, or 'local': --jobs workers here")
    group.add_argument("--validation", action="store_true", help="test on held-out training data, to choose options")
    group.add_argument("--joint", action="store_true", help="also learn jointly on the tasks so far: excess forgetting")
    group.add_argument("--csv", type=Path, metavar="FILE", help="write the mean accuracy matrix of the first line")
    group.add_argument("--report", metavar="NAME", help="of its folder in --runs (default: what is run, and the time)")
    group.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="of the report (default: runs)")
    add_replace(parser, "a report, or a CSV of a matrix,")


def refuse_continual(arguments: Namespace) -> None:
    """Refuse options that an experiment of the other kind would pass over in silence.

    Raises:
        DlmError: one of them is given.
    """
    from dlm_snn.errors import DlmError
    from experiments.recipes.table import CONTINUAL

    for option in CONTINUAL_ONLY:
        if getattr(arguments, option):
            known = ", ".join(CONTINUAL)
            raise DlmError(f"--{option} goes with experiments of continual learning ({known}), not '{arguments.name}'")


def run_table(arguments: Namespace, module: Any) -> int:
    """A table of continual learners: the module's CELLS over its SEEDS.

    Raises:
        DlmError: no such variant; see ``run_entries``.
    """
    from dlm_snn.errors import DlmError, nearest

    entries = dict(module.CELLS)
    for variant in arguments.variant or ():
        if variant not in entries:
            raise DlmError(f"{arguments.name} has no variant '{variant}'; {nearest(variant, entries)}")
    chosen = {v: entries[v] for v in arguments.variant} if arguments.variant else entries
    seeds = list(module.SEEDS) if arguments.seeds is None else range(arguments.seeds)
    return run_entries(arguments, chosen, seeds, arguments.name)


def run_entries(arguments: Namespace, entries: dict[str, Entry], seeds: Sequence[int], title: str) -> int:
    """Run what is missing, then show and write what there is.

    Raises:
        DlmError: bad input; or cells that were refused, after all others are run and shown.
        FaultError: cells that failed by a fault of the program.
    """
    from dlm_snn.continual.standings import standings
    from dlm_snn.errors import DlmError, FaultError
    from experiments.harness.cells import cells
    from experiments.harness.parallel import FAULT
    from experiments.harness.pools import opened
    from experiments.harness.resume import run_missing

    wanted = cells(entries, seeds, arguments.validation, arguments.joint)
    folder = _folder(arguments, title)
    jobs = 1 if arguments.jobs is None else arguments.jobs
    with progress() as show, opened(jobs, arguments.scheduler) as pool:
        rows, failures = run_missing(wanted, arguments.results, arguments.data_dir, pool, show)
    lines = standings(rows)
    if lines:
        _show(lines, title, arguments.validation)
        _write(arguments, folder, title, rows, lines)
        print(f"rows: {', '.join(sorted({str(arguments.results / cell.file) for cell in wanted}))}")
    if failures:
        kind = FaultError if any(line.startswith(FAULT) for _, line in failures) else DlmError
        raise kind(_failed(failures, len(wanted)))
    return 0


def _failed(failures: Sequence[tuple[Cell, str]], total: int) -> str:
    cell, line = failures[0]
    more = f" ({len(failures)} such of {total} cells; the others stand)" if len(failures) > 1 else ""
    return f"{cell}: {line}{more}"


def _folder(arguments: Namespace, title: str) -> Path:
    """Where the report goes; it and the place of the CSV file are looked at before hours are spent.

    Raises:
        DlmError: it is there already, or cannot be written.
    """
    from datetime import datetime

    from dlm_snn.continual.figures import MATRIX
    from dlm_snn.files.atomic import check
    from dlm_snn.report.layouts import LEARNED

    name = f"{_file_name(title)}-{datetime.now():%Y%m%d-%H%M%S}" if arguments.report is None else arguments.report
    folder = inside(arguments.runs, "--report", name)
    check(folder, LEARNED, arguments.replace)
    made = {folder, *folder.parents, arguments.results, *arguments.results.parents}
    if arguments.csv is not None and (arguments.csv.parent.exists() or arguments.csv.parent not in made):
        check(arguments.csv, MATRIX, arguments.replace)
    return folder


def _show(lines: Sequence[Standing], title: str, validation: bool) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from dlm_snn.continual.standings import table

    heading, cells = table(lines)
    part = "held-out training data" if validation else "test data"
    shown = Table(title=f"{title}, {part}: mean and 95 % interval over seeds")
    shown.add_column("learner")
    for name in heading[2:]:
        shown.add_column(name.replace(" against ", " against\n"), justify="right", no_wrap=True)
    # How a line sees a sample, what it is told and keeps stand below its name, and intervals below means: no figure
    # without them, in 80 columns.
    for line, (variant, how, *figures) in zip(lines, cells, strict=True):
        name = "\n".join(
            [escape(variant), *(f"[dim]  {escape(text)}[/dim]" for text in [*how.split("; "), *line.beyond_samples()])]
        )
        shown.add_row(name, *(re.sub(r" (?=[±(])", "\n", text) for text in figures))
    Console().print(shown)


def _write(
    arguments: Namespace, folder: Path, title: str, rows: Sequence[ContinualRow], lines: Sequence[Standing]
) -> None:
    """The report's folder, whole or not at all; and the matrix as CSV where it is asked for."""
    from dlm_snn.continual.figures import MATRIX, matrix_csv
    from dlm_snn.files.atomic import write_text, writing_folder
    from dlm_snn.files.reading import sealed
    from dlm_snn.provenance import to_json
    from dlm_snn.report.continual import render
    from dlm_snn.report.layouts import LEARNED

    with writing_folder(folder, LEARNED, arguments.replace) as aside:
        write_text(aside / "rows.jsonl", "".join(to_json(sealed(row.to_json())) + "\n" for row in rows))
        for line in lines:
            write_text(aside / f"matrix-{_file_name(line.variant)}.csv", matrix_csv(line.matrix()))
        write_text(aside / "report.html", render(title, rows, lines, _command(arguments, title)))
    if arguments.csv is not None:
        write_text(arguments.csv, matrix_csv(lines[0].matrix()), MATRIX, arguments.replace)
    print(f"report: {folder / 'report.html'}")


def _file_name(variant: str) -> str:
    return re.sub(r"[^\w.=-]+", "-", variant)


def _command(arguments: Namespace, title: str) -> str:
    """The command again, without the places of files."""
    if hasattr(arguments, "learner"):
        words = ["dlm-snn learn", f"--protocol {arguments.protocol}", f"--learner {Path(arguments.learner).name}"]
        words += [f"--set {text}" for text in arguments.set]
    else:
        words = ["dlm-snn experiment", title, *(f"--variant {name}" for name in arguments.variant or ())]
    if arguments.seeds is not None:
        words.append(f"--seeds {arguments.seeds}")
    return " ".join(words + [f"--{flag}" for flag in ("validation", "joint") if getattr(arguments, flag)])
