"""The tables of continual learning in docs/experiments.md, from the committed rows.

Between ``<!-- NAME -->`` and ``<!-- end NAME -->`` stands the table of the experiment NAME, such as continual_p2.
``python -m experiments.continual_tables`` writes them anew; a test compares.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dlm_snn.atomic import write_text
from dlm_snn.errors import DlmError
from dlm_snn.standings import Standing, standings
from experiments.cells import cells
from experiments.rows import read_rows
from experiments.table import CONTINUAL

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "experiments.md"
RESULTS = ROOT / "experiments" / "results"
HEADING = ("line", "front end", "normalisation", "winner", "keeps, is told", "seeds", "ACC %", "F", "LA %", "against")


def main() -> None:
    """Write the tables of the page anew."""
    write_text(PAGE, filled(PAGE.read_text(encoding="utf-8"), RESULTS))


def filled(page: str, results: Path) -> str:
    """A page with its tables made from rows.

    Args:
        page: text with the marks.
        results: folder of the rows.

    Raises:
        DlmError: a mark of no experiment, or without its end.
    """

    def block(found: re.Match[str]) -> str:
        name = found[1]
        return f"<!-- {name} -->\n{table(name, results)}\n<!-- end {name} -->"

    begun = re.findall(r"<!-- (continual_\w+) -->", page)
    for name in begun:
        if name not in CONTINUAL or f"<!-- end {name} -->" not in page:
            raise DlmError(f"<!-- {name} --> is no experiment of continual learning, or has no <!-- end {name} -->")
    return re.sub(r"<!-- (continual_\w+) -->\n.*?<!-- end \1 -->", block, page, flags=re.DOTALL)


def table(name: str, results: Path) -> str:
    """One experiment's lines that have rows, and where the rows come from.

    Args:
        name: of the experiment.
        results: folder of the rows.
    """
    rows = _rows(name, results)
    lines = standings(rows)
    text = [_line(HEADING), _line(["---"] * 5 + ["---:"] * 5), *(_line(_cells(line)) for line in lines)]
    return "\n".join([*text, "", _origin(name, rows, lines)])


def _rows(name: str, results: Path) -> list[dict[str, Any]]:
    """The rows of the experiment's own cells, line by line."""
    module = CONTINUAL[name]
    there: dict[str, dict[str, Any]] = {}
    found = []
    for variant, entry in module.CELLS.items():
        for cell in cells({variant: entry}, module.SEEDS):
            if cell.file not in there:
                there[cell.file] = {row["config"]: row for row in read_rows(results / cell.file)}
            if cell.key in there[cell.file]:
                found.append({**there[cell.file][cell.key], "variant": variant})
    return found


def _cells(line: Standing) -> list[str]:
    declared, figures = line.declaration, line.figures()
    kept = [
        f"{name}: {value}"
        for name, value in line.declared().items()
        if value not in ("no", "none", "0", "not declared")
    ]
    how = [declared["front_end"], declared["normalisation"], declared["winner"]]
    return [
        f"`{line.variant}`",
        *how,
        "; ".join(kept) or "-",
        *(figures[name] for name in ("seeds", "ACC %", "F", "LA %")),
        line.difference(),
    ]


def _line(parts: Sequence[str]) -> str:
    return f"| {' | '.join(parts)} |"


def _origin(name: str, rows: Sequence[dict[str, Any]], lines: Sequence[Standing]) -> str:
    if not rows:
        return "No rows yet."
    commits, dates, machines = (sorted({row[key] for row in rows}) for key in ("commit", "date", "machine"))
    seeds = max(len(line.rows) for line in lines)
    seconds = np.median([sum(row["figures"]["seconds"].values()) for row in rows])
    first = lines[0].variant
    return (
        f"`dlm-snn experiment {name} --data-dir DIR`. Means with 95 % intervals over seeds 0 to {seeds - 1} (the first "
        f"ones where a line has fewer); against: ACC less that of `{first}`, in points, seed by seed. Commits "
        f"{', '.join(commits)}; {' to '.join(dict.fromkeys((dates[0], dates[-1])))}; {'; '.join(machines)}; a row took "
        f"{seconds:.0f} s in the median."
    )


if __name__ == "__main__":
    main()
