"""Recordings of event cameras as rasters: N-MNIST's ``.bs2`` (or ``.bin``) and AEDAT4."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, LossWarning
from dlm_snn.exchange.guarded.apart import read_apart
from dlm_snn.exchange.rasters.grid import Moved, check_dt, gathered, tell_doubt, to_steps
from dlm_snn.files.reading import read_bytes
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.values import as_array

MICROSECOND = 1e-6
NMNIST = (2, 34, 34)
"""(polarity, row, column) of N-MNIST."""
EVENT_BYTES = 5
BS2_LIMIT = 2**27
"""Bytes of a file, 27 million events; N-MNIST's have 4,000."""
CLOCK_BITS = 23
"""N-MNIST's clock of microseconds begins again at 0 after 8.4 s."""


class CameraEvents(NamedTuple):
    """One recording: arrays with an entry an event, of any type; time in microseconds from the first event's clock."""

    time: NDArray[np.int64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    polarity: NDArray[np.int64]


def read_bs2(path: str | os.PathLike[str]) -> CameraEvents:
    """Events of an N-MNIST file; see ``parse_bs2``.

    Raises:
        MissingError: no such file.
        DlmError: an empty file, or a length that is no multiple of 5 bytes.
    """
    content = read_bytes(path, BS2_LIMIT, f"no file {path}; give a recording of events (.bs2)")
    return parse_bs2(content, Path(path))


def parse_bs2(content: bytes, name: object) -> CameraEvents:
    """Events of N-MNIST's bytes: 40 bits each, column (8), row (8), polarity (1), time in microseconds (23).

    Args:
        content: the bytes.
        name: what they came from, for errors.

    Raises:
        DlmError: nothing, or a length that is no multiple of 5 bytes.

    A clock that began again, so that a time lies more than half its range before the one before, goes on instead, which
    a LossWarning says.

    Source: Orchard et al., Frontiers in Neuroscience 9:437 (2015).
    """
    if not content:
        raise DlmError(f"{name} is empty; give a recording of events (.bs2)")
    if len(content) % EVENT_BYTES:
        raise DlmError(f"{name} has {len(content)} bytes, no whole number of events of {EVENT_BYTES}; it is truncated")
    column, row, high, middle, low = np.frombuffer(content, np.uint8).reshape(-1, EVENT_BYTES).T.astype(np.int64)
    time = (high & 127) << 16 | middle << 8 | low
    begins = np.cumsum(np.diff(time, prepend=time[:1]) < -(2 ** (CLOCK_BITS - 1)))
    if begins[-1]:
        again = f"its clock of {CLOCK_BITS} bits (8.4 s) begins again {begins[-1]} times; the times go on"
        warnings.warn(f"{name}: {again}", LossWarning, stacklevel=2)
    return CameraEvents(time + (begins << CLOCK_BITS), row, column, high >> 7)


def read_aedat4(path: str | os.PathLike[str]) -> tuple[CameraEvents, tuple[int, int, int]]:
    """Events of an AEDAT4 file, time counted from its first one; and the camera's (polarity, row, column).

    It is read in a child process.

    Raises:
        MissingError: no such file, or the package aedat is not installed.
        DlmError: a damaged file, or one without events.
    """
    found = read_apart("dlm_snn.exchange.rasters.aedat4:main", Path(path), "AEDAT4 file")
    time, (height, width) = found["t"], found["size"].tolist()
    time = time - time.min(initial=time[0]) if time.size else time
    return CameraEvents(time, found["y"], found["x"], found["p"]), (2, height, width)


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
    parts, moved = [], Moved()
    for number, events in enumerate(recordings):
        where = f"recording {number}"
        time, neuron = _times_and_neurons(events, shape, where)
        step, off = to_steps(time * MICROSECOND, dt, named=f"{where}, event {{}}".format)
        # Seconds taken for microseconds lie within less of a step than rounding leaves, but at fractions of one.
        whole = np.array_equal(time, np.rint(time))
        tell_doubt(time * MICROSECOND, step, dt, where, *(() if whole else (0.0,)))
        moved += off
        parts.append((np.full_like(step, number), step, neuron))
    sample, step, neuron = (
        (np.concatenate(part) for part in zip(*parts, strict=True)) if parts else [np.zeros(0, int)] * 3
    )
    longest = int(step.max(initial=-1)) + 1
    extent = len(recordings), longest if n_steps is None else n_steps, int(np.prod(shape))
    raster, merged = gathered(sample, step, neuron, extent, dt)
    return raster, moved._replace(merged=merged)


def _times_and_neurons(
    events: CameraEvents, shape: tuple[int, int, int], where: str
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Microseconds and neurons, computed in types of our own: those of cameras' readers wrap."""
    places = []
    for name, n in zip(("polarity", "row", "column"), shape, strict=True):
        index = as_array(getattr(events, name), f"{where}: {name}")
        broken = index != np.round(index) if index.dtype.kind == "f" else np.zeros(index.shape, dtype=bool)
        wrong = broken | (index < 0) | (index >= n)
        if wrong.any():
            at = tuple(int(i) for i in np.argwhere(wrong)[0])
            what = "is no whole number" if broken[at] else f"lies outside 0..{n - 1}"
            raise DlmError(f"{where}, event {at[0] if at else 0}: {name} {index[at]} {what}")
        places.append(index.astype(np.int64))
    time = as_array(events.time, f"{where}: time").astype(np.float64)
    if time.ndim != 1 or any(place.shape != time.shape for place in places):
        found = [part.shape for part in (time, *places)]
        raise DlmError(f"{where}: time, polarity, row and column have the shapes {found}; give one of each an event")
    polarity, row, column = places
    return time, (polarity * shape[1] + row) * shape[2] + column
