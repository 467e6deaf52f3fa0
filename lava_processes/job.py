"""A job for Lava, in an interpreter of its own, so that nothing of it can stay behind.

Lava starts one operating-system process per Process, threads and shared memory, and neither ``wait`` nor ``stop``
returns once a child is dead. Here it lives in a child interpreter with its own session and its own prefix of shared
memory: whatever happens (success, error, time-out, Ctrl-C), the session is killed and the segments are unlinked.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, MissingError
from dlm_snn.files.names import file_of
from dlm_snn.files.temporary import SHARED_MEMORY, note_child, temporary_folder, unlink_shared_memory
from dlm_snn.processes import child as child_process

if find_spec("lava") is None:
    raise ModuleNotFoundError("No module named 'lava'", name="lava-nc")

LOOK_EVERY = 0.2
"""Seconds between two looks at a silent child."""

Progress = Callable[[int, int], None]
"""(steps done, steps in all) -> None."""
Job = dict[str, Any]
"""What is to be done, as host.main reads it."""


class LavaError(DlmError):
    """Lava failed; the message holds the failing Process's own words."""


@contextmanager
def done(write: Callable[[Path], Job], timeout: float, progress: Progress | None) -> Iterator[tuple[Path, Job]]:
    """Have Lava do a job in a folder, which is there until the block ends.

    Args:
        write: puts the inputs and empty result files into the folder, and says what to do with them.
        timeout: seconds without progress after which Lava is stopped.
        progress: called with (steps done, steps in all).

    Yields:
        The folder, its result files filled, and the job.

    Raises:
        MissingError: lava-nc is not installed.
        LavaError: an error inside Lava, a killed process, or the time-out; nothing of it is left behind.
    """
    with temporary_folder() as folder:
        job = write(folder)
        (folder / "job.json").write_text(json.dumps(job))
        _supervise(folder, timeout, progress)
        yield folder, job


def put_stimulus(folder: Path, name: str, values: NDArray) -> None:
    """The values that a source of the child sends."""
    np.save(file_of(folder, name, ".npy", "stimulus-"), values)


def empty_array(path: Path, dtype: Any, shape: tuple[int, ...]) -> None:
    """An .npy file of zeros, to be filled by whoever maps it."""
    np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape).flush()


def _supervise(folder: Path, timeout: float, progress: Progress | None) -> None:
    """Start the child, follow it to its end, and leave nothing of it behind."""
    # Lava's processes share the cores already; threads inside each would only fight over them.
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    started = time.time()
    with (folder / "log.txt").open("wb") as log:
        child = subprocess.Popen(
            child_process.command("lava_processes.host:main", str(folder)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=child_process.environment(PYTHONUNBUFFERED="1", **one_thread),
            start_new_session=True,
        )
    try:
        note_child(folder, child.pid)
        _follow(child, timeout, progress)
        code = child.wait()
    except TimeoutError as error:
        raise LavaError(f"Lava made no progress for {timeout:g} s and was stopped; raise the timeout") from error
    finally:
        _leave_nothing(child, started)
    if code != 0:
        raise _failure(folder, code)


def _follow(child: subprocess.Popen[bytes], timeout: float, progress: Progress | None) -> None:
    """Read the child's lines ``done total`` until it closes its output; TimeoutError where none comes."""
    stdout = child.stdout
    if stdout is None:
        raise LavaError("Lava's child process has no output to follow")
    deadline = time.monotonic() + timeout
    pending = b""
    while True:
        ready, _, _ = select.select([stdout], [], [], LOOK_EVERY)
        if not ready:
            if child.poll() is not None:
                # Its own children may still hold the pipe open.
                return
            if time.monotonic() > deadline:
                raise TimeoutError
            continue
        piece = os.read(stdout.fileno(), 65536)
        if not piece:
            return
        deadline = time.monotonic() + timeout
        *lines, pending = (pending + piece).split(b"\n")
        for line in lines:
            words = line.split()
            if progress is not None and len(words) == 3 and words[0] == b"steps":
                progress(int(words[1]), int(words[2]))


def _leave_nothing(child: subprocess.Popen[bytes], started: float) -> None:
    """Kill the child's whole session, wait for it, close its pipes, unlink its shared memory."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
    unlink_shared_memory(child.pid)
    if child.returncode != 0:
        _unlink_unfinished_semaphores(started)


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


def _failure(folder: Path, code: int) -> DlmError:
    """The child's own words about what went wrong."""
    path = folder / "error.json"
    if path.is_file():
        error = json.loads(path.read_text())
        if error["kind"] == "missing":
            return MissingError(error["message"])
        return LavaError(error["message"])
    lines = (folder / "log.txt").read_text(errors="replace").strip().splitlines()
    said = lines[-1] if lines else "it said nothing"
    return LavaError(f"Lava's interpreter ended with code {code}: {said}")
