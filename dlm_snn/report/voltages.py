"""Membrane voltages on the page: both forms of the network on one axis, in units of the threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from dlm_snn.analysis.plots.membranes import NEURONS, Membranes, listed, telling
from dlm_snn.analysis.plots.style import axes_of, rows_of
from dlm_snn.analysis.plots.voltage_plot import lanes
from dlm_snn.networks.known import ARITHMETICS
from dlm_snn.report import choice
from dlm_snn.report.panels import Panel
from dlm_snn.report.svg import THEME, inline
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.run_folder import RunFolder
from dlm_snn.runs.run_traces import Trace

MAX_STEPS = 150
"""Steps of a trace: more would not be told apart in the width of a panel."""
LOWEST = -1.0
"""v over the threshold below which it is drawn here: deep inhibition would leave the threshold no room."""
_LANE = 0.8
"""Inches for each neuron."""
_ROOM = 16
"""Points between 0 and the threshold at which both have their number."""


def traces(run: RunFolder, labels: Mapping[str, str]) -> list[Panel]:
    """v over the threshold of a few neurons of each layer in one sample, float and integers over each other."""
    panels: list[Panel] = []
    for population in choice.order(run):
        pairs = {kind: _pair(run, kind, population) for kind in ARITHMETICS}
        shape = next((pair[0].v.shape for pair in pairs.values() if pair), None)
        pairs = {kind: [t for t in pair if t.v.shape == shape] for kind, pair in pairs.items()}
        shown = [(kind, trace) for kind, pair in pairs.items() for trace in _apart(pair)]
        if not shown:
            panels += _without_threshold(run, population, labels, len(panels))
            continue
        ends = not all(trace.before is not None for _, trace in shown)
        runs = [_membranes(run, kind, trace, labels, ends) for kind, trace in shown]
        neurons, why = telling(runs[0])
        height = _LANE * len(neurons)
        axes = axes_of(None, height=0.9 + height)
        lanes(axes, [_first_steps(one) for one in runs], neurons)
        _thin(axes, height)
        forms = " and ".join(dict.fromkeys(labels[kind] for kind, _ in shown))
        alt = f"Membrane voltage over threshold of neurons {listed(neurons)} of {population}, {forms}."
        cut = any(bool((one.v[:MAX_STEPS, neurons] < LOWEST).any()) for one in runs)
        below = [f"What is below {LOWEST:g} is drawn there."] if cut else []
        caption = " ".join([_extent(runs[0]), why, *below, *(_gap(pair) for pair in pairs.values() if pair)])
        figure = axes.figure.figure
        if figure is not None:
            panels.append(Panel(f"{population}, {forms}", inline(figure, f"trace-{len(panels)}", alt), caption))
    return panels


def _thin(axes: Axes, height: float) -> None:
    """Where the threshold is too close to 0 for both numbers, its own stands alone; of inches for the lanes."""
    low, high = axes.get_ylim()
    if 72 * height / (high - low) < _ROOM:
        ticks = zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
        levels = [float(tick) for tick, text in ticks if text.get_text() == "1"]
        axes.set_yticks(levels, ["1"] * len(levels))


def _without_threshold(run: RunFolder, population: str, labels: Mapping[str, str], place: int) -> list[Panel]:
    """v of neurons that never spike, each form by itself: their units differ, and no threshold makes them one."""
    found: list[Panel] = []
    for kind in ARITHMETICS:
        pair = [trace for trace in choice.pair(run, kind, population) if trace.v_threshold is None and trace.v.size]
        if not pair or pair[0].v.shape != pair[-1].v.shape:
            continue
        highest = sorted(np.argsort(-pair[0].v.max(axis=0), kind="stable")[:NEURONS].tolist())
        rows = rows_of([_LANE] * len(highest), shared=True)
        for axes, neuron in zip(rows, highest, strict=True):
            axes.plot(pair[0].v[:MAX_STEPS, neuron], color=THEME[kind])
            axes.set_title(f"neuron {neuron}", loc="left", pad=2)
        rows[-1].set_xlabel("step")
        alt = f"Membrane voltage of neurons {listed(highest)} of {population} in {pair[0].simulator}."
        caption = f"v itself, of the {len(highest)} neurons whose v rises highest: no threshold is stored. {_gap(pair)}"
        figure = rows[0].figure.figure
        if figure is not None:
            svg = inline(figure, f"trace-{place + len(found)}", alt)
            found.append(Panel(f"{population}, {labels[kind]}", svg, caption))
    return found


def _pair(run: RunFolder, kind: str, population: str) -> list[Trace]:
    """The traces of an arithmetic that have a threshold."""
    return [trace for trace in choice.pair(run, kind, population) if trace.relative is not None and trace.v.size]


def _apart(pair: Sequence[Trace]) -> Sequence[Trace]:
    """The first, and the second where it would be seen beside it."""
    return pair if len(pair) == 2 and _difference(pair) > 1e-9 * float(np.abs(pair[0].v).max()) else pair[:1]


def _difference(pair: Sequence[Trace]) -> float:
    return float(np.abs(pair[0].v.astype(float) - pair[1].v.astype(float)).max(initial=0))


def _membranes(run: RunFolder, kind: str, trace: Trace, labels: Mapping[str, str], ends: bool) -> Membranes:
    raster = run.rasters.get(trace.simulator, {}).get(trace.population)
    fits = raster is not None and raster.n_samples > 0 and raster.extent[1:] == trace.v.shape
    spikes = raster[:1].dense()[0] if raster is not None and fits else None
    alone = trace is choice.pair(run, kind, trace.population)[0]
    name = labels[kind] if alone else f"{labels[kind]}, {trace.simulator}"
    whole = Trace(trace.simulator, trace.population, trace.v, trace.v_threshold) if ends else trace
    v = whole.relative
    dt = SpikeRaster.dt if raster is None else raster.dt
    return Membranes(name, np.zeros_like(trace.v) if v is None else v, spikes, not ends, dt)


def _first_steps(of: Membranes) -> Membranes:
    """What is drawn."""
    return Membranes(
        of.name, np.maximum(of.v[:MAX_STEPS], LOWEST), None if of.s is None else of.s[:MAX_STEPS], of.before, of.dt
    )


def _extent(of: Membranes) -> str:
    return f"Sample 0, its first {MAX_STEPS} steps." if len(of.v) > MAX_STEPS else "Sample 0."


def _gap(pair: Sequence[Trace]) -> str:
    first = pair[0]
    if len(pair) == 1:
        return f"In {first.simulator} alone: no second simulator stored a trace."
    gap = _difference(pair)
    apart = "are identical" if gap == 0 else f"part by {gap:.2g} at most"
    return f"{first.simulator} and {pair[1].simulator} {apart}, over all {first.v.shape[1]} neurons and all steps."
