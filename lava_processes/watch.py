"""Watches over the child interpreter in which Lava runs: jobs come in here, and an end of anybody is noticed here."""

from __future__ import annotations

import json
import multiprocessing
import os
import queue
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Iterable
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from dlm_snn.files.temporary import unlink_shared_memory

LOOK_EVERY = 0.2
"""Seconds between two looks at the children."""


class Watch:
    """A thread that reads jobs, and ends everything when a child dies during a run or when the parent is gone."""

    def __init__(self) -> None:
        self.actors: list[Any] = []
        self._jobs: queue.SimpleQueue[Path] = queue.SimpleQueue()
        self._folder: Path | None = None
        self._known: set[Any] = set()
        self._running = False
        self._lock = threading.Lock()
        threading.Thread(target=self._look, daemon=True).start()

    def next_job(self, timeout: float) -> Path | None:
        """The folder of the next job; None where none comes in so many seconds."""
        with suppress(queue.Empty):
            self._folder = self._jobs.get(timeout=timeout)
            return self._folder
        return None

    def run(self) -> None:
        """From now on no child may end."""
        self._running = True

    def rest(self) -> None:
        """The children are about to end by themselves."""
        with self._lock:
            self._running = False
            self._known = set()

    def end_job(self) -> None:
        """The folder is the parent's again."""
        self._folder, self.actors = None, []

    def fail(self, children: Iterable[Any], otherwise: str) -> None:
        """Report what a child said, or else ``otherwise``; kill and collect all children; leave at once."""
        try:
            self.report("lava", f"Lava failed: {_children_said(children) or otherwise}")
            sys.stderr.flush()
            for process in multiprocessing.active_children():
                process.kill()
                with suppress(ChildProcessError):
                    os.waitpid(process.ident or 0, 0)
        finally:
            os._exit(1)

    def report(self, kind: str, message: str) -> None:
        """Leave word of a failure in the folder of the job."""
        if self._folder is not None:
            aside = self._folder / "error.json.part"
            aside.write_text(json.dumps({"kind": kind, "message": message}))
            aside.replace(self._folder / "error.json")

    def _look(self) -> None:
        pending = b""
        while True:
            if wait([sys.stdin.fileno()], timeout=LOOK_EVERY):
                piece = os.read(sys.stdin.fileno(), 65536)
                if not piece:
                    self._vanish()
                *lines, pending = (pending + piece).split(b"\n")
                for line in lines:
                    self._jobs.put(Path(os.fsdecode(line)))
            with self._lock:
                if self._running:
                    self._known |= set(multiprocessing.active_children())
                ended = [process for process in self._known if _has_ended(process)]
                if ended:
                    self.fail(ended, f"its process {ended[0].name} was killed while running")

    def _vanish(self) -> None:
        """The parent is gone and cannot clean up: remove what it would have removed, and end the whole session."""
        unlink_shared_memory(os.getpid())
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        os.killpg(0, signal.SIGKILL)


def last_words(error: BaseException) -> str:
    """An exception as one line: its type, its message and where it was raised."""
    last = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(last[-1].filename).name}:{last[-1].lineno})" if last else ""
    return " ".join(f"{type(error).__name__}: {error}".split()) + where


def _has_ended(process: Any) -> bool:
    try:
        return process.exitcode is not None
    except ValueError:
        # Lava joined and closed it, which it does once it reports the error itself.
        return False


def _children_said(children: Iterable[Any]) -> str | None:
    """The first error that a child process collected, in one line; None where none did."""
    for child in children:
        try:
            collected = getattr(child, "exception", None)
        except (OSError, EOFError):
            continue
        if collected:
            return last_words(collected[0])
    return None
