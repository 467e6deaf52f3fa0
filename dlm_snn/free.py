"""How much memory this process may still take."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from dlm_snn.errors import DlmError

ASKED = 2**26
_CGROUP = Path("/sys/fs/cgroup")


def free_bytes() -> int:
    """Bytes that can be taken before the machine, a container's limit or this process's own limit ends it."""
    return max(min(_machine(), _container(), _own_limit()), 0)


def check_room(size: int, what: str) -> None:
    """Raise where something takes more memory than is free.

    Args:
        size: its bytes.
        what: it is.

    Raises:
        DlmError: names both.
    """
    # Asking costs more than a small array.
    if size > ASKED and size > (free := free_bytes()):
        raise DlmError(f"{what} takes {size / 2**30:.3g} GiB, {free / 2**30:.3g} are free; take a part")


def _machine() -> int:
    """What the system calls available; all of its memory where it does not say."""
    for line in _lines(Path("/proc/meminfo")):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _container() -> int:
    """What a cgroup (version 2, as a container sees its own) leaves; pages of files can be given back."""
    limit, used = (_lines(_CGROUP / name) for name in ("memory.max", "memory.current"))
    if not limit or not used or not limit[0].isdecimal():
        return _machine()
    cached = sum(int(line.split()[1]) for line in _lines(_CGROUP / "memory.stat") if line.startswith("inactive_file "))
    return int(limit[0]) - int(used[0]) + cached


def _own_limit() -> int:
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return _machine() if limit == resource.RLIM_INFINITY else limit - reserved_bytes()


def reserved_bytes() -> int:
    """Bytes of addresses that this process has; 0 where the system does not say."""
    held = _lines(Path("/proc/self/statm"))
    return int(held[0].split()[0]) * os.sysconf("SC_PAGE_SIZE") if held else 0


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
