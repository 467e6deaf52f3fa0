"""The HTML report of a run."""

from __future__ import annotations

from pathlib import Path


def write_report(folder: Path, place: Path | None = None) -> Path:
    """Write ``report.html``, one self-contained page, into a finished run folder.

    Args:
        folder: with ``metrics.json``, ``record.json`` and ``config.yaml``; networks, rasters and traces are shown
            where they are there.
        place: where the folder will lie, which the commands on the page name as seen from the current folder; None:
            where it is.

    Returns:
        The path of the page.

    Raises:
        MissingError: the folder or one of the three files is missing.
        DlmError: a file is truncated, or holds something else.
    """
    from dlm_snn.report.page import write

    return write(Path(folder), place)
