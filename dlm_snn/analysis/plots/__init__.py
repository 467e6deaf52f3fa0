"""Plots of spikes, statistics, weights and answers: one style, axes in ms and Hz, without pyplot and its state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_snn.lazy import exports

_HOME = {
    "save": "saving",
    "styled": "style",
}

__all__ = [
    "save",
    "styled",
]

if TYPE_CHECKING:
    from dlm_snn.analysis.plots.saving import save
    from dlm_snn.analysis.plots.style import styled

__getattr__, __dir__ = exports(__name__, _HOME)
