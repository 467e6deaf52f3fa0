"""Which Processes are connected, and which values go from where to where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, UnsupportedError

Places = NDArray[np.intp]
"""Flat index of a value -> flat index of the value that it is; both in C order."""


@dataclass(frozen=True, eq=False)
class Way:
    """One way into an InPort.

    Attributes:
        source: the Process that sends.
        places: value i of the InPort is value places[i] of the OutPort.
        steps: for which a line of ours holds it back on the way.
    """

    source: Any
    places: Places
    steps: int = 0


def called(process: Any) -> str:
    """A Process for a message."""
    return f"{type(process).__name__} '{process.name}'"


def refuse(thing: str, remedy: str) -> NoReturn:
    """Raise what is told of everything that is not taken."""
    raise UnsupportedError("from_lava", thing, remedy)


def processes_of(given: Any) -> list[Any]:
    """All Processes that are connected with the given ones, in the order in which they were made.

    Raises:
        DlmError: what is given is neither a Process nor several.
    """
    from lava.magma.core.process.process import AbstractProcess

    several = given if isinstance(given, Iterable) and not isinstance(given, AbstractProcess) else [given]
    waiting = list(several)
    for process in waiting:
        if not isinstance(process, AbstractProcess):
            raise DlmError(f"{process!r} is no Lava Process; give one of the graph, or a list of them")
    found: dict[int, Any] = {}
    while waiting:
        process = waiting.pop()
        if process.id not in found:
            found[process.id] = process
            waiting.extend(_neighbours(process))
    return [found[number] for number in sorted(found)]


def _neighbours(process: Any) -> Iterator[Any]:
    collections = (process.in_ports, process.out_ports, process.ref_ports, process.var_ports)
    for port in (port for collection in collections for port in collection.members):
        for other in (*port.get_src_ports(), *port.get_dst_ports()):
            yield other.process


def ways_into(port: Any) -> list[Way]:
    """Where the values of an InPort come from; several are added.

    Raises:
        UnsupportedError: a ConcatPort, a Process inside another one, the same OutPort twice, values from outside Lava.
    """
    if port.external_pipe_flag:
        refuse(f"{called(port.process)}, which is fed from outside Lava", "put the values into a source RingBuffer")
    ways = [_followed(other, port) for other in port.in_connections]
    sources = [way.source for way in ways]
    for source in sources:
        if sources.count(source) > 1:
            thing = f"{called(port.process)}, which {called(source)} reaches twice by one port"
            refuse(thing, "connect them once (Lava mixes up the two ways)")
    return ways


def _followed(port: Any, end: Any) -> Way:
    """The way back through virtual ports."""
    from lava.magma.core.process.ports.ports import OutPort, ReshapePort, TransposePort

    places = np.arange(end.size)
    while type(port) in (ReshapePort, TransposePort):
        before = port.in_connections[0]
        if type(port) is TransposePort:
            places = np.arange(port.size).reshape(before.shape).transpose(port.axes).reshape(-1)[places]
        port = before
    if type(port) is not OutPort or port.in_connections:
        kind = type(port).__name__
        refuse(f"the {kind} in front of {called(end.process)}", "connect OutPorts, reshaped or transposed, to InPorts")
    return Way(port.process, places)
