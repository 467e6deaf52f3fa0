"""Which part of a recording's clock becomes which steps: all of it, a slice, or each of its trials a sample.

A spike belongs to the step that is nearest to it, so that slices that follow one another share no spike and lose none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.exchange.rasters.grid import Moved, check_dt, from_clock, tell_doubt, to_steps
from dlm_snn.files.free_memory import check_room
from dlm_snn.runs.events import INDEX_LIMIT


@dataclass(frozen=True)
class Cut:
    """What is wanted of a recording, in seconds on its own clock.

    Attributes:
        start: step 0; what comes before it is an error. 0 by default.
        begin: step 0; what comes before it is left out.
        end: the first step that is left out.

    Raises:
        DlmError: a time that is no number, an end that is not after the beginning, ``start`` and ``begin``.
    """

    start: float | None = None
    begin: float | None = None
    end: float | None = None

    def __post_init__(self) -> None:
        for name, value in self._named():
            number = isinstance(value, (int, float, np.floating, np.integer)) and not isinstance(value, bool)
            if value is not None and not (number and np.isfinite(value)):
                raise DlmError(f"{name} = {value!r} is no number of seconds")
        if self.start is not None and self.begin is not None:
            raise DlmError(f"start = {self.start:g} and begin (--from) = {self.begin:g} both set step 0; give one")
        if self.end is not None and self.end <= self.origin:
            raise DlmError(f"end (--to) = {self.end:g} s is not after the beginning at {self.origin:g} s")

    @property
    def origin(self) -> float:
        """The time of step 0."""
        return float(self.begin if self.begin is not None else self.start or 0.0)

    @property
    def given(self) -> list[str]:
        """What was given, for a message."""
        return [f"{name} = {value!r}" for name, value in self._named() if value is not None]

    def _named(self) -> tuple[tuple[str, float | None], ...]:
        return ("start", self.start), ("begin (--from)", self.begin), ("end (--to)", self.end)


WHOLE = Cut()


class Placed(NamedTuple):
    """Where spikes came to lie.

    Attributes:
        chosen: which spikes, by their place; one of two trials that overlap stands twice.
        sample, step: of each of them.
        n_samples, n_steps: of the raster.
        moved: how many did not lie on the grid.
        kept: which trials became samples.
        left_out: how many spikes did not.
    """

    chosen: NDArray[np.int64]
    sample: NDArray[np.int64]
    step: NDArray[np.int64]
    n_samples: int
    n_steps: int
    moved: Moved
    kept: NDArray[np.int64]
    left_out: int

    def notes(self, trials: bool = False) -> list[str]:
        """A line where spikes were left out."""
        return left_out(self.left_out, "in no trial that is kept" if trials else "outside the slice")


def left_out(count: int, where: str = "outside the slice") -> list[str]:
    """A line where spikes were left out."""
    return [f"{count} spikes lie {where}, and are left out"] if count else []


def placed(times: NDArray[np.float64], dt: float, cut: Cut, named: Callable[[int], str], where: str) -> Placed:
    """The steps of spikes in one sample; a LossWarning says where times are hardly in seconds.

    Args:
        times: in seconds on the recording's clock, in any order.
        dt: seconds a step.
        cut: what is wanted.
        named: what to call the spike of a place in an error.
        where: they stand, for messages.

    Raises:
        DlmError: no number above 0 for dt; times that are not finite, or before a start.
    """
    check_dt(dt)
    every = np.arange(times.size)
    n_steps = None
    if cut.begin is not None or cut.end is not None:
        _check_finite(times, named)
        n_steps = None if cut.end is None else length(cut.end - cut.origin, dt)
        step = np.round((times - cut.origin) / dt)
        every = np.flatnonzero((step < (np.inf if n_steps is None else n_steps)) & ((step >= 0) | (cut.begin is None)))
    chosen = times[every]
    step, moved = from_clock(chosen, dt, cut.origin, lambda at: named(int(every[at])))
    tell_doubt(chosen, step, dt, where)
    last = int(step.max(initial=0)) + 1 if n_steps is None else n_steps
    kept = np.zeros(0, dtype=np.int64)
    return Placed(every, np.zeros_like(step), step, 1, last, moved, kept, times.size - every.size)


def placed_trials(
    times: NDArray[np.float64],
    dt: float,
    cut: Cut,
    trials: NDArray[np.float64],
    named: Callable[[int], str],
    where: str,
) -> Placed:
    """``placed``, with a sample for each trial, whose step 0 is the trial's beginning.

    Args:
        times, dt, named, where: as there.
        cut: trials that lie in it are taken; without a start.
        trials: (trial, 2): their beginnings and ends in seconds.

    Raises:
        DlmError: as there; a start, a trial without a beginning or an end, none that lies in the slice.
    """
    check_dt(dt)
    if cut.start is not None:
        raise DlmError(f"start = {cut.start:g}: a trial's own beginning is its step 0; leave start out")
    wrong = np.flatnonzero(~(np.isfinite(trials).all(axis=1) & (trials[:, 0] <= trials[:, 1])))
    if wrong.size:
        begin, end = trials[wrong[0]]
        raise DlmError(f"trial {wrong[0]} lasts from {begin:g} s to {end:g} s; mend it, or leave --trials out")
    _check_finite(times, named)
    first, last = -np.inf if cut.begin is None else cut.begin, np.inf if cut.end is None else cut.end
    inside = (trials[:, 0] >= first - dt / 2) & (trials[:, 1] <= last + dt / 2)
    kept = np.flatnonzero(inside)
    if not kept.size:
        raise DlmError(f"none of its {len(trials)} trials lies within {' and '.join(cut.given)}; move them")
    begin, lengths = trials[kept, 0], np.array([length(b - a, dt) for a, b in trials[kept]])
    chosen, sample = _near(times, begin - dt, trials[kept, 1] + dt)
    step = np.round((times[chosen] - begin[sample]) / dt)
    within = (step >= 0) & (step < lengths[sample])
    chosen, sample = chosen[within], sample[within]
    relative = times[chosen] - begin[sample]
    exact, moved = to_steps(relative, dt, named=lambda at: named(int(chosen[at])))
    tell_doubt(relative, exact, dt, where)
    left_out = times.size - np.unique(chosen).size
    return Placed(chosen, sample, exact, kept.size, int(lengths.max()), moved, kept, left_out)


def _near(
    times: NDArray[np.float64], begin: NDArray[np.float64], end: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The places of the times within each interval, and the interval of each."""
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    first, last = np.searchsorted(ordered, begin, "left"), np.searchsorted(ordered, end, "right")
    counts = last - first
    check_room(64 * int(counts.sum()), f"{counts.sum()} spikes of {begin.size} trials")
    interval = np.repeat(np.arange(begin.size), counts)
    before = np.repeat(first - np.cumsum(counts) + counts, counts)
    return order[before + np.arange(interval.size)], interval


def length(seconds: float, dt: float) -> int:
    """Steps of a slice of so many seconds; at least one.

    Raises:
        DlmError: more than a raster has.
    """
    steps = max(round(seconds / dt), 1)
    if steps >= INDEX_LIMIT:
        raise DlmError(f"{seconds:g} s are {steps} steps of {dt:g} s, a raster has fewer than {INDEX_LIMIT}")
    return steps


def _check_finite(times: NDArray[np.float64], named: Callable[[int], str]) -> None:
    bad = np.flatnonzero(~np.isfinite(times))
    if bad.size:
        raise DlmError(f"{named(int(bad[0]))} has the time {times[bad[0]]:g} s; leave out what is no number")
