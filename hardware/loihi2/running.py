"""The run of a part of a graph, watched: it ends early in a line where a process of Lava fails or nothing moves.

Lava itself waits for good for a process of its own that was killed, or that failed while the others were made. It needs
lava-nc only.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

REFUSED = 2
PROGRESS = "progress.npy"
"""The latest step that a sink has written."""
LOOK_EVERY = 1
"""Seconds between two looks."""


def run_part(process: Any, config: Any, steps: int, chunk: int, aside: Path, patience: float) -> None:
    """Run a process, and all that are connected with it.

    Args:
        process: any of the graph's.
        config: Lava's.
        steps: of the run.
        chunk: steps between two signs of life.
        aside: the folder of sources and sinks, which goes where the run ends early.
        patience: seconds without a step after which it does.
    """
    from lava.magma.core.run_conditions import RunSteps

    over = threading.Event()
    threading.Thread(target=watch, args=(process, aside, over, patience), daemon=True).start()
    # Ctrl-C is this process's to answer: Lava's would each print a traceback.
    answer = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process.create_runtime(run_cfg=config)
        signal.signal(signal.SIGINT, answer)
        for start in range(0, steps, chunk):
            process.run(condition=RunSteps(num_steps=min(chunk, steps - start)), run_cfg=config)
            print(f"{min(start + chunk, steps)} of {steps} steps", file=sys.stderr, flush=True)
    except BaseException as error:
        over.set()
        if not _actors(process):
            raise
        if isinstance(error, KeyboardInterrupt):
            _end(process, aside, "interrupted")
        traceback.print_exc()
        _end(process, aside, _said(process) or f"{type(error).__name__}: {error}")
    finally:
        signal.signal(signal.SIGINT, answer)
    over.set()
    process.stop()


def watch(process: Any, aside: Path, over: threading.Event, patience: float) -> None:
    """Look for processes of Lava that have ended, and for a step that does not come."""
    last, since = -1, time.monotonic()
    while not over.wait(LOOK_EVERY):
        codes = [code for code in map(_exit_code, _actors(process)) if code is not None]
        if codes and not over.is_set():
            _end(process, aside, _said(process) or f"a process of Lava ended with code {min(codes)}")
        step = _progress(aside)
        if step != last:
            last, since = step, time.monotonic()
        if time.monotonic() - since > patience and not over.is_set():
            _end(process, aside, f"no step in {patience:g} s, after step {last}; --patience SECONDS waits longer")


def _progress(aside: Path) -> int:
    try:
        return int(np.load(aside / PROGRESS)[0])
    except (OSError, ValueError, EOFError):
        return 0


def _actors(process: Any) -> list[Any]:
    infrastructure = getattr(process.runtime, "_messaging_infrastructure", None)
    return [actor for actor in getattr(infrastructure, "actors", ()) if hasattr(actor, "kill")]


def _exit_code(actor: Any) -> Any:
    """None where it runs."""
    try:
        return actor.exitcode
    except ValueError:
        # Lava has joined and closed it, as it does where another one has failed.
        return 0


def _said(process: Any) -> str | None:
    """The first error that a process of Lava collected, in a line."""
    for actor in _actors(process):
        try:
            collected = getattr(actor, "exception", None)
        except (OSError, EOFError):
            continue
        if collected:
            return " ".join(f"{type(collected[0]).__name__}: {collected[0]}".split())
    return None


def _end(process: Any, aside: Path, reason: str) -> NoReturn:
    """Leave at once, and nothing behind: Lava's own stop would not return."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(f"error: the run ended early ({reason}); nothing was compared", file=sys.stderr, flush=True)
    for actor in _actors(process):
        try:
            actor.kill()
        except ValueError:
            continue
    memory = getattr(getattr(process.runtime, "_messaging_infrastructure", None), "_smm", None)
    if memory is not None:
        memory.shutdown()
    shutil.rmtree(aside, ignore_errors=True)
    os._exit(REFUSED)
