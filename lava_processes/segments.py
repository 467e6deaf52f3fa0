"""Shared memory for Lava's channels, made and removed by the interpreter that runs the graph.

Lava has a process of its own keep the list of segments, and logs in to it for each one: nearly half of the time of a
small run. A host removes what carries its prefix anyway, whoever dies first.
"""

from __future__ import annotations

from importlib import import_module
from multiprocessing.shared_memory import SharedMemory


class Segments:
    """Does what ``lava.magma.runtime.message_infrastructure.shared_memory_manager.SharedMemoryManager`` does."""

    def __init__(self) -> None:
        self._segments: list[SharedMemory] = []

    def start(self) -> None:
        """Nothing has to be started."""

    def create_shared_memory(self, size: int) -> SharedMemory:
        """A new segment of so many bytes."""
        segment = SharedMemory(create=True, size=size)
        self._segments.append(segment)
        return segment

    def shutdown(self) -> None:
        """Remove all segments."""
        while self._segments:
            segment = self._segments.pop()
            segment.close()
            segment.unlink()


def keep_here() -> None:
    """Have Lava's channels use it in this interpreter."""
    infrastructure = import_module("lava.magma.runtime.message_infrastructure.multiprocessing")
    infrastructure.SharedMemoryManager = Segments  # type: ignore[attr-defined]
