"""How much memory this process may still take: of the machine, of its control groups, of its own limit."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from dlm_snn.errors import DlmError

SMALL = 2**26
"""Bytes that are not asked about: asking takes longer than what they are for."""
_AVAILABLE = re.compile(r"^MemAvailable:\s*(\d+) kB", re.MULTILINE)
_CACHE = re.compile(r"^(?:total_)?inactive_file (\d+)", re.MULTILINE)
_GROUPS = ("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")
"""Limit and use of a control group, in their second and first version."""


def free_memory(root: Path = Path("/")) -> int:
    """Bytes that can be taken without swapping, and without meeting a limit that is set for this process.

    The least of what the machine has available, what each control group above this process leaves, and what ``ulimit
    -v`` leaves; where the system does not say what is available, what it has.

    Args:
        root: of the file system that ``proc`` and ``sys`` are read in.
    """
    return max(min([_machine(root), *_groups(root), *_own_limit(root)]), 0)


def check_room(size: int, what: str) -> None:
    """Raise where something takes more memory than is free.

    Args:
        size: its bytes.
        what: it is.

    Raises:
        DlmError: names both.
    """
    if size > SMALL and size > (free := free_memory()):
        raise DlmError(f"{what} takes {size / 2**30:.3g} GiB, {free / 2**30:.3g} are free; take a part")


def reserved_bytes(root: Path = Path("/")) -> int:
    """Bytes of addresses that this process has; 0 where the system does not say."""
    held = _text(root / "proc/self/statm").split()
    return int(held[0]) * os.sysconf("SC_PAGE_SIZE") if held else 0


def _machine(root: Path) -> int:
    found = _AVAILABLE.search(_text(root / "proc/meminfo"))
    if found:
        return int(found[1]) * 1024
    known = getattr(os, "sysconf_names", {})
    pages = next((name for name in ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES") if name in known), None)
    return os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE") if pages else 2**63


def _groups(root: Path) -> Iterator[int]:
    """What the groups of this process, and those that they are in, leave; pages of files can be given back."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers and "memory" not in controllers.split(","):
            continue
        mount = root / "sys/fs/cgroup" / ("memory" if controllers else "")
        # Inside a container the group's path is often that of the host: then its mount is the group itself.
        group = Path(path.lstrip("/"))
        for folder in dict.fromkeys([mount / group, *(mount / parent for parent in group.parents), mount]):
            for limit, use in _GROUPS:
                most, taken = _text(folder / limit).strip(), _text(folder / use).strip()
                if most.isdecimal() and taken.isdecimal():
                    cache = _CACHE.search(_text(folder / "memory.stat"))
                    yield int(most) - int(taken) + (int(cache[1]) if cache else 0)


def _own_limit(root: Path) -> Iterator[int]:
    """What is left of the address space that ``ulimit -v`` gives."""
    try:
        import resource

        most, _ = resource.getrlimit(resource.RLIMIT_AS)
        if most != resource.RLIM_INFINITY:
            yield most - reserved_bytes(root)
    except (ImportError, ValueError):
        return


def _text(path: Path) -> str:
    """What a small file says; nothing where there is none."""
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
