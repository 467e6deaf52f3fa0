"""Runs a module of experiments as a command: with the one line and the exit codes of ``dlm-snn``."""

from __future__ import annotations

import sys
from collections.abc import Callable

from dlm_snn.cli import guarded


def command(main: Callable[[], None]) -> None:
    """Run ``main`` and end the process as ``dlm-snn`` does."""

    def work() -> int:
        main()
        return 0

    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    sys.exit(guarded(work, debug))
