"""A job for Lava: what goes in and comes out lies in a folder, and an interpreter of its own does it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, MissingError
from dlm_snn.files.names import file_of
from dlm_snn.files.temporary import note_child, temporary_folder
from lava_processes.hosts import Ended, LavaError, Progress, lent

if find_spec("lava") is None:
    raise ModuleNotFoundError("No module named 'lava'", name="lava-nc")

Job = dict[str, Any]
"""What is to be done, as host.main reads it."""


@contextmanager
def done(
    write: Callable[[Path], Job], timeout: float, progress: Progress | None, reuse: bool | None = None
) -> Iterator[tuple[Path, Job]]:
    """Have Lava do a job in a folder, which is there until the block ends.

    Args:
        write: puts the inputs and empty result files into the folder, and says what to do with them.
        timeout: seconds without progress after which Lava is stopped.
        progress: called with (steps done, steps in all).
        reuse: whether Lava's interpreter of the call before does it, and stays for the next one; None: unless the
            environment has DLM_LAVA_REUSE=0.

    Yields:
        The folder, its result files filled, and the job.

    Raises:
        MissingError: lava-nc is not installed.
        LavaError: an error inside Lava, a killed process, or the time-out; nothing of it is left behind.
    """
    with temporary_folder() as folder:
        job = write(folder)
        (folder / "job.json").write_text(json.dumps(job))
        _supervise(folder, timeout, progress, reuse)
        yield folder, job


def put_stimulus(folder: Path, name: str, values: NDArray) -> None:
    """The values that a source of the child sends."""
    np.save(file_of(folder, name, ".npy", "stimulus-"), values)


def empty_array(path: Path, dtype: Any, shape: tuple[int, ...]) -> None:
    """An .npy file of zeros, to be filled by whoever maps it."""
    np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape).flush()


def _supervise(folder: Path, timeout: float, progress: Progress | None, reuse: bool | None) -> None:
    """Have a host do the job of a folder; another one where the kept one was about to leave."""
    try:
        with lent(folder / "log.txt", reuse) as host:
            note_child(folder, host.pid)
            host.do(folder, timeout, progress)
    except TimeoutError as error:
        raise LavaError(f"Lava made no progress for {timeout:g} s and was stopped; raise the timeout") from error
    except Ended as end:
        if not end.anew:
            raise _failure(folder, end.code) from None
    else:
        return
    _supervise(folder, timeout, progress, reuse)


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
