"""Recordings of event cameras as their makers write them: bytes from (time, row, column, polarity)."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

JAER = "#!AER-DAT2.0\r\n# This is a raw AE data file - do not edit\r\n# Timestamps tick is 1 us\r\n"
DVS128 = ("DVS128", "Tmpdiff128")
SEEN = {**dict.fromkeys(DVS128, (128, 128)), "Davis240C": (180, 240), "SBret10": (180, 240), "Davis346blue": (260, 346)}
"""Chips by jAER's names, and their (rows, columns)."""


def events(n: int = 60, rows: int = 100, columns: int = 90, seed: int = 0, until: int = 200_000) -> NDArray[np.int64]:
    """(4, n): time in microseconds, sorted; row, column, polarity."""
    rng = np.random.default_rng(seed)
    time = np.sort(rng.integers(0, until, n))
    return np.array([time, rng.integers(0, rows, n), rng.integers(0, columns, n), rng.integers(0, 2, n)])


def aedat2_head(chip: str | None = "DVS128", end: bool = True) -> bytes:
    """Lines as jAER writes them."""
    named = "" if chip is None else f"# AEChip: eu.seebetter.ini.chips.davis.{chip}\r\n"
    return (JAER + named + ("#End Of ASCII Header\r\n" if end else "")).encode()


def aedat2_words(given: NDArray[np.int64], chip: str = "DVS128") -> bytes:
    """Addresses and times, big-endian; of a DVS128 a bit that is 0 is a brighter pixel."""
    time, row, column, polarity = given
    address = row << 8 | column << 1 | (1 - polarity) if chip in DVS128 else row << 22 | column << 12 | polarity << 11
    return np.stack([address, time % 2**32], axis=1).astype(">u4").tobytes()


def aedat2(given: NDArray[np.int64], chip: str = "DVS128") -> bytes:
    """A whole file."""
    return aedat2_head(chip) + aedat2_words(given, chip)


def aedat3_head(*sources: str, form: str = "RAW") -> bytes:
    """Lines as cAER writes them."""
    lines = ["#!AER-DAT3.1", f"#Format: {form}", *sources, "#Start-Time: 2016-02-25 11:15:00 (TZ+0100)", "#!END-HEADER"]
    return "".join(f"{line}\r\n" for line in lines).encode()


def packet(content: bytes, n: int, kind: int = 1, source: int = 0, size: int = 8, overflow: int = 0) -> bytes:
    """A packet of n events."""
    return struct.pack("<hhiiiiii", kind, source, size, 4, overflow, n, n, n) + content


def polarity_packet(given: NDArray[np.int64], source: int = 0, valid: int = 1) -> bytes:
    """A packet of polarity events, which lie in one turn of the clock."""
    time, row, column, polarity = given
    (overflow,) = set((time >> 31).tolist()) or {0}
    words = np.stack([column << 17 | row << 2 | polarity << 1 | valid, time & (2**31 - 1)], axis=1)
    return packet(words.astype("<u4").tobytes(), len(time), source=source, overflow=overflow)


def aedat3(given: NDArray[np.int64], source: str = "#Source 0: DVS128", of: int = 25) -> bytes:
    """A whole file, with so many events a packet and other packets between."""
    parts = [aedat3_head(source)]
    for start in range(0, given.shape[1], of):
        parts.append(polarity_packet(given[:, start : start + of]))
        parts.append(packet(bytes(8), 1, kind=0))
    return b"".join(parts)


def dat_head(lines: Sequence[str] = ("Version 2", "Height 240", "Width 304"), kind: int = 12, size: int = 8) -> bytes:
    """Lines as Prophesee's tools write them, and the type and bytes of an event."""
    return "".join(f"% {line}\n" for line in ("Data file containing CD events", *lines)).encode() + bytes([kind, size])


def dat(given: NDArray[np.int64], head: bytes | None = None) -> bytes:
    """A whole file."""
    time, row, column, polarity = given
    words = np.stack([time % 2**32, polarity << 28 | row << 14 | column], axis=1)
    return (dat_head() if head is None else head) + words.astype("<u4").tobytes()


def array(given: NDArray[np.int64], fields: Sequence[tuple[str, str]] | None = None) -> NDArray:
    """A structured array; its fields are of the order time, row, column, polarity."""
    kinds = fields or [("t", "<i8"), ("y", "<i2"), ("x", "<i2"), ("p", "?")]
    made = np.zeros(given.shape[1], dtype=list(kinds))
    for (name, _), values in zip(kinds, given, strict=True):
        made[name] = values
    return made


def npy(given: NDArray) -> bytes:
    """What numpy.save writes."""
    file = io.BytesIO()
    np.save(file, given)
    return file.getvalue()


def bs2(given: NDArray[np.int64]) -> bytes:
    """N-MNIST's 40 bits an event."""
    time, row, column, polarity = given
    parts = [column, row, polarity << 7 | time >> 16 & 127, time >> 8 & 255, time & 255]
    return np.stack(parts, axis=1).astype(np.uint8).tobytes()
