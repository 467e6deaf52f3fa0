"""Avalanche sizes and durations with their power laws, and the regressions behind a branching ratio."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlm_snn.analysis.plots.style import MUTED, color_of, drawing
from dlm_snn.errors import how_many

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dlm_snn.analysis.estimators.avalanches_cut import Avalanches
    from dlm_snn.analysis.estimators.avalanches_exponents import Exponents
    from dlm_snn.analysis.estimators.branching import Branching


def draw_avalanches(found: Avalanches, exponents: Exponents, ax: Axes | None = None) -> Axes:
    """Share of avalanches at least so large, and at least so long, with the fitted laws.

    Args:
        found: the avalanches.
        exponents: of them.
        ax: where to draw; a new figure where None.

    Returns:
        The Axes.
    """
    told = (("size", found.size, exponents.size), ("duration", found.duration, exponents.duration))
    with drawing(ax) as axes:
        if not len(found):
            axes.text(0.5, 0.5, "no avalanches", transform=axes.transAxes, ha="center", color=MUTED)
            return axes
        for place, ((name, values, finding), tail) in enumerate(zip(told, exponents.tails, strict=True)):
            x, counts = np.unique(values, return_counts=True)
            share = counts[::-1].cumsum()[::-1] / values.size
            label = f"{name}, exponent " + ("not resolved" if finding.value is None else f"{finding.value:.2f}")
            axes.loglog(x, share, ".", markersize=3, color=color_of(place), label=label)
            if finding.value is not None:
                ends = np.geomspace(tail.xmin, min(tail.xmax, tail.largest), 50)
                start = share[np.searchsorted(x, tail.xmin)]
                axes.loglog(ends, start * (ends / tail.xmin) ** (1 - tail.alpha), color=color_of(place))
        axes.set_xlabel(f"size (spikes) or duration (bins of {how_many(found.width, 'steps')})")
        axes.set_ylabel("share at least so large")
        axes.legend()
    return axes


def draw_branching(found: Branching, ax: Axes | None = None) -> Axes:
    """r_k over the lag k, and the decay b m^k through them.

    Args:
        found: what ``branching_ratio`` returned.
        ax: where to draw; a new figure where None.

    Returns:
        The Axes.
    """
    with drawing(ax) as axes:
        axes.axhline(0, color=MUTED, linewidth=0.7)
        if found.lags.size and found.ratio.estimate is not None:
            axes.plot(found.lags, found.regression, "o", markersize=3, color=color_of(0), label="regression r_k")
            told = "not resolved" if found.ratio.value is None else f"{found.ratio.value:.3g}"
            k = np.linspace(1, found.lags[-1], 200)
            axes.plot(k, found.seen * found.ratio.estimate**k, color=color_of(1), label=f"b m^k, m {told}")
            axes.legend()
        axes.set_xlabel("lag k (steps)")
        axes.set_ylabel("r_k")
    return axes
