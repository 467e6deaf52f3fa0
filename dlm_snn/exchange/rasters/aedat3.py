"""AEDAT 3.1, as cAER writes it: packets of events of one type, little-endian."""

from __future__ import annotations

import os
import re
import struct
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from dlm_snn.errors import DlmError, LossWarning
from dlm_snn.exchange.rasters.aedat_head import CAMERAS, camera_of, read_head
from dlm_snn.exchange.rasters.clock import Clock
from dlm_snn.exchange.rasters.event_file import EventFile, Told, shape_told
from dlm_snn.exchange.rasters.events import PIECE, CameraEvents
from dlm_snn.files.reading import opened

END = b"#!END-HEADER"
_SOURCE = re.compile(r"#-?Source\s+[0-9]+:\s*(.*)")
_FORMAT = "#Format:"
_HEAD = struct.Struct("<hhiiiiii")
POLARITY, EVENT_BYTES, TIME_AT = 1, 8, 4
TYPES = (
    *("special", "polarity", "frame", "IMU6", "IMU9", "sample", "ear", "configuration"),
    *("1D point", "2D point", "3D point", "4D point", "spike", "matrix"),
)
"""What events of each number are."""
OVERFLOW_BITS = 31


class _Packet(NamedTuple):
    """Its events' type, source and number, how often the clock had begun again, and the bytes of polarity events."""

    type: int
    source: int
    overflow: int
    n_events: int
    content: bytes


def aedat3_file(path: Path, told: Told) -> EventFile:
    """A file whose camera its lines ``#Source`` name, or that is told. Row 0 is the upper one.

    Raises:
        DlmError: no head, another format than RAW, no camera that is known.

    Source: iniVation, AEDAT 3.1; libcaer, ``events/common.h`` and ``events/polarity.h``.
    """
    head = read_head(path, END, needed=True)
    form = next((line.removeprefix(_FORMAT).strip() for line in head.lines if line.startswith(_FORMAT)), "RAW")
    if form.upper() != "RAW":
        raise DlmError(f"{path} is AEDAT 3.1 in the format '{form[:40]}'; only RAW is read, write it as such")
    sources = [found[1] for line in head.lines if (found := _SOURCE.match(line))]
    sizes = {CAMERAS[camera] for name in sources if (camera := camera_of(name))}
    named = f"has the sources '{', '.join(sources)[:80]}'" if sources else "names no source"
    remedy = f"{named}, which do not tell one camera; give its shape (--shape P,H,W)"
    shape = shape_told(path, next(iter(sizes)) if len(sizes) == 1 else None, told, remedy)

    def pieces() -> Iterator[CameraEvents]:
        """The events block by block, in the order of the file."""
        clock, skipped, invalid = Clock(path), Counter[str](), 0
        for packets in _gathered(path, head.start, skipped):
            words = np.frombuffer(b"".join(packet.content for packet in packets), "<u4").reshape(-1, 2)
            data, time = words.T.astype(np.int64)
            overflow = np.repeat([packet.overflow for packet in packets], [packet.n_events for packet in packets])
            valid = (data & 1).astype(bool)
            invalid += int(np.count_nonzero(~valid))
            data, time = data[valid], time[valid]
            if (time >> OVERFLOW_BITS).any():
                raise DlmError(f"{path} has an event with a time below 0; it is damaged")
            time = clock.follow(overflow[valid] << OVERFLOW_BITS | time)
            yield CameraEvents(time, data >> 2 & 0x7FFF, data >> 17, data >> 1 & 1)
        clock.tell()
        skipped["invalid"] += invalid
        left = ", ".join(f"{n} {name} events" for name, n in skipped.items() if n)
        if left:
            warnings.warn(f"{path}: {left} were left out", LossWarning, stacklevel=2)

    return EventFile(path, shape, pieces, from_first=True)


def _gathered(path: Path, start: int, skipped: Counter[str]) -> Iterator[list[_Packet]]:
    """Packets of polarity events, many together; the others are counted."""
    waiting: list[_Packet] = []
    held = 0
    sources: set[int] = set()
    with opened(path) as file:
        for packet in _packets(path, file, start):
            if packet.type != POLARITY:
                skipped[TYPES[packet.type]] += packet.n_events
                continue
            sources.add(packet.source)
            if len(sources) > 1:
                raise DlmError(f"{path} holds events of the sources {sorted(sources)}; give a recording of one camera")
            waiting.append(packet)
            held += packet.n_events
            if held >= PIECE:
                yield waiting
                waiting, held = [], 0
    if waiting:
        yield waiting


def _packets(path: Path, file: IO[bytes], start: int) -> Iterator[_Packet]:
    """All packets of a file, the content of those of polarity events.

    Raises:
        DlmError: one that is none, or goes beyond the end.
    """
    end = os.fstat(file.fileno()).st_size
    at = start
    file.seek(start)
    while at < end:
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            raise DlmError(f"{path} ends within the head of a packet; it is truncated")
        kind, source, size, time_at, overflow, capacity, count, valid = _HEAD.unpack(head)
        right = (size, time_at) == (EVENT_BYTES, TIME_AT) if kind == POLARITY else size > 0
        if not (0 <= kind < len(TYPES) and right and overflow >= 0 and 0 <= valid <= count <= capacity):
            raise DlmError(f"{path}: what stands at byte {at} is no packet of AEDAT 3.1; it is damaged")
        at += _HEAD.size + count * size
        if at > end:
            raise DlmError(f"{path}: its last packet ends {at - end} bytes behind the file; it is truncated")
        content = file.read(count * size) if kind == POLARITY else b""
        if kind == POLARITY and len(content) != count * size:
            raise DlmError(f"{path} changed while it was read; read it when nobody writes it")
        file.seek(at)
        yield _Packet(kind, source, overflow, count, content)
