"""Joules that this machine measured itself, where it shows them: never an estimate, and never added to one.

The kernel's powercap counts the packages of the processor (Linux, ``/sys/class/powercap/intel-rapl:N``; since kernel
5.10 for root alone; virtual machines have none), NVIDIA's NVML its graphics processors. Where neither can be read the
method is "unavailable" and there are no joules.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any

POWERCAP = Path("/sys/class/powercap")
UNAVAILABLE = "unavailable"
BOUNDARY = "this machine while it computed, with all else that ran on it; not a chip"
_PACKAGE = re.compile(r"intel-rapl:\d+")
_WHOLE_PLATFORM = "psys"
"""A zone that holds the packages once more."""


@dataclass(frozen=True)
class Measured:
    """What a machine took.

    Attributes:
        method: "powercap", "nvml", "powercap+nvml" or "unavailable".
        joules: of all parts together; None where nothing could be read.
        seconds: that were measured.
        parts: what was read -> joules.
        reasons: why a way was not open, a line each.
        boundary: what the joules hold.
    """

    method: str
    joules: float | None
    seconds: float
    parts: Mapping[str, float] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    boundary: str = BOUNDARY

    def __str__(self) -> str:
        if self.joules is None:
            return f"measured: {UNAVAILABLE} ({'; '.join(self.reasons)})"
        parts = ", ".join(f"{name} {joules:.4g}" for name, joules in self.parts.items())
        return f"measured by {self.method}: {self.joules:.4g} J in {self.seconds:.3g} s ({parts}); {self.boundary}"

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "method": self.method,
            "joules": self.joules,
            "seconds": self.seconds,
            "parts": dict(self.parts),
            "reasons": list(self.reasons),
            "boundary": self.boundary,
        }


@dataclass(frozen=True)
class _Counter:
    """A counter of energy: its name, how it is read, joules of one of its units, and where it wraps."""

    name: str
    read: Callable[[], int]
    unit: float
    wraps_at: int | None = None


class Meter:
    """Measures what stands in its ``with`` block; ``result`` has it afterwards.

    A counter that wraps does so once between two readings at most: ``look`` reads in between, where a block takes so
    long that it may wrap twice (a package counter holds minutes to hours).

    Args:
        powercap: the kernel's folder.
    """

    def __init__(self, powercap: Path = POWERCAP) -> None:
        self._powercap = powercap
        self._reasons: list[str] = []
        self._counters: list[_Counter] = []
        self._close: Callable[[], object] | None = None
        self._last: dict[str, int] = {}
        self._joules: dict[str, float] = {}
        self._begin = self._end = 0.0

    def __enter__(self) -> Meter:
        counters = [*self._packages(), *self._graphics()]
        for counter in counters:
            try:
                self._last[counter.name] = counter.read()
            except Exception as error:  # NVML's own errors are of no class that is there without it
                self._reasons.append(f"{counter.name} cannot be read: {_first_line(error)}")
                continue
            self._counters.append(counter)
            self._joules[counter.name] = 0.0
        self._begin = time.perf_counter()
        return self

    def look(self) -> None:
        """Read all counters, and add what they counted since."""
        for counter in list(self._counters):
            try:
                now = counter.read()
            except Exception as error:
                self._counters.remove(counter)
                del self._joules[counter.name]
                self._reasons.append(f"{counter.name} could not be read again: {_first_line(error)}")
                continue
            counted = now - self._last[counter.name]
            if counted < 0 and counter.wraps_at is not None:
                counted += counter.wraps_at
            self._joules[counter.name] += counted * counter.unit
            self._last[counter.name] = now

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end = time.perf_counter()
        self.look()
        if self._close is not None:
            with suppress(Exception):
                self._close()

    @property
    def result(self) -> Measured:
        """What was measured, after the block."""
        ways = [way for way in ("powercap", "nvml") if any(name.startswith(way) for name in self._joules)]
        seconds, reasons = self._end - self._begin, tuple(self._reasons)
        if not ways:
            return Measured(UNAVAILABLE, None, seconds, reasons=reasons)
        return Measured("+".join(ways), sum(self._joules.values()), seconds, dict(self._joules), reasons)

    def _packages(self) -> list[_Counter]:
        """The packages of the processor; parts of a package, and what holds them once more, are left out."""
        found = []
        zones = sorted(self._powercap.iterdir()) if self._powercap.is_dir() else []
        for zone in zones:
            if not _PACKAGE.fullmatch(zone.name):
                continue
            try:
                name = (zone / "name").read_text().strip()
                wraps_at = int((zone / "max_energy_range_uj").read_text())
            except (OSError, ValueError) as error:
                self._reasons.append(f"powercap {zone.name} cannot be read: {_first_line(error)}")
                continue
            if name != _WHOLE_PLATFORM:
                found.append(_Counter(f"powercap {name}", partial(_whole, zone / "energy_uj"), 1e-6, wraps_at))
        if not found and not self._reasons:
            self._reasons.append(f"no counters of energy in {self._powercap}")
        return found

    def _graphics(self) -> list[_Counter]:
        """The graphics processors, where NVIDIA's library and its Python module are there."""
        try:
            nvml = import_module("pynvml")
        except ImportError:
            self._reasons.append("the package pynvml is not installed")
            return []
        try:
            nvml.nvmlInit()
            self._close = nvml.nvmlShutdown
            handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
        except Exception as error:
            self._reasons.append(f"NVML does not answer: {_first_line(error)}")
            return []
        read = nvml.nvmlDeviceGetTotalEnergyConsumption
        return [_Counter(f"nvml {i}", partial(read, handle), 1e-3) for i, handle in enumerate(handles)]


def _whole(file: Path) -> int:
    return int(file.read_text())


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
