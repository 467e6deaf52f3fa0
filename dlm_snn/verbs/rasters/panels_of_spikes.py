"""What ``dlm-snn raster plot`` draws of spikes."""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from typing import TYPE_CHECKING, Any

from dlm_snn.verbs.rasters.panel import Panel, begin_of, bin_of, few, first_of, labels_of, title_of, units_of

if TYPE_CHECKING:
    from dlm_snn.verbs.rasters.selection import Selected


FEW, MANY, ROWS = 10, 100, 600
"""Samples whose spikes are drawn, where none were chosen: 10 after one another; above one another up to 100, in so
many rows of neurons about."""
JITTER = 0.02
"""Seconds, the window of a correlogram's jitter, where lags reach twice as far."""


def raster_panels(part: Selected, arguments: Namespace) -> list[Panel]:
    """Spikes: all populations in one panel, or one for each by label or trial."""
    from dlm_snn.analysis.plots.raster_plot import raster

    options: dict[str, Any] = {"begin": begin_of(part, arguments), **first_of(part, arguments)}
    drawn = few(part, arguments, _most(part, arguments.by))
    if arguments.by == "population":
        return [
            Panel(
                2.6,
                partial(raster, drawn.rasters, units=_units(part, arguments), **options),
                drawn.title,
                left_out=drawn.left_out,
            )
        ]
    options["by"] = arguments.by
    if arguments.by == "label":
        options["labels"] = labels_of(part, arguments)[: next(iter(drawn.rasters.values())).n_samples]
    return [
        Panel(2.6, partial(raster, one, **options), _joined(title_of(part, name), drawn.title), True, drawn.left_out)
        for name, one in drawn.rasters.items()
    ]


def _most(part: Selected, by: str) -> int:
    if by == "population":
        return FEW
    neurons = max(raster.n_neurons for raster in part.rasters.values())
    return min(max(ROWS // max(neurons, 1), FEW), MANY)


def _units(part: Selected, arguments: Namespace) -> list[Any] | None:
    """Of the only population: the axis of several names these."""
    return units_of(part, arguments, next(iter(part.rasters))) if len(part.rasters) == 1 else None


def _joined(name: str, samples: str) -> str:
    return ", ".join(filter(None, (name, samples)))


def activity_panels(part: Selected, arguments: Namespace) -> list[Panel]:
    """The rate below a raster."""
    from dlm_snn.analysis.plots.time_plot import activity

    begin, first = begin_of(part, arguments), first_of(part, arguments)["first_sample"]
    width = bin_of(arguments)
    drawn = few(part, arguments, FEW)
    draw = partial(activity, drawn.rasters, width, begin=begin, first_sample=first)
    return [Panel(1.3, draw, drawn.title, left_out=drawn.left_out)]


def psth_panels(part: Selected, arguments: Namespace) -> list[Panel]:
    """Rates over the time in a trial."""
    from dlm_snn.analysis.plots.time_plot import psth

    begin, width = begin_of(part, arguments), bin_of(arguments)
    if arguments.by != "label":
        return [Panel(1.8, partial(psth, part.rasters, width, begin=begin), in_trial=True)]
    labels = labels_of(part, arguments)
    return [
        Panel(1.8, partial(psth, one, width, labels, begin=begin), title_of(part, name), True)
        for name, one in part.rasters.items()
    ]


def rates_panels(part: Selected, arguments: Namespace) -> list[Panel]:
    """How often neurons fire."""
    from dlm_snn.analysis.plots.histogram_plot import rates

    first = first_of(part, arguments)["first_neuron"]
    return [Panel(1.9, partial(rates, part.rasters, first_neuron=first, units=_units(part, arguments)))]


def isi_panels(part: Selected, arguments: Namespace) -> list[Panel]:
    """Intervals between spikes."""
    from dlm_snn.analysis.plots.histogram_plot import isi

    return [Panel(1.9, partial(isi, part.rasters, bin_of(arguments)))]


def correlogram_panels(part: Selected, arguments: Namespace) -> list[Panel]:
    """One pair of neurons of each population, with a control by jitter where samples are long enough for one.

    Raises:
        DlmError: a neuron of --pair that is not in the selection.
    """
    import numpy as np

    from dlm_snn.analysis.plots.correlogram_plot import busiest, correlogram, longest_lag
    from dlm_snn.errors import DlmError

    first, width = first_of(part, arguments)["first_neuron"], bin_of(arguments)
    panels = []
    for name, raster in part.rasters.items():
        pair = busiest(raster) if arguments.pair is None else tuple(k - first for k in arguments.pair)
        if not all(0 <= k < raster.n_neurons for k in pair):
            told = ",".join(map(str, arguments.pair))
            raise DlmError(f"--pair {told}: '{name}' has the neurons {first}..{first + raster.n_neurons - 1} here")
        longest = longest_lag(raster, width)
        options: dict[str, Any] = {"pair": pair, "longest": longest, "width": width, "first_neuron": first}
        options["units"] = units_of(part, arguments, name)
        window = round(min(JITTER, longest / 2) / raster.dt) * raster.dt
        if window > raster.dt:
            options |= {"jitter": window, "rng": np.random.default_rng(arguments.seed)}
        panels.append(Panel(2.0, partial(correlogram, raster, **options), title_of(part, name)))
    return panels
