"""Folders of ours in the system's temporary one, shared memory that goes with them, and what killed commands left."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dlm_snn.files.locks import left_folder, locked_folder

SHARED_MEMORY = Path("/dev/shm")
_FOLDER = "dlm-job-"
_CHILD = "child"
_PID = re.compile(r"[0-9]{1,9}")


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is gone when the block ends; what killed commands left of such goes first."""
    recover()
    folder, lock = locked_folder(lambda: Path(tempfile.mkdtemp(prefix=_FOLDER)))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def recover() -> None:
    """Take away the folders that nobody holds, and the shared memory that goes with them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        lock = left_folder(folder)
        if lock is None:
            continue
        try:
            if os.fstat(lock).st_uid == os.getuid():
                _unlink_noted(folder)
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)


def note_child(folder: Path, pid: int) -> None:
    """Note that the shared memory of a child process goes with a folder."""
    (folder / _CHILD).write_text(str(pid))


def _unlink_noted(folder: Path) -> None:
    with suppress(OSError):
        pid = (folder / _CHILD).read_text()
        if _PID.fullmatch(pid):
            unlink_shared_memory(int(pid))


def shared_memory_prefix(pid: int) -> str:
    """What the names of all shared memory of a child of that process id begin with."""
    return f"dlm{pid}_"


def unlink_shared_memory(pid: int) -> None:
    """Remove what a child left, or leaves."""
    for segment in SHARED_MEMORY.glob(f"{shared_memory_prefix(pid)}*"):
        segment.unlink(missing_ok=True)
