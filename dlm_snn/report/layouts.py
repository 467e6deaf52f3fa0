"""What the folders of a run and of a continual experiment hold."""

from __future__ import annotations

import json
from pathlib import Path

from dlm_snn.continual.figures import MATRIX
from dlm_snn.files.layouts import FileKind, FolderKind, text_file
from dlm_snn.provenance import RECORD, RECORD_KIND
from dlm_snn.runs.raster_files import RASTER
from dlm_snn.runs.recording_files import TRACES


def _has_row(path: Path) -> bool:
    with path.open("rb") as file:
        first = file.readline(2**20)
    try:
        row = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(row, dict) and {"config", "figures"} <= row.keys()


REPORT = text_file("a report", begins="<!DOCTYPE html>", holds="<title>Run report")
_TABLE = text_file("a report", begins="<!DOCTYPE html>", holds="<title>Continual learning:")
_ROWS = FileKind("results", _has_row)
RUN = FolderKind(
    "a run",
    {
        RECORD: RECORD_KIND,
        "config.yaml": None,
        "metrics.json": None,
        "network.json": None,
        "network.safetensors": None,
        "integer.json": None,
        "integer.safetensors": None,
        "traces.npz": TRACES,
        "rasters/*/*.npz": RASTER,
        "report.html": REPORT,
    },
    (RECORD, RECORD_KIND),
)
LEARNED = FolderKind(
    "a report of learning",
    {"rows.jsonl": _ROWS, "matrix-*.csv": MATRIX, "report.html": _TABLE},
    ("rows.jsonl", _ROWS),
)
