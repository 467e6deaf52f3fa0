"""Events of cameras as rasters, in pieces: what comes of a recording takes memory, not what is read of it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, LossWarning
from dlm_snn.exchange.rasters.grid import ONE_STEP, Moved, check_dt, doubt_of, to_steps
from dlm_snn.runs.events import INDEX_LIMIT
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.values import as_array, slices

MICROSECOND = 1e-6
NMNIST = (2, 34, 34)
"""(polarity, row, column) of N-MNIST."""
PIECE = 2**18
"""Events that are looked at together."""
_STEP_BITS = np.uint64(32)


class CameraEvents(NamedTuple):
    """One recording: arrays with an entry an event, of any type; time in microseconds from step 0."""

    time: NDArray
    row: NDArray
    column: NDArray
    polarity: NDArray


def from_events(
    recordings: Sequence[CameraEvents],
    dt: float,
    shape: tuple[int, int, int] = NMNIST,
    n_steps: int | None = None,
) -> tuple[SpikeRaster, Moved]:
    """Recordings as samples of a raster; neuron = (polarity * rows + row) * columns + column.

    A LossWarning says where dt hardly fits the times: all in one step, or steps by the million.

    Events of one pixel and polarity that fall into one step are one event.

    Args:
        recordings: one a sample.
        dt: seconds a step.
        shape: (polarity, row, column).
        n_steps: of every sample; the longest by default. Later events are an error.

    Returns:
        The raster, and how many events were moved, by how much, and how many merged.

    Raises:
        DlmError: an event outside the shape or the steps, or at a fraction of a pixel, with its number.
    """
    check_dt(dt)
    samples = []
    for number, events in enumerate(recordings):
        binning = Binning(dt, shape, f"recording {number}", n_steps)
        events = _plain(events, f"recording {number}")
        for part in slices(events.time.size, PIECE):
            binning.add(CameraEvents(*(field[part] for field in events)))
        samples.append(binning)
    return raster_of(samples, dt, shape, n_steps)


class Binning:
    """One recording in steps: its events, piece by piece, as sorted places, each of them once.

    Args:
        dt: seconds a step.
        shape: (polarity, row, column).
        where: the events come from, for messages.
        n_steps: later events are an error.
        remedy: what to give where times lie outside.

    Attributes:
        sliced: (whether events before step 0 are left out, the first step that is left out) of a slice.
        left_out: how many events were.
        moved: what was moved, and by how much.
        count: events so far.
        n_steps: one past the last step.
    """

    def __init__(
        self, dt: float, shape: tuple[int, int, int], where: str, n_steps: int | None = None, remedy: str = ""
    ) -> None:
        if prod(shape) > INDEX_LIMIT:
            raise DlmError(f"a camera of {shape} (polarity, row, column) has more than {INDEX_LIMIT} neurons")
        self.dt, self.shape, self.where, self.remedy = dt, shape, where, remedy
        self.sliced: tuple[bool, float] | None = None
        self.moved = Moved()
        self.left_out = self.n_steps = 0
        self._most = n_steps
        self.count = 0
        self._places: list[NDArray[np.uint64]] = []
        self._ordered = True
        self._seen = self._size = 0
        self._at: NDArray[np.intp] | None = None
        self._span = [np.inf, -np.inf]
        self._first = INDEX_LIMIT
        self._whole = True

    def add(self, events: CameraEvents) -> None:
        """The next events, plain arrays of one length.

        Raises:
            DlmError: see ``from_events``.
        """
        events = self._kept(events)
        if not events.time.size:
            return
        time = events.time.astype(np.float64)
        neuron = self._neurons(events)
        step = self._steps(time * MICROSECOND)
        # Seconds taken for microseconds lie within less of a step than rounding leaves, but at fractions of one.
        self._whole = self._whole and (events.time.dtype.kind in "biu" or np.array_equal(time, np.rint(time)))
        self._span = [min(self._span[0], time.min()), max(self._span[1], time.max())]
        self._first = min(self._first, int(step.min()))
        self.n_steps = max(self.n_steps, int(step.max()) + 1)
        self.count += time.size
        self._keep(np.unique(step.astype(np.uint64) << _STEP_BITS | neuron.astype(np.uint64)))

    def _kept(self, events: CameraEvents) -> CameraEvents:
        """What lies in the slice. What has no time stays, and is refused where it gets a step."""
        self._seen += self._size
        self._size = events.time.size
        self._at = None
        if self.sliced is None:
            return events
        from_0, end = self.sliced
        step = np.round(events.time * MICROSECOND / self.dt)
        self._at = np.flatnonzero(~np.isfinite(step) | (((step >= 0) | (not from_0)) & (step < end)))
        self.left_out += step.size - self._at.size
        return CameraEvents(*(field[self._at] for field in events))

    def _neurons(self, events: CameraEvents) -> NDArray[np.int64]:
        """Computed in types of our own: those of cameras' readers wrap."""
        places = []
        for name, n in zip(("polarity", "row", "column"), self.shape, strict=True):
            index = getattr(events, name)
            broken = index != np.round(index) if index.dtype.kind == "f" else np.zeros(index.shape, dtype=bool)
            wrong = broken | (index < 0) | (index >= n)
            if wrong.any():
                at = int(np.argmax(wrong))
                what = "is no whole number" if broken[at] else f"lies outside 0..{n - 1}"
                raise DlmError(f"{self._named(at)}: {name} {index[at]} {what}")
            places.append(index.astype(np.int64))
        polarity, row, column = places
        neuron: NDArray[np.int64] = (polarity * self.shape[1] + row) * self.shape[2] + column
        return neuron

    def _steps(self, seconds: NDArray[np.float64]) -> NDArray[np.int64]:
        try:
            step, moved = to_steps(seconds, self.dt, named=self._named)
        except DlmError as error:
            raise DlmError(f"{error}{self.remedy if np.isfinite(seconds).all() else ''}") from error
        if self._most is not None and (step >= self._most).any():
            at = int(np.argmax(step >= self._most))
            raise DlmError(f"{self._named(at)} has the step {step[at]}, outside 0..{self._most - 1}")
        self.moved += moved
        return step

    def _named(self, at: int) -> str:
        return f"{self.where}, event {self._seen + int(at if self._at is None else self._at[at])}"

    def _keep(self, places: NDArray[np.uint64]) -> None:
        """The places of the last step of one piece and of the first of the next may be the same ones."""
        if self._places:
            last = self._places[-1]
            cut = int(np.searchsorted(last, places[0]))
            if cut:
                self._places[-1] = last[:cut]
                places = np.union1d(last[cut:], places)
            else:
                self._ordered = False
        self._places.append(places)

    @property
    def size(self) -> int:
        """Places that are held."""
        return sum(part.size for part in self._places)

    def finished(self) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Steps and neurons, sorted; it is empty then. A LossWarning says where dt hardly fits the times."""
        one_step = ONE_STEP if self._whole else 0.0
        span = (self._span[1] - self._span[0]) * MICROSECOND
        doubt = doubt_of(self.count, span, self._first, self.n_steps - 1, self.dt, one_step)
        if doubt is not None:
            warnings.warn(f"{self.where}: {doubt}", LossWarning, stacklevel=4)
        if not self._ordered:
            places = np.concatenate(self._places)
            places.sort()
            self._places = [places[np.append(True, places[1:] != places[:-1])]]
        size = self.size
        self.moved += Moved(merged=self.count - size)
        step, neuron = np.empty(size, np.uint32), np.empty(size, np.uint32)
        at = 0
        self._places.reverse()
        while self._places:
            # Taken off one by one, so that both forms are never there as a whole.
            part = self._places.pop()
            for start in slices(part.size, PIECE):
                piece = part[start]
                step[at : at + piece.size] = piece >> _STEP_BITS
                neuron[at : at + piece.size] = piece.astype(np.uint32)
                at += piece.size
        return step, neuron


def raster_of(
    samples: Sequence[Binning], dt: float, shape: tuple[int, int, int], n_steps: int | None = None
) -> tuple[SpikeRaster, Moved]:
    """Recordings in steps as the samples of a raster; what was done to their events, in all."""
    longest = max((sample.n_steps for sample in samples), default=0)
    parts = [sample.finished() for sample in samples]
    moved = sum((sample.moved for sample in samples), Moved())
    if len(parts) == 1:
        ((step, neuron),) = parts
        sample = np.zeros(step.size, np.uint32)
    else:
        sample = np.repeat(np.arange(len(parts), dtype=np.uint32), [step.size for step, _ in parts])
        none = [np.zeros(0, np.uint32)]
        step, neuron = (np.concatenate([part[i] for part in parts] or none) for i in range(2))
    extent = len(samples), longest if n_steps is None else n_steps, prod(shape)
    return SpikeRaster(sample, step, neuron, *extent, dt), moved


def _plain(events: CameraEvents, where: str) -> CameraEvents:
    """Four flat arrays of numbers, equally long."""
    plain = CameraEvents(*(as_array(getattr(events, name), f"{where}: {name}") for name in CameraEvents._fields))
    if plain.time.ndim != 1 or len({field.shape for field in plain}) != 1:
        found = [field.shape for field in plain]
        raise DlmError(f"{where}: time, row, column and polarity have the shapes {found}; give one of each an event")
    return plain
