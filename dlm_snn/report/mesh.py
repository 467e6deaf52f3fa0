"""Cores of a chip as a field of squares, each as dark as it is full or busy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from dlm_snn.report.svg import THEME

ACROSS, DOWN = 16, 8
"""Squares of a chip: 128 cores. Which core lies where on a chip is not public."""
CHIPS = 8
"""At most so many are drawn."""
WIDTH = 3.7
"""Inches, of one chip."""
_SHADES = 24
"""That the legend shows."""
_LEAST = 0.06
"""Opacity of a square of 0."""


def mesh(
    values: Mapping[str, Sequence[float]],
    label: str,
    most: float | None = None,
    chip: Sequence[int] | NDArray[np.int64] | None = None,
) -> Figure:
    """A square for each core in use, in the order in which the cores are filled; rows of 16, a frame for each chip.

    Args:
        values: population -> value of each of its cores.
        label: what they are, with the unit.
        most: what the darkest shade stands for; None: the largest value.
        chip: of each core; None: one chip after another is filled.
    """
    flat = [(name, value) for name, found in values.items() for value in found]
    place = np.arange(len(flat)) // (ACROSS * DOWN) if chip is None else np.asarray(chip)
    shown = [np.flatnonzero(place == number).tolist() for number in range(min(CHIPS, int(place.max(initial=0)) + 1))]
    across = min(len(shown), 4)
    down = -(-len(shown) // across)
    figure = Figure(figsize=(WIDTH * across, 2.4 * down + 0.5), layout="constrained")
    whole = most or max([value for _, value in flat] + [1e-12])
    places = [str(number) if number < len(shown) else "." for number in range(across * down)]
    rows: list[Any] = [places[first : first + across] for first in range(0, len(places), across)]
    frames = figure.subplot_mosaic([*rows, ["bar"] * across], height_ratios=[1.0] * down + [0.06])
    for number, cores in enumerate(shown):
        _chip(frames[str(number)], [flat[core] for core in cores], whole)
        if len(shown) > 1:
            frames[str(number)].set_title(f"chip {number}", loc="left")
    _bar(frames["bar"], whole, label)
    return figure


def _shade(share: float) -> float:
    """Opacity of a square, which a page shows on light and dark ground."""
    return _LEAST + (1 - _LEAST) * min(1.0, share)


def _bar(axes: Axes, whole: float, label: str) -> None:
    """What the shades stand for."""
    width = whole / 24
    for at in range(24):
        corner = (at * width, 0)
        axes.add_patch(
            Rectangle(corner, width, 1, facecolor=THEME["float"], alpha=_shade((at + 0.5) / 24), linewidth=0)
        )
    axes.set(xlim=(0, whole), ylim=(0, 1), xlabel=label, yticks=[])
    axes.spines[:].set_visible(False)


def _chip(axes: Axes, cores: Sequence[tuple[str, float]], whole: float) -> None:
    """The squares of a chip; a mark before the first of each population."""
    rows = max(DOWN, -(-len(cores) // ACROSS))
    axes.add_patch(Rectangle((0, 0), ACROSS, rows, facecolor="none", edgecolor=THEME["rule"]))
    before = None
    for at, (name, value) in enumerate(cores):
        x, y = at % ACROSS, at // ACROSS
        corner = (x + 0.06, y + 0.06)
        axes.add_patch(
            Rectangle(corner, 0.88, 0.88, facecolor=THEME["float"], alpha=_shade(value / whole), linewidth=0)
        )
        if name != before:
            axes.plot([x + 0.06] * 2, [y + 0.04, y + 0.96], color=THEME["integer"], linewidth=1.6)
        before = name
    axes.set(xlim=(-0.1, ACROSS + 0.1), ylim=(rows + 0.1, -0.1), aspect="equal", xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def order(values: Mapping[str, Sequence[float]]) -> str:
    """The populations in the order of their squares, and how many each has."""
    return ", ".join(f"{name} {len(found)}" for name, found in values.items())
