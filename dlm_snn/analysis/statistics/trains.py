"""The spike trains of a raster, neuron after neuron, and their intervals, for use as a library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.statistics._trains_compiled import NOBODY, differences, laid_out, wanted
from dlm_snn.analysis.statistics.steps import steps_of
from dlm_snn.analysis.taking import raster_of
from dlm_snn.errors import DlmError
from dlm_snn.files.free_memory import check_room
from dlm_snn.runs.raster import SpikeRaster


class Trains(NamedTuple):
    """Spike times of neuron k in time[starts[k]:starts[k + 1]], in order.

    Attributes:
        time: (spike,) steps on one clock over all samples, sample * period + step.
        starts: (neuron + 1,) where each train begins.
        period: steps from the beginning of a sample to that of the next: further apart than what may meet.
    """

    time: NDArray[np.int64]
    starts: NDArray[np.int64]
    period: int


def trains_of(raster: SpikeRaster, gap: int = 0, neurons: NDArray[np.int64] | None = None) -> Trains:
    """The trains of neurons; samples follow one another with ``gap`` empty steps between.

    Args:
        raster: of all neurons.
        gap: steps.
        neurons: (train,) those that are wanted, none twice; all of them.

    Raises:
        DlmError: they do not fit into the free memory, or their times into 63 bits.
    """
    period = raster.n_steps + gap
    if raster.n_samples * period >= 2**63:
        raise DlmError(f"{raster.n_samples} samples of {period} steps are more than 2^63; take fewer samples")
    slot = np.arange(raster.n_neurons, dtype=np.uint32)
    events = raster.sample, raster.step, raster.neuron
    if neurons is not None:
        slot[:] = NOBODY
        slot[neurons] = np.arange(neurons.size)
        # As long as if all were wanted: what is not written takes no memory.
        hits = np.empty(len(raster), dtype=np.int64)
        hits = hits[: wanted(raster.neuron, slot, hits)]
        events = raster.sample[hits], raster.step[hits], raster.neuron[hits]
    check_room(8 * events[0].size, f"{events[0].size} spike times")
    counts = np.bincount(events[2], minlength=raster.n_neurons)
    starts = np.concatenate(([0], np.cumsum(counts if neurons is None else counts[neurons])))
    time = np.empty(events[0].size, dtype=np.int64)
    laid_out(*events, slot, period, starts[:-1].astype(np.uint64), time)
    return Trains(time, starts, period)


@dataclass(frozen=True, eq=False)
class Intervals:
    """The intervals between successive spikes of every neuron; those of neuron k in ms[starts[k]:starts[k + 1]].

    Attributes:
        ms: (interval,) ms, neuron after neuron, in the order of time.
        starts: (neuron + 1,) where those of each neuron begin.
        step_ms: ms per step, of which each is a multiple.
    """

    ms: NDArray[np.float64]
    starts: NDArray[np.int64]
    step_ms: float

    def of(self, neuron: int) -> NDArray[np.float64]:
        """The intervals of one neuron, ms."""
        return self.ms[self.starts[neuron] : self.starts[neuron + 1]]

    def histogram(self, width: float, longest: float | None = None) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """How many intervals of all neurons lie in [k width, (k + 1) width).

        Args:
            width: of a bin, s.
            longest: s, up to which intervals are counted; the longest that there is.

        Returns:
            (bin + 1,) edges in ms, and (bin,) counts.

        Raises:
            DlmError: a length that is no multiple of a step; more bins than the memory has room for.
        """
        return _histogram(self, width, longest)


def isi(spikes: Any, dt: float | None = None) -> Intervals:
    """Intervals between successive spikes (ISI) of each neuron; none crosses from one sample into the next.

    Args:
        spikes: whatever ``raster_of`` takes.
        dt: see ``raster_of``.

    Raises:
        DlmError: see ``raster_of``; no room.
    """
    raster = raster_of(spikes, dt)
    # With samples that far apart no interval between two of them is as short as any within one.
    trains = trains_of(raster, gap=raster.n_steps)
    lengths, counts = np.empty(trains.time.size, np.int64), np.empty(raster.n_neurons, np.int64)
    n = differences(trains.time, trains.starts, raster.n_steps, lengths, counts)
    return Intervals(1e3 * raster.dt * lengths[:n], np.concatenate(([0], np.cumsum(counts))), 1e3 * raster.dt)


def _histogram(
    intervals: Intervals, width: float, longest: float | None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    per_bin = steps_of(width, intervals.step_ms / 1e3, "width")
    steps = np.rint(intervals.ms / intervals.step_ms).astype(np.int64)
    if longest is None:
        bins = int(steps.max(initial=0)) // per_bin + 1
    else:
        bins = -(-steps_of(longest, intervals.step_ms / 1e3, "longest") // per_bin)
        check_room(16 * (bins + 1), f"longest = {longest:g} s in bins of {width:g} s: a histogram of {bins} bins")
    counts = np.bincount(steps[steps < bins * per_bin] // per_bin, minlength=bins)
    return per_bin * intervals.step_ms * np.arange(bins + 1), counts
