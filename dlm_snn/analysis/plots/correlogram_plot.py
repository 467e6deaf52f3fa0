"""How often one neuron's spike follows another's after each lag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.plots.style import INK, MUTED, RULE, drawing, legend_above
from dlm_snn.analysis.plots.time_axis import MS
from dlm_snn.analysis.statistics.correlograms import Correlogram
from dlm_snn.analysis.statistics.correlograms import correlogram as correlogram_of
from dlm_snn.analysis.taking import raster_of
from dlm_snn.errors import DlmError
from dlm_snn.runs.raster import SpikeRaster

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LONGEST = 0.05
"""Seconds of the largest lag, where samples are long enough."""


def correlogram(
    data: Any,
    pair: tuple[int, int] | None = None,
    longest: float | None = None,
    width: float | None = None,
    jitter: float | None = None,
    rng: np.random.Generator | None = None,
    dt: float | None = None,
    first_neuron: int = 0,
    units: Sequence[Any] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Rate of the target around a spike of the reference, in bins of lags; with jitter its mean and 95 % band.

    Bars outside the band: structure finer than its window; of 100 lags some 5 by chance.

    Args:
        data: what ``raster_of`` takes; or a ``Correlogram``.
        pair: (reference, target) neurons, equal ones for an auto-correlogram; None: the two that spike most, or the
            only pair of a Correlogram.
        longest: seconds, the largest lag; None: 50 ms, or less in short samples.
        width: seconds of a bin; None: one step.
        jitter, rng: seconds, the window of the jitter, and its generator; None: no control.
        dt: seconds per step, where the data do not tell.
        first_neuron, units: number of the first neuron; (neuron,) what the label calls them in place of numbers.
        ax: to draw into; None: a new figure.

    Returns:
        The Axes: lag in ms, and Hz.

    Raises:
        DlmError: see ``analysis.correlogram``; several pairs and none named.
    """
    if isinstance(data, Correlogram):
        found, place = data, _place(data, pair)
    else:
        raster = raster_of(data, dt)
        pair = busiest(raster) if pair is None else pair
        longest = longest_lag(raster, width) if longest is None else longest
        found, place = correlogram_of(raster, [pair], longest, width, jitter, rng=rng), 0
    what = "neuron" if units is None else "unit"
    reference, target = (int(k) + first_neuron if units is None else units[int(k)] for k in found.pairs[place])
    with drawing(ax) as axes:
        _bars(axes, found, place)
        told = f"lag of {what} {target} behind {reference}" if reference != target else f"lag in {what} {target}"
        axes.set(xlabel=f"{told}, in ms", ylabel="rate in Hz")
        axes.margins(x=0)
        axes.set_ylim(bottom=0)
        legend_above(axes)
    return axes


def busiest(raster: SpikeRaster) -> tuple[int, int]:
    """The two neurons that spike most; of one neuron, it and itself.

    Raises:
        DlmError: no neurons.
    """
    if not raster.n_neurons:
        raise DlmError("a correlogram needs a neuron; the raster has none")
    spikes = np.bincount(raster.neuron, minlength=raster.n_neurons)
    ranked = np.argsort(-spikes, kind="stable")[:2]
    return int(ranked[0]), int(ranked[-1])


def longest_lag(raster: SpikeRaster, width: float | None = None) -> float:
    """50 ms in whole bins, or what is left between the first and the last bin of a sample."""
    steps = 1 if width is None else max(round(width / raster.dt), 1)
    bins = min(round(LONGEST / (steps * raster.dt)), max(raster.n_steps // steps - 1, 1))
    return max(bins, 1) * steps * raster.dt


def _place(found: Correlogram, pair: tuple[int, int] | None) -> int:
    known = [tuple(one) for one in found.pairs.tolist()]
    if pair is None and len(known) == 1:
        return 0
    if pair is None or tuple(pair) not in known:
        told = "none was named" if pair is None else f"{tuple(pair)} is none of them"
        shown = ", ".join(map(str, known[:5])) + (", ..." if len(known) > 5 else "")
        raise DlmError(f"the correlogram has {len(known)} pairs ({shown}), and {told}; give pair=(REFERENCE, TARGET)")
    return known.index(tuple(pair))


def _bars(axes: Axes, found: Correlogram, place: int) -> None:
    """The rate, and below it the control."""
    edges = np.append(found.lag_ms - found.width_ms / 2, found.lag_ms[-1] + found.width_ms / 2)
    # A neuron without a spike has no rate around it, and no counts.
    per_count = 1 / (max(int(found.reference[place]), 1) * found.width_ms / MS)

    def hz(counts: NDArray) -> NDArray[np.float64]:
        return counts[place] * per_count

    axes.axvline(0, color=RULE, linewidth=0.8, zorder=0)
    jittered = found.expected is not None and found.low is not None and found.high is not None
    axes.stairs(hz(found.counts), edges, fill=not jittered, baseline=0, color=INK, linewidth=1.2, label="spikes")
    if found.expected is not None and found.low is not None and found.high is not None:
        told = f"jitter within {found.jitter_ms:g} ms, 95 %"
        band: dict[str, Any] = {"baseline": hz(found.low), "fill": True, "color": MUTED, "alpha": 0.35, "linewidth": 0}
        axes.stairs(hz(found.high), edges, label=told, **band)
        axes.stairs(hz(found.expected), edges, baseline=None, color=MUTED, linewidth=1.0, linestyle=(0, (4, 2)))
