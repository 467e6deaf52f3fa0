"""The folder in which Lava's child finds its job and leaves its results, and what killed commands left of such."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from dlm_snn.temporary import temporary_folder

SHARED_MEMORY = Path("/dev/shm")
PREFIX = "dlm-job-"
_CHILD = "child"


def job() -> AbstractContextManager[Path]:
    """A folder for one job; what killed commands left goes first, the shared memory of their children too."""
    return temporary_folder(PREFIX, unlink_left)


def name_child(folder: Path, pid: int) -> None:
    """Note whose shared memory goes with a folder."""
    (folder / _CHILD).write_text(str(pid))


def unlink_left(folder: Path) -> None:
    """Remove the shared memory of a child whose folder was left."""
    child = folder / _CHILD
    pid = child.read_text() if child.is_file() else ""
    if pid.isdecimal():
        unlink_shared_memory(int(pid))


def shared_memory_prefix(pid: int) -> str:
    """What the names of all shared memory of the child of that process id begin with."""
    return f"dlm{pid}_"


def unlink_shared_memory(pid: int) -> None:
    """Remove what a child left, or leaves."""
    for segment in SHARED_MEMORY.glob(f"{shared_memory_prefix(pid)}*"):
        segment.unlink(missing_ok=True)
