"""Which figures a run gets, each with its alternative text and the line below it that says what to look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from dlm_snn.errors import how_many
from dlm_snn.networks.known import ARITHMETICS
from dlm_snn.report import choice, figures
from dlm_snn.report.svg import inline
from dlm_snn.report.weights import Weights, by_projection
from dlm_snn.report.wording import percent
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.run_folder import RunFolder
from dlm_snn.runs.run_metrics import Epoch, Number

SAMPLES = 3
"""Samples in a raster; fewer when they are long, see MAX_COLUMNS."""
MAX_COLUMNS = 300


@dataclass(frozen=True)
class Panel:
    """One figure of the page.

    Attributes:
        title: what it shows, above it.
        svg: the figure with its alternative text.
        caption: what to look at, below it.
    """

    title: str
    svg: Markup
    caption: str


def rasters(run: RunFolder, labels: Mapping[str, str]) -> list[Panel]:
    """Spikes of a few samples, layer by layer, float and integer beside each other."""
    panels: list[Panel] = []
    for population in choice.order(run):
        whole = {kind: choice.raster(run, kind, population) for kind in ARITHMETICS}
        found = {kind: _few(raster) for kind, raster in whole.items() if raster is not None and _extent(raster)}
        if population in choice.inputs(run):
            found = dict(list(found.items())[:1])
        for kind, spikes in found.items():
            other = next((r for k, r in found.items() if k != kind), None)
            form = "input" if population in choice.inputs(run) else labels[kind]
            counts, samples = how_many(len(spikes), "spikes"), how_many(spikes.n_samples, "samples")
            alt = f"Spike raster of {population}, {form}: {counts} in {samples}."
            svg = inline(figures.raster(spikes, other, kind), f"raster-{len(panels)}", alt)
            panels.append(Panel(f"{population}, {form}", svg, _raster_caption(spikes, other, kind, labels)))
    return panels


def _extent(raster: SpikeRaster) -> int:
    return raster.n_samples * raster.n_steps * raster.n_neurons


def _few(raster: SpikeRaster) -> SpikeRaster:
    n_samples = max(1, min(SAMPLES, MAX_COLUMNS // max(raster.n_steps, 1)))
    return raster[:n_samples]


def _raster_caption(spikes: SpikeRaster, other: SpikeRaster | None, kind: str, labels: Mapping[str, str]) -> str:
    if not len(spikes):
        return "Not one spike in these samples."
    text = f"{how_many(len(spikes), 'spikes')}, one stroke each"
    if other is None:
        return f"{text}; rows that fill up are neurons that always fire, empty rows are silent ones."
    here = len(spikes) - int(figures.shared(spikes, other).sum())
    name = next(labels[k] for k in ARITHMETICS if k != kind)
    if not here:
        return f"{text}; every one is also in the {name} network, at the same step."
    are = "the one in color is" if here == 1 else f"the {here:,} in color are"
    return f"{text}; {are} missing from the {name} network at that step."


def rates(run: RunFolder, labels: Mapping[str, str]) -> list[Panel]:
    """How often neurons fire, layer by layer."""
    panels: list[Panel] = []
    for population in (name for name in choice.order(run) if name not in choice.inputs(run)):
        found = {kind: raster for kind in ARITHMETICS if (raster := choice.raster(run, kind, population)) is not None}
        if not found:
            continue
        silent = {kind: int(np.count_nonzero(figures.neuron_rates(raster) == 0)) for kind, raster in found.items()}
        text = " and ".join(f"{count} in the {labels[kind]} network" for kind, count in silent.items())
        extent = next(iter(found.values()))
        alt = f"Histogram of firing rates of {population}; neurons that never fire: {text}."
        svg = inline(figures.rates(found, labels), f"rate-{len(panels)}", alt)
        neurons = how_many(extent.n_neurons, "neurons")
        caption = f"The outline should follow the filled shape. Of {neurons} never fire: {text}."
        panels.append(Panel(population, svg, caption))
    return panels


def weights(run: RunFolder, labels: Mapping[str, str]) -> list[Panel]:
    """Weights of each projection before and after quantization."""
    panels: list[Panel] = []
    for i, of in enumerate(by_projection(run.networks)):
        alt = f"Histogram of the weights of {of.name}. {_weight_caption(of)}"
        svg = inline(figures.weights(of, labels), f"weight-{i}", alt)
        panels.append(Panel(of.name, svg, _weight_caption(of)))
    return panels


def _weight_caption(of: Weights) -> str:
    if of.after is None:
        return "Float weights; the run stored no integer network. Counts on a logarithmic scale."
    levels, zero = np.unique(of.after).size, float(np.mean(of.after == 0))
    text = f"{levels} different integer weights in use, {percent(zero)} of all are 0"
    if of.before is not None and of.before.size == of.after.size and of.unit is not None:
        moved = float(np.abs(of.before - of.after).max())
        return f"{text}; the largest change of a weight is {moved:.2g} (rounding alone: {of.grain / 2:.2g} at most)."
    return f"{text}; the files do not say the scale, so these are integers."


_CURVES: tuple[tuple[str, Mapping[str, Callable[[Epoch], Number]], str], ...] = (
    ("Loss", {"training": lambda of: of.loss}, "It should fall and flatten; a rise means that training ran away."),
    (
        "Accuracy",
        {"training": lambda of: of.train_accuracy, "validation": lambda of: of.validation_accuracy},
        "The two should rise together; training alone rising is overfitting.",
    ),
)


def curves(run: RunFolder) -> list[Panel]:
    """Loss and accuracy by epoch."""
    epochs = [epoch for epoch in run.metrics.curve or () if epoch.epoch is not None]
    panels: list[Panel] = []
    for title, series, caption in _CURVES:
        drawn = {label: figures.points((of.epoch, value(of)) for of in epochs) for label, value in series.items()}
        shown = {label: points for label, points in drawn.items() if points}
        if not shown:
            continue
        if len(series) > len(shown):
            caption = "On the training samples; this run kept none aside for validation."
        last = {label: series[label](epochs[-1]) for label in shown}
        ends = ", ".join(f"{value:.3g} ({label})" for label, value in last.items() if value is not None)
        alt = f"{title} by epoch over {len(epochs)} epochs, ending at {ends}."
        figure = figures.curve(shown, title.lower())
        panels.append(Panel(title, inline(figure, f"curve-{title.lower()}", alt), caption))
    return panels
