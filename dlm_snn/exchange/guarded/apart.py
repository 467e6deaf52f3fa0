"""Files whose libraries can end the process are read in a process of their own, within limits of memory and time.

One process is started where the first such file is read, and forks for each: what ends the fork ends nothing else.
"""

from __future__ import annotations

import atexit
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from numpy.typing import NDArray

from dlm_snn.errors import DlmError, MissingError
from dlm_snn.files.free_memory import free_memory, reserved_bytes
from dlm_snn.files.packed import read_npz
from dlm_snn.files.reading import one_line, regular_file
from dlm_snn.files.temporary import temporary_folder
from dlm_snn.processes import child

MEMORY = 2**30
"""Bytes that a reader may take at least, beyond what the process apart has."""
MEMORY_PER_BYTE = 64
"""More of them for each byte of the file: events are packed, and unpacked more than once."""
SECONDS = 3
"""Of computing that a reader may take at least."""
BYTES_PER_SECOND = 2**21
WAITING = 60
"""Seconds of the clock beyond that, for a machine that is busy."""
_SAID = 2**14
"""Bytes of what the library said that are looked at."""
_RESULT = "arrays.npz"
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Threads that nobody needs would each reserve memory."""
_REFUSED, _MISSING, _LATE = 2, 3, 124
"""Exit codes of the fork; negative: the signal that ended it."""
_LOOK_EVERY = 0.005


def read_apart(call: str, path: Path, meaning: str) -> dict[str, NDArray]:
    """The arrays that a function makes of a file, called in a child process.

    Args:
        call: ``module:function``; what it does is ``answer``.
        path: of the file.
        meaning: what the file should be, for the message.

    Raises:
        MissingError: no such file, or a package that is not installed.
        DlmError: what the function refused; a library that ended the child, or took more than its memory or time.
    """
    size = regular_file(path, f"no file {path}; give a {meaning}").stat().st_size
    memory = min(MEMORY + MEMORY_PER_BYTE * size, max(free_memory(), MEMORY))
    seconds = SECONDS + size // BYTES_PER_SECOND
    with temporary_folder() as folder:
        words = [str(path.absolute()), str(folder), str(memory), str(seconds)]
        code = started(call, words, str(folder / "said"), seconds + WAITING)
        if code != 0:
            raise _refusal(path, meaning, code, folder / "said")
        return read_npz(folder / _RESULT)


def _refusal(path: Path, meaning: str, code: int, said: Path) -> DlmError:
    if code == _LATE:
        return DlmError(f"{path} is not a readable {meaning} (its library did not come to an end)")
    with said.open("rb") as file:
        lines = file.read(_SAID).decode(errors="replace").strip().splitlines()
    last = one_line("".join(c if c.isprintable() else "?" for c in lines[-1])) if lines else "it said nothing"
    if code == _MISSING:
        return MissingError(last)
    if code == _REFUSED:
        return DlmError(f"{path} is not a readable {meaning} ({last})")
    how = f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
    return DlmError(f"{path} is not a readable {meaning} (its library {how}: {last})")


class _Server:
    """The process that forks, and the pipes to it."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.process = subprocess.Popen(
            child.command("dlm_snn.exchange.guarded.apart:serve"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=child.environment(RUST_BACKTRACE="0", **_ONE_THREAD),
            # An interrupt is its parent's business.
            start_new_session=True,
        )

    def ask(self, *request: object) -> int | None:
        """The exit code of a fork; None where the process is gone."""
        if self.process.stdin is None or self.process.stdout is None:
            return None
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
            answered = self.process.stdout.readline()
        except OSError:
            return None
        return int(answered) if answered.strip() else None

    def end(self) -> None:
        """Close its pipes, at which it ends; a copy of it in a forked process is not ours to wait for."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        if self.owner == os.getpid():
            self.process.wait()
        else:
            self.process.returncode = 0


_servers: list[_Server] = []
_one_at_a_time = threading.Lock()


def end() -> None:
    """End the process apart; the next file starts another one."""
    while _servers:
        _servers.pop().end()


atexit.register(end)


def started(call: str, words: list[str], said: str, seconds: float) -> int:
    """The exit code of ``call``, made in a fork of the process apart; what it says goes into a file."""
    with _one_at_a_time:
        for _ in range(2):
            if not _servers or _servers[0].owner != os.getpid():
                end()
                _servers.append(_Server())
            code = _servers[0].ask(call, words, said, seconds)
            if code is not None:
                return code
            end()
    raise DlmError("the process in which files are read apart ended twice; try again")


def serve() -> int:
    """What the process apart does: fork for each request, until its input closes."""
    # What is needed by every fork, and costs most.
    import_module("h5py")
    for line in sys.stdin:
        print(forked(*json.loads(line)), flush=True)
    return 0


def forked(call: str, words: list[str], said: str, seconds: float) -> int:
    """The exit code of ``module:function`` called in a fork of this process."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            handle = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            nothing = os.open(os.devnull, os.O_RDONLY)
            for place, standard in ((nothing, 0), (handle, 1), (handle, 2)):
                os.dup2(place, standard)
            module, _, function = call.partition(":")
            code = getattr(import_module(module), function)(*words)
        except BaseException as error:
            # A library's own kind of end, such as pyo3's PanicException.
            print(f"{type(error).__name__}: {one_line(error)}", file=sys.stderr)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    end = time.monotonic() + seconds
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return _LATE
        time.sleep(_LOOK_EVERY)


def answer(make: Callable[[Path], dict[str, NDArray]], path: str, folder: str, memory: str, seconds: str) -> int:
    """What the child does: read within the limits, leave the arrays in the folder, or say in a line why not."""
    import numpy as np

    resource.setrlimit(resource.RLIMIT_AS, (reserved_bytes() + int(memory),) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        arrays = make(Path(path))
    except MissingError as error:
        print(one_line(error, 400), file=sys.stderr)
        return _MISSING
    except Exception as error:
        print(one_line(error, 400), file=sys.stderr)
        return _REFUSED
    np.savez(Path(folder) / _RESULT, **arrays)  # type: ignore[arg-type]
    return 0
