"""Locks that end with their process, however it ends: on files and folders, by ``flock``."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def locked_folder(make: Callable[[], Path]) -> tuple[Path, int]:
    """A new folder and the lock on it.

    Args:
        make: makes one, of another name at each call.
    """
    while True:
        folder = make()
        with suppress(FileNotFoundError):
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            # Between the two lines above another process may have taken it for one that was left.
            if _locked(handle) is not False and _is_at(handle, folder):
                return folder, handle
            os.close(handle)


def left_folder(folder: Path) -> int | None:
    """The lock on a folder whose maker is gone; None where it lives, where it is a link to a folder, or where the file
    system has no locks."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    if _locked(handle):
        return handle
    os.close(handle)
    return None


def locked_file(path: Path) -> int:
    """The lock on a file that is made for it; whoever holds it may remove the file. Waits for another holder."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        if _is_at(handle, path):
            return handle
        os.close(handle)


def _locked(handle: int) -> bool | None:
    """Whether the lock is ours now; None where there are none."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_at(handle: int, path: Path) -> bool:
    try:
        there, held = os.stat(path), os.fstat(handle)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)
