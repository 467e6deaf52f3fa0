"""The axis of time below spikes: ms, or samples that follow one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dlm_snn.analysis.plots.style import RULE
from dlm_snn.runs.raster import SpikeRaster

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.ticker import MaxNLocator

MS = 1e3
RULED = 60
"""Samples up to which a line stands between each two."""
LONG = 1e4
"""ms; a longer axis tells seconds."""
NAMED = 24
"""Units that are named on an axis, at most."""
_ROUND = [1, 2, 5, 10]


def sample_length(rasters: Mapping[str, SpikeRaster]) -> float:
    """The longest sample in ms."""
    return max((raster.n_steps * raster.dt * MS for raster in rasters.values()), default=0.0)


def time_axis(
    axes: Axes,
    rasters: Mapping[str, SpikeRaster],
    begin: float,
    one_after_another: bool,
    first: int = 0,
    more: str = "",
) -> None:
    """Limits, ticks and label of the x axis, from the first step to the end of the last; a stroke at 0 is seen whole.

    Args:
        axes: of spikes at begin + step * dt.
        rasters: what is drawn.
        begin: seconds of the first step.
        one_after_another: samples follow one another; several are then named by their numbers.
        first: number of the first sample.
        more: behind the label.
    """
    length, start = sample_length(rasters), begin * MS
    samples = max((raster.n_samples for raster in rasters.values()), default=0) if one_after_another else 1
    step = max((raster.dt * MS for raster in rasters.values()), default=1.0)
    axes.set_xlim(start - step / 2, start + max(length * samples, step))
    if samples <= 1:
        time_ticks(axes, more)
        return
    for sample in range(1, samples if samples <= RULED else 0):
        axes.axvline(start + sample * length, color=RULE, linewidth=0.8, zorder=0)
    ticks = np.asarray(_whole(8).tick_values(first, first + samples - 1))
    numbers = ticks[(ticks >= first) & (ticks < first + samples)]
    axes.set_xticks(start + (numbers - first + 0.5) * length, [f"{k:g}" for k in numbers])
    axes.tick_params(axis="x", length=0)
    each = f"{length / MS:g} s" if length > LONG else f"{length:g} ms"
    axes.set_xlabel(f"sample, each {each}{more}")


def time_ticks(axes: Axes, more: str = "") -> None:
    """Round ms on the x axis, whose limits are set, in ms; above 10 s it tells seconds."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(6, steps=_ROUND))
    low, high = axes.get_xlim()
    if high - low > LONG:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda ms, _: f"{ms / MS:g}"))
    axes.set_xlabel(f"time in {'s' if high - low > LONG else 'ms'}{more}")


def whole_numbers(axis: Axis) -> None:
    """Round whole numbers as ticks: of neurons, trials or samples."""
    axis.set_major_locator(_whole(5))


def name_neurons(axis: Axis, units: Sequence[Any] | None, first: int, n: int) -> None:
    """Neurons on an axis: by their numbers, or by what the file calls them, each of up to 24.

    Args:
        axis: of neurons, from ``first`` on.
        units: (neuron,) ids; None: numbers.
        first: number of the first neuron.
        n: how many there are.
    """
    if units is None:
        whole_numbers(axis)
        axis.set_label_text("neuron")
        return
    places = range(0, n, max(-(-n // NAMED), 1))
    axis.set_ticks([first + place for place in places], [str(units[place]) for place in places])
    axis.set_label_text("unit")


def _whole(most: int) -> MaxNLocator:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(most, integer=True, steps=_ROUND, min_n_ticks=1)
