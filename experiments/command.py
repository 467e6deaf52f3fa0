"""Runs a module of experiments as a command: bad input is one line and exit code 2, as of ``dlm-snn``."""

from __future__ import annotations

import sys
from collections.abc import Callable

from dlm_snn.errors import DlmError


def command(main: Callable[[], None]) -> None:
    """Run ``main`` and end the process with 2 where it refuses its input."""
    try:
        main()
    except DlmError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
