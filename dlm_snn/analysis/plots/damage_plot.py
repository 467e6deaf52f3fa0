"""How the distance of twins grows or dies out after one spike was flipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlm_snn.analysis.plots.style import COLORS, MUTED, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dlm_snn.analysis.estimators.damage import Damage

MIDDLE = (0.05, 0.95)
"""Quantiles of the flips that the band holds."""


def draw_damage(damage: Damage, ax: Axes | None = None) -> Axes:
    """Neurons that differ between twins over the steps since the flip: the mean, and where 90 % of the flips lie.

    Args:
        damage: of ``damage_spreading``.
        ax: where to draw; None: in a figure of its own.

    Raises:
        DlmError: ``ax`` is no Axes.
    """
    steps = np.arange(damage.distance.shape[1])
    low, high = np.quantile(damage.distance, MIDDLE, axis=0)
    with drawing(ax) as axes:
        axes.fill_between(steps, low, high, color=COLORS[0], alpha=0.2, linewidth=0, label="90 % of the flips")
        axes.plot(steps, damage.distance.mean(0), color=COLORS[0], label="mean")
        axes.axhline(damage.unrelated, color=MUTED, linestyle="--", linewidth=0.9, label="unrelated twins")
        axes.set_xlabel("steps since the flip")
        axes.set_ylabel("neurons that differ")
        axes.set_ylim(bottom=0)
        axes.legend()
    return axes
