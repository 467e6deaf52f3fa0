"""SHA-256 of the files of a folder: taken when it is written, looked at when it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path

from dlm_snn.errors import DlmError
from dlm_snn.files.reading import opened


def checksums(folder: Path, without: Collection[str] = ()) -> dict[str, str]:
    """Path within a folder -> SHA-256 of the file, for all files but some."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    names = (path.relative_to(folder).as_posix() for path in found)
    return {name: sha256(folder / name) for name in names if name not in without}


def sha256(path: Path) -> str:
    """The SHA-256 of a file."""
    digest = hashlib.sha256()
    with opened(path) as file:
        while block := file.read(2**16):
            digest.update(block)
    return digest.hexdigest()


def check_checksums(
    folder: Path, expected: Mapping[str, str], listed_in: Path, remedy: str, only: str | None = None
) -> None:
    """Hold the files that are there against their checksums.

    Args:
        folder: where they lie.
        expected: path within the folder -> SHA-256.
        listed_in: the file that lists them, for the message.
        remedy: the end of the message.
        only: this file alone.

    Raises:
        DlmError: a file that was changed, or a path that leads out of the folder.
    """
    for name, digest in expected.items():
        if name.startswith("/") or ".." in name.split("/"):
            raise DlmError(f"{listed_in}: the file {name!r} lies outside the run; {remedy}")
        if only in (None, name) and (folder / name).exists() and sha256(folder / name) != digest:
            raise DlmError(f"{folder / name} was changed since the run wrote it, its checksum differs; {remedy}")
