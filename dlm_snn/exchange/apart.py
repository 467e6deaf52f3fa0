"""Files whose libraries can end the process are read in a process of their own, within limits of memory and time."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from numpy.typing import NDArray

from dlm_snn import child
from dlm_snn.errors import DlmError, MissingError
from dlm_snn.free import free_bytes
from dlm_snn.packed import read_npz
from dlm_snn.reading import one_line, regular_file
from dlm_snn.temporary import temporary_folder

MEMORY = 2**31
"""Bytes that a reader may take at least, its libraries included."""
MEMORY_PER_BYTE = 64
"""More of them for each byte of the file: events are packed, and unpacked more than once."""
SECONDS = 8
"""Of computing that a reader may take at least."""
BYTES_PER_SECOND = 2**21
WAITING = 60
"""Seconds of the clock beyond that, for a machine that is busy."""
_SAID = 2**14
"""Bytes of what the library said that are looked at."""
_RESULT = "arrays.npz"
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Threads that nobody needs would each reserve memory."""
_REFUSED, _MISSING = 2, 3
"""Exit codes of the child."""


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
    memory = min(MEMORY + MEMORY_PER_BYTE * size, max(free_bytes(), MEMORY))
    seconds = SECONDS + size // BYTES_PER_SECOND
    with temporary_folder() as folder:
        with (folder / "said").open("wb") as said:
            try:
                code = subprocess.run(
                    child.command(call, str(path.absolute()), str(folder), str(memory), str(seconds)),
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                    env=child.environment(RUST_BACKTRACE="0", **_ONE_THREAD),
                    timeout=seconds + WAITING,
                    check=False,
                ).returncode
            except subprocess.TimeoutExpired as error:
                raise DlmError(f"{path} is not a readable {meaning} (its library did not come to an end)") from error
        if code != 0:
            raise _refusal(path, meaning, code, folder / "said")
        return read_npz(folder / _RESULT)


def _refusal(path: Path, meaning: str, code: int, said: Path) -> DlmError:
    with said.open("rb") as file:
        lines = file.read(_SAID).decode(errors="replace").strip().splitlines()
    last = one_line("".join(c if c.isprintable() else "?" for c in lines[-1])) if lines else "it said nothing"
    if code == _MISSING:
        return MissingError(last)
    if code == _REFUSED:
        return DlmError(f"{path} is not a readable {meaning} ({last})")
    how = f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
    return DlmError(f"{path} is not a readable {meaning} (its library {how}: {last})")


def answer(make: Callable[[Path], dict[str, NDArray]], path: str, folder: str, memory: str, seconds: str) -> int:
    """What the child does: read within the limits, leave the arrays in the folder, or say in a line why not."""
    import numpy as np

    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
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
