"""Prophesee's DAT: lines of text, then 64 bits an event, little-endian."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dlm_snn.errors import DlmError
from dlm_snn.exchange.rasters.clock import Clock
from dlm_snn.exchange.rasters.event_file import EventFile, Told, blocks, check_size, shape_told
from dlm_snn.exchange.rasters.events import CameraEvents
from dlm_snn.files.reading import opened

EVENT_BYTES = 8
PIXELS = (0, 12)
"""Types of events of pixels: Event2d and EventCD."""
TRIGGERS = 14
CLOCK_BITS = 32
HEAD_LIMIT = 2**16
"""Bytes of the lines at the beginning."""
_DAT = re.compile(rb"(?i)%[ \t]*(data file|version|date|width|height)\b")
_ENCODED = re.compile(rb"(?im)^% (format|evt) ")
_LINE = re.compile(rb"%([\t\x20-\x7e\x80-\xff]*)\r?\n")


def is_dat(begins: bytes) -> bool:
    """Whether a file is one, by its first bytes: RAW has such lines too, which name its encoding."""
    return _DAT.match(begins) is not None and _ENCODED.search(begins) is None


def dat_file(path: Path, told: Told) -> EventFile:
    """A file whose lines ``% Width`` and ``% Height`` tell the camera, or that is told.

    Raises:
        DlmError: another version than 2, events of another type, no camera, no whole number of events.

    Source: Prophesee, DAT File Format.
    """
    tells, start, kind, size = _head(path)
    version = tells.get("version")
    if version != "2":
        which = "tells no version" if version is None else f"is of the version {version[:20]}"
        raise DlmError(f"{path} {which}; DAT is read in version 2")
    if kind not in PIXELS or size != EVENT_BYTES:
        what = "external triggers" if kind == TRIGGERS else f"events of the type {kind} and of {size} bytes"
        raise DlmError(f"{path} holds {what}; events of pixels have the type 0 or 12 and 8 bytes")
    found = None
    if "height" in tells and "width" in tells:
        found = _pixels(path, tells, "height"), _pixels(path, tells, "width")
    shape = shape_told(path, found, told, "does not tell its camera's Width and Height; give its shape (--shape P,H,W)")
    check_size(path, start, EVENT_BYTES)

    def pieces() -> Iterator[CameraEvents]:
        clock = Clock(path, CLOCK_BITS)
        for block in blocks(path, start, EVENT_BYTES):
            time, data = np.frombuffer(block, "<u4").reshape(-1, 2).T.astype(np.int64)
            yield CameraEvents(clock.follow(time), data >> 14 & 0x3FFF, data & 0x3FFF, data >> 28)
        clock.tell()

    return EventFile(path, shape, pieces)


def _head(path: Path) -> tuple[dict[str, str], int, int, int]:
    """Values of the lines by key in lower case, where the events begin, their type and bytes."""
    with opened(path) as file:
        begins = file.read(HEAD_LIMIT)
    tells: dict[str, str] = {}
    start = 0
    while line := _LINE.match(begins, start):
        start = line.end()
        key, _, value = line[1].decode("latin1").strip().partition(" ")
        tells[key.lower()] = value.strip()
    kinds = begins[start : start + 2]
    if not tells or len(kinds) < 2:
        raise DlmError(f"{path} does not begin as DAT does, with lines after '%' and two bytes; it is damaged")
    return tells, start + 2, *kinds


def _pixels(path: Path, tells: dict[str, str], key: str) -> int:
    """A number of pixels."""
    if not re.fullmatch("[0-9]{1,5}", tells[key]) or not 0 < int(tells[key]) <= 2**14:
        raise DlmError(f"{path}: its {key} '{tells[key][:20]}' is no number of pixels in 1..{2**14}; it is damaged")
    return int(tells[key])
