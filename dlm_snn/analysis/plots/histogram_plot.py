"""How neurons differ in rate, and how intervals between their spikes differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dlm_snn.analysis.plots.style import INK, color_of, drawing, legend_above
from dlm_snn.analysis.plots.time_axis import name_neurons
from dlm_snn.analysis.statistics.first_order import SpikeTable, spike_table
from dlm_snn.analysis.statistics.trains import Intervals
from dlm_snn.analysis.statistics.trains import isi as isi_of
from dlm_snn.analysis.taking import rasters_of
from dlm_snn.errors import how_many

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EACH = 32
"""Neurons up to which each has a bar of its own."""
BINS = 24
ISI_BINS = 60
SHOWN = 0.99
"""Share of the intervals that the axis must hold, where its end is not given."""


def rates(
    data: Any,
    dt: float | None = None,
    first_neuron: int = 0,
    units: Sequence[Any] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """How often neurons fire: one bar per neuron for up to 32 neurons of one population, else a histogram of rates.

    Args:
        data: what ``rasters_of`` takes; a ``SpikeTable``, or a mapping name -> SpikeTable.
        dt: seconds per step, where the data do not tell.
        first_neuron: number of the first one, for the axis, where the data are a part.
        units: (neuron,) what stands on the axis in place of numbers.
        ax: to draw into; None: a new figure.

    Returns:
        The Axes: Hz by neuron; or percent of the population's neurons by Hz, with each population's mean.

    Raises:
        DlmError: see ``analysis.spike_table``.
    """
    if isinstance(data, SpikeTable):
        data = {"": data}
    if isinstance(data, Mapping) and data and all(isinstance(one, SpikeTable) for one in data.values()):
        found = {str(name): one.rate for name, one in data.items()}
    else:
        found = {name: spike_table(raster).rate for name, raster in rasters_of(data, dt).items()}
    with drawing(ax) as axes:
        if len(found) == 1 and next(iter(found.values())).size <= EACH:
            rate = next(iter(found.values()))
            axes.bar(first_neuron + np.arange(rate.size), rate, color=INK, width=0.8)
            axes.set_ylabel("rate in Hz")
            name_neurons(axes.xaxis, units, first_neuron, rate.size)
        else:
            _rate_histogram(axes, found)
    return axes


def _rate_histogram(axes: Axes, found: Mapping[str, Any]) -> None:
    known = {name: rate[np.isfinite(rate)] for name, rate in found.items()}
    highest = max((float(rate.max(initial=0.0)) for rate in known.values()), default=0.0) or 1.0
    edges = np.linspace(0, highest * (1 + 1e-9), BINS + 1)
    for place, (name, rate) in enumerate(known.items()):
        share = 100 * np.histogram(rate, edges)[0] / max(rate.size, 1)
        color = INK if len(known) == 1 else color_of(place)
        mean = f"mean {rate.mean():.3g} Hz" if rate.size else "no neurons"
        axes.stairs(share, edges, color=color, linewidth=1.4, label=f"{name}, {mean}")
    axes.set(xlabel="rate in Hz", ylabel="neurons in %", xlim=(0, edges[-1] * 1.02))
    axes.set_ylim(bottom=0)
    legend_above(axes)


def isi(
    data: Any,
    width: float | None = None,
    longest: float | None = None,
    dt: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Histogram of the intervals between successive spikes of a neuron (ISI), all neurons of a population together.

    Args:
        data: what ``rasters_of`` takes; ``Intervals``, or a mapping name -> Intervals.
        width: seconds of a bin; None: about 60 bins.
        longest: seconds at which the axis ends; None: it holds 99 % of the intervals. How many lie behind stands below.
        dt: seconds per step, where the data do not tell.
        ax: to draw into; None: a new figure.

    Returns:
        The Axes: percent of the population's intervals by ms.

    Raises:
        DlmError: see ``analysis.isi``; a width that is no multiple of a step.
    """
    if isinstance(data, Intervals):
        data = {"": data}
    if isinstance(data, Mapping) and data and all(isinstance(one, Intervals) for one in data.values()):
        found = {str(name): one for name, one in data.items()}
    else:
        found = {name: isi_of(raster) for name, raster in rasters_of(data, dt).items()}
    with drawing(ax) as axes:
        width, longest = _isi_axis(found, width, longest)
        behind = 0
        for place, (name, one) in enumerate(found.items()):
            edges, counts = one.histogram(width, longest)
            color = INK if len(found) == 1 else color_of(place)
            share = 100 * counts / max(one.ms.size, 1)
            axes.stairs(share, edges, color=color, fill=len(found) == 1, label=f"{name}, {one.ms.size:,}")
            behind += one.ms.size - int(counts.sum())
        total = sum(one.ms.size for one in found.values())
        told = (
            f"\n{behind:,} of {how_many(total, 'intervals')} {'is' if behind == 1 else 'are'} longer" if behind else ""
        )
        axes.set(xlabel=f"interval in ms, bins of {width * 1e3:g} ms{told}", ylabel="intervals in %")
        axes.margins(x=0)
        axes.set_ylim(bottom=0)
        legend_above(axes)
    return axes


def _isi_axis(found: Mapping[str, Intervals], width: float | None, longest: float | None) -> tuple[float, float]:
    """Width and end of the histogram in seconds, both of them multiples of every step."""
    step = max((one.step_ms for one in found.values()), default=1.0)
    if longest is None:
        ends = [float(np.quantile(one.ms, SHOWN, method="higher")) for one in found.values() if one.ms.size]
        longest = (max(ends, default=step) + step) / 1e3
    if width is None:
        width = max(round(longest * 1e3 / step / ISI_BINS), 1) * step / 1e3
    return width, max(-(-round(longest / width, 6) // 1), 1) * width
