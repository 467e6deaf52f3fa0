"""Spikes over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.plots.bands import Band, bands_of
from dlm_snn.analysis.plots.style import MUTED, RULE, drawing
from dlm_snn.analysis.plots.time_axis import MS, RULED, name_neurons, time_axis, whole_numbers
from dlm_snn.analysis.taking import rasters_of
from dlm_snn.errors import how_many
from dlm_snn.runs.raster import SpikeRaster

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKS = 100_000
"""Above this many spikes they are drawn as an image: as strokes they would cover one another."""
VECTORS = 20_000
"""Above this many strokes an SVG or PDF holds them as an image: as paths they would be slow to open."""
_PIXELS = 900, 450
"""Of the image: time, rows."""
_PALEST = 0.3
"""Opacity of a pixel with one spike."""
_LABELS = 24
"""Names beside the axis; of more bands every second, third, ... has one."""


def raster(
    data: Any,
    by: str = "population",
    labels: Any = None,
    dt: float | None = None,
    begin: float = 0.0,
    first_sample: int = 0,
    first_neuron: int = 0,
    units: Sequence[Any] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Spikes over time, one upright stroke each, at step * dt; more than 100,000 as an image, which then says so.

    Args:
        data: what ``rasters_of`` takes.
        by: "population": a band for each, one row for each neuron, samples one after another.
            "trial": a band for each sample, all at the same time. "label": the same, sorted and colored by label.
        labels: (sample,) numbers or names, for by="label".
        dt: seconds per step, where the data do not tell.
        begin: seconds at which the first step lies, for the axis.
        first_sample, first_neuron: numbers of the first ones, for the axes, where the data are a part.
        units: (neuron,) what stands on the axis in place of numbers, of one population.
        ax: to draw into; None: a new figure.

    Returns:
        The Axes: ms, and neurons, populations, trials or labels.

    Raises:
        DlmError: see ``rasters_of``; several populations by trial or label; labels that do not fit.
    """
    rasters = rasters_of(data, dt)
    bands = bands_of(rasters, by, labels, begin, first_sample, first_neuron)
    with drawing(ax) as axes:
        time_axis(axes, rasters, begin, by == "population", first_sample)
        low = bands[0].low if bands else 0.0
        axes.set_ylim(low, max(bands[-1].high if bands else 0.0, low + 1))
        if sum(band.time.size for band in bands) <= MARKS:
            strokes(axes, bands)
        else:
            trial = 0 if by == "population" else max(one.n_neurons for one in rasters.values())
            image(axes, bands, max(one.dt for one in rasters.values()) * MS, trial)
        _rows(axes, rasters, bands, by, (units, first_neuron))
    return axes


def strokes(axes: Axes, bands: Sequence[Band]) -> None:
    """One upright stroke for each spike, all of a band one path; the limits of the axes are set already."""
    if not any(band.time.size for band in bands):
        centre: dict[str, Any] = {"transform": axes.transAxes, "ha": "center", "va": "center"}
        axes.text(0.5, 0.5, "no spikes", color=MUTED, backgroundcolor="white", **centre)
    wide, high = _points(axes)
    low, top = axes.get_ylim()
    points = high / max(top - low, 1e-9)
    many = sum(band.time.size for band in bands) > VECTORS
    for band in bands:
        # As high as a row, and to be seen where rows are thinner than a point.
        half = max(0.42 * band.height, 0.6 / points)
        gap = np.full(band.time.shape, np.nan)
        x = np.stack([band.time, band.time, gap], axis=1).ravel()
        y = np.stack([band.y - half, band.y + half, gap], axis=1).ravel()
        width = float(np.clip(wide / max(np.unique(band.time).size, 1) * 0.6, 0.5, 1.6))
        axes.plot(x, y, color=band.color, linewidth=width, solid_capstyle="butt", rasterized=many, label=band.name)


