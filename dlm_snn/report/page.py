"""The page: everything of a run folder, rendered into one file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import nullcontext
from importlib.resources import files
from pathlib import Path
from shlex import quote
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

from dlm_snn.analysis.plots.style import styled
from dlm_snn.errors import how_many
from dlm_snn.files.atomic import check, write_text
from dlm_snn.files.reading import refused
from dlm_snn.report import agreement, chip, choice, firing, panels, physics, samples, voltages, wording
from dlm_snn.runs.run_folder import PAGE, REPORT, RunFolder, read_run
from dlm_snn.runs.run_metrics import LossBudget


def write(path: Path, place: Path | None = None) -> Path:
    """Write ``report.html`` into a run folder, for one that stands there; see ``dlm_snn.report.write_report``."""
    target = path / PAGE
    run = read_run(path)
    check(target, REPORT, replace=True)
    # Nobody vouches for the values of a run without checksums; what cannot be drawn of them is no fault of the program.
    with nullcontext() if run.verified else refused(path, "run it again", "holds values that cannot be shown"):
        text = render(run, path if place is None else place)
    write_text(target, text, REPORT, replace=True)
    return target


def render(run: RunFolder, place: Path) -> str:
    """The page as text; the same folder at the same place gives the same text."""
    labels = wording.labels(run.metrics)
    with styled():
        figures = {
            "rasters": panels.rasters(run, labels),
            "traces": voltages.traces(run, labels),
            "rates": panels.rates(run, labels),
            "weights": panels.weights(run, labels),
            "curves": panels.curves(run),
            "fields": physics.fields(run.metrics),
            "cores": chip.cores(run.metrics),
        }
    unequal, equal = agreement.pairs(run.metrics.agreement or (), labels)
    return template("page.html").render(
        style=Markup(part("style.css")),
        sentence=wording.sentence(run.metrics),
        tiles=wording.tiles(run.metrics),
        results=(results := wording.results(run.metrics, lambda population: choice.seconds(run, population))),
        partial=results is not None and any(wording.NOTHING in row for row in results.rows),
        samples=samples.samples(run.answers, labels),
        confusions=samples.confusions(run.answers, labels),
        answered=run.answers and samples.sentence(run.answers, labels),
        folder=quote(seen_from_here(place)),
        matrices=agreement.matrices(run.metrics, labels),
        symbols=agreement.SYMBOLS,
        agreed=agreement.sentence(run.metrics),
        unequal=unequal,
        equal=equal,
        populations=_compared(run),
        statistics=firing.table(run, labels),
        step=f"{1e3 * choice.seconds(run):g}",
        single=run.metrics.float32,
        budget=run.metrics.loss_budget,
        losses=_losses(run.metrics.loss_budget),
        overflow=run.metrics.overflow,
        labels=labels,
        competition=_competition(run),
        works=physics.works(run.metrics),
        membranes=physics.membranes(run.metrics, labels),
        closing=physics.closing(run.metrics),
        on_chip=run.metrics.on_chip,
        utilization=chip.table(run.metrics),
        dataset=run.metrics.dataset and run.metrics.dataset.name,
        record={key: run.record.get(key) for key in ("created", "seed", "digests", "versions", "seconds")},
        provenance=_provenance(run.record),
        config=run.config,
        **figures,
    )


def seen_from_here(place: Path) -> str:
    """The path from the current folder, for a command; whole where no path leads there, as to another drive."""
    try:
        return os.path.relpath(place)
    except ValueError:
        return str(place.resolve())


def template(name: str) -> Template:
    """A page's template; it may import from those beside it."""
    environment = Environment(
        loader=FunctionLoader(part), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = wording.number
    environment.filters["how_many"] = how_many
    return environment.get_template(name)


def part(name: str) -> str:
    """A file that lies beside this module: a template, or the style sheet that all pages share."""
    return files("dlm_snn.report").joinpath(name).read_text(encoding="utf-8")


def _competition(run: RunFolder) -> bool:
    """Whether a population holds back all spikes but those of its winners."""
    return any(p.get("winners") is not None for stored in run.networks.values() for p in stored.populations.values())


def _compared(run: RunFolder) -> list[str]:
    """Populations that the agreement table compares, in the network's order."""
    listed = [name for row in run.metrics.agreement or () for name in row.spikes or {}]
    known = [name for name in choice.order(run) if name in listed]
    return list(dict.fromkeys(known + listed))


def _losses(budget: LossBudget | None) -> list[wording.Table]:
    """What the parts of the network lost: a table of the projections, and one of the populations."""
    parts = {} if budget is None else {"projections": budget.projections, "populations": budget.populations}
    return [wording.table(lost, heading) for heading, lost in parts.items() if lost]


def _provenance(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The plain lines of the record; its mappings have tables of their own."""
    known = ("created", "command", "commit", "seed", "machine")
    names = [*known, *(key for key, value in record.items() if key not in known and not isinstance(value, Mapping))]
    return [(wording.title(key), _plain(record.get(key))) for key in names]


def _plain(value: Any) -> str:
    """As it is, without a thousands separator: a seed is a name more than a quantity."""
    return wording.NOTHING if value is None else str(value)
