"""Which recording of an event camera a file is: by what it begins with, whatever its ending."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from dlm_snn.errors import DlmError
from dlm_snn.exchange.rasters import aedat2, aedat3, aedat4, aedat_head, nmnist, npy_events, prophesee
from dlm_snn.exchange.rasters.event_file import EventFile, Told
from dlm_snn.files.reading import opened


class Kind(NamedTuple):
    """A format of recordings.

    Attributes:
        name: of the format.
        endings: that its files have, the usual one first.
        is_one: whether it is one, by the first bytes.
        opened: (path, what it does not tell itself) -> the recording.
        tells: fields of ``Told`` that it leaves open.
    """

    name: str
    endings: tuple[str, ...]
    is_one: Callable[[bytes], bool]
    opened: Callable[[Path, Told], EventFile]
    tells: tuple[str, ...] = ()


def _aedat(wanted: str) -> Callable[[bytes], bool]:
    return lambda begins: (aedat_head.version(begins) or "").startswith(wanted)


KINDS = (
    Kind("AEDAT 2.0", (".aedat",), _aedat("2.0"), aedat2.aedat2_file, ("shape", "chip")),
    Kind("AEDAT 3.1", (".aedat",), _aedat("3.1"), aedat3.aedat3_file, ("shape",)),
    Kind("AEDAT4", (".aedat4", ".aedat"), _aedat("4."), aedat4.aedat4_file),
    Kind("Prophesee's DAT", (".dat",), prophesee.is_dat, prophesee.dat_file, ("shape",)),
    Kind("a NumPy array", (".npy",), npy_events.is_npy, npy_events.npy_events, ("shape", "time_unit")),
    Kind("N-MNIST's events", (".bs2", ".bin"), lambda _: False, nmnist.bs2_file, ("shape",)),
)
"""What is read; N-MNIST's files have nothing by which to know them but their endings."""
_RAW = re.compile(rb"(?im)^% (?:format |evt )(?:EVT)?([0-9.]+)")
_OTHERS: tuple[tuple[re.Pattern[bytes], str, str], ...] = (
    (_RAW, "Prophesee's RAW (EVT {})", "make a .dat of it, with Metavision's metavision_file_to_dat"),
    (
        re.compile(rb"\x89HDF\r\n\x1a\n"),
        "HDF5",
        "read its arrays with h5py, and write Python: dlm_snn.exchange.from_events",
    ),
    (re.compile(rb"Event Stream"), "Event Stream (.es)", "write Python: dlm_snn.exchange.from_events"),
    (re.compile(rb"#ROSBAG"), "a rosbag", "write Python: dlm_snn.exchange.from_events"),
    (re.compile(rb"#!AER-DAT([0-9.]+)"), "AEDAT {}", "write it as AEDAT 2.0, 3.1 or 4"),
)
"""What is known and not read: how it begins, what it is, what to do."""
_BEGINS = 4096
"""Bytes by which a file is known."""


def event_file(
    path: str | os.PathLike[str],
    shape: tuple[int, int, int] | None = None,
    chip: str | None = None,
    time_unit: str | None = None,
) -> EventFile:
    """The recording of an event camera: N-MNIST (``.bs2``, ``.bin``), AEDAT 2.0, 3.1 and 4, Prophesee's DAT, or a
    structured NumPy array with the fields t, x, y and p.

    A file is known by what it begins with. ``.raster(dt)`` reads it in pieces, ``.events()`` gives its events.

    Args:
        path: of the file.
        shape: (polarity, row, column) of the camera, where the file does not tell it (N-MNIST's by default).
        chip: of AEDAT 2.0 without one: "DVS128", "DAVIS240", ...
        time_unit: of a NumPy array: "s", "ms", "us" or "ns".

    Raises:
        MissingError: no such file.
        DlmError: empty, damaged, of another kind; what it does not tell, or what it tells itself.
    """
    path = Path(path)
    begins = _begins(path, f"no file {path}; give a recording of an event camera")
    if not begins:
        raise DlmError(f"{path} is empty; give a recording of events ({', '.join(_endings())})")
    kind = _kind(path, begins)
    told = Told(shape, chip, time_unit)
    for name, value in told._asdict().items():
        if value is not None and name not in kind.tells:
            raise DlmError(f"{path} is {kind.name}, to which {name} says nothing; leave it out")
    recording = kind.opened(path, told)
    if path.suffix not in kind.endings:
        recording.notes.append(f"{path} is {kind.name} by its content, and was read as such")
    return recording


def known_as(path: Path) -> str | None:
    """What a file of an ending that nobody knows is by its content, and what to do; None: nothing that is known."""
    begins = _begins(path)
    if known := next((kind for kind in KINDS if kind.is_one(begins)), None):
        return f"{path} is {known.name} by its content; call it {path.stem}{known.endings[0]}"
    return _refusal(path, begins)


def _kind(path: Path, begins: bytes) -> Kind:
    known = next((kind for kind in KINDS if kind.is_one(begins)), None)
    if known is not None:
        return known
    refusal = _refusal(path, begins)
    if refusal is not None:
        raise DlmError(refusal)
    by_ending = [kind for kind in KINDS if path.suffix in kind.endings]
    if any(kind.opened is nmnist.bs2_file for kind in by_ending):
        return by_ending[0]
    names = " or ".join(kind.name for kind in by_ending) or f"a recording ({', '.join(_endings())})"
    raise DlmError(f"{path} does not begin as {names} does; it is damaged, or of another kind")


def _refusal(path: Path, begins: bytes) -> str | None:
    for pattern, name, remedy in _OTHERS:
        if found := pattern.match(begins) or (pattern is _RAW and pattern.search(begins)):
            version = found.group(1).decode() if found.re.groups else ""
            return f"{path} is {name.format(version)}, which is not read; {remedy}"
    return None


def _begins(path: Path, missing: str | None = None) -> bytes:
    with opened(path, missing) as file:
        return file.read(_BEGINS)


def _endings() -> list[str]:
    return [ending for kind in KINDS for ending in kind.endings]
