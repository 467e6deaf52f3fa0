"""Scripts in forks of one process that has imported what most of them need: an import of torch takes seconds."""

from __future__ import annotations

import multiprocessing
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["dlm_snn", "matplotlib.figure", "numba", "scipy.stats", "snntorch", "torch"])


def run_script(code: str, folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run code as the main module of a process of its own.

    Args:
        code: Python.
        folder: where it runs.
        environment: of the process.

    Returns:
        Its exit status, and what it wrote to both standard streams.
    """
    written = folder / ".written"
    child = CONTEXT.Process(target=_main, args=(code, folder, dict(environment), written))
    child.start()
    child.join()
    text = written.read_text()
    written.unlink()
    return child.exitcode or 0, text


def _main(code: str, folder: Path, environment: dict[str, str], written: Path) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    file = os.open(written, os.O_WRONLY | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.argv = ["-"]
    sys.path.insert(0, "")
    failed = False
    try:
        exec(compile(code, "<stdin>", "exec"), {"__name__": "__main__"})
    except BaseException:
        failed = True
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    if failed:
        sys.exit(1)
