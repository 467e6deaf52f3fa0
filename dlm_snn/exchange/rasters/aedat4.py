"""AEDAT4 files, by the package aedat; in a child process only, since that package can end it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.exchange.guarded.apart import answer, read_apart
from dlm_snn.exchange.rasters.event_file import EventFile, Told
from dlm_snn.exchange.rasters.events import CameraEvents
from dlm_snn.exchange.rasters.grid import optional


def read_aedat4(path: str | os.PathLike[str]) -> tuple[CameraEvents, tuple[int, int, int]]:
    """Events of an AEDAT4 file, time counted from its first one; and the camera's (polarity, row, column).

    It is read in a child process.

    Raises:
        MissingError: no such file, or the package aedat is not installed.
        DlmError: a damaged file, or one without events.
    """
    recording = aedat4_file(Path(path), Told())
    return recording.events(), recording.shape


def aedat4_file(path: Path, told: Told) -> EventFile:
    """Such a file, read as a whole."""
    found = read_apart("dlm_snn.exchange.rasters.aedat4:main", path, "AEDAT4 file")
    height, width = found["size"].tolist()

    def pieces() -> Iterator[CameraEvents]:
        yield CameraEvents(found["t"], found["y"], found["x"], found["p"])

    return EventFile(path, (2, height, width), pieces, from_first=True)


def main(*words: str) -> int:
    """What the child is called with."""
    return answer(_events, *words)


def _events(path: Path) -> dict[str, NDArray]:
    """Time in microseconds, row, column and polarity of all events, and the camera's (rows, columns)."""
    decoder = optional("aedat").Decoder(str(path))
    streams = decoder.id_to_stream()
    cameras = [stream for stream in streams.values() if stream["type"] == "events"]
    if not cameras:
        raise DlmError(f"no stream of events; it has {[s['type'] for s in streams.values()]}")
    packets = [packet["events"] for packet in decoder if "events" in packet]
    fields = {key: np.concatenate([p[key] for p in packets] or [np.zeros(0)]) for key in ("t", "y", "x", "p")}
    size = np.array([cameras[0]["height"], cameras[0]["width"]])
    return {**{key: values.astype(np.int64) for key, values in fields.items()}, "size": size.astype(np.int64)}
