"""N-MNIST's recordings, ``.bs2`` or ``.bin``: 40 bits an event, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dlm_snn.errors import DlmError
from dlm_snn.exchange.rasters.clock import Clock
from dlm_snn.exchange.rasters.event_file import EventFile, Told, blocks, check_size
from dlm_snn.exchange.rasters.events import NMNIST, CameraEvents

EVENT_BYTES = 5
CLOCK_BITS = 23
"""Its clock of microseconds begins again at 0 after 8.4 s."""
_EMPTY = "{} is empty; give a recording of events (.bs2)"


def read_bs2(path: str | os.PathLike[str]) -> CameraEvents:
    """Events of an N-MNIST file; see ``parse_bs2``.

    Raises:
        MissingError: no such file.
        DlmError: an empty file, or a length that is no multiple of 5 bytes; a clock that was set back.
    """
    return bs2_file(Path(path), Told()).events()


def bs2_file(path: Path, told: Told) -> EventFile:
    """Such a file; cameras larger than N-MNIST's, as N-Caltech101's, are told by their shape."""
    if not check_size(path, 0, EVENT_BYTES):
        raise DlmError(_EMPTY.format(path))

    def pieces() -> Iterator[CameraEvents]:
        """The events block by block, in the order of the file."""
        clock = Clock(path, CLOCK_BITS)
        for block in blocks(path, 0, EVENT_BYTES):
            yield _decoded(block, clock)
        clock.tell()

    return EventFile(path, told.shape or NMNIST, pieces)


def parse_bs2(content: bytes, name: object) -> CameraEvents:
    """Events of N-MNIST's bytes: 40 bits each, column (8), row (8), polarity (1), time in microseconds (23).

    Args:
        content: the bytes.
        name: what they came from, for errors.

    Raises:
        DlmError: nothing, or a length that is no multiple of 5 bytes; a clock that was set back.

    A clock that began again, so that a time lies more than half its range before the one before, goes on instead, which
    a LossWarning says.

    Source: Orchard et al., Frontiers in Neuroscience 9:437 (2015).
    """
    if not content:
        raise DlmError(_EMPTY.format(name))
    if len(content) % EVENT_BYTES:
        raise DlmError(f"{name} has {len(content)} bytes, no whole number of events of {EVENT_BYTES}; it is truncated")
    clock = Clock(name, CLOCK_BITS)
    events = _decoded(content, clock)
    clock.tell()
    return events


def _decoded(content: bytes, clock: Clock) -> CameraEvents:
    column, row, high, middle, low = np.frombuffer(content, np.uint8).reshape(-1, EVENT_BYTES).T.astype(np.int64)
    time = clock.follow((high & 127) << 16 | middle << 8 | low)
    return CameraEvents(time, row, column, high >> 7)
