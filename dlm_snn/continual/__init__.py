"""What a continual run is and says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_snn.lazy import exports

_HOME = {
    "ContinualFigures": "figures",
    "ContinualRow": "row",
    "Course": "course",
    "continual_figures": "figures",
    "excess_forgetting": "figures",
    "learn_jointly": "course",
    "learn_tasks": "course",
    "matrix_csv": "figures",
    "setting_of": "course",
}

__all__ = [
    "ContinualFigures",
    "ContinualRow",
    "Course",
    "continual_figures",
    "excess_forgetting",
    "learn_jointly",
    "learn_tasks",
    "matrix_csv",
    "setting_of",
]

if TYPE_CHECKING:
    from dlm_snn.continual.course import Course, learn_jointly, learn_tasks, setting_of
    from dlm_snn.continual.figures import ContinualFigures, continual_figures, excess_forgetting, matrix_csv
    from dlm_snn.continual.row import ContinualRow

__getattr__, __dir__ = exports(__name__, _HOME)
