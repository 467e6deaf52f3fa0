"""The page of a continual experiment: standings, course, accuracy matrices, what was declared, provenance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from dlm_snn.continual.row import ContinualRow
from dlm_snn.continual.standings import UNKNOWN, Standing, table
from dlm_snn.report.figures import WIDTH
from dlm_snn.report.page import part, template
from dlm_snn.report.panels import Panel
from dlm_snn.report.svg import THEME, inline, styled

NUMBERED = 10
"""Matrices of more tasks are drawn without numbers: they would not be read."""
_STRONGEST = 0.5
"""Opacity of accuracy 1: numbers stay readable upon it in both themes."""
_DASHES = ("-", "--", ":", "-.")


def matrix_figure(matrix: NDArray[np.float64]) -> Figure:
    """An accuracy matrix (task, task) as a picture: the darker, the more accurate; empty where it says nothing."""
    n = len(matrix)
    figure = Figure(figsize=(WIDTH, WIDTH * 0.9), layout="constrained")
    axes = figure.subplots()
    for (i, j), value in np.ndenumerate(matrix):
        if np.isnan(value):
            continue
        axes.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=THEME["float"], alpha=_STRONGEST * value))
        if n <= NUMBERED:
            axes.text(j, i, f"{100 * value:.0f}", ha="center", va="center", fontsize=8 if n > 5 else 9)
    axes.set(xlim=(-0.5, n - 0.5), ylim=(n - 0.5, -0.5), xlabel="tested on task", ylabel="after task", aspect="equal")
    _whole_tasks(axes)
    axes.yaxis.set_major_locator(MaxNLocator(n, integer=True))
    return figure


def course_figure(lines: Sequence[Standing]) -> Figure:
    """Mean accuracy over the tasks so far, after each task, a line a learner, each with its name at its end."""
    figure = Figure(figsize=(WIDTH, WIDTH * 0.7), layout="constrained")
    axes = figure.subplots()
    for place, line in enumerate(lines):
        matrix = line.matrix()
        mean = np.array([100 * matrix[i, : i + 1].mean() for i in range(len(matrix))])
        color = THEME["integer" if place % 2 else "float"]
        look = _DASHES[place // 2 % len(_DASHES)]
        axes.plot(np.arange(len(mean)), mean, look, color=color, marker="o", markersize=3, label=line.variant)
    axes.set(xlabel="after task", ylabel="accuracy on tasks so far, %")
    axes.legend(loc="best")
    _whole_tasks(axes)
    return figure


def _whole_tasks(axes: Axes) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True))


def render(title: str, rows: Sequence[ContinualRow], lines: Sequence[Standing], command: str) -> str:
    """The page as text; the same rows give the same text.

    Args:
        title: of the experiment.
        rows: that it rests on.
        lines: its standings, at least one.
        command: that made it.
    """
    heading, cells = table(lines)
    with styled():
        course = inline(course_figure(lines), "course", _course_alt(lines))
        matrices = [_matrix_panel(place, line) for place, line in enumerate(lines)]
    return template("continual.html").render(
        style=Markup(part("style.css")),
        title=title,
        protocol=", ".join(_distinct(row.protocol for row in rows)) + (" (validation)" if rows[0].validation else ""),
        sentence=_sentence(title, lines),
        heading=[heading[0], *heading[2:]],
        lines=[[{"name": name, "note": how}, *rest] for name, how, *rest in cells],
        excess=any(line.joint for line in lines),
        course=[Panel("After each task", course, "Mean over the tasks so far and over seeds.")],
        matrices=matrices,
        declared_heading=["learner", *lines[0].declared()],
        declared=[[{"name": line.variant, "note": _size(line)}, *line.declared().values()] for line in lines],
        provenance=[("Command", command), *_provenance(rows)],
    )


def _matrix_panel(place: int, line: Standing) -> Panel:
    figures = line.figures()
    caption = ", ".join(f"{name} {figures[name]}" for name in ("ACC %", "F", "LA %"))
    svg = inline(matrix_figure(line.matrix()), f"matrix-{place}", f"Accuracy matrix of {line.variant}: {caption}.")
    return Panel(line.variant, svg, f"{caption}; {line.how}.")


def _course_alt(lines: Sequence[Standing]) -> str:
    ends = ", ".join(f"{line.variant} {line.figures()['ACC %']} %" for line in lines)
    return f"Accuracy over the tasks so far; at the end {ends}."


def _sentence(title: str, lines: Sequence[Standing]) -> str:
    best = max(lines, key=lambda line: line.acc.mean())
    figures = best.figures()
    text = f"{title}: {best.variant} ends at ACC {figures['ACC %']} %"
    if figures["F"] != UNKNOWN:
        text += f", F {figures['F']}, LA {figures['LA %']} %"
    count = figures["seeds"]
    return f"{text} over {count} seed{'' if count == '1' else 's'}"


def _size(line: Standing) -> str:
    """What the learner says of its own size."""
    info = line.rows[0].info
    return ", ".join(f"{info[name]:,} {name}" for name in ("neurons", "synapses") if isinstance(info.get(name), int))


def _provenance(rows: Sequence[ContinualRow]) -> list[tuple[str, str]]:
    return [
        ("Rows", str(len(rows))),
        ("Commits", ", ".join(_distinct(row.commit for row in rows))),
        ("Dates", ", ".join(_distinct(row.date for row in rows))),
        ("Machines", "; ".join(_distinct(row.machine for row in rows))),
        ("Minutes of training and tests", f"{sum(row.figures.minutes for row in rows):,.1f}"),
    ]


def _distinct(values: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(map(str, values)))
