"""Tables of docs/experiments.md and docs/competition-on-chips.md, from the committed rows.

Between ``<!-- NAME -->`` and ``<!-- end NAME -->`` stands the table of the experiment NAME, such as continual_p2.
``chains NAME`` in its place: what happens inside its columns, steps, spikes by stage, ties. ``bursts``: what columns
noticed of new tasks. ``evidence``: what their output neurons should wait for. ``folds``: of the stream. ``frozen``:
the columns as stock neurons. ``competition``: how many neurons are active.
``python -m experiments.tables`` writes them anew; a test compares.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np

from dlm_snn.continual.row import ContinualRow
from dlm_snn.continual.standings import UNKNOWN, Standing, standings
from dlm_snn.errors import DlmError
from dlm_snn.files.atomic import write_text
from dlm_snn.files.layouts import FileKind
from experiments.chips import frozen_columns
from experiments.harness.cells import cells
from experiments.harness.rows import CONTINUAL_ROW, OURS, read_rows
from experiments.recipes.table import CONTINUAL
from experiments.road import competition
from experiments.tuning import bursts, evidence, stream_tuning

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "docs" / "experiments.md", ROOT / "docs" / "competition-on-chips.md")
CHAINS = "chains "
OTHERS: dict[str, ModuleType] = {
    "bursts": bursts,
    "evidence": evidence,
    "folds": stream_tuning,
    "frozen": frozen_columns,
    "competition": competition,
}
"""Modules with results and a table of their own."""
MARK = rf"((?:{CHAINS})?continual_\w+|{'|'.join(OTHERS)})"
STAGES = ("rate", "edges", "pools", "counters", "holders")
TIES = {"training": "ties, learning %", "test": "ties, test %", "test_between_classes": "between classes %"}
"""Shares of samples that the columns tell, and what the table calls them."""
HEADING = ("line", "front end", "normalization", "winner", "keeps, is told", "seeds", "ACC %", "F", "LA %", "against")


def main() -> None:
    """Write the tables of the pages anew."""
    for path in PAGES:
        _write(path, path.read_text(encoding="utf-8"))


def _write(path: Path, page: str) -> None:
    kind = FileKind("the page that was read", lambda file: file.read_text(encoding="utf-8") == page)
    write_text(path, filled(page, OURS), kind, replace=True)


def filled(page: str, results: Path) -> str:
    """A page with its tables made from rows.

    Args:
        page: text with the marks.
        results: folder of the rows.

    Raises:
        DlmError: a mark of no experiment, or without its end.
    """
    for mark in re.findall(rf"<!-- {MARK} -->", page):
        known = mark in OTHERS or mark.removeprefix(CHAINS) in CONTINUAL
        if not known or f"<!-- end {mark} -->" not in page:
            raise DlmError(f"<!-- {mark} --> is no experiment of continual learning, or has no <!-- end {mark} -->")

    def block(found: re.Match[str]) -> str:
        return f"<!-- {found[1]} -->\n{_made(found[1], results)}\n<!-- end {found[1]} -->"

    return re.sub(rf"<!-- {MARK} -->\n.*?<!-- end \1 -->", block, page, flags=re.DOTALL)


def _made(mark: str, results: Path) -> str:
    if mark in OTHERS:
        own: str = OTHERS[mark].table(results / OTHERS[mark].RESULTS.name)
        return own
    make = chains if mark.startswith(CHAINS) else table
    return make(mark.removeprefix(CHAINS), results)


def table(name: str, results: Path) -> str:
    """One experiment's lines that have rows, and where the rows come from.

    Args:
        name: of the experiment.
        results: folder of the rows.
    """
    rows = rows_of(name, results)
    lines = standings(rows)
    text = [_line(HEADING), _line(["---"] * 5 + ["---:"] * 5), *(_line(_cells(line)) for line in lines)]
    return "\n".join([*text, "", _origin(name, rows, lines)])


def chains(name: str, results: Path) -> str:
    """Steps of a sample at most, spikes of a training sample by stage, and shares of ties, of lines that tell them.

    Args:
        name: of the experiment.
        results: folder of the rows.
    """
    lines = [line for line in standings(rows_of(name, results)) if any("ties" in row.info for row in line.rows)]
    heading = ["line", "steps", *(f"spikes: {stage}" for stage in STAGES), *TIES.values()]
    text = [_line(heading), _line(["---", *["---:"] * (len(heading) - 1)])]
    return "\n".join([*text, *(_line(_inside(line)) for line in lines)])


def _inside(line: Standing) -> list[str]:
    info = [row.info for row in line.rows]
    ties = [[of.get("ties", {}).get(part) for of in info] for part in TIES]
    spikes = [[of.get("spikes", {}).get(stage) for of in info] for stage in STAGES]
    return [
        f"`{line.variant}`",
        str(info[0].get("steps", UNKNOWN)),
        *(UNKNOWN if None in counts else f"{np.mean(counts):.0f}" for counts in spikes),
        *(UNKNOWN if None in shares else f"{100 * np.mean(shares):.1f}" for shares in ties),
    ]


def rows_of(name: str, results: Path) -> list[ContinualRow]:
    """The rows of the experiment's own cells, line by line.

    Args:
        name: of the experiment.
        results: folder of the rows.
    """
    module = CONTINUAL[name]
    there: dict[str, dict[str, ContinualRow]] = {}
    found = []
    for variant, entry in module.CELLS.items():
        for cell in cells({variant: entry}, module.SEEDS):
            if cell.file not in there:
                there[cell.file] = {row.config: row for row in read_rows(results / cell.file, CONTINUAL_ROW)}
            if cell.key in there[cell.file]:
                found.append(replace(there[cell.file][cell.key], variant=variant))
    return found


def _cells(line: Standing) -> list[str]:
    declared, figures = line.declaration, line.figures()
    how = [declared.front_end, declared.normalization, declared.winner]
    return [
        f"`{line.variant}`",
        *how,
        "; ".join(line.beyond_samples()) or UNKNOWN,
        *(figures[name] for name in ("seeds", "ACC %", "F", "LA %")),
        line.difference(),
    ]


def _line(parts: Sequence[str]) -> str:
    return f"| {' | '.join(parts)} |"


def _origin(name: str, rows: Sequence[ContinualRow], lines: Sequence[Standing]) -> str:
    if not rows:
        return "No rows yet."
    commits, machines = sorted({str(row.commit) for row in rows}), sorted({row.machine for row in rows})
    dates = sorted({row.date for row in rows})
    seeds = ", ".join(str(seed) for seed in sorted({row.seed for row in rows}))
    seconds = np.median([sum(row.figures.seconds.values()) for row in rows])
    first = lines[0].variant
    return (
        f"`dlm-snn experiment {name} --data-dir DIR`. Means with 95 % intervals over seeds {seeds} (the first of "
        f"them where a line has fewer); against: ACC less that of `{first}`, in points, seed by seed. Commits "
        f"{', '.join(commits)}; {' to '.join(dict.fromkeys((dates[0], dates[-1])))}; {'; '.join(machines)}; a row took "
        f"{seconds:.0f} s in the median."
    )


if __name__ == "__main__":
    main()
