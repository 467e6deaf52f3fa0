"""What a process has started and left behind, read from /proc."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")


def children(pid: int) -> list[int]:
    """Process ids of the children of a process, dead ones that nobody collected left out."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(entry.name))
    return found


def lava_processes(pid: int | None = None) -> list[int]:
    """Our Lava hosts among the children of this process, or a given one, and the processes that Lava works in.

    Python's resource tracker is not among them: Lava does not notice whether it lives.
    """
    hosts = [p for p in children(pid or os.getpid()) if "lava_processes.host" in command_line(p)]
    return hosts + [p for host in hosts for p in descendants(host) if "resource_tracker" not in command_line(p)]


def kept_host() -> list[int]:
    """The interpreter that waits for this process's next Lava call, if one does."""
    from lava_processes import hosts

    return [hosts._kept.host.pid] if hosts._kept.host else []


def descendants(pid: int) -> list[int]:
    """Children, their children and so on."""
    below = children(pid)
    return below + [deeper for child in below for deeper in descendants(child)]


def command_line(pid: int) -> str:
    """The words of a process; empty when it is gone."""
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def hosts_anywhere() -> list[int]:
    """Every Lava host of ours on this machine."""
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in numbers if "lava_processes.host" in command_line(pid)]


def abandoned() -> set[str]:
    """Shared memory of Lava hosts that are gone, and semaphores that nobody finished; those of live runs are not."""
    memory = {path.name for path in SHARED_MEMORY.glob("dlm*_*") if not command_line(int(path.name[3:].split("_")[0]))}
    semaphores = set()
    for path in SHARED_MEMORY.glob("sem.??????"):
        with suppress(FileNotFoundError):
            state = path.stat()
            if state.st_size == 0 and time.time() - state.st_mtime > 1:
                semaphores.add(path.name)
    return memory | semaphores


def wait_for(condition, seconds: float = 30.0) -> None:
    """Wait until a condition holds; TimeoutError if it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the condition did not come true")
        time.sleep(0.02)


def resident_megabytes() -> float:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
