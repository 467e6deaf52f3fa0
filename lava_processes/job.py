"""The folder in which Lava's child finds its job and leaves its results, and what killed commands left of such."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dlm_snn.locks import left_folder, locked_folder

SHARED_MEMORY = Path("/dev/shm")
PREFIX = "dlm-job-"
_CHILD = "child"


@contextmanager
def job() -> Iterator[Path]:
    """A folder in the system's temporary one, gone when the block ends; what killed commands left there goes first."""
    recover()
    folder, lock = locked_folder(lambda: Path(tempfile.mkdtemp(prefix=PREFIX)))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def name_child(folder: Path, pid: int) -> None:
    """Note whose shared memory goes with a folder."""
    (folder / _CHILD).write_text(str(pid))


def recover() -> None:
    """Take away the folders of killed commands, and the shared memory of their children."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        lock = left_folder(folder)
        if lock is not None:
            try:
                _remove(folder, lock)
            finally:
                os.close(lock)


def _remove(folder: Path, lock: int) -> None:
    if os.fstat(lock).st_uid != os.getuid():
        return
    child = folder / _CHILD
    pid = child.read_text() if child.is_file() else ""
    if pid.isdecimal():
        unlink_shared_memory(int(pid))
    shutil.rmtree(folder, ignore_errors=True)


def shared_memory_prefix(pid: int) -> str:
    """What the names of all shared memory of the child of that process id begin with."""
    return f"dlm{pid}_"


def unlink_shared_memory(pid: int) -> None:
    """Remove what a child left, or leaves."""
    for segment in SHARED_MEMORY.glob(f"{shared_memory_prefix(pid)}*"):
        segment.unlink(missing_ok=True)
