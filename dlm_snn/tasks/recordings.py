"""Recordings of event cameras with a class each, read one by one: the excerpt of N-MNIST."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zipfile import ZipFile

from dlm_snn.errors import DlmError, MissingError
from dlm_snn.exchange.rasters.events import NMNIST, from_events
from dlm_snn.exchange.rasters.nmnist import parse_bs2
from dlm_snn.files.packed import opened_zip, read_member
from dlm_snn.files.reading import refused
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.tasks.download import places

EXCERPT = "nmnist-excerpt.zip"
LISTS = {"train": "train1K.txt", "test": "test100.txt"}
LIMIT = 2**24
"""Bytes of a recording: 3 million events, where N-MNIST's have 4,000."""
_REMEDY, _ALTERED = "bring it anew", "is truncated or altered"
_LINE = re.compile(r"\s*([0-9]{1,9})\s+([0-9]{1,9})\s*")


@dataclass(frozen=True)
class Recordings:
    """An archive of recordings; nothing is held but the lists.

    Attributes:
        path: of the archive.
        shape: (polarity, row, column).
        n_classes: classes are 0..n_classes-1.
        parts: "train" and "test" -> recording -> class, in the order of the lists.
        members: recording -> its name in the archive.
    """

    path: Path
    shape: tuple[int, int, int]
    n_classes: int
    parts: Mapping[str, Mapping[int, int]]
    members: Mapping[int, str]

    @cached_property
    def _archive(self) -> ZipFile:
        return ZipFile(self.path)

    def raster(self, recording: int, dt: float = 1e-3) -> SpikeRaster:
        """One recording as a raster of one sample.

        Args:
            recording: its number.
            dt: seconds a step.

        Raises:
            DlmError: a damaged archive or recording.
        """
        name = f"{self.path}: {self.members[recording]}"
        raster, _ = from_events(
            [parse_bs2(_content(self.path, self._archive, self.members[recording]), name)], dt, self.shape
        )
        return raster


def nmnist_excerpt(data_dir: str | os.PathLike[str] | None = None) -> Recordings:
    """A thousand recordings of N-MNIST to learn from and a hundred to test with.

    Args:
        data_dir: the folder with ``nmnist-excerpt.zip``; without it $DLM_DATA, then the cache.

    Raises:
        MissingError: it is not there; says where it was looked for.
        DlmError: a damaged archive, a list that names what is not in it, or a class outside 0..9.
    """
    searched = places(data_dir)
    found = next((folder / EXCERPT for folder in searched.values() if os.path.isfile(folder / EXCERPT)), None)
    if found is None:
        where = ", ".join(f"{folder} ({source})" for source, folder in searched.items())
        raise MissingError(f"no {EXCERPT} in {where}; name its folder with --data-dir")
    with opened_zip(found, _REMEDY, what=_ALTERED) as archive:
        by_name = {Path(name).name: name for name in archive.namelist()}
        parts = {part: _listed(found, archive, by_name, name) for part, name in LISTS.items()}
    members = {number: by_name[f"{number}.bs2"] for part in parts.values() for number in part}
    return Recordings(found, NMNIST, 10, parts, members)


def _listed(path: Path, archive: ZipFile, by_name: Mapping[str, str], name: str) -> dict[int, int]:
    """Recording -> class of one list."""
    if name not in by_name:
        raise DlmError(f"{path} has no {name}; bring it anew")
    listed: dict[int, int] = {}
    for number, line in enumerate(
        _content(path, archive, by_name[name]).decode(errors="replace").splitlines(), start=1
    ):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if not match or int(match[2]) > 9 or f"{match[1]}.bs2" not in by_name:
            raise DlmError(f"{path}: {name}, line {number}: {line.strip()!r} is no recording of it with a class 0..9")
        listed[int(match[1])] = int(match[2])
    if not listed:
        raise DlmError(f"{path}: {name} lists no recording; bring it anew")
    return listed


def _content(path: Path, archive: ZipFile, member: str) -> bytes:
    with refused(f"{path}: {member}", _REMEDY, _ALTERED):
        return read_member(archive, member, LIMIT)
