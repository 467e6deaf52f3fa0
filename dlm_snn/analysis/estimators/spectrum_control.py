"""Slopes of a trained network that does not spike: what any slope of ours is read beside."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from dlm_snn.analysis.finding import Control

ROWS = Path(__file__).with_name("trained_control.json")
"""Made by ``python -m benchmarks.trained_control``, which says what was trained; its head names commit and seeds."""


@cache
def trained_controls() -> tuple[Control, ...]:
    """The slopes of a trained ReLU network's series, with the interval in which 95 % of its seeds lie."""
    if not ROWS.exists():
        return ()
    rows = json.loads(ROWS.read_text())["rows"]
    return tuple(Control(row["name"], row["slope"], tuple(row["interval"])) for row in rows)
