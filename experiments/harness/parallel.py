"""Cells through a pool: each result kept as it comes, lost workers made good, a refused setting not tried again."""

from __future__ import annotations

import traceback
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlm_snn.continual.row import ContinualRow
from dlm_snn.errors import DlmError
from dlm_snn.files.own_files import ended
from experiments.harness.cells import Cell
from experiments.harness.pools import Pool
from experiments.harness.processes import limit_threads

FAULT = "a fault of the program: "
"""What the line of a cell begins with that failed by no fault of its user."""
TRIES = 3
"""Of a cell whose worker is lost; in the last it runs alone: two may need more memory than there is, and one not."""


@dataclass(frozen=True)
class Outcome:
    """What a cell came to, in a form that always travels between processes.

    Attributes:
        row: its result.
        refused: the line of a DlmError; then there is no row.
        fault: the traceback of another error; then there is no row.
    """

    row: ContinualRow | None = None
    refused: str | None = None
    fault: str | None = None


def attempt(cell: Cell, data_dir: Path | None, limit: bool) -> Outcome:
    """Run one cell, in whatever process."""
    from experiments.harness.continual import run_cell

    if limit:
        limit_threads()
    try:
        return Outcome(row=run_cell(cell, data_dir))
    except DlmError as error:
        return Outcome(refused=str(error))
    except SystemExit as stop:
        return Outcome(refused=str(ended(stop)))
    except Exception:
        return Outcome(fault=traceback.format_exc())


@dataclass
class Run:
    """A run of cells through a pool.

    Attributes:
        pool: where they run.
        data_dir: where the data lie.
        begin: told of a cell before it starts.
        done: given a cell and its row.
        failures: (cell, line) of what has no row.
    """

    pool: Pool
    data_dir: Path | None
    begin: Callable[[Cell], None]
    done: Callable[[Cell, ContinualRow], None]
    failures: list[tuple[Cell, str]] = field(default_factory=list)
    _tries: Counter[str] = field(default_factory=Counter)
    _refused: set[tuple[Any, ...]] = field(default_factory=set)

    def all(self, cells: Sequence[Cell]) -> None:
        """Run them; a cell that fails is in ``failures``, and the others go on.

        Raises:
            DlmError: the scheduler is lost.
        """
        waiting = deque(cells)
        flying: dict[Future[Outcome], Cell] = {}
        with self.pool.executor() as executor:
            while waiting or flying:
                self._hand_over(executor, waiting, flying)
                for future in wait(flying, return_when=FIRST_COMPLETED).done:
                    cell = flying.pop(future)
                    try:
                        self._take(cell, future.result())
                    except self.pool.lost:
                        self._lose(cell, waiting)
                    except CancelledError as error:
                        raise DlmError("the scheduler is lost; finished rows are kept, run the same again") from error

    def _hand_over(self, executor: Executor, waiting: deque[Cell], flying: dict[Future[Outcome], Cell]) -> None:
        """Submit what there is room for."""
        while waiting and self._room(waiting[0], list(flying.values())):
            cell = waiting.popleft()
            if cell.settings not in self._refused:
                self.begin(cell)
                flying[executor.submit(attempt, cell, self.data_dir, self.pool.limit)] = cell

    def _lose(self, cell: Cell, waiting: deque[Cell]) -> None:
        self._tries[cell.key] += 1
        if self._tries[cell.key] < TRIES:
            waiting.append(cell)
        else:
            self.failures.append((cell, f"its worker was lost {TRIES} times"))

    def _room(self, cell: Cell, flying: list[Cell]) -> bool:
        if any(self._last_try(other) for other in (cell, *flying)):
            return not flying
        return self.pool.in_flight is None or len(flying) < self.pool.in_flight

    def _last_try(self, cell: Cell) -> bool:
        return self._tries[cell.key] == TRIES - 1

    def _take(self, cell: Cell, outcome: Outcome) -> None:
        if outcome.row is not None:
            self.done(cell, outcome.row)
        elif outcome.refused is not None:
            if cell.settings not in self._refused:
                self.failures.append((cell, outcome.refused))
            self._refused.add(cell.settings)
        else:
            self.failures.append((cell, f"{FAULT}{_last_line(outcome.fault)}"))


def _last_line(text: str | None) -> str:
    return (text or "").strip().rpartition("\n")[2]
