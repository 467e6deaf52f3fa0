"""What spike rasters say: statistics, estimators with intervals and controls, plots, a viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_snn.lazy import exports

_HOME = {
    "Control": "finding",
    "Finding": "finding",
    "raster_of": "taking",
    "rasters_of": "taking",
}

__all__ = [
    "Control",
    "Finding",
    "raster_of",
    "rasters_of",
]

if TYPE_CHECKING:
    from dlm_snn.analysis.finding import Control, Finding
    from dlm_snn.analysis.taking import raster_of, rasters_of

__getattr__, __dir__ = exports(__name__, _HOME)
