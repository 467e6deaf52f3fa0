"""Continual rows that no learner made."""

from __future__ import annotations

from typing import Any

from dlm_snn.continual.row import ContinualRow, RowFigures, Told
from dlm_snn.learning.learner import Declaration


def made_row(**changes: Any) -> ContinualRow:
    """A row that says nothing, but for what is given."""
    values: dict[str, Any] = {
        **{"protocol": "split-clusters/class/online", "variant": "a", "learner": "kept", "options": {}, "seed": 0},
        **{"validation": False, "joint": False, "config": "0" * 16, "date": "2026-11-30", "commit": "abc"},
        **{"machine": "here", "declaration": Declaration(), "told": Told(False, False), "beyond_protocol": ()},
        **{"figures": RowFigures.of([[0.5]], 0.0, {"training": 1.0, "test": 1.0}), "info": {}},
    }
    return ContinualRow(**{**values, **changes})
