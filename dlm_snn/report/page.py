"""The page: everything of a run folder, rendered into one file."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from dlm_snn.atomic import write_text
from dlm_snn.report import folder, panels, wording
from dlm_snn.report.svg import styled


def write(path: Path) -> Path:
    """Write ``report.html`` into a run folder; see ``dlm_snn.report.write_report``."""
    target = path / "report.html"
    write_text(target, render(folder.read(path)))
    return target


def render(run: folder.RunFolder) -> str:
    """The page as text; the same folder gives the same text."""
    labels = wording.labels(run.metrics)
    with styled():
        figures = {
            "rasters": panels.rasters(run, labels),
            "traces": panels.traces(run, labels),
            "rates": panels.rates(run, labels),
            "weights": panels.weights(run, labels),
            "curves": panels.curves(run),
        }
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(number=wording.number, title=wording.title)
    template = environment.from_string(files("dlm_snn.report").joinpath("page.html").read_text(encoding="utf-8"))
    return template.render(
        name=run.path.resolve().name,
        sentence=wording.sentence(run.metrics),
        tiles=wording.tiles(run.metrics),
        results=wording.results(run.metrics),
        agreement=_agreement(run, labels),
        populations=_compared(run),
        budget=_budget(run.metrics),
        labels=labels,
        record={key: run.record.get(key) for key in ("created", "digests", "versions", "seconds")},
        provenance=_provenance(run.record),
        config=run.config,
        **figures,
    )


def _compared(run: folder.RunFolder) -> list[str]:
    """Populations that the agreement table compares, in the network's order."""
    listed = [name for row in run.metrics.get("agreement") or [] for name in row.get("spikes") or {}]
    known = [name for name in run.order if name in listed]
    return list(dict.fromkeys(known + listed))


def _agreement(run: folder.RunFolder, labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """Rows with every key the template asks for."""
    rows = []
    for row in run.metrics.get("agreement") or []:
        network = row.get("network")
        rows.append(
            {
                "network": labels.get(str(network), network),
                "first": row.get("first"),
                "second": row.get("second"),
                "samples": row.get("samples"),
                "spikes": row.get("spikes") or {},
                "ties": row.get("ties"),
                "equal": row.get("equal"),
                "remarks": [text for text in (row.get("text"), row.get("note")) if text and text != "equal"],
            }
        )
    return rows


def _budget(metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    budget = metrics.get("loss_budget")
    if not budget:
        return None
    tables = {part: wording.table(budget[part]) for part in ("projections", "populations") if budget.get(part)}
    return {"tables": tables, "warnings": budget.get("warnings") or []}


def _provenance(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The plain lines of the record; its mappings have tables of their own."""
    known = ("created", "command", "commit", "seed", "machine")
    names = [*known, *(key for key, value in record.items() if key not in known and not isinstance(value, Mapping))]
    return [(wording.title(key), _plain(record.get(key))) for key in names]


def _plain(value: Any) -> str:
    """As it is, without a thousands separator: a seed is a name more than a quantity."""
    return wording.NOTHING if value is None else str(value)
