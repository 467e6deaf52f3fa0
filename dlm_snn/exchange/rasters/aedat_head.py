"""What AEDAT files of all versions begin with: lines of text, and the cameras named in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from dlm_snn.errors import DlmError
from dlm_snn.files.reading import opened

CAMERAS = {
    "DVS128": (128, 128),
    "DAVIS128": (128, 128),
    "DAVIS208": (192, 208),
    "DAVIS240": (180, 240),
    "DAVIS346": (260, 346),
    "DAVIS640": (480, 640),
}
"""(rows, columns)."""
_EARLIER = {"TMPDIFF128": "DVS128", "SBRET": "DAVIS240"}
"""What jAER called cameras before; AedatTools takes them for these, too."""
HEAD_LIMIT = 2**24
"""Bytes of a head; jAER writes all its settings there."""
_VERSION = re.compile(rb"#!AER-DAT([0-9]+\.[0-9]+)\s")
_TEXT = re.compile(rb"#[\t\x20-\x7e\x80-\xff]*\r?\n")


class Head(NamedTuple):
    """Lines of text without their ends, and where the events begin."""

    lines: list[str]
    start: int


def version(begins: bytes) -> str | None:
    """ "2.0", "3.1" or another, by how a file begins; None: it is no AEDAT, or 1.0 without a head."""
    found = _VERSION.match(begins)
    return found[1].decode() if found else None


def read_head(path: Path, end: bytes, needed: bool) -> Head:
    """The lines of a head.

    Args:
        path: of the file.
        end: how the last one begins.
        needed: the last one must be there; else a line without "#", or with bytes that are no text, is no part of it.

    Raises:
        DlmError: no end.
    """
    lines: list[str] = []
    with opened(path) as file:
        start = 0
        while start < HEAD_LIMIT and _TEXT.fullmatch(line := file.readline(HEAD_LIMIT)):
            start += len(line)
            lines.append(line.decode("latin1").rstrip())
            if line.startswith(end):
                return Head(lines, start)
    if needed:
        raise DlmError(f"{path} has no line '{end.decode()}', at which its head ends; it is damaged or truncated")
    return Head(lines, start)


def camera_of(name: str) -> str | None:
    """The camera that a text names: "Davis240C" is a DAVIS240."""
    names = {**dict(zip(CAMERAS, CAMERAS, strict=True)), **_EARLIER}
    return next((camera for part, camera in names.items() if part in name.upper()), None)
