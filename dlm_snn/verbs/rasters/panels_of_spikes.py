"""What ``dlm-snn raster plot`` draws of spikes."""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from typing import TYPE_CHECKING, Any

from dlm_snn.verbs.rasters.panel import Panel, begin_of, bin_of, first_of, labels_of, title_of

if TYPE_CHECKING:
    from dlm_snn.verbs.rasters.selection import Selected


JITTER = 0.02
"""Seconds, the window of a correlogram's jitter, where lags reach twice as far."""


def raster_panels(part: Selected, arguments: Namespace) -> list[Panel]:
    """Spikes: all populations in one panel, or one for each by label or trial."""
    from dlm_snn.analysis.plots.raster_plot import raster

    options: dict[str, Any] = {"begin": begin_of(part, arguments), **first_of(part, arguments)}
    if arguments.by == "population":
        return [Panel(2.6, partial(raster, part.rasters, **options))]
    options |= {"by": arguments.by, "labels": labels_of(part, arguments) if arguments.by == "label" else None}
    return [
        Panel(2.6, partial(raster, one, **options), title_of(part, name), True) for name, one in part.rasters.items()
    ]


def activity_panels(part: Selected, arguments: Namespace) -> list[Panel]:
    """The rate below a raster."""
    from dlm_snn.analysis.plots.time_plot import activity

    begin, first = begin_of(part, arguments), first_of(part, arguments)["first_sample"]
    width = bin_of(arguments)
    return [Panel(1.3, partial(activity, part.rasters, width, begin=begin, first_sample=first))]


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
    return [Panel(1.9, partial(rates, part.rasters, first_neuron=first))]


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
        window = round(min(JITTER, longest / 2) / raster.dt) * raster.dt
        if window > raster.dt:
            options |= {"jitter": window, "rng": np.random.default_rng(arguments.seed)}
        panels.append(Panel(2.0, partial(correlogram, raster, **options), title_of(part, name)))
    return panels
