"""Damage done to files by a seed, and a process of its own for whoever reads them."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import resource
import signal
import struct
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

SECONDS = 10
"""Of computing, by the reader and what it starts."""
WAITING = 90
"""Of the clock, on a machine that has other work."""
MEMORY = 2**30
"""Bytes beyond what is held before the file is read."""
VALUES: list[Any] = [None, True, -1, 0, 2**40, 10**30, 1e308, float("nan"), float("inf"), "x", "", [], {}, [[]], "../x"]
FORMATS = ("<I", ">I", "<Q", ">H", "<d")
NUMBERS = (0, 1, 2**7, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1)


def flip(rng: np.random.Generator, content: bytearray) -> None:
    """Some bits."""
    for _ in range(rng.integers(1, 9)):
        content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))


def truncate(rng: np.random.Generator, content: bytearray) -> None:
    """The end is lost."""
    del content[int(rng.integers(len(content))) :]


def zero(rng: np.random.Generator, content: bytearray) -> None:
    """A block that the disk lost."""
    start, size = int(rng.integers(len(content))), int(rng.integers(1, 1 + max(len(content) // 4, 1)))
    content[start : start + size] = bytes(len(content[start : start + size]))


def splice(rng: np.random.Generator, content: bytearray) -> None:
    """A block from elsewhere in the file, put in or laid over."""
    start, size = int(rng.integers(len(content))), int(rng.integers(1, 1 + max(len(content) // 4, 1)))
    place = int(rng.integers(len(content)))
    content[place : place + (size if rng.random() < 0.5 else 0)] = content[start : start + size]


def head(rng: np.random.Generator, content: bytearray) -> None:
    """Another number near the beginning or the end, where formats declare sizes."""
    near = int(rng.integers(min(len(content), 512)))
    place = near if rng.random() < 0.6 else len(content) - 1 - near
    form = FORMATS[rng.integers(len(FORMATS))]
    number = NUMBERS[rng.integers(len(NUMBERS))]
    try:
        told = struct.pack(form, number)
    except struct.error:
        told = struct.pack("<Q", number)
    content[place : place + len(told)] = told


def swap(rng: np.random.Generator, content: bytearray) -> None:
    """Another kind of value somewhere in JSON, or a key that is gone; other files lose bits."""
    try:
        lines = content.decode().split("\n")
        number = int(rng.integers(len(lines))) if len(lines) > 1 and lines[0].endswith("}") else None
        tree = json.loads(lines[number] if number is not None else content)
    except ValueError:
        return flip(rng, content)
    places: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting:
        inside = waiting.pop()
        keys = list(inside) if isinstance(inside, dict) else range(len(inside)) if isinstance(inside, list) else []
        places += [(inside, key) for key in keys]
        waiting += [inside[key] for key in keys]
    if places:
        inside, key = places[rng.integers(len(places))]
        if isinstance(inside, dict) and rng.random() < 0.2:
            del inside[key]
        else:
            inside[key] = VALUES[rng.integers(len(VALUES))]
    told = json.dumps(tree)
    if number is not None:
        told = "\n".join([*lines[:number], told, *lines[number + 1 :]])
    content[:] = told.encode()
    return None


KINDS = (flip, truncate, zero, splice, head, swap)


def damage(folder: Path, files: list[str], seed: int) -> str:
    """Damage one of some files; returns what was done to which."""
    rng = np.random.default_rng([seed, 18])
    name = files[rng.integers(len(files))]
    content = bytearray((folder / name).read_bytes())
    kind = KINDS[rng.integers(len(KINDS))]
    if content:
        kind(rng, content)
    (folder / name).write_bytes(content)
    return f"{kind.__name__} {name}"


class Canary:
    """Touches a file when it is unpickled."""

    def __reduce__(self) -> Any:
        return os.system, ("touch CODE_RAN",)


def poisoned() -> bytes:
    """A pickle that runs code."""
    return pickle.dumps(Canary())


class Outcome(NamedTuple):
    """What came of reading: "same", "refused", "told", "other", or a fault; the content or the words; and its cost.

    Attributes:
        seconds: of computing.
        memory: bytes beyond what was held before.
        waited: seconds of the clock.
    """

    kind: str
    told: str
    seconds: float
    memory: int
    waited: float


def apart(read: Callable[[], str]) -> Outcome:
    """Read in a forked process, since a reader may abort, hang, or take all memory."""
    pipe, theirs = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(pipe)
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(WAITING)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            text = json.dumps(_read(read))
            with os.fdopen(theirs, "w") as file:
                file.write(text)
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(pipe) as file:
        text = file.read()
    _, status, used = os.wait4(child, 0)
    seconds, waited = used.ru_utime + used.ru_stime, time.monotonic() - started
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return Outcome("over time" if number == signal.SIGALRM else "abort", f"signal {number}", seconds, 0, waited)
    if not text:
        return Outcome("abort", "it said nothing", seconds, 0, waited)
    kind, told, memory = json.loads(text)
    kind = "over memory" if memory > MEMORY else "over time" if seconds > SECONDS else kind
    return Outcome(kind, told, seconds, memory, waited)


def _read(read: Callable[[], str]) -> tuple[str, str, int]:
    from dlm_snn.errors import DlmError

    before = _peak()
    with warnings.catch_warnings(record=True) as told, contextlib.redirect_stderr(io.StringIO()) as said:
        warnings.simplefilter("always")
        try:
            content = read()
            kind = "told" if any(w.category.__module__ == "dlm_snn.errors" for w in told) else "read"
        except DlmError as error:
            kind, content = "refused", str(error)
            if "\n" in content or len(content) > 2000:
                kind = "many lines"
        except BaseException:
            kind, content = "traceback", traceback.format_exc()
    if "Traceback" in said.getvalue():
        kind, content = "traceback", said.getvalue()
    return kind, content, _peak() - before


def _peak() -> int:
    mine, children = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return 1024 * max(mine, children)
