"""AEDAT 2.0, as jAER writes it: an address and a time of 32 bits each an event, big-endian."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, LossWarning, nearest
from dlm_snn.exchange.rasters.aedat_head import CAMERAS, camera_of, read_head
from dlm_snn.exchange.rasters.clock import Clock
from dlm_snn.exchange.rasters.event_file import EventFile, Told, blocks, check_size, shape_told
from dlm_snn.exchange.rasters.events import CameraEvents

EVENT_BYTES = 8
END = b"#End Of ASCII Header"
CHIP = "# AEChip:"
CLOCK_BITS = 32
DVS128 = "DVS128"


def aedat2_file(path: Path, told: Told) -> EventFile:
    """A file whose chip its line ``# AEChip:`` names, or that is told.

    Row and column are the addresses as they stand, from the lower left corner.

    Raises:
        DlmError: no chip, or one that is not known; no whole number of events.

    Source: iniVation, AEDAT 2.0; jAER, ``DVS128`` and ``DavisBaseCamera``.
    """
    head = read_head(path, END, needed=False)
    chip = _chip(path, head.lines, told.chip)
    shape = shape_told(path, CAMERAS[chip], told, "")
    check_size(path, head.start, EVENT_BYTES)

    def pieces() -> Iterator[CameraEvents]:
        """The events block by block, in the order of the file."""
        clock, skipped = Clock(path, CLOCK_BITS), 0
        for block in blocks(path, head.start, EVENT_BYTES):
            address, time = np.frombuffer(block, ">u4").reshape(-1, 2).T.astype(np.int64)
            time = clock.follow(time)
            seen = ~_others(address, chip)
            skipped += int(np.count_nonzero(~seen))
            yield _decoded(address[seen], time[seen], chip)
        clock.tell()
        if skipped:
            other = f"{skipped} entries are no polarity events (frames, motion, triggers), and were left out"
            warnings.warn(f"{path}: {other}", LossWarning, stacklevel=2)

    return EventFile(path, shape, pieces, from_first=True)


def _chip(path: Path, lines: list[str], told: str | None) -> str:
    """The chip of a head's line, or the one that was told."""
    named = next((line.removeprefix(CHIP).strip().rpartition(".")[2] for line in lines if line.startswith(CHIP)), None)
    found = camera_of(named or "")
    if told is not None and told.upper() not in CAMERAS:
        raise DlmError(f"chip = '{told}' is not known; {nearest(told.upper(), CAMERAS)}")
    if found is None and told is None:
        why = "names no chip" if named is None else f"is of the chip '{named[:40]}', which is not known"
        raise DlmError(f"{path} {why}, whose addresses differ; give chip (--chip), one of {', '.join(CAMERAS)}")
    if found is not None and told is not None and found != told.upper():
        raise DlmError(f"{path} is of the chip {found}, not {told}; leave chip out")
    return found or str(told).upper()


def _others(address: NDArray[np.int64], chip: str) -> NDArray[np.bool_]:
    """Which entries are no events of a pixel: samples of frames and motion (bit 31), triggers (bit 10, or 15)."""
    return address >> 15 != 0 if chip == DVS128 else address & (1 << 31 | 1 << 10) != 0


def _decoded(address: NDArray[np.int64], time: NDArray[np.int64], chip: str) -> CameraEvents:
    if chip == DVS128:
        # A bit that is 0 is a pixel that went brighter.
        return CameraEvents(time, address >> 8 & 0x7F, address >> 1 & 0x7F, 1 - (address & 1))
    return CameraEvents(time, address >> 22 & 0x1FF, address >> 12 & 0x3FF, address >> 11 & 1)
