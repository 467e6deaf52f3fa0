"""Worker processes behind an Executor, each with a pipe of its own, so that the death of one is seen and mended alone.

concurrent.futures.ProcessPoolExecutor shares its queues and their locks between workers, and each death ends the whole
pool; with it one of some tens of kills stopped a run for good (Python 3.11.7).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from multiprocessing.connection import Connection, Pipe
from typing import Any

from dlm_snn.processes import child

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class LostWorkerError(BrokenExecutor):
    """The process that computed this is gone; the executor goes on with another."""


class Processes(Executor):
    """Workers, one a thread of this process; they are made when they are first needed.

    A call whose worker dies raises LostWorkerError; what it returns or raises otherwise is pickled.

    Args:
        jobs: how many.
    """

    def __init__(self, jobs: int) -> None:
        self._threads = ThreadPoolExecutor(jobs, thread_name_prefix="worker")
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a call in a worker; function, arguments and result are pickled."""
        return self._threads.submit(self._call, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers, after what is in flight; without ``wait`` at once, and what is in flight is lost."""
        if wait:
            self._threads.shutdown(cancel_futures=cancel_futures)
        with self._lock:
            self._closed = True
            workers = set(self._all)
        for worker in workers:
            worker.end(at_once=not wait)
        self._threads.shutdown(cancel_futures=True)

    def _call(self, fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        worker = self._taken()
        try:
            result, error = worker.call(fn, args, kwargs)
        except LostWorkerError:
            with self._lock:
                self._all.discard(worker)
            raise
        with self._lock:
            self._idle.append(worker)
        if error is not None:
            raise error
        return result

    def _taken(self) -> _Worker:
        with self._lock:
            if self._closed:
                raise LostWorkerError("the workers have been ended")
            if self._idle:
                return self._idle.pop()
            worker = _Worker()
            self._all.add(worker)
            return worker


class _Worker:
    """One process and the pipe to it."""

    def __init__(self) -> None:
        self._pipe, theirs = Pipe()
        # Its input closes when this process ends, however that is.
        self._process = subprocess.Popen(
            child.command("experiments.harness.processes:serve", str(theirs.fileno())),
            stdin=subprocess.PIPE,
            env=child.environment(),
            pass_fds=[theirs.fileno()],
        )
        # With our copy of its end closed, its death closes the pipe.
        theirs.close()

    def call(self, fn: Callable[..., Any], args: Any, kwargs: Any) -> tuple[Any, Exception | None]:
        try:
            self._pipe.send((fn, args, kwargs))
            return self._pipe.recv()
        except (EOFError, OSError) as error:
            self.end(at_once=True)
            raise LostWorkerError("its worker is gone") from error

    def end(self, at_once: bool) -> None:
        if at_once:
            self._process.kill()
        else:
            self._pipe.close()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


def serve(descriptor: str) -> None:
    """What a worker does: calls, one after another, until the pipe is closed. Interrupts are its parent's business."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    limit_threads()
    pipe = Connection(int(descriptor))
    while True:
        try:
            fn, args, kwargs = pipe.recv()
        except EOFError:
            return
        try:
            answer: tuple[Any, Exception | None] = (fn(*args, **kwargs), None)
        except Exception as error:
            answer = (None, error)
        pipe.send(answer)


def _end_with_parent() -> None:
    """A worker never outlives its parent, nor finishes its call for nobody."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def limit_threads() -> None:
    """One thread for BLAS, OpenMP, numba and torch in this process, loaded or still to be loaded."""
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
