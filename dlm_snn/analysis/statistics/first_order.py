"""The table of every neuron: rate, intervals and how they vary, counts of windows, latency; in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.statistics import _first_order_compiled as compiled
from dlm_snn.analysis.statistics.steps import steps_of
from dlm_snn.analysis.taking import raster_of
from dlm_snn.errors import DlmError
from dlm_snn.files.free_memory import check_room
from dlm_snn.runs.events import give_back
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.values import slices

WINDOW = 0.1
"""Seconds of a window in which spikes are counted for the Fano factor."""
BLOCK = 2**22
"""Events passed together; then pages of a mapped file are given back."""
LIMIT = 2**64
"""Squared intervals are summed in 64 bits."""


@dataclass(frozen=True, eq=False)
class SpikeTable:
    """One row per neuron; NaN where a neuron has too few spikes, with the count that each figure stands on.

    Attributes:
        spikes: (neuron,) how many.
        rate: (neuron,) Hz, spikes / (samples * seconds of a sample).
        intervals: (neuron,) how many intervals between successive spikes of one sample (ISI).
        isi_ms: (neuron,) their mean, ms.
        cv: (neuron,) standard deviation / mean of the intervals; at least 2 of them.
        pairs: (neuron,) pairs of neighboring intervals x, y.
        cv2: (neuron,) mean of 2 |x - y| / (x + y). Holt et al. 1996, J. Neurophysiol. 75:1806.
        lv: (neuron,) mean of 3 ((x - y) / (x + y))^2. Shinomoto et al. 2003, Neural Comput. 15:2823.
        fano: (neuron,) variance / mean of the counts of windows; at least 2 windows and a spike in them.
        samples_with_spike: (neuron,) how many.
        latency_ms: (neuron,) mean over them of the time of the first spike since step 0 of the sample, ms.
        windows: whole windows in all samples; what is left of a sample behind the last one is not counted.
        window: s.
        n_samples, seconds, dt: of the raster; seconds of one sample.
    """

    spikes: NDArray[np.int64]
    rate: NDArray[np.float64]
    intervals: NDArray[np.int64]
    isi_ms: NDArray[np.float64]
    cv: NDArray[np.float64]
    pairs: NDArray[np.int64]
    cv2: NDArray[np.float64]
    lv: NDArray[np.float64]
    fano: NDArray[np.float64]
    samples_with_spike: NDArray[np.int64]
    latency_ms: NDArray[np.float64]
    windows: int
    window: float
    n_samples: int
    seconds: float
    dt: float

    def columns(self) -> dict[str, NDArray]:
        """Name -> (neuron,) values, in the order of a table; names tell units."""
        return {
            "neuron": np.arange(self.spikes.size),
            "spikes": self.spikes,
            "rate_hz": self.rate,
            "intervals": self.intervals,
            "isi_ms": self.isi_ms,
            "cv": self.cv,
            "pairs": self.pairs,
            "cv2": self.cv2,
            "lv": self.lv,
            "fano": self.fano,
            "samples_with_spike": self.samples_with_spike,
            "latency_ms": self.latency_ms,
        }


def spike_table(spikes: Any, window: float | None = None, dt: float | None = None) -> SpikeTable:
    """Rate, ISI mean, CV, CV2, LV, Fano factor and first-spike latency of every neuron.

    One pass in the raster's own order, so that a mapped ``.raster`` folder of any length is taken in little memory.
    An interval never crosses from one sample into the next.

    Args:
        spikes: whatever ``raster_of`` takes.
        window: s, in which spikes are counted for the Fano factor; 0.1, or a whole sample where that is shorter.
        dt: see ``raster_of``.

    Raises:
        DlmError: a window that is longer than a sample or no whole number of steps; see ``raster_of``.
    """
    raster = raster_of(spikes, dt)
    if raster.n_samples * raster.n_steps**2 >= LIMIT:
        raise DlmError(
            f"{raster.n_samples} samples of {raster.n_steps} steps: squares of intervals pass 64 bits; take fewer "
            "samples at a time, or a longer dt"
        )
    width = window_steps(raster, window)
    return _table(raster, width, _passed(raster, width))


def window_steps(raster: SpikeRaster, window: float | None) -> int:
    """Steps of a window; the default is WINDOW, or a whole sample where that is shorter or no multiple of dt fits."""
    if window is None:
        return max(min(round(WINDOW / raster.dt), raster.n_steps), 1)
    return steps_of(window, raster.dt, "window", raster.n_steps)


class _State(NamedTuple):
    """See ``_first_order_compiled``."""

    hot: NDArray[np.int64]
    cold: NDArray[np.int64]
    variations: NDArray[np.float64]


def _passed(raster: SpikeRaster, width: int) -> _State:
    """What one pass over the events leaves."""
    n = raster.n_neurons
    check_room(8 * n * (compiled.HOT + compiled.COLD + 2), f"the table of {n} neurons")
    state = _State(
        np.zeros((n, compiled.HOT), np.int64), np.zeros((n, compiled.COLD), np.int64), np.zeros((n, 2), np.float64)
    )
    state.hot[:, compiled.LAST] = -1
    at = np.zeros(2, dtype=np.int64)
    extent = raster.n_steps, width, raster.n_steps // width * width
    for block in slices(len(raster), BLOCK):
        events = raster.sample[block], raster.step[block], raster.neuron[block]
        compiled.first_order(*events, extent, *state, at)
        for event in (raster.sample, raster.step, raster.neuron):
            give_back(event)
    return state


def _table(raster: SpikeRaster, width: int, state: _State) -> SpikeTable:
    spikes, seen = state.hot[:, compiled.SPIKES], state.cold[:, compiled.SEEN]
    intervals = spikes - seen
    lengths = state.cold[:, compiled.LENGTHS] + np.maximum(state.hot[:, compiled.LAST], 0)
    pairs = intervals - state.cold[:, compiled.ALONE]
    windows = raster.n_samples * (raster.n_steps // width)
    total = raster.n_samples * raster.n_steps * raster.dt
    return SpikeTable(
        spikes=spikes.copy(),
        rate=spikes / total if total else np.full(spikes.size, np.nan),
        intervals=intervals,
        isi_ms=1e3 * raster.dt * share(lengths, intervals),
        cv=_cv(intervals, lengths, state.hot[:, compiled.SQUARES]),
        pairs=pairs,
        cv2=2 * share(state.variations[:, 0], pairs),
        lv=3 * share(state.variations[:, 1], pairs),
        fano=_fano(spikes - state.cold[:, compiled.BEHIND], state.hot[:, compiled.COINCIDENCES], windows),
        samples_with_spike=seen.copy(),
        latency_ms=1e3 * raster.dt * share(state.cold[:, compiled.WAITED], seen),
        windows=windows,
        window=width * raster.dt,
        n_samples=raster.n_samples,
        seconds=raster.n_steps * raster.dt,
        dt=raster.dt,
    )


def share(part: NDArray, whole: NDArray) -> NDArray[np.float64]:
    """part / whole; NaN where the whole is 0."""
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=np.asarray(whole) > 0)


def _cv(n: NDArray[np.int64], total: NDArray[np.int64], squares: NDArray[np.int64]) -> NDArray[np.float64]:
    """sqrt(sum (x - m)^2 / n) / mean with m the mean rounded down: whole numbers that are exact, whatever wraps on
    the way, and a remainder below 1."""
    some = np.maximum(n, 1)
    rounded, rest = total // some, total % some
    around = (squares - 2 * rounded * total + some * rounded * rounded).astype(np.uint64)
    variance = around / some - (rest / some) ** 2
    return share(np.sqrt(np.maximum(variance, 0)), np.where(n > 1, total / some, 0.0))


def _fano(counted: NDArray[np.int64], coincidences: NDArray[np.int64], windows: int) -> NDArray[np.float64]:
    """(w sum c^2 - (sum c)^2) / (w sum c), in whole numbers but for the division; sum c^2 = sum c + 2 pairs of spikes
    within a window."""
    if windows < 2:
        return np.full(counted.size, np.nan)
    return share(windows * (counted + 2 * coincidences) - counted * counted, windows * counted)
