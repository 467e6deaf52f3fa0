"""The interpreters in which Lava runs, as the process that started them has them: one of them stays between calls.

Lava starts one operating-system process per Process, threads and shared memory, and neither ``wait`` nor ``stop``
returns once a child is dead. Here it lives in a child interpreter with its own session and its own prefix of shared
memory: whatever happens (success, error, time-out, Ctrl-C), nothing of a job stays. An interpreter that did its job
well is kept for the next call, which then need not import Lava again; any other is killed with its whole session.
"""

from __future__ import annotations

import atexit
import os
import select
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dlm_snn.errors import DlmError
from dlm_snn.files.temporary import SHARED_MEMORY, unlink_shared_memory
from dlm_snn.processes import child as child_process

LOOK_EVERY = 0.2
"""Seconds between two looks at a silent child."""
IDLE = 300.0
"""Seconds without a call after which the interpreter that waits ends."""
SWITCH = "DLM_LAVA_REUSE"
"""Environment variable: 0 has every call start an interpreter of its own."""
_VOLATILE = "PYTEST_CURRENT_TEST"
"""Of the environment, what changes all the time and means nothing to Lava."""

Progress = Callable[[int, int], None]
"""(steps done, steps in all) -> None."""


class LavaError(DlmError):
    """Lava failed; the message holds the failing Process's own words."""


class Ended(Exception):
    """The interpreter ended before its job was done.

    Args:
        code: its exit code.
        anew: whether a job that it had not begun can be given to another: it had done others, and left in peace.
    """

    def __init__(self, code: int, anew: bool) -> None:
        super().__init__(code, anew)
        self.code, self.anew = code, anew


class Host:
    """A child interpreter that does one job after another.

    Args:
        start: command line and environment.
        log: file that takes what it says before its first job.
    """

    def __init__(self, start: tuple[list[str], dict[str, str]], log: Path) -> None:
        self.start, self.used, self._busy = start, False, False
        self._since = time.time()
        command, environment = start
        with log.open("wb") as said:
            # Away from the current folder, which a child that stays would keep from being removed.
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                env=environment,
                cwd=tempfile.gettempdir(),
                start_new_session=True,
            )
        if self._child.stdin is None or self._child.stdout is None:
            raise LavaError("Lava's interpreter has no pipes to speak through")
        self._jobs, self._said = self._child.stdin, self._child.stdout
        self.pid = self._child.pid
        _hosts.add(self)

    @property
    def ended(self) -> bool:
        """Whether the interpreter is gone."""
        return self._child.poll() is not None

    def do(self, folder: Path, timeout: float, progress: Progress | None) -> None:
        """Have it do the job of a folder.

        Args:
            folder: with job.json and the files that it names.
            timeout: seconds without a sign of life.
            progress: called with (steps done, steps in all).

        Raises:
            TimeoutError: no sign of life for so long.
            Ended: it ended before the job was done.
        """
        with suppress(BrokenPipeError):
            os.write(self._jobs.fileno(), f"{folder}\n".encode())
        begun, self._busy = False, True
        for words in self._lines(timeout):
            begun = True
            if words[0] == b"done":
                self.used, self._busy = True, False
                return
            if progress is not None and words[0] == b"steps":
                progress(int(words[1]), int(words[2]))
        raise Ended(self._child.wait(), self.used and not begun)

    def close(self) -> None:
        """Kill its whole session, wait for it, close its pipes, unlink its shared memory."""
        _hosts.discard(self)
        failed = self._busy or self._child.poll() not in (None, 0)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._child.wait()
        self._close_pipes()
        unlink_shared_memory(self.pid)
        if failed:
            _unlink_unfinished_semaphores(self._since)

    def disown(self) -> None:
        """Forget it, in a process that was forked from the one that it belongs to."""
        self._child.returncode = 0
        self._close_pipes()

    def _close_pipes(self) -> None:
        for pipe in (self._jobs, self._said):
            with suppress(OSError):
                pipe.close()

    def _lines(self, timeout: float) -> Iterator[list[bytes]]:
        """The words of the lines ``begun``, ``steps DONE TOTAL`` and ``done`` that it says, until it ends."""
        output = self._said.fileno()
        deadline = time.monotonic() + timeout
        pending = b""
        while True:
            ready, _, _ = select.select([output], [], [], LOOK_EVERY)
            if not ready:
                if self.ended:
                    # Its own children may still hold the pipe open.
                    return
                if time.monotonic() > deadline:
                    raise TimeoutError
                continue
            piece = os.read(output, 65536)
            if not piece:
                return
            deadline = time.monotonic() + timeout
            *lines, pending = (pending + piece).split(b"\n")
            said = [line.split() for line in lines]
            yield from (words for words in said if _is_sign(words))


def _is_sign(words: list[bytes]) -> bool:
    return words in ([b"begun"], [b"done"]) or (len(words) == 3 and words[0] == b"steps")


@contextmanager
def lent(log: Path, reuse: bool | None = None) -> Iterator[Host]:
    """A host for one job: the kept one where it is free and would be started the same way now.

    Args:
        log: file that takes what it says before its first job.
        reuse: False: a host of its own; None: as the environment says.

    Yields:
        The Host. It is closed where the block fails, and where it is not the kept one.
    """
    wanted = os.environ.get(SWITCH) != "0" if reuse is None else reuse
    if not (wanted and _kept.lock.acquire(blocking=False)):
        host = Host(_start(), log)
        try:
            yield host
        finally:
            host.close()
        return
    try:
        yield _kept.ready(log)
    except BaseException:
        _kept.close()
        raise
    finally:
        _kept.lock.release()


def close() -> None:
    """End every interpreter that is there."""
    for host in list(_hosts):
        host.close()
    _kept.host = None


class _Kept:
    """The host that stays, and the lock of who uses it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.host: Host | None = None

    def ready(self, log: Path) -> Host:
        start = _start()
        if self.host is not None and (self.host.ended or self.host.start != start):
            self.close()
        if self.host is None:
            self.host = Host(start, log)
        return self.host

    def close(self) -> None:
        host, self.host = self.host, None
        if host is not None:
            host.close()


_hosts: set[Host] = set()
_kept = _Kept()


def _start() -> tuple[list[str], dict[str, str]]:
    """Command line and environment of an interpreter that is started now."""
    # Lava's processes share the cores already; threads inside each would only fight over them.
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment = child_process.environment(PYTHONUNBUFFERED="1", **one_thread)
    environment.pop(_VOLATILE, None)
    return child_process.command("lava_processes.host:main", str(IDLE)), environment


def _disown_all() -> None:
    """A forked process has the pipes of its parent's hosts, by which these would notice their parent's end too late."""
    for host in _hosts:
        host.disown()
    _hosts.clear()
    _kept.host, _kept.lock = None, threading.Lock()


def _unlink_unfinished_semaphores(since: float) -> None:
    """Remove what a process leaves that is killed inside sem_open: an empty file, filled and unlinked at once else."""

    def empty() -> set[Path]:
        found = set()
        for path in SHARED_MEMORY.glob("sem.??????"):
            with suppress(OSError):
                state = path.stat()
                if state.st_size == 0 and state.st_uid == os.getuid() and state.st_mtime >= since:
                    found.add(path)
        return found

    first = empty()
    if first:
        # What another process is just making is no longer empty by then.
        time.sleep(0.05)
        for path in first & empty():
            path.unlink(missing_ok=True)


atexit.register(close)
os.register_at_fork(after_in_child=_disown_all)
