"""Structured NumPy arrays of events, as projects of event cameras store them: fields t, x, y and p."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.exchange.rasters.clock import Clock
from dlm_snn.exchange.rasters.event_file import EventFile, Told, blocks
from dlm_snn.exchange.rasters.events import CameraEvents
from dlm_snn.files.packed import listed, npy_head
from dlm_snn.files.reading import opened, refused

FIELDS = {
    "t": ("t", "ts", "time", "timestamp", "timestamps"),
    "y": ("y", "row"),
    "x": ("x", "column", "col"),
    "p": ("p", "pol", "polarity", "polarities"),
}
"""What each of time, row, column and polarity is called."""
UNITS = {"s": 1e6, "ms": 1e3, "us": 1, "ns": 1e-3}
"""Microseconds."""


def is_npy(begins: bytes) -> bool:
    """Whether a file is an array, by its first bytes."""
    return begins.startswith(b"\x93NUMPY")


def npy_events(path: Path, told: Told) -> EventFile:
    """A file of a structured array, whose camera is told; whole times are microseconds, if nothing else is told.

    Polarities are 0 and 1, or -1 and 1.

    Raises:
        DlmError: no structured array, a field that is not there, or there twice; no shape; times at fractions whose
            unit is not told; polarities -1 and 0.
    """
    shape, dtype, start = _head(path)
    if dtype.names is None:
        raise DlmError(
            f"{path} holds an array of {dtype} of the shape {shape} without names; events of a camera have the fields "
            "t, x, y, p. For arrays of one's own write Python: dlm_snn.exchange.from_events"
        )
    if len(shape) != 1:
        raise DlmError(f"{path} holds events of the shape {shape}; give one dimension")
    names = {key: _field(path, dtype, key) for key in FIELDS}
    kind = dtype[names["t"]]
    unit, notes = told.time_unit, []
    if unit is None and kind.kind == "f":
        raise DlmError(f"{path} has times of {kind}, whose unit is not known; give it (--time-unit s, ms, us or ns)")
    if unit is None:
        notes = ["its times were taken as microseconds (--time-unit)"]
    elif unit not in UNITS:
        raise DlmError(f"time_unit = {unit!r} is none of {', '.join(UNITS)}")
    scale = UNITS[unit or "us"]
    if told.shape is None:
        raise DlmError(f"{path} {_extremes(path, start, dtype, names)}")

    def pieces() -> Iterator[CameraEvents]:
        """The events block by block, in the order of the file."""
        bits = 32 if kind.kind == "u" and kind.itemsize == 4 and scale == 1 else None
        clock, polarity = Clock(path, bits, np.inf), _Polarity(path)
        for block in blocks(path, start, dtype.itemsize):
            events = np.frombuffer(block, dtype)
            time = _native(events[names["t"]])
            time = clock.follow(time if scale == 1 else time * scale)
            yield CameraEvents(
                time, _native(events[names["y"]]), _native(events[names["x"]]), polarity.of(_native(events[names["p"]]))
            )
        clock.tell()

    return EventFile(path, told.shape, pieces, notes=notes)


def _head(path: Path) -> tuple[tuple[int, ...], np.dtype, int]:
    """Shape and type of the array, and where it begins."""
    with opened(path) as file, refused(path, "write it again with numpy.save"):
        shape, _, dtype, start = npy_head(file, records=True)
        size = os.fstat(file.fileno()).st_size - start
        if size != dtype.itemsize * int(np.prod(shape, dtype=object)):
            raise ValueError(f"{size} bytes, where the head says {shape} of {dtype.itemsize} bytes each")
    return shape, dtype, start


def _field(path: Path, dtype: np.dtype, key: str) -> str:
    """The name of the field of the times, rows, columns or polarities."""
    names = dtype.names or ()
    found = [name for name in names if name.lower() in FIELDS[key]]
    if len(found) != 1:
        why = f"the fields {' and '.join(found)}, of which one is too many" if found else f"no field '{key}'"
        raise DlmError(f"{path} has {why}; it has {listed(names)}, events of a camera have t, x, y, p")
    if dtype[found[0]].kind not in "biuf" or dtype[found[0]].shape:
        raise DlmError(f"{path}: its field '{found[0]}' is of {dtype[found[0]]}; give numbers")
    return found[0]


def _native(values: NDArray) -> NDArray:
    """Integers as int64 and all else as float64, so that nothing wraps."""
    beyond = values.dtype.kind == "u" and values.size and values.max() > np.iinfo(np.int64).max
    return values.astype(np.float64 if beyond or values.dtype.kind == "f" else np.int64)


class _Polarity:
    """Polarities 0 and 1, or -1 and 1; which of them a file has shows piece by piece."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seen: set[int] = set()

    def of(self, values: NDArray) -> NDArray:
        """As 0 and 1; others stay, and are refused where events are binned."""
        self.seen |= {value for value in (-1, 0) if (values == value).any()}
        if self.seen == {-1, 0}:
            raise DlmError(f"{self.path} has polarities of -1 and of 0; give 0 and 1, or -1 and 1")
        return np.where(values == -1, 0, values)


def _extremes(path: Path, start: int, dtype: np.dtype, names: dict[str, str]) -> str:
    """The line for a camera whose shape is not told: how far its events go."""
    most = {"y": 0, "x": 0}
    with warnings.catch_warnings():
        # NaN as an integer.
        warnings.simplefilter("ignore", RuntimeWarning)
        for block in blocks(path, start, dtype.itemsize):
            events = np.frombuffer(block, dtype)
            most = {key: max(value, int(np.nanmax(events[names[key]]))) for key, value in most.items()}
    reach = f"2,{most['y'] + 1},{most['x'] + 1}"
    return f"does not tell its camera's shape; give it (--shape P,H,W). Its events need {reach} at least"
