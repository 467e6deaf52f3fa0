"""What ``dlm-snn analyze`` found: as text, as JSON, and as a folder of tables and figures."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlm_snn.analysis.finding import NOT_RESOLVED
from dlm_snn.files.atomic import writing_folder
from dlm_snn.files.layouts import FILES, FolderKind, binary_file, json_file, text_file

if TYPE_CHECKING:
    from dlm_snn.analysis.finding import Finding
    from dlm_snn.verbs.rasters.analyses.outcome import Outcome

SCHEMA = 1
"""Of the JSON; a change that readers must know of makes it one more."""
WIDTH = 100
_TABLE = json_file("a table of 'dlm-snn analyze'", "schema", "answers", FILES)
ANALYSIS = FolderKind(
    "an analysis",
    {
        "table.json": _TABLE,
        "table.csv": text_file("a table", "population,"),
        "*.png": binary_file("a figure", b"\x89PNG"),
        "*.svg": text_file("a figure", "<?xml"),
    },
    record=("table.json", _TABLE),
    listed=True,
)


@dataclass(frozen=True)
class Answer:
    """One analysis of one population.

    Attributes:
        population, what: of which, and which one.
        outcome: what it found; None where it does not apply.
        reason: why it does not apply.
    """

    population: str
    what: str
    outcome: Outcome | None
    reason: str = ""

    @property
    def findings(self) -> Sequence[Finding]:
        """All of them, none where it does not apply."""
        return self.outcome.findings if self.outcome else ()

    @property
    def conclusion(self) -> str:
        """One line."""
        if self.outcome is None or not self.findings:
            return f"does not apply: {self.reason or 'nothing in the file that it could look at'}"
        return self.outcome.conclusion or str(self.findings[0])


def as_text(answers: Sequence[Answer], told: Sequence[str] = ()) -> str:
    """What the import says, conclusions, then a table with the doubts, controls and estimators of each row below it."""
    lines = [line for text in told for line in _wrapped(text, "  ")]
    for answer in answers:
        # A figure that is called as its analysis is named once.
        told = _short(answer).removeprefix(f"{answer.what}: ")
        lines += _wrapped(f"{answer.what} of '{answer.population}': {told}", "  ")
    for answer in answers:
        if answer.findings:
            lines += ["", f"{answer.what} of '{answer.population}'", *_table(answer.findings)]
    return "\n".join(lines)


def _short(answer: Answer) -> str:
    """The conclusion; why a figure is not resolved stands once, in the table."""
    first = answer.findings[0] if answer.findings else None
    if first is None or first.resolved or answer.conclusion != str(first):
        return answer.conclusion
    return f"{first.name}: {NOT_RESOLVED}"


def _table(findings: Sequence[Finding]) -> Iterator[str]:
    rows = [finding.row() for finding in findings]
    columns = ("figure", "value", "95 % interval", "unit")
    widths = [max(len(column), *(len(row[column]) for row in rows)) for column in columns]
    widths[0] = min(widths[0], WIDTH - sum(widths[1:]) - 2 * len(widths) - 2)
    yield _cells(columns, widths)
    for row in rows:
        first, *rest = textwrap.wrap(row["figure"], widths[0]) or [""]
        yield _cells((first, *(row[column] for column in columns[1:])), widths)
        yield from (f"  {line}" for line in rest)
        for label, column in (
            ("not resolved", "doubt"),
            ("sample", "sample"),
            ("control", "control"),
            ("by", "estimator"),
        ):
            if row[column]:
                yield from _wrapped(f"    {label}: {row[column]}", "      ")


def _cells(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  " + "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False, drop_whitespace=True)


def as_json(answers: Sequence[Answer], head: Mapping[str, Any]) -> str:
    """The answers as JSON, without NaN: what is not finite is null."""
    return json.dumps(_finite(_content(answers, head)), indent=2, allow_nan=False, ensure_ascii=False)


def _content(answers: Sequence[Answer], head: Mapping[str, Any]) -> dict[str, Any]:
    told = [
        {
            "population": answer.population,
            "what": answer.what,
            "applies": bool(answer.findings),
            "conclusion": answer.conclusion,
            "findings": [finding.to_json() for finding in answer.findings],
        }
        for answer in answers
    ]
    return {"schema": SCHEMA, **head, "answers": told}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_csv(answers: Sequence[Answer]) -> str:
    """One row per finding, its cells as in the table."""
    text = io.StringIO()
    rows = [
        {"population": answer.population, "analysis": answer.what, **finding.row()}
        for answer in answers
        for finding in answer.findings
    ]
    names = list(rows[0]) if rows else ["population", "analysis"]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write(
    answers: Sequence[Answer], head: Mapping[str, Any], folder: Path, formats: Sequence[str], replace: bool
) -> None:
    """Write table.csv, table.json and the figures, all or nothing.

    Raises:
        DlmError: as ``atomic.writing_folder``.
    """
    from dlm_snn.analysis.plots import save

    with writing_folder(folder, ANALYSIS, replace) as made:
        for name, draw in _figures(answers).items():
            axes = _drawn(draw)
            for ending in formats:
                save(axes, made / f"{name}.{ending}")
        (made / "table.csv").write_text(as_csv(answers))
        names = sorted([*(path.name for path in made.iterdir()), "table.json"])
        (made / "table.json").write_text(as_json(answers, {**head, FILES: names}) + "\n")


def _figures(answers: Sequence[Answer]) -> dict[str, Any]:
    """File name without its ending -> what draws it; two that would have one name are numbered."""
    found: dict[str, Any] = {}
    for answer in answers:
        for title, draw in (answer.outcome.figures if answer.outcome else {}).items():
            words = (answer.population, *(() if title == answer.what else (answer.what,)), title)
            name = re.sub(r"[^\w.-]+", "-", "-".join(words)).strip("-.")
            while name in found:
                name += "-2"
            found[name] = draw
    return found


def _drawn(draw: Any) -> Any:
    from dlm_snn.analysis.plots.style import drawing

    with drawing(None) as axes:
        draw(axes)
    return axes
