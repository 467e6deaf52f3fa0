"""Plots of spikes, statistics, weights and answers: one style, axes in ms and Hz, without pyplot and its state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_snn.lazy import exports

_HOME = {
    "activity": "time_plot",
    "confusion": "answer_plot",
    "correlogram": "correlogram_plot",
    "isi": "histogram_plot",
    "psth": "time_plot",
    "raster": "raster_plot",
    "rates": "histogram_plot",
    "save": "saving",
    "styled": "style",
    "voltages": "voltage_plot",
    "weights": "weight_plot",
}

__all__ = [
    "activity",
    "confusion",
    "correlogram",
    "isi",
    "psth",
    "raster",
    "rates",
    "save",
    "styled",
    "voltages",
    "weights",
]

if TYPE_CHECKING:
    from dlm_snn.analysis.plots.answer_plot import confusion
    from dlm_snn.analysis.plots.correlogram_plot import correlogram
    from dlm_snn.analysis.plots.histogram_plot import isi, rates
    from dlm_snn.analysis.plots.raster_plot import raster
    from dlm_snn.analysis.plots.saving import save
    from dlm_snn.analysis.plots.style import styled
    from dlm_snn.analysis.plots.time_plot import activity, psth
    from dlm_snn.analysis.plots.voltage_plot import voltages
    from dlm_snn.analysis.plots.weight_plot import weights

__getattr__, __dir__ = exports(__name__, _HOME)
