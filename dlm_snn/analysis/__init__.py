"""What spike rasters say: statistics, estimators with intervals and controls, plots, a viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_snn.lazy import exports

_HOME = {
    "Control": "finding",
    "Finding": "finding",
    "Labels": "viewer.page",
    "Membrane": "viewer.membranes",
    "raster_of": "taking",
    "rasters_of": "taking",
    "view": "viewer.page",
}

__all__ = [
    "Control",
    "Finding",
    "Labels",
    "Membrane",
    "raster_of",
    "rasters_of",
    "view",
]

if TYPE_CHECKING:
    from dlm_snn.analysis.finding import Control, Finding
    from dlm_snn.analysis.taking import raster_of, rasters_of
    from dlm_snn.analysis.viewer.membranes import Membrane
    from dlm_snn.analysis.viewer.page import Labels, view

__getattr__, __dir__ = exports(__name__, _HOME)
