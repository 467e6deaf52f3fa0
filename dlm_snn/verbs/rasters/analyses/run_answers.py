"""What a run keeps of its test set beside the rasters: labels and images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlm_snn.runs.answers import Answers


def answers_of(path: Path) -> Answers | None:
    """The answers of the run at a path; None where it is no run, or keeps none."""
    from dlm_snn.runs.run_folder import is_run, read_run

    return read_run(path).answers if is_run(path) else None
