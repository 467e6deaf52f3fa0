"""Membrane voltages against their threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dlm_snn.analysis.plots.membranes import Membranes, chosen, membranes_of
from dlm_snn.analysis.plots.style import INK, MUTED, RULE, color_of, drawing, legend_above
from dlm_snn.analysis.plots.time_axis import MS, time_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LANE = 0.8
"""Inches of a figure for each neuron."""
_CROWDED = 6
"""Thresholds from which on a lane has room for one number on its axis alone."""
_AIR = 0.35
"""Between the lanes of two neurons, in units of the threshold; spikes are marked in it."""


def voltages(
    data: Any,
    population: str | None = None,
    neurons: Sequence[int] | None = None,
    sample: int = 0,
    v_threshold: Any = None,
    spikes: Any = None,
    dt: float | None = None,
    begin: float = 0.0,
    ax: Axes | None = None,
) -> Axes:
    """v / v_threshold over time, so that floats and integers share one axis; a lane for each neuron, with its spikes.

    v is that before the reset where all runs recorded u too: a spike is where it exceeds 1. Else it is that at the end
    of the step, which is 0 after a zero reset; the axis says which.

    Args:
        data: a Recording with v; a mapping name -> Recording (or Membranes), drawn over one another; or v itself,
            (step, neuron) or (step,).
        population: of a Recording; may be left out where v of only one was recorded.
        neurons: to draw; None: some that say something, see ``membranes.telling``.
        sample: of a Recording.
        v_threshold, spikes: of an array: one number or (neuron,); (step, neuron) or None.
        dt: seconds per step, of an array.
        begin: seconds at which the first step lies, for the axis.
        ax: to draw into; None: a new figure.

    Returns:
        The Axes: ms, and multiples of the threshold.

    Raises:
        DlmError: v was not recorded, has no threshold, or is of another shape; a neuron that is not there.
    """
    runs = membranes_of(data, population, sample, v_threshold, spikes, dt)
    picked = chosen(neurons, runs)
    with drawing(ax, height=0.9 + _LANE * max(len(picked), 1)) as axes:
        lanes(axes, runs, picked, begin)
    return axes


def lanes(axes: Axes, runs: Sequence[Membranes], neurons: Sequence[int], begin: float = 0.0) -> None:
    """A lane for each neuron, the first on top: its v in each run, the threshold, and strokes at its spikes."""
    values = np.concatenate([run.v[:, neurons] for run in runs])
    low = min(float(np.nanmin(values, initial=0.0)), 0.0)
    high = max(float(np.nanmax(values, initial=1.0)), 1.0)
    lane = high - low + _AIR
    floors = [lane * (len(neurons) - 1 - place) for place in range(len(neurons))]
    for place, run in enumerate(runs):
        time = begin * MS + np.arange(len(run.v)) * run.dt * MS
        for neuron, floor in zip(neurons, floors, strict=True):
            _trace(axes, run, time, neuron, floor, high, place, len(runs))
    for floor in floors:
        axes.axhline(floor + 1, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    dt, steps = runs[0].dt * MS, len(runs[0].v)
    axes.set_xlim(begin * MS - dt / 2, begin * MS + max(steps, 1) * dt)
    _name_lanes(axes, runs, neurons, floors, low, high, lane)


def _trace(
    axes: Axes, run: Membranes, time: Any, neuron: int, floor: float, high: float, place: int, n_runs: int
) -> None:
    """One neuron of one run."""
    look: dict[str, Any] = {"color": INK if n_runs == 1 else color_of(place), **_look(place, n_runs)}
    axes.plot(time, floor + run.v[:, neuron], label=f"{run.name} {neuron}".strip(), **look)
    if run.s is not None:
        bottom = floor + high + 0.25 * _AIR
        axes.vlines(time[run.s[:, neuron]], bottom, bottom + 0.5 * _AIR, **look)


def _name_lanes(
    axes: Axes,
    runs: Sequence[Membranes],
    neurons: Sequence[int],
    floors: Sequence[float],
    low: float,
    high: float,
    lane: float,
) -> None:
    if len(floors) > 1:
        levels = (0, 1) if lane < _CROWDED else (1,)
        axes.set_yticks([floor + k for floor in floors for k in levels], [str(k) for _ in floors for k in levels])
    axes.set_ylim(low - 0.15 * _AIR, low + lane * max(len(floors), 1) - 0.15 * _AIR)
    for floor in floors[:-1]:
        axes.axhline(floor + low - 0.15 * _AIR, color=RULE, linewidth=0.6, zorder=0)
    time_ticks(axes)
    axes.set_ylabel(f"v / threshold,\n{'before the reset' if runs[0].before else 'end of the step'}")
    for neuron, floor in zip(neurons, floors, strict=True):
        beside: dict[str, Any] = {"xycoords": axes.get_yaxis_transform(), "rotation": 270, "ha": "left", "va": "center"}
        axes.annotate(f"neuron {neuron}", (1.01, floor + (low + high) / 2), fontsize=8, color=MUTED, **beside)
    _legend(axes, runs)


def _legend(axes: Axes, runs: Sequence[Membranes]) -> None:
    from matplotlib.lines import Line2D

    looks: list[Any] = [Line2D([], [], color=color_of(place), **_look(place, len(runs))) for place in range(len(runs))]
    legend_above(axes, looks, [run.name for run in runs])


def _look(place: int, n_runs: int) -> dict[str, Any]:
    """Of several runs the first is broad and pale, so that equal ones are both seen."""
    under = n_runs > 1 and place == 0
    return {"linewidth": 3.5 if under else 1.0, "alpha": 0.4 if under else 1.0}
