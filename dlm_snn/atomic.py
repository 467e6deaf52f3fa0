"""Writing files whole or not at all: aside, then renamed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from dlm_snn.errors import DlmError


@contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """A binary file that takes its name only when the block ends without an error.

    Raises:
        DlmError: the folder is missing or cannot be written, or a folder has the name.
    """
    handle, aside = _aside(path)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        os.chmod(aside, 0o644)
        os.replace(aside, path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


def _aside(path: Path) -> tuple[int, str]:
    """An open file beside the final one."""
    if path.is_dir():
        raise DlmError(f"cannot write {path}, which is a folder; choose another name")
    try:
        return tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise DlmError(f"cannot write {path} ({error.strerror}); choose a folder that exists and is yours") from error


def check_file(path: Path) -> None:
    """Refuse what ``writing`` would refuse, before the work that fills the file is done.

    Raises:
        DlmError: as ``writing``.
    """
    handle, aside = _aside(path)
    os.close(handle)
    os.unlink(aside)


def check_folder(path: Path) -> None:
    """Refuse a folder that ``writing_folder`` could not make, before the work that fills it is done.

    Raises:
        DlmError: a file stands where the folder or one above it should be, or the folder above is not ours.
    """
    there = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    if not there.is_dir():
        raise DlmError(f"cannot write {path}: {there} is a file; choose another folder")
    if not os.access(there, os.W_OK):
        raise DlmError(f"cannot write {path}: {there} is not yours; choose another folder")


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with writing(path) as file:
        file.write(text.encode())


@contextmanager
def writing_folder(path: Path, replace: bool = False) -> Iterator[Path]:
    """A folder that takes its name only when the block ends without an error.

    Args:
        path: the final folder.
        replace: an existing folder of that name gives way, once the new one is whole.

    Raises:
        DlmError: the folder exists and ``replace`` is false, or it cannot be written, or a file has the name.
    """
    if path.exists() and not path.is_dir():
        raise DlmError(f"cannot write {path}, which is a file; choose another name")
    if path.exists() and not replace:
        raise DlmError(f"{path} exists; choose another name, remove it, or give --replace where there is that option")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    except OSError as error:
        raise DlmError(f"cannot write {path} ({error.strerror}); choose a folder that is yours") from error
    try:
        yield aside
        aside.chmod(0o755)
        if path.exists():
            shutil.rmtree(path)
        os.replace(aside, path)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
