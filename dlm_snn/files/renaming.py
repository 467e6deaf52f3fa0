"""Names given, exchanged and synchronized without a moment in between, as far as the system can."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

_FREE_ONLY, _EXCHANGE = 1, 2
"""RENAME_NOREPLACE, RENAME_EXCHANGE: flags of Linux's renameat2 (linux/fs.h)."""
_HERE = -100
"""AT_FDCWD: paths are as they are."""
_UNABLE = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}
"""What a kernel or a file system says that does not know a flag, and one that cannot synchronize a folder."""


def exchange(first: Path, second: Path) -> bool:
    """Exchange two files or folders at once; False, and nothing is done, where the system cannot.

    Raises:
        OSError: one of them is not there or must not be moved.
    """
    return _renamed(first, second, _EXCHANGE)


def give(source: Path, target: Path) -> None:
    """Rename a file or folder to a name that nothing has.

    Raises:
        FileExistsError: something has it.
        OSError: it cannot be moved there.
    """
    if _renamed(source, target, _FREE_ONLY):
        return
    if not source.is_dir():
        os.link(source, target)
        source.unlink()
        return
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    os.rename(source, target)


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's names, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _UNABLE:
            raise
    finally:
        os.close(handle)


def _renamed(source: Path, target: Path, flag: int) -> bool:
    rename = _renameat2()
    if rename is None:
        return False
    if rename(_HERE, os.fsencode(source), _HERE, os.fsencode(target), flag) == 0:
        return True
    code = ctypes.get_errno()
    if code in _UNABLE:
        return False
    raise OSError(code, os.strerror(code), str(source), None, str(target))


@cache
def _renameat2() -> Callable[..., int] | None:
    """The C library's function; None where it has none."""
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is not None:
        function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    return function
