"""Where the files of a dataset lie, and how they come there: stdlib only, so that 'dlm-snn doctor' needs nothing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from dlm_snn.errors import DlmError, MissingError
from dlm_snn.files.atomic import writing
from dlm_snn.files.layouts import OTHERS

_BLOCK = 1 << 16


@dataclass(frozen=True)
class RemoteFile:
    """A file by its name under each mirror, its size in bytes and its MD5."""

    name: str
    size: int
    md5: str


@dataclass(frozen=True)
class FileSet:
    """The files of one dataset.

    Attributes:
        name: of the dataset, and of the folder it has in the cache.
        archive: a single file that holds all of it, taken first.
        files: the original files, gzipped; unpacked ones of the same name without ``.gz`` are taken too.
        mirrors: addresses that end in ``/``, tried in turn.
    """

    name: str
    archive: str
    files: tuple[RemoteFile, ...]
    mirrors: tuple[str, ...]

    def find(self, folder: Path) -> list[Path]:
        """The archive, or the original files in order; empty when the set is not there whole."""
        for place in (folder, folder / self.name):
            if os.path.isfile(place / self.archive):
                return [place / self.archive]
            found = [self._either(place, file.name) for file in self.files]
            if all(found):
                return [path for path in found if path]
        return []

    def wanted(self) -> str:
        """The files that ``find`` looks for, in words."""
        names = ", ".join(file.name.removesuffix(".gz") for file in self.files)
        return f"{self.archive} or {names} (each with or without .gz), in it or in its folder {self.name}/"

    @staticmethod
    def _either(place: Path, name: str) -> Path | None:
        choices = (place / name, place / name.removesuffix(".gz"))
        # Unlike Path.is_file, this takes an unreadable folder for an empty one.
        return next((path for path in choices if os.path.isfile(path)), None)


MNIST = FileSet(
    name="mnist",
    archive="mnist.npz",
    files=(
        RemoteFile("train-images-idx3-ubyte.gz", 9912422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        RemoteFile("train-labels-idx1-ubyte.gz", 28881, "d53e105ee54ea40749a09fcbcd1e9432"),
        RemoteFile("t10k-images-idx3-ubyte.gz", 1648877, "9fb629c4189551a2d022fa330f9573f3"),
        RemoteFile("t10k-labels-idx1-ubyte.gz", 4542, "ec29112dd5afa0611ce80d1b7f02629c"),
    ),
    mirrors=(
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ),
)
FILE_SETS = {MNIST.name: MNIST}


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/dlm-snn``, or ``~/.cache/dlm-snn``; not made here."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dlm-snn"


def places(data_dir: str | os.PathLike[str] | None = None) -> dict[str, Path]:
    """The folders that are searched in turn, by what named them: a named folder alone, else $DLM_DATA and the cache."""
    if data_dir is not None:
        return {"--data-dir": Path(data_dir).expanduser()}
    named = os.environ.get("DLM_DATA")
    return {**({"$DLM_DATA": Path(named).expanduser()} if named else {}), "the cache": cache_folder()}


def locate(files: FileSet, data_dir: str | os.PathLike[str] | None = None) -> list[Path]:
    """The files of a set in the first folder that has it whole; their content is not read.

    Raises:
        MissingError: it is nowhere; says where it was looked for.
    """
    searched = places(data_dir)
    for folder in searched.values():
        if found := files.find(folder):
            return found
    where = ", ".join(f"{folder} ({source})" for source, folder in searched.items())
    remedy = f"run 'dlm-snn fetch {files.name}' or name its folder with --data-dir"
    if data_dir is not None:
        remedy = f"name the right folder, or leave --data-dir out after 'dlm-snn fetch {files.name}'"
    raise MissingError(f"no {files.name} in {where}; wanted: {files.wanted()}; {remedy}")


def is_whole(path: Path, file: RemoteFile) -> bool:
    """Whether the file is there with the right size and checksum."""
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() == file.md5


def download(
    file: RemoteFile,
    mirrors: Sequence[str],
    folder: Path,
    progress: Callable[[int], None] = lambda _: None,
    timeout: float = 30.0,
) -> None:
    """Bring one file into a folder, whole and right or not at all.

    Args:
        file: what to bring.
        mirrors: addresses of the folder that holds it; the next is tried when one fails.
        folder: where it goes; made if need be.
        progress: is told the number of bytes here so far.
        timeout: seconds without an answer before a mirror is given up.

    Raises:
        DlmError: no mirror gave it, each with its reason; nothing is left behind.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DlmError(
            f"cannot make {folder} ({error.strerror}); choose a folder that is yours with --cache"
        ) from error
    faults = []
    for mirror in mirrors:
        address = mirror.rstrip("/") + "/" + file.name
        try:
            # What has this name in the cache is a file of the dataset, and not whole.
            with (
                writing(folder / file.name, OTHERS, replace=True) as target,
                urlopen(address, timeout=timeout) as source,
            ):
                _copy(source, target, file, progress)
            return
        # ValueError is urllib's word for an address without a scheme; a DlmError is no fault of the mirror.
        except (OSError, HTTPException, ValueError) as error:
            if isinstance(error, DlmError):
                raise
            faults.append(f"{address}: {error.reason if type(error) is URLError else error}")
            if isinstance(error, HTTPError):
                error.close()
    raise DlmError(f"could not fetch {file.name}: " + "; ".join(faults) + "; name another with --mirror")


class _Refused(OSError):
    """What a mirror gave is not the file."""


def _copy(source: IO[bytes], target: IO[bytes], file: RemoteFile, progress: Callable[[int], None]) -> None:
    digest, size = hashlib.md5(usedforsecurity=False), 0
    # A mirror that sends more than the file is stopped, not followed to the end of the disk.
    while size <= file.size and (block := source.read(_BLOCK)):
        digest.update(block)
        target.write(block)
        size += len(block)
        progress(size)
    if size != file.size:
        raise _Refused(f"{'more than ' if size > file.size else ''}{min(size, file.size)} of {file.size} bytes came")
    if digest.hexdigest() != file.md5:
        raise _Refused(f"checksum {digest.hexdigest()[:12]}, expected {file.md5[:12]}")
