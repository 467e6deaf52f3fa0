"""What the folder of a continual experiment holds."""

from __future__ import annotations

import json
from pathlib import Path

from dlm_snn.continual.figures import MATRIX
from dlm_snn.files.layouts import FileKind, FolderKind, text_file


def _has_row(path: Path) -> bool:
    with path.open("rb") as file:
        first = file.readline(2**20)
    try:
        row = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(row, dict) and {"config", "figures"} <= row.keys()


_TABLE = text_file("a report", begins="<!DOCTYPE html>", holds="<title>Continual learning:")
_ROWS = FileKind("results", _has_row)
LEARNED = FolderKind(
    "a report of learning",
    {"rows.jsonl": _ROWS, "matrix-*.csv": MATRIX, "report.html": _TABLE},
    ("rows.jsonl", _ROWS),
)
