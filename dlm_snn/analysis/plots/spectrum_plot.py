"""A spectral density in logarithms, with the line whose slope was measured and the floor of white noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlm_snn.analysis.plots.style import INK, MUTED, RULE, color_of, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dlm_snn.analysis.estimators.spectrum_slope import Spectrum

SHOWN = 2000
"""Frequencies that are drawn at most, the same number per decade."""


def draw_spectrum(found: Spectrum, ax: Axes | None = None, unit: str = "1 / Hz") -> Axes:
    """Welch's density, the bins that the line goes through, the line, and the floor.

    Args:
        found: what ``spectrum`` or ``raster_spectrum`` returned.
        ax: where to draw; a new figure where None.
        unit: of the density.

    Returns:
        The Axes.
    """
    with drawing(ax) as axes:
        shown = _spread(found.frequency.size)
        if not found.power.any():
            axes.text(0.5, 0.5, "constant", transform=axes.transAxes, ha="center", color=MUTED)
            return axes
        axes.loglog(found.frequency[shown], found.power[shown], color=RULE, linewidth=1, label="density")
        if found.floor:
            axes.axhline(found.floor, color=MUTED, linestyle=":", label="white floor of spikes")
        axes.loglog(found.binned_frequency, found.binned_power, "o", color=INK, markersize=3, label="bins")
        if any(found.line):
            ends = np.array(found.band)
            told = found.slope.value
            label = "slope not resolved" if told is None else f"slope {told:.2f}"
            axes.loglog(ends, 10 ** (found.line[0] + found.line[1] * np.log10(ends)), color=color_of(1), label=label)
        axes.set_xlabel("frequency (Hz)")
        axes.set_ylabel(f"density ({unit})")
        axes.legend()
    return axes


def _spread(size: int) -> np.ndarray:
    return np.unique(np.geomspace(1, max(size, 1), SHOWN).astype(int)) - 1 if size else np.zeros(0, dtype=int)
