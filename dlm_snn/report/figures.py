"""Data to Figure: pure functions, in the colors of svg.THEME, without pyplot and its global state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from dlm_snn.report.svg import THEME
from dlm_snn.report.weights import Weights
from dlm_snn.report.wording import three_digits
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.run_metrics import Number

WIDTH = 3.7
"""Inches; a panel fills a phone, and two stand side by side on a desk."""
VECTOR_SPIKES = 4000
"""Above this many spikes a raster is an image inside the SVG: as paths they would outweigh the page."""

_PALE = {"float": THEME["float-pale"], "integer": THEME["integer-pale"]}


def _panel(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots()


def raster(spikes: SpikeRaster, other: SpikeRaster | None, kind: str) -> Figure:
    """Spikes of one population, sample after sample; those that ``other`` does not have stand out in color.

    Args:
        spikes: of the few samples to show.
        other: of the same samples in the network's other form.
        kind: "float" or "integer", which names the color.
    """
    n_columns = spikes.n_samples * spikes.n_steps
    figure, axes = _panel(float(np.clip(0.9 + spikes.n_neurons * 0.018, 1.3, 2.4)))
    column = spikes.sample.astype(np.int64) * spikes.n_steps + spikes.step
    alone = np.zeros(column.shape, dtype=bool) if other is None else ~shared(spikes, other)
    half = max(0.42, spikes.n_neurons / 100)  # two points high at least
    width = float(np.clip((WIDTH - 0.6) * 72 / n_columns * 0.6, 0.5, 2.2))
    as_image = len(spikes) > VECTOR_SPIKES
    _strokes(axes, column[~alone], spikes.neuron[~alone], half, THEME["shared"], width, as_image)
    # Larger as well, so that not only the color tells them.
    _strokes(axes, column[alone], spikes.neuron[alone], half * 1.3, THEME[kind], width * 1.3, as_image)
    for boundary in range(1, spikes.n_samples):
        axes.axvline(boundary * spikes.n_steps, color=THEME["rule"], linewidth=0.8, zorder=0)
    _sample_axis(axes, spikes)
    axes.set(xlim=(0, n_columns), ylim=(-0.5 - half / 8, spikes.n_neurons - 0.5 + half / 8), ylabel="neuron")
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    return figure


def shared(spikes: SpikeRaster, other: SpikeRaster) -> NDArray[np.bool_]:
    """Which spikes the other raster has too, at the same sample, step and neuron."""
    dense = other.dense()
    inside = (spikes.sample < dense.shape[0]) & (spikes.step < dense.shape[1]) & (spikes.neuron < dense.shape[2])
    found = np.zeros(len(spikes), dtype=bool)
    found[inside] = dense[spikes.sample[inside], spikes.step[inside], spikes.neuron[inside]]
    return found


def _strokes(
    axes: Axes, column: NDArray, neuron: NDArray, half: float, color: str, width: float, rasterized: bool
) -> None:
    """One upright stroke a spike, all of them one path."""
    if not column.size:
        return
    gap = np.full(column.shape, np.nan)
    x = np.stack([column + 0.5, column + 0.5, gap], axis=1).ravel()
    y = np.stack([neuron - half, neuron + half, gap], axis=1).ravel()
    axes.plot(x, y, color=color, linewidth=width, solid_capstyle="butt", rasterized=rasterized)


def _sample_axis(axes: Axes, spikes: SpikeRaster) -> None:
    """Steps count from 0 in each sample."""
    ticks = [t for t in MaxNLocator(3, integer=True).tick_values(0, spikes.n_steps) if 0 <= t < spikes.n_steps]
    starts = np.arange(spikes.n_samples) * spikes.n_steps
    axes.set_xticks([start + t + 0.5 for start in starts for t in ticks], [f"{t:g}" for _ in starts for t in ticks])
    for sample, start in enumerate(starts):
        place = (start + spikes.n_steps / 2) / (spikes.n_samples * spikes.n_steps)
        axes.text(place, 1.02, f"sample {sample}", transform=axes.transAxes, ha="center", va="bottom", fontsize=8)
    axes.set_xlabel("step")


def rates(rasters: Mapping[str, SpikeRaster], labels: Mapping[str, str]) -> Figure:
    """How many neurons of a population fire how often: float filled, integer as an outline."""
    figure, axes = _panel(2.0)
    of_neuron = {kind: neuron_rates(spikes) for kind, spikes in rasters.items()}
    highest = max(max((rate.max(initial=0) for rate in of_neuron.values()), default=0), 1.0)
    n_bins = 24 if max(rate.size for rate in of_neuron.values()) >= 50 else 12
    edges = np.linspace(0, highest * (1 + 1e-9), n_bins + 1)
    for kind, rate in of_neuron.items():
        _histogram(
            axes, np.histogram(rate, edges)[0], edges, kind, f"{labels[kind]}, mean {three_digits(rate.mean())} Hz"
        )
    axes.set(xlabel="rate in Hz, mean over all samples", ylabel="neurons", xlim=(0, edges[-1] * 1.03))
    axes.set_ylim(0, axes.get_ylim()[1] * 1.05)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    figure.legend(loc="outside upper left", ncols=2, columnspacing=1.2, handlelength=1.6)
    return figure


def neuron_rates(spikes: SpikeRaster) -> NDArray[np.float64]:
    """Hz of each neuron, the mean over all samples."""
    return spikes.counts().sum(axis=0) / (max(spikes.n_samples * spikes.n_steps, 1) * spikes.dt)


def _histogram(axes: Axes, counts: NDArray, edges: NDArray, kind: str, label: str, baseline: float = 0) -> None:
    if kind == "float":
        axes.stairs(counts, edges, baseline=baseline, fill=True, color=_PALE["float"], label=label)
    else:
        axes.stairs(counts, edges, baseline=baseline, color=THEME["integer"], linewidth=1.3, label=label)


def weights(of: Weights, labels: Mapping[str, str]) -> Figure:
    """Weights before and after quantization: over each other in one unit, else below each other."""
    both = of.before is not None and of.after is not None
    stacked = both and not of.comparable
    figure = Figure(figsize=(WIDTH, 3.2 if stacked else 2.0), layout="constrained")
    rows = figure.subplots(2 if stacked else 1, 1, squeeze=False)[:, 0]
    parts = [(kind, values) for kind, values in (("float", of.before), ("integer", of.after)) if values is not None]
    edges = _edges([values for _, values in parts], of.grain) if of.comparable else None
    for i, (kind, values) in enumerate(parts):
        own = _edges([values], of.grain if kind == "integer" else 0.0) if edges is None else edges
        axes = rows[i if stacked else 0]
        _histogram(axes, np.histogram(values, own)[0], own, kind, labels[kind], baseline=0.7)
        axes.set_xlabel("weight" if kind == "float" or of.unit is not None else "weight, in integers")
    for axes in rows:
        axes.set(yscale="log", ylabel="synapses")
        axes.set_ylim(0.7, axes.get_ylim()[1])
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    figure.legend(loc="outside upper left", ncols=2, columnspacing=1.2, handlelength=1.6)
    return figure


def _edges(values: Sequence[NDArray], grain: float, n_bins: int = 60) -> NDArray[np.float64]:
    """Bin edges half-way between quantized weights: bins of unequally many levels would make stripes."""
    low, high = min(float(v.min()) for v in values), max(float(v.max()) for v in values)
    span = high - low or 1.0
    if grain <= 0:
        return np.linspace(low, low + span, n_bins + 1)
    width = grain * max(int(np.ceil(span / n_bins / grain)), 1)
    first = np.floor((low + grain / 2) / width)
    last = np.floor((high + grain / 2) / width)
    return np.arange(first, last + 2) * width - grain / 2


def points(pairs: Iterable[tuple[Number, Number]]) -> list[tuple[float, float]]:
    """Epoch and value, where both are known."""
    return [(epoch, value) for epoch, value in pairs if epoch is not None and value is not None]


def curve(series: Mapping[str, Sequence[tuple[float, float]]], ylabel: str) -> Figure:
    """A quantity by epoch.

    Args:
        series: label -> its points, (epoch, value).
        ylabel: what is drawn.
    """
    figure, axes = _panel(2.0)
    looks: tuple[dict[str, Any], ...] = (
        {"color": THEME["float"]},
        {"color": THEME["integer"], "linestyle": (0, (4, 2))},
    )
    for (label, drawn), look in zip(series.items(), looks, strict=False):
        axes.plot(*zip(*drawn, strict=True), label=label, marker="o", markersize=3, linewidth=1.4, **look)
    axes.set(xlabel="epoch", ylabel=ylabel)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.grid(axis="y", color=THEME["rule"], linewidth=0.6)
    if len(series) > 1:
        figure.legend(loc="outside upper left", ncols=2, columnspacing=1.2, handlelength=1.6)
    return figure
