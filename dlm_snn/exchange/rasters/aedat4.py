"""AEDAT4 files, by the package aedat; in a child process only, since that package can end it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.exchange.guarded.apart import answer
from dlm_snn.exchange.rasters.grid import optional


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
