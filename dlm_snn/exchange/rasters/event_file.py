"""A recording of an event camera in a file, read in pieces."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from dlm_snn.errors import DlmError
from dlm_snn.exchange.rasters.cuts import Cut, left_out, length
from dlm_snn.exchange.rasters.events import MICROSECOND, PIECE, Binning, CameraEvents, raster_of
from dlm_snn.exchange.rasters.grid import Moved, check_dt
from dlm_snn.files.free_memory import check_room
from dlm_snn.files.reading import opened
from dlm_snn.runs.raster import SpikeRaster

BLOCK = 8 * PIECE
"""Bytes that are read together, but for an event that is larger."""
RASTER_EVENT, CAMERA_EVENT = 12, 32
"""Bytes of an event in a raster, and in ``CameraEvents``."""


class Told(NamedTuple):
    """What a file does not tell itself.

    Attributes:
        shape: (polarity, row, column).
        chip: a name of ``aedat_head.CAMERAS``.
        time_unit: "s", "ms", "us" or "ns".
    """

    shape: tuple[int, int, int] | None = None
    chip: str | None = None
    time_unit: str | None = None


@dataclass(frozen=True)
class EventFile:
    """A recording of an event camera: what its head tells, and its events, which are read when they are asked for.

    Attributes:
        path: of the file.
        shape: (polarity, row, column).
        pieces: gives the events in the order of the file, in microseconds of the camera's clock, some at a time.
        from_first: its clock began anywhere, so that step 0 is the first event's.
        notes: what was assumed, a line each.
    """

    path: Path
    shape: tuple[int, int, int]
    pieces: Callable[[], Iterator[CameraEvents]]
    from_first: bool = False
    notes: list[str] = field(default_factory=list)

    def events(self, start: float | None = None) -> CameraEvents:
        """All events, in microseconds from step 0.

        Args:
            start: seconds on the camera's clock, of step 0; see ``raster``.

        Raises:
            DlmError: as ``raster``, but for events outside.
        """
        Cut(start)
        parts = [CameraEvents(*(np.zeros(0, np.int64),) * 4)]
        for _, events in self._counted(start):
            parts.append(events)
            held = sum(part.time.size for part in parts)
            check_room(CAMERA_EVENT * held, f"{self.path} with more than {held} events")
        return CameraEvents(*(np.concatenate(field) for field in zip(*parts, strict=True)))

    def raster(
        self, dt: float, start: float | None = None, begin: float | None = None, end: float | None = None
    ) -> tuple[SpikeRaster, Moved]:
        """The recording, or a slice of it, as a raster of one sample; see ``from_events``.

        Args:
            dt: seconds a step.
            start: seconds on the camera's clock, of step 0; by default 0, or the first event's in formats whose clocks
                begin anywhere (AEDAT).
            begin: likewise, and what comes before is left out.
            end: of the raster.

        Raises:
            DlmError: no number above 0 for dt; an event outside the camera or before step 0; a damaged file; more than
                the memory has free.
        """
        check_dt(dt)
        binning = Binning(dt, self.shape, str(self.path), remedy="; give start (--start), the time of step 0")
        Cut(start, begin, end)
        n_steps = None
        for zero, events in self._counted(start if begin is None else begin):
            if end is not None:
                n_steps = length(end - zero * MICROSECOND, dt)
            if begin is not None or end is not None:
                binning.sliced = begin is not None, np.inf if n_steps is None else n_steps
            binning.add(events)
            check_room(RASTER_EVENT * binning.size, f"a raster of more than {binning.size} events ({self.path})")
        self._note(*left_out(binning.left_out))
        return raster_of([binning], dt, self.shape, n_steps)

    def _counted(self, start: float | None) -> Iterator[tuple[float, CameraEvents]]:
        """The pieces, counted from step 0, and the microseconds on the clock of that."""
        zero = None if start is None else round(float(start) / MICROSECOND, 3)
        if zero is None and not self.from_first:
            zero = 0.0
        for events in self.pieces():
            if zero is None and events.time.size:
                zero = float(events.time.min())
                self._note(f"step 0 is the first event's, {zero * MICROSECOND:.15g} s on its clock (--start)")
            if zero:
                whole = zero.is_integer() and events.time.dtype.kind in "iu"
                events = events._replace(time=events.time - (int(zero) if whole else zero))
            yield zero or 0.0, events

    def _note(self, *told: str) -> None:
        """What is told once, however often it is read."""
        self.notes.extend(note for note in told if note not in self.notes)


def check_size(path: Path, start: int, event_bytes: int) -> int:
    """How many events a file has behind its head; an error where they are not whole."""
    with opened(path) as file:
        return _whole(path, file, start, event_bytes)


def _whole(path: Path, file: IO[bytes], start: int, event_bytes: int) -> int:
    rest = os.fstat(file.fileno()).st_size - start
    if rest < 0 or rest % event_bytes:
        behind = " behind its head" if start else ""
        raise DlmError(f"{path} has {rest} bytes{behind}, no whole number of events of {event_bytes}; it is truncated")
    return rest // event_bytes


def blocks(path: Path, start: int, event_bytes: int) -> Iterator[bytes]:
    """What lies behind the head of a file, some whole events at a time."""
    with opened(path) as file:
        _whole(path, file, start, event_bytes)
        file.seek(start)
        while block := file.read(max(BLOCK // event_bytes, 1) * event_bytes):
            if len(block) % event_bytes:
                raise DlmError(f"{path} changed while it was read; read it when nobody writes it")
            yield block


def shape_told(path: Path, found: tuple[int, int] | None, told: Told, remedy: str) -> tuple[int, int, int]:
    """The camera's shape from what the file tells, (rows, columns), or from what was told.

    Raises:
        DlmError: neither, or both and not alike.
    """
    shape = told.shape
    if found is None:
        if shape is None:
            raise DlmError(f"{path} {remedy}")
        return shape
    if shape is not None and tuple(shape) != (2, *found):
        given = ",".join(map(str, shape))
        raise DlmError(f"{path} tells its camera's shape, 2,{found[0]},{found[1]}, not {given}; leave shape out")
    return 2, *found
