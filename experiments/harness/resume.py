"""A table of cells against its results files: what is missing is run and appended, what is there is never run again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dlm_snn.continual.row import ContinualRow
from experiments.harness.cells import Cell, expected_minutes
from experiments.harness.parallel import Run
from experiments.harness.pools import Pool
from experiments.harness.rows import CONTINUAL_ROW, Rows, writing_rows

if TYPE_CHECKING:
    from experiments.harness.progress import Show


def run_missing(
    cells: Sequence[Cell], results: Path, data_dir: Path | None, pool: Pool, show: Show
) -> tuple[list[ContinualRow], list[tuple[Cell, str]]]:
    """Run the cells that have no row yet.

    Args:
        cells: which rows are wanted.
        results: folder of the results files, one a protocol.
        data_dir: where the data lie.
        pool: where the cells run.
        show: told of every cell before it starts, with the minutes that it will take.

    Returns:
        The rows of exactly these cells, in their order, as far as there are any; and the failures, cell and line.

    Raises:
        DlmError: another run writes one of the files; a damaged line; a full disk; a lost scheduler.
    """
    with ExitStack() as stack:
        files = {
            name: stack.enter_context(writing_rows(results / name, CONTINUAL_ROW))
            for name in sorted({c.file for c in cells})
        }
        missing: dict[str, Cell] = {}
        for cell in cells:
            if files[cell.file].find(config=cell.key) is None:
                missing.setdefault(cell.key, cell)
        run = _run(pool, data_dir, files, show, len(missing))
        run.all(list(missing.values()))
        found = [(cell, files[cell.file].find(config=cell.key)) for cell in cells]
    # Two variants of a table may be one cell; and a row may have been made under another name.
    return [replace(row, variant=cell.variant) for cell, row in found if row is not None], run.failures


def _run(pool: Pool, data_dir: Path | None, files: dict[str, Rows[ContinualRow]], show: Show, total: int) -> Run:
    done = 0

    def begin(cell: Cell) -> None:
        minutes = expected_minutes(cell, files[cell.file].rows)
        show(f"{cell}: {_told(minutes)}", done, total)

    def finished(cell: Cell, row: ContinualRow) -> None:
        nonlocal done
        done += 1
        file = files[cell.file]
        # A cluster may run a cell twice when a worker seems lost; the first row stands.
        if file.find(config=row.config) is None:
            file.append(row)

    return Run(pool, data_dir, begin, finished)


def _told(minutes: float | None) -> str:
    if minutes is None:
        return "minutes not known yet"
    return f"about {minutes:.1f} min" if minutes >= 0.05 else "less than 0.1 min"
