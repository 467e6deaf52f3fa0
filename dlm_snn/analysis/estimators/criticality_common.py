"""Independent spikes with a common rate: whether they give the same branching ratio as an activity does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.estimators.branching import Branching, branching_ratio
from dlm_snn.analysis.finding import Control, Finding

SMOOTH = 0.25
"""Standard deviation of the Gaussian that smooths the rate of independent spikes, in autocorrelation times."""
COMMON = "common input to independent neurons would give the same m and r_1"


def beside_common_input(
    counts: NDArray[np.float64], found: Branching, rng: np.random.Generator
) -> tuple[tuple[Control, ...], bool]:
    """m and r_1 of independent spikes at the smoothed rate of an activity; and whether these may be what it is.

    They may where m and r_1 are the same, unless the activity's last step says all about the next one, as it does in a
    branching process that is seen whole, and the independent spikes' does not.

    Args:
        counts: (sample, step) spikes per step.
        found: m and r_1 of them, resolved.
        rng: of the spikes and the blocks.
    """
    spikes = independent(counts, found.ratio.value or 0.0, rng)
    alone = branching_ratio(spikes, rng=rng)
    same = _overlap(found.ratio, alone.ratio) and _overlap(found.naive, alone.naive)
    known = earlier(counts)[0] <= 0 < earlier(spikes)[0]
    return told("independent spikes at the same smoothed rate:", alone), same and not known


def earlier(counts: NDArray[np.float64]) -> tuple[float, float]:
    """The 95 % interval of c in A_(t+1) = h + m A_t + c A_(t-1), over steps with A_t > 0.

    c is 0 in a branching process of which all is seen, whatever its drive; spikes with a hidden slow rate, or a part of
    a branching process, have c > 0, since two steps show the rate better than one. Least squares with weights 1 / A_t,
    and the standard error that holds for any variance.
    Source: White 1980, Econometrica 48, 817.

    Returns:
        Lower and upper end; -inf and inf where c cannot be told from m.
    """
    before, now, after = (part.ravel() for part in (counts[:, :-2], counts[:, 1:-1], counts[:, 2:]))
    some = now > 0
    x = np.stack([np.ones(np.count_nonzero(some)), now[some], before[some]], 1)
    weighted = x / now[some, None]
    square = x.T @ weighted
    if np.linalg.matrix_rank(square) < 3:
        return -np.inf, np.inf
    inverse = np.linalg.inv(square)
    fitted = inverse @ (weighted.T @ after[some])
    rest = (after[some] - x @ fitted)[:, None] * weighted
    half = 1.96 * float(np.sqrt((inverse @ (rest.T @ rest) @ inverse)[2, 2]))
    return float(fitted[2]) - half, float(fitted[2]) + half


def independent(counts: NDArray[np.float64], m: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Poisson numbers around counts that are smoothed over a part of their autocorrelation time; (sample, step)."""
    from scipy.ndimage import gaussian_filter1d

    width = max(1.0, SMOOTH / -np.log(np.clip(m, 0.01, 0.999)))
    return rng.poisson(gaussian_filter1d(counts, width, axis=1, mode="reflect")).astype(float)


def told(name: str, found: Branching) -> tuple[Control, ...]:
    """What is resolved of it."""
    rows = (("m", found.ratio), ("r_1", found.naive))
    return tuple(Control(f"{name} {what}", row.value, row.interval) for what, row in rows if row.value is not None)


def _overlap(one: Finding, other: Finding) -> bool:
    """Whether the intervals meet; a control's interval counts with its doubts too."""
    if one.interval is None or other.interval is None:
        return False
    return one.interval[0] <= other.interval[1] and other.interval[0] <= one.interval[1]
