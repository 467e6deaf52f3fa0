"""Where cells run: in this process, in processes beside it, or on a cluster; one interface, concurrent.futures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from dlm_snn.errors import DlmError, MissingError
from dlm_snn.processes import child
from experiments.harness.processes import Processes

CONNECT_SECONDS = 10


@dataclass(frozen=True)
class Pool:
    """Where cells run.

    Attributes:
        executor: opens one; after the loss of a worker it goes on with others.
        in_flight: cells that are handed over at a time; None: all, the cluster keeps its own queue.
        lost: what a cell raises when its worker is gone.
        limit: whether a cell keeps to one thread, since others run beside it.
    """

    executor: Callable[[], AbstractContextManager[Executor]]
    in_flight: int | None = 1
    lost: tuple[type[BaseException], ...] = (BrokenExecutor,)
    limit: bool = True


class _Here(Executor):
    """Runs a call at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def opened(jobs: int = 1, scheduler: str | None = None) -> Iterator[Pool]:
    """The pool that the command line asks for.

    Args:
        jobs: processes on this machine; 1: this one.
        scheduler: address of a dask.distributed scheduler, or "local": a cluster of ``jobs`` workers on this machine.

    Raises:
        DlmError: no process at all; no scheduler answers there.
        MissingError: a scheduler is named and dask.distributed is not installed.
    """
    if jobs < 1:
        raise DlmError(f"--jobs {jobs}: at least 1")
    if scheduler is not None:
        with _cluster(scheduler, jobs) as pool:
            yield pool
    elif jobs == 1:
        yield Pool(_Here, limit=False)
    else:
        yield Pool(lambda: ending(Processes(jobs)), in_flight=jobs)


@contextmanager
def _cluster(address: str, jobs: int) -> Iterator[Pool]:
    try:
        from distributed import Client, LocalCluster
        from distributed.scheduler import KilledWorker
    except ModuleNotFoundError as error:
        raise MissingError(
            f"--scheduler needs the package '{error.name}', which is not installed; pip install 'dlm-snn[cluster]'"
        ) from error
    if address == "local":
        with (
            child.safe_spawns(),
            LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address=None) as cluster,
            Client(cluster) as client,
        ):
            yield _of_client(client, KilledWorker)
        return
    try:
        client = Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise DlmError(f"no scheduler answers at {address} ({reason}); give tcp://HOST:PORT, or 'local'") from error
    with client:
        yield _of_client(client, KilledWorker)


def _of_client(client: Any, killed: type[BaseException]) -> Pool:
    # pure=False: a cell is run when it is asked for, not answered from what the scheduler remembers.
    executor = client.get_executor(pure=False)
    return Pool(lambda: ending(executor), in_flight=None, lost=(killed, BrokenExecutor))


@contextmanager
def ending(executor: Executor) -> Iterator[Executor]:
    """An executor that ends with the block: by an error or an interrupt at once, with what is in flight."""
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=False)
        raise
    executor.shutdown()
