"""Whether weights are in their steady state, for use as a library: equipartition of one run, with its interval.

    <|grad L|^2> = T <tr H>        for the density exp(-L / T), any smooth L that confines

The overdamped form with a step h has <|grad L|^2> / (T tr H) = sum k / (1 - h k / 2) / sum k on a quadratic of the
curvatures k: a little above 1. Source: integration by parts; see Huang, Statistical Mechanics, section 6.4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.errors import DlmError
from dlm_snn.runs.metrics import confidence_95
from dlm_snn.values import as_floats

BLOCKS = 20
"""Parts of a run whose means are compared."""
CHANCE = 0.005
"""Of calling a steady run a drift."""
CORRELATED = 0.35
"""Correlation of neighboring blocks from which on the run is too short to know its own error."""


@dataclass(frozen=True)
class Equipartition:
    """Whether a run is steady, and how its kinetic temperature compares with T.

    Attributes:
        ratio: <|grad L|^2> / (T <tr H>); 1 in equilibrium, as h goes to 0.
        interval: 95 %, from the means of BLOCKS parts of the run; wider where neighboring ones are correlated.
        drift: rank correlation of these means with time.
        correlation: of neighboring ones.
        doubts: why the interval is not to be believed, a line each; empty where it is.
    """

    ratio: float
    interval: tuple[float, float]
    drift: float
    correlation: float
    doubts: tuple[str, ...]

    @property
    def equilibrium(self) -> bool:
        """Whether the run is steady and T inside the interval."""
        return not self.doubts and self.interval[0] <= 1 <= self.interval[1]

    def __str__(self) -> str:
        low, high = self.interval
        told = f"<|g|^2> / (T tr H) = {self.ratio:.4g} [{low:.4g}, {high:.4g}]"
        return f"{told}, not resolved ({'; '.join(self.doubts)})" if self.doubts else told


def equipartition(squares: ArrayLike, traces: ArrayLike, temperature: float) -> Equipartition:
    """The kinetic temperature of one run over T.

    Args:
        squares: |grad L|^2 along the run, (step,), after what it needs to become steady.
        traces: tr H, (step,): at the same steps or at fewer, evenly over the run; a number where it is constant. See
            ``thermodynamics.hutchinson_trace``.
        temperature: T > 0 of the run.

    Raises:
        DlmError: fewer values than BLOCKS, values that are not finite, a trace or a T that is not positive.
    """
    if not (math.isfinite(temperature) and temperature > 0):
        raise DlmError(f"temperature = {temperature}: equipartition needs T > 0")
    g, trace = (_blocks(given, name) for given, name in ((squares, "squares"), (traces, "traces")))
    scale = temperature * trace.mean()
    if not scale > 0:
        raise DlmError(f"the mean of traces is {trace.mean():g}; equipartition needs a loss that is convex in the mean")
    ratio = float(g.mean() / scale)
    # To first order in the blocks' deviations a ratio of means varies as this mean does.
    blocks = ratio + (g - ratio * temperature * trace) / scale
    _, half = confidence_95(blocks)
    away = blocks - blocks.mean()
    spread = float((away**2).sum())
    correlation = float((away[1:] * away[:-1]).sum()) / spread if spread else 0.0
    # As of an autoregressive series of first order.
    known = min(max(correlation, 0.0), CORRELATED)
    half *= math.sqrt((1 + known) / (1 - known))
    drift = _rank_correlation(blocks) if spread else 0.0
    doubts = _doubts(blocks, drift, correlation) if spread else ()
    return Equipartition(ratio, (ratio - half, ratio + half), drift, correlation, doubts)


def _rank_correlation(blocks: NDArray[np.float64]) -> float:
    """Spearman's, with time."""
    return float(np.corrcoef(blocks.argsort().argsort(), np.arange(len(blocks)))[0, 1])


def _blocks(given: ArrayLike, name: str) -> NDArray[np.float64]:
    """Means of BLOCKS equal parts."""
    values = as_floats(given, name)
    values = np.full(BLOCKS, values) if values.ndim == 0 else values
    if values.ndim != 1 or len(values) < BLOCKS or not np.isfinite(values).all():
        raise DlmError(f"{name} has shape {values.shape}; give (step,) finite numbers, at least {BLOCKS}")
    return np.array([part.mean() for part in np.array_split(values, BLOCKS)])


def _doubts(blocks: NDArray[np.float64], drift: float, correlation: float) -> tuple[str, ...]:
    from scipy.stats import t

    found = []
    others = blocks[1:]
    first = (blocks[0] - others.mean()) / (others.std(ddof=1) * math.sqrt(1 + 1 / len(others)))
    trend = drift * math.sqrt((BLOCKS - 2) / max(1 - drift**2, 1e-12))
    if abs(first) > t.ppf(1 - CHANCE / 2, BLOCKS - 2) or abs(trend) > t.ppf(1 - CHANCE / 2, BLOCKS - 2):
        found.append("the run drifts; leave out more of its start, or run on")
    if correlation > CORRELATED:
        found.append(f"neighboring parts of the run are correlated ({correlation:.2f}); run longer")
    return tuple(found)
