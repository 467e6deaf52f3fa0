"""The run of a bundle on a board: its own script, in an interpreter of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from dlm_snn.errors import MissingError
from dlm_snn.processes.child import environment
from hardware.loihi2.board import missing
from hardware.loihi2.bundle import SCRIPT


def check_board(host: str | None, validated: str) -> None:
    """Refuse where there is nothing to run on.

    Args:
        host: the address of a board, or None.
        validated: what was found to be in order nevertheless.

    Raises:
        MissingError: one line: what is missing, and what was validated.
    """
    lacking = missing(host)
    if lacking is not None:
        raise MissingError(
            f"cannot deploy to a Loihi 2: {lacking}. Validated: {validated}; --dry-run writes the bundle for somebody "
            "who has one"
        )


def run_bundle(folder: Path, settings: Mapping[str, str | int | None]) -> int:
    """Run the script of a bundle on a board; what it prints goes where ours goes.

    Args:
        folder: of the bundle.
        settings: options of the script; None: left out.

    Returns:
        Its exit code: 0: no spike differs; 1: some do; 2: it could not run.
    """
    words = [word for name, value in settings.items() if value is not None for word in (f"--{name}", str(value))]
    command = [sys.executable, str(folder / SCRIPT), "--target", "loihi2", *words]
    code = subprocess.run(command, env=environment(), check=False).returncode
    return code if code in (0, 1) else 2
