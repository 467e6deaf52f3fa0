"""Times in seconds and integer steps: the border between recordings and rasters."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.errors import DlmError, LossWarning, MissingError, how_many
from dlm_snn.runs.events import EVENT, INDEX_LIMIT
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.values import as_floats, as_integers

OBJECTS = 2**20
"""Entries of a file or block for neurons and samples; pynwb and neo make each an object of Python."""
ON_GRID = 1e-3
"""Shares of a step: a time nearer to a step than this lies on the grid (float32 seconds leave less)."""


ONE_STEP = 1e-2
"""Shares of a step: events that lie further apart and yet fall into one are told."""
MANY_STEPS, SPARSE = 10**6, 10**4
"""A recording of more steps, and of more steps an event, is told: milliseconds taken for seconds give a thousand times
the steps that a neuron needs for a spike."""
LATE = 10**5
"""Steps before the first event, likewise."""


class Moved(NamedTuple):
    """What an import did to times that do not lie on the grid.

    Attributes:
        events: how many.
        most: by how many seconds at most.
        merged: events that fell onto one already there, and are gone.
    """

    events: int = 0
    most: float = 0.0
    merged: int = 0

    def __add__(self, other: Moved) -> Moved:  # type: ignore[override]
        return Moved(self.events + other.events, max(self.most, other.most), self.merged + other.merged)

    def __str__(self) -> str:
        if not self.events and not self.merged:
            return "every event lies on the grid"
        merged = f", {self.merged} fell onto another" if self.merged else ""
        events = f"{how_many(self.events, 'events')} {'was' if self.events == 1 else 'were'}"
        return f"{events} moved onto the grid, by {self.most:.3g} s at most{merged}"


def to_steps(
    times: ArrayLike, dt: float, limit: int = INDEX_LIMIT, named: Callable[[int], str] = "event {}".format
) -> tuple[NDArray[np.int64], Moved]:
    """The nearest step of each time: step = round(t / dt), never floor, which loses events to rounding.

    Args:
        times: seconds.
        dt: seconds a step.
        limit: steps there may be; a raster has fewer than 2^32, its samples one after another more.
        named: what to call the event of a place in an error.

    Raises:
        DlmError: no number above 0 for dt; times that are not finite, negative or beyond the limit, with the first.
    """
    check_dt(dt)
    times = as_floats(times, "times")
    steps = np.round(times / dt)
    bad = ~((steps >= 0) & (steps < limit))
    if bad.any():
        at = int(np.argmax(bad))
        raise DlmError(f"{named(at)} has the time {times[at]:g} s, outside 0..{limit * dt:g} s ({limit} steps)")
    off = np.abs(times - steps * dt)
    moved = off > ON_GRID * dt
    return steps.astype(np.int64), Moved(int(moved.sum()), float(off[moved].max(initial=0.0)))


def from_clock(
    times: NDArray[np.float64], dt: float, start: float, named: Callable[[int], str]
) -> tuple[NDArray[np.int64], Moved]:
    """``to_steps`` of times on a session's clock, on which step 0 begins at ``start``.

    Raises:
        DlmError: as ``to_steps``; a start that is no number.
    """
    if not isinstance(start, (int, float, np.floating, np.integer)) or not np.isfinite(start):
        raise DlmError(f"start = {start!r} is no number of seconds")
    check_dt(dt)
    try:
        return to_steps(times - start, dt, named=named)
    except DlmError as error:
        remedy = "leave out what is no number"
        if np.isfinite(times).all():
            remedy = f"give start (--start), the time of step 0: the first event comes at {times.min():.10g} s"
        raise DlmError(f"{error}; {remedy}") from error


def tell_doubt(
    times: NDArray[np.float64], steps: NDArray[np.int64], dt: float, where: str, one_step: float = ONE_STEP
) -> None:
    """A LossWarning where the times of a recording of others are hardly in seconds, or do not begin near 0.

    Told are: events of several times that all fall into one step; steps by the million with hardly an event; a
    beginning so late that nearly all steps are before it.

    Args:
        times: in seconds.
        steps: that they fall into.
        dt: seconds a step.
        where: they stand.
        one_step: shares of a step by which times may differ without being several.
    """
    if steps.size < 2:
        return
    span = float(times.max() - times.min())
    doubt = doubt_of(steps.size, span, int(steps.min()), int(steps.max()), dt, one_step)
    if doubt is not None:
        warnings.warn(f"{where}: {doubt}", LossWarning, stacklevel=4)


def doubt_of(count: int, span: float, first: int, last: int, dt: float, one_step: float = ONE_STEP) -> str | None:
    """What ``tell_doubt`` says of so many events, which lie over ``span`` seconds and from one step to another."""
    if count < 2:
        return None
    if first == last and span > one_step * dt:
        return f"all {count} events fall into step {first}, as they lie within {span:.3g} s; is dt = {dt:g} s?"
    if first >= LATE and first > 10 * (last - first):
        return f"{first} steps are empty before its first event; where there is --start, it sets the time of step 0"
    if last >= MANY_STEPS and last > SPARSE * count:
        return f"{count} events lie over {last + 1} steps of {dt:g} s; are its times in seconds?"
    return None


def to_times(steps: ArrayLike, dt: float) -> NDArray[np.float64]:
    """step * dt in seconds; ``to_steps`` gives the same steps back."""
    check_dt(dt)
    return as_floats(steps, "steps") * dt


def check_dt(dt: float) -> None:
    """Raise unless dt is a number of seconds above 0."""
    if not isinstance(dt, (int, float, np.floating, np.integer)) or not 0 < dt < np.inf:
        raise DlmError(f"dt = {dt!r} is not a number of seconds above 0")


def gathered(
    sample: ArrayLike, step: ArrayLike, neuron: ArrayLike, extent: tuple[int, int, int], dt: float
) -> tuple[SpikeRaster, int]:
    """A raster of events in any order, several of one place taken as one; and how many were merged.

    Raises:
        DlmError: an event outside the extent.
    """
    given = zip(EVENT, (sample, step, neuron), strict=True)
    parts = [as_integers(part, f"event {name}", -(2**63), 2**63 - 1) for name, part in given]
    for name, index, n in zip(EVENT, parts, extent, strict=True):
        outside = (index < 0) | (index >= n)
        if outside.any():
            at = int(np.argmax(outside))
            raise DlmError(f"event {at} has the {name} {index[at]}, outside 0..{n - 1}")
    order = np.lexsort(parts[::-1])
    parts = [part[order] for part in parts]
    new = np.ones(order.size, dtype=bool)
    new[1:] = np.any([np.diff(part) != 0 for part in parts], axis=0)
    samples, steps, neurons = (part[new].astype(np.uint32) for part in parts)
    return SpikeRaster(samples, steps, neurons, *extent, dt), int(np.count_nonzero(~new))


def common_extent(rasters: Mapping[str, SpikeRaster], target: str) -> tuple[int, int, float]:
    """n_samples, n_steps and dt of rasters of one run, for a format that keeps an object a sample and a neuron.

    Raises:
        DlmError: none, or two that differ; more objects than ``OBJECTS``.
    """
    if not rasters:
        raise DlmError(f"no raster to write into {target}")
    extents = {name: (raster.n_samples, raster.n_steps, raster.dt) for name, raster in rasters.items()}
    first = next(iter(extents))
    for name, extent in extents.items():
        if extent != extents[first]:
            raise DlmError(
                f"'{name}' has (samples, steps, dt) = {extent}, '{first}' {extents[first]}; {target} holds rasters of "
                "one run"
            )
    objects = sum(raster.n_neurons for raster in rasters.values()) + extents[first][0]
    if objects > OBJECTS:
        raise DlmError(
            f"{target} keeps an entry a neuron and a sample, {objects} in all; at most {OBJECTS} are written: cut a "
            "part out ('dlm-snn raster cut'), or write .npz or .raster"
        )
    return extents[first]


def optional(package: str) -> Any:
    """A package of the extra ``exchange``.

    Raises:
        MissingError: it is not installed.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        raise MissingError(f"'{error.name}' is not installed; pip install 'dlm-snn[exchange]'") from error