def image(axes: Axes, bands: Sequence[Band], step: float, trial: int) -> None:
    """Spikes counted in pixels of whole steps and rows: the more, the darker. A line above says what a pixel is.

    Args:
        axes: its limits are set already.
        bands: what is drawn.
        step: ms.
        trial: rows of a trial, where these lie above one another; 0 where a row is a neuron.
    """
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    limits = axes.get_xlim(), axes.get_ylim()
    (begin, end), (low, top) = limits
    wide, high = (min(most, round(room)) for most, room in zip(_PIXELS, _points(axes), strict=True))
    steps = per_pixel((end - begin) / step, wide)
    most, tallest = 0, 1
    for band in bands:
        rows = per_pixel(band.rows, round(high * (band.high - band.low) / (top - low)))
        if trial and rows > trial:
            rows = -(-rows // trial) * trial
        counts = _counted(band, begin, steps * step, -(-(end - begin) // (steps * step)), rows)
        color = to_rgb(band.color)
        right, upper = begin + counts.shape[1] * steps * step, band.low + counts.shape[0] * rows * band.height
        axes.imshow(
            np.ma.masked_equal(counts, 0),
            cmap=LinearSegmentedColormap.from_list("", [(*color, _PALEST), (*color, 1.0)]),
            vmin=1,
            vmax=max(counts.max(), 2),
            extent=(begin, right, band.low, upper),
            origin="lower",
            aspect="auto",
            interpolation="nearest",
        )
        most, tallest = max(most, int(counts.max())), max(tallest, rows)
    axes.set(xlim=limits[0], ylim=limits[1])
    spikes = sum(band.time.size for band in bands)
    pixel = f"{_of_time(steps * step)} x {_of_rows(tallest, trial)}"
    axes.set_title(f"{spikes:,} spikes as an image:\npixels of {pixel}, up to {most:,} spikes", color=MUTED)


def _points(axes: Axes) -> tuple[float, float]:
    """Width and height of the axes: smaller pixels than a point would be hairlines."""
    box = axes.get_position()
    wide, high = axes.figure.figure.get_size_inches() * 72 * (box.width, box.height)
    return float(wide), float(high)


def _of_time(ms: float) -> str:
    return f"{ms:.3g} ms" if ms < 999.5 else f"{ms / MS:.3g} s"


def _of_rows(rows: int, trial: int) -> str:
    """How many neurons or trials a pixel holds."""
    n, what = (rows // trial, "trials") if trial and rows % trial == 0 else (rows, "neurons")
    return how_many(n, what)


def per_pixel(n: float, pixels: int) -> int:
    """Whole steps or rows for each pixel, so that all pixels count equally many and make no stripes."""
    return max(int(-(-n // max(pixels, 1))), 1)


def _counted(band: Band, begin: float, width: float, columns: float, rows: int) -> NDArray[np.int64]:
    """Spikes in each pixel, (row, time): of ``width`` ms and ``rows`` rows."""
    n_columns, n_rows = int(columns), max(-(-band.rows // rows), 1)
    column = ((band.time - begin) / width).astype(np.int64).clip(0, n_columns - 1)
    counts = np.bincount(band.row // rows * n_columns + column, minlength=n_rows * n_columns)
    return counts.reshape(n_rows, n_columns)


def _rows(
    axes: Axes,
    rasters: Mapping[str, SpikeRaster],
    bands: Sequence[Band],
    by: str,
    named: tuple[Sequence[Any] | None, int],
) -> None:
    """Numbers of neurons or trials, or the names of bands, on the y axis."""
    if len(bands) == 1 and by != "label":
        if by == "population":
            name_neurons(axes.yaxis, *named, bands[0].rows)
            return
        whole_numbers(axes.yaxis)
        samples = max(raster.n_samples for raster in rasters.values())
        for sample in range(1, samples if bands[0].rows > samples and samples <= RULED else 0):
            axes.axhline(bands[0].low + sample, color=RULE, linewidth=0.6, zorder=0)
        axes.set_ylabel(_trial(rasters))
        return
    every = max(-(-len(bands) // _LABELS), 1)
    told = list(bands)[::every]
    axes.set_yticks([(band.low + band.high) / 2 for band in told], [_name(band, by) for band in told])
    axes.tick_params(axis="y", length=0)
    for band in bands[1:]:
        axes.axhline(band.low, color=RULE, linewidth=0.6, zorder=0)
    if by == "label":
        axes.set_ylabel("label")


def _trial(rasters: Mapping[str, SpikeRaster]) -> str:
    neurons = max((raster.n_neurons for raster in rasters.values()), default=0)
    return "trial" if neurons == 1 else f"trial of {neurons} neurons"


def _name(band: Band, by: str) -> str:
    short = band.name if len(band.name) <= 16 else f"{band.name[:15]}…"
    return f"{short}\n{band.rows:,}" if by == "population" else short
