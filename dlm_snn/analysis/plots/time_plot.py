"""Rates over time: PSTHs with their intervals, and the activity below a raster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.plots.bands import classes, with_label
from dlm_snn.analysis.plots.style import INK, RISING, color_bar, color_of, drawing, legend_above
from dlm_snn.analysis.plots.time_axis import MS, sample_length, time_axis, time_ticks
from dlm_snn.analysis.statistics.histograms import Psth, trial_counts
from dlm_snn.analysis.statistics.histograms import psth as psth_of
from dlm_snn.analysis.taking import rasters_of
from dlm_snn.errors import DlmError
from dlm_snn.runs.raster import SpikeRaster

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 50
"""Of a sample, about, where no width is given."""
LINES = 4
"""PSTHs up to which each is a line with its interval."""
NAMED = 12
"""Rows up to which each is named."""
BAND = 0.25
"""Opacity of an interval."""


def psth(
    data: Any,
    width: float | None = None,
    labels: Any = None,
    dt: float | None = None,
    begin: float = 0.0,
    ax: Axes | None = None,
) -> Axes:
    """Peri-stimulus time histogram: rate per neuron over the time in a trial, with its 95 % interval as a band.

    More than four of equal bins become rows of colors, without intervals.

    Args:
        data: what ``rasters_of`` takes, a line for each population; a ``Psth``, or a mapping name -> Psth.
        width: seconds of a bin; None: about 50 bins to a sample.
        labels: (sample,) numbers or names: a line for each, of one population.
        dt: seconds per step, where the data do not tell.
        begin: seconds at which the first step lies, for the axis.
        ax: to draw into; None: a new figure.

    Returns:
        The Axes: ms and Hz.

    Raises:
        DlmError: see ``analysis.psth``; labels for several populations, or not one for each sample.
    """
    found = _psths(data, width, labels, dt)
    with drawing(ax) as axes:
        alike = len({(f"{one.width_ms:g}", one.rate.size) for one in found.values()}) == 1
        if len(found) > LINES and alike:
            _rows(axes, found, begin)
        else:
            _lines(axes, found, begin)
        time_ticks(axes, _bins([one.width_ms for one in found.values()]))
    return axes


def _bins(widths: Sequence[float]) -> str:
    """For the axis: how long bins of so many ms are."""
    told = " and ".join(sorted({f"{width:g}" for width in widths}))
    return f", bins of {told} ms" if told else ""


def _edges(one: Psth, begin: float) -> NDArray[np.float64]:
    """Of its bins, ms."""
    return begin * MS + one.width_ms * np.arange(one.rate.size + 1) + one.start_ms[:1]


def _lines(axes: Axes, found: Mapping[str, Psth], begin: float) -> None:
    for place, (name, one) in enumerate(found.items()):
        color = INK if len(found) == 1 else color_of(place)
        edges = _edges(one, begin)
        axes.stairs(one.high, edges, baseline=one.low, fill=True, color=color, alpha=BAND, linewidth=0)
        axes.stairs(one.rate, edges, baseline=None, color=color, linewidth=1.2, label=name)
    axes.set_ylabel("rate in Hz")
    axes.margins(x=0)
    axes.set_ylim(bottom=0)
    legend_above(axes)


def _rows(axes: Axes, found: Mapping[str, Psth], begin: float) -> None:
    """Each as a row of colors: lines and intervals of many would cover one another."""
    edges = _edges(next(iter(found.values())), begin)
    rates = np.stack([one.rate for one in found.values()])
    extent = (edges[0], edges[-1], -0.5, len(found) - 0.5)
    look: dict[str, Any] = {"cmap": RISING, "vmin": 0, "vmax": rates.max() or 1.0, "interpolation": "nearest"}
    drawn = axes.imshow(rates, extent=extent, origin="lower", aspect="auto", **look)
    color_bar(axes, drawn, "rate in Hz")
    every = -(-len(found) // NAMED)
    axes.set_yticks(range(0, len(found), every), list(found)[::every])


def _psths(data: Any, width: float | None, labels: Any, dt: float | None) -> dict[str, Psth]:
    if isinstance(data, Psth):
        data = {"": data}
    if isinstance(data, Mapping) and data and all(isinstance(one, Psth) for one in data.values()):
        return {str(name): one for name, one in data.items()}
    rasters = rasters_of(data, dt)
    if labels is None:
        return {name: psth_of(raster, width or bin_of(raster)) for name, raster in rasters.items()}
    if len(rasters) != 1:
        raise DlmError(f"labels are for one population, not for {', '.join(rasters) or 'none'}; choose one")
    raster = next(iter(rasters.values()))
    names, of_sample = classes(labels, raster.n_samples)
    width = width or bin_of(raster)
    return {name: psth_of(with_label(raster, of_sample, place), width) for place, name in enumerate(names)}


def bin_of(raster: SpikeRaster, bins: int = BINS) -> float:
    """Seconds of a bin: about so many bins to a sample, and none left over where some number of steps divides it."""
    wanted = max(raster.n_steps // bins, 1)
    fitting = [steps for steps in range(wanted, 2 * wanted) if raster.n_steps % steps == 0]
    return (fitting[0] if fitting else wanted) * raster.dt


def activity(
    data: Any,
    width: float | None = None,
    dt: float | None = None,
    begin: float = 0.0,
    first_sample: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Rate per neuron over the time axis of ``raster`` by population: samples one after another.

    Args:
        data: what ``rasters_of`` takes, a line for each population.
        width: seconds of a bin; None: about 50 bins to a sample. What is left of a sample behind its last whole bin is
            left out.
        dt, begin, first_sample, ax: as for ``raster``.

    Returns:
        The Axes: ms and Hz.

    Raises:
        DlmError: a width that is no multiple of a step, or longer than a sample.
    """
    from dlm_snn.analysis.statistics.steps import steps_of

    rasters = rasters_of(data, dt)
    length, widths = sample_length(rasters), list[float]()
    with drawing(ax, height=1.4) as axes:
        for place, (name, raster) in enumerate(rasters.items()):
            steps = steps_of(width or bin_of(raster), raster.dt, "width", raster.n_steps)
            widths.append(steps * raster.dt * MS)
            rate = trial_counts(raster, steps) / (max(raster.n_neurons, 1) * steps * raster.dt)
            edges = steps * raster.dt * MS * np.arange(rate.shape[1] + 1)
            left = begin * MS + np.arange(raster.n_samples)[:, None] * length + edges[:-1]
            # Both ends of each bin, and a gap behind the sample.
            ends = np.stack([left, left + steps * raster.dt * MS], axis=2).reshape(len(left), 2 * left.shape[1])
            gap = np.full((raster.n_samples, 1), np.nan)
            x, y = np.hstack([ends, gap]), np.hstack([np.repeat(rate, 2, axis=1), gap])
            color = INK if len(rasters) == 1 else color_of(place)
            axes.plot(x.ravel(), y.ravel(), color=color, linewidth=1.0, label=name)
        time_axis(axes, rasters, begin, True, first_sample, _bins(widths))
        axes.set_ylabel("rate in Hz")
        axes.set_ylim(0, None if any(map(len, rasters.values())) else 1)
        legend_above(axes)
    return axes
