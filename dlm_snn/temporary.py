"""Folders of ours in the system's temporary one, and what killed commands left of such."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dlm_snn.locks import left_folder, locked_folder


@contextmanager
def temporary_folder(prefix: str, before: Callable[[Path], None] = lambda _: None) -> Iterator[Path]:
    """A folder that is gone when the block ends; what killed commands left of the same prefix goes first.

    Args:
        prefix: of its name; one for each use.
        before: is called with each folder that was left, before it goes.
    """
    recover(prefix, before)
    folder, lock = locked_folder(lambda: Path(tempfile.mkdtemp(prefix=prefix)))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def recover(prefix: str, before: Callable[[Path], None] = lambda _: None) -> None:
    """Take away the folders of a prefix that nobody holds."""
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        lock = left_folder(folder)
        if lock is None:
            continue
        try:
            if os.fstat(lock).st_uid == os.getuid():
                before(folder)
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
