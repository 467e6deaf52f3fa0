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

from dlm_snn.analysis.plots.style import styled
from dlm_snn.continual.row import ContinualRow
from dlm_snn.continual.standings import Standing, table
from dlm_snn.report.figures import WIDTH
from dlm_snn.report.headline import headline
from dlm_snn.report.page import part, template
from dlm_snn.report.panels import Panel
from dlm_snn.report.svg import THEME, inline
from dlm_snn.runs.metrics import confidence_95

NUMBERED = 10
"""Matrices of more tasks are drawn without numbers: they would not be read."""
FINE = 10
"""Percent: accuracies that lie closer together have a decimal."""
_PALEST, _STRONGEST = 0.03, 0.55
"""Opacity of the lowest and the highest accuracy: numbers stay readable upon it in both themes."""
_SHADES = 24
"""That the color bar shows."""
_DASHES = ("-", "--", ":", "-.")
_COLORS = ("float", "integer", "third", "fourth")
_BAND = 0.14
"""Opacity of an interval."""


def extent(matrices: Iterable[NDArray[np.float64]]) -> tuple[float, float]:
    """The lowest and the highest accuracy of some matrices, in whole percent around them."""
    known = np.concatenate([matrix[~np.isnan(matrix)] for matrix in matrices])
    low, high = float(np.floor(100 * known.min() + 1e-9)), float(np.ceil(100 * known.max() - 1e-9))
    return (low, high) if high > low else (max(low - 1, 0.0), min(low + 1, 100.0))


def matrix_figure(matrix: NDArray[np.float64], span: tuple[float, float]) -> Figure:
    """An accuracy matrix (task, task) as a picture: the darker, the more accurate; empty where it says nothing.

    Args:
        matrix: accuracies in 0..1.
        span: percent that the palest and the darkest shade stand for.
    """
    n = len(matrix)
    figure = Figure(figsize=(WIDTH, WIDTH * 0.9 + 0.45), layout="constrained")
    axes, bar = figure.subplots(2, 1, height_ratios=[1, 0.045])
    form, size = (".1f", 6.5 if n > 7 else 8) if span[1] - span[0] <= FINE else (".0f", 8 if n > 5 else 9)
    for (i, j), value in np.ndenumerate(matrix):
        if np.isnan(value):
            continue
        shade = _shade(float((100 * value - span[0]) / (span[1] - span[0])))
        axes.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=THEME["float"], alpha=shade, linewidth=0))
        if n <= NUMBERED:
            axes.text(j, i, f"{100 * value:{form}}", ha="center", va="center", fontsize=size)
    axes.set(xlim=(-0.5, n - 0.5), ylim=(n - 0.5, -0.5), xlabel="tested on task", ylabel="after task", aspect="equal")
    _whole_tasks(axes)
    axes.yaxis.set_major_locator(MaxNLocator(min(n, 10), integer=True))
    _color_bar(bar, span)
    return figure


def _shade(share: float) -> float:
    return _PALEST + (_STRONGEST - _PALEST) * min(max(share, 0.0), 1.0)


def _color_bar(axes: Axes, span: tuple[float, float]) -> None:
    """What the shades stand for."""
    width = (span[1] - span[0]) / _SHADES
    for at in range(_SHADES):
        corner = (span[0] + at * width, 0)
        shade = _shade((at + 0.5) / _SHADES)
        axes.add_patch(Rectangle(corner, width, 1, facecolor=THEME["float"], alpha=shade, linewidth=0))
    axes.set(xlim=span, ylim=(0, 1), xlabel="accuracy, %", yticks=[])
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.spines[:].set_visible(False)


def course_figure(lines: Sequence[Standing]) -> Figure:
    """Mean accuracy over the tasks so far, after each task, with its 95 % interval over seeds, a line a learner."""
    figure = Figure(figsize=(WIDTH, WIDTH * 0.7 + 0.19 * len(lines)), layout="constrained")
    axes = figure.subplots()
    for place, line in enumerate(lines):
        mean, half = course(line)
        tasks = np.arange(len(mean))
        color = THEME[_COLORS[place % len(_COLORS)]]
        look = _DASHES[place // len(_COLORS) % len(_DASHES)]
        axes.plot(tasks, mean, look, color=color, marker="o", markersize=3, label=line.variant)
        if np.isfinite(half).any():
            axes.fill_between(tasks, mean - half, mean + half, color=color, alpha=_BAND, linewidth=0)
    axes.set(xlabel="after task", ylabel="accuracy on tasks so far, %")
    figure.legend(loc="outside lower left", ncols=1, handlelength=2.4)
    _whole_tasks(axes)
    return figure


def course(line: Standing) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Percent right on the tasks so far, after each: mean over seeds and half-width of its 95 % interval (Student's t).

    NaN where nothing was tested; a half-width is NaN for one seed.
    """
    seeds = np.array([[100 * row.figures.r[i, : i + 1].mean() for i in range(len(row.figures.r))] for row in line.rows])
    pairs = [confidence_95(after) if np.isfinite(after).all() else (np.nan, np.nan) for after in seeds.T]
    mean, half = np.array(pairs, dtype=float).T
    return mean, half


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
        drawn = inline(course_figure(lines), "course", _course_alt(lines))
        span = extent(line.matrix() for line in lines)
        matrices = [_matrix_panel(place, line, span) for place, line in enumerate(lines)]
    return template("continual.html").render(
        style=Markup(part("style.css")),
        title=title,
        protocol=", ".join(_distinct(row.protocol for row in rows)) + (" (validation)" if rows[0].validation else ""),
        sentence=headline(title, lines),
        heading=[heading[0], *heading[2:]],
        lines=[[{"name": name, "note": how}, *rest] for name, how, *rest in cells],
        excess=any(line.joint for line in lines),
        course=[Panel("After each task", drawn, _course_caption(lines))],
        matrices=matrices,
        span=[f"{end:g}" for end in span],
        declared_heading=["learner", *lines[0].declared()],
        declared=[[{"name": line.variant, "note": _size(line)}, *line.declared().values()] for line in lines],
        provenance=[("Command", command), *_provenance(rows)],
    )


def _matrix_panel(place: int, line: Standing, span: tuple[float, float]) -> Panel:
    figures = line.figures()
    caption = ", ".join(f"{name} {figures[name]}" for name in ("ACC %", "F", "LA %"))
    svg = inline(
        matrix_figure(line.matrix(), span), f"matrix-{place}", f"Accuracy matrix of {line.variant}: {caption}."
    )
    return Panel(line.variant, svg, f"{caption}; {line.how}.")


def _course_caption(lines: Sequence[Standing]) -> str:
    told = "Mean over the tasks so far and over seeds"
    if all(len(line.rows) < 2 for line in lines):
        return f"{told}; one seed has no interval."
    return f"{told}; the bands are its 95 % intervals over seeds (Student's t)."


def _course_alt(lines: Sequence[Standing]) -> str:
    ends = ", ".join(f"{line.variant} {line.figures()['ACC %']} %" for line in lines)
    return f"Accuracy over the tasks so far; at the end {ends}."


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
    return list(dict.fromkeys("unknown" if value is None else value for value in values))
