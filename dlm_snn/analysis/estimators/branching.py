"""The branching ratio by the multistep regression estimator, which does not mind that few neurons are seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.estimators.branching_fit import Decay, block_sums, decay, regression
from dlm_snn.analysis.estimators.spectrum_slope import as_series, student
from dlm_snn.analysis.estimators.spectrum_steady import doubts_of_stationarity
from dlm_snn.analysis.finding import Control, Finding
from dlm_snn.errors import how_many
from dlm_snn.values import check_generator

DRAWS = 400
FEWEST_BLOCKS, MOST_BLOCKS = 12, 200
FEWEST_LAGS, LONGEST = 8, 20_000
"""Fewest lags that are fitted, and the longest."""
REACH = 5
"""Autocorrelation times over which the lags reach."""
WIDER = 1.15
"""Blocks that are drawn again keep the lags that were chosen. Over 160 seeds of m = .98 the estimates scatter 1.1 times
as much as their draws, and 145 intervals held m; lengthened by this, 151."""
LONG = 3
"""Least length of a block, in units of the longest lag."""
WIDEST = 0.5
"""Longest interval of a ratio that says anything."""
TRIALS = 10
"""Samples from which on the course that they share can be told from what each does by itself."""
OFFSET = 0.1
"""Least share of b that matters: what r_k keeps at long lags, or by which it misses b m^k."""
CHANCE = 0.01
"""Exponential decays that may be taken for none."""
ESTIMATOR = "multistep regression r_k = b m^k (Wilting and Priesemann 2018), block bootstrap"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Branching:
    """How activity follows from activity.

    Attributes:
        ratio: m, spikes that one spike causes on average, of all that are there, seen or not.
        naive: r_1, the regression on the step before; too small by the factor b where not all neurons are seen.
        lags: (lag,) in steps.
        regression: (lag,) r_k.
        seen: b of the fit: 1 where everything is seen, and without noise.
    """

    ratio: Finding
    naive: Finding
    lags: NDArray[np.int64]
    regression: Floats
    seen: float

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The rows of a table."""
        return self.ratio, self.naive


def branching_ratio(activity: Any, *, rng: np.random.Generator) -> Branching:
    """The branching ratio m of <A_(t+1) | A_t> = m A_t + h, from all or from a part of the activity.

    r_k is the slope of the linear regression of A_(t+k) on A_t. If a part of the activity is seen, r_k = b m^k with an
    unknown b <= 1: m is what all lags have in common. The lags reach over five autocorrelation times. Blocks of the
    series that are at least three times as long are drawn again, 400 times; the standard deviation of log(1 - m) over
    the draws, times the quantile of Student's t and 1.15 for the choice of the lags, is half the interval.
    Source: Wilting and Priesemann 2018, Nature Communications 9, 2325.

    Args:
        activity: (step,) or (sample, step): spikes per step, of the population or the part of it that is seen.
        rng: of the blocks.

    Returns:
        m and r_1. m is not resolved where the activity is constant, too short for its autocorrelation time, not
        stationary, not correlated, where r_k does not go to 0 or is no exponential, as under a periodic drive, or where
        10 samples or more share a course, such as the answer to a stimulus, and m is another one without it: the
        control.

    Raises:
        DlmError: another shape, values that are not finite.
    """
    check_generator(rng)
    values = as_series(activity, "activity")
    size = {"samples": values.shape[0], "steps": values.shape[1]}
    if np.ptp(values) == 0 or values.shape[1] < 5 * FEWEST_LAGS:
        few = f"too few steps: {values.shape[1]} per sample, at least {5 * FEWEST_LAGS} are needed"
        why = f"the activity is constant at {values.flat[0]:g}" if np.ptp(values) == 0 else few
        return Branching(
            _m(None, None, size, (why,)), _r1(None, None, size, (why,)), np.zeros(0, int), np.zeros(0), 0.0
        )
    return _measured(values, size, rng)


def _measured(values: Floats, size: dict[str, int], rng: np.random.Generator, shared: bool = True) -> Branching:
    lags = _lags(values)
    sums = block_sums(values, lags, _length(values, lags))
    fit = decay(lags, regression(sums.sum(0)))
    drawn = decay(lags, regression(_redrawn(sums, rng)))
    t = student(len(sums))
    # On this scale the interval of m has the length that the autocorrelation time gives it, and may pass 1 a little.
    width = WIDER * t * float(np.std(np.log(_away(drawn.m)), ddof=1))
    low, high = (max(EDGE - float(_away(fit.m)) * np.exp(sign * width), -1.0) for sign in (1, -1))
    r1, error = float(fit.regression[0]), t * float(drawn.regression[:, 0].std(ddof=1))
    doubts = (*_doubts(fit, drawn, lags, len(sums)), *_wide(low, high), *doubts_of_stationarity(values, rng))
    told = {**size, "lags": lags.size, "blocks": len(sums)}
    ratio = _m(float(fit.m), (low, high), told, doubts, (_shuffled(values, rng),))
    if shared and len(values) >= TRIALS:
        ratio = _beside_the_rest(ratio, values, size, rng)
    few = tuple(doubt for doubt in doubts if doubt.startswith("too few"))
    return Branching(ratio, _r1(r1, (r1 - error, r1 + error), told, few), lags, fit.regression, float(fit.b))


def _beside_the_rest(ratio: Finding, values: Floats, size: dict[str, int], rng: np.random.Generator) -> Finding:
    """m with that of the activity around its mean over samples as a control, and a doubt where that is another one."""
    around = values - values.mean(0)
    if np.ptp(around) == 0:
        return replace(ratio, doubts=(*ratio.doubts, "all samples are the same"))
    rest = _measured(around, size, rng, shared=False).ratio
    why = "a drive that all samples share, such as a stimulus, makes this m: "
    if any(doubt.startswith(UNCORRELATED) for doubt in rest.doubts):
        return replace(ratio, doubts=(f"{why}without their mean course nothing is correlated", *ratio.doubts))
    if rest.value is None or rest.interval is None or ratio.interval is None:
        return ratio
    controls = (*ratio.controls, Control("m without the mean course of the samples", rest.value, rest.interval))
    (low, high), (least, most) = ratio.interval, rest.interval
    other = (f"{why}without their mean course it is {rest.value:.3g}",) if most < low or high < least else ()
    return replace(ratio, controls=controls, doubts=(*other, *ratio.doubts))


UNCORRELATED = "no correlation"
EDGE = 1.01
"""Largest m of the grid: log(EDGE - m) is the scale of the interval."""


def _away(m: Floats) -> Floats:
    return np.maximum(EDGE - m, 1e-4)


def _lags(values: Floats) -> NDArray[np.int64]:
    """1 .. some autocorrelation times, found by fitting again until they fit."""
    most = max(FEWEST_LAGS, min(LONGEST, values.shape[1] // 4, values.size // (LONG * FEWEST_BLOCKS)))
    reach = min(20, most)
    for _ in range(4):
        lags = _spread(reach)
        m = float(decay(lags, regression(block_sums(values, lags, values.shape[1]).sum(0))).m)
        wanted = most if m >= 1 else int(np.clip(np.ceil(-REACH / np.log(m)), FEWEST_LAGS, most))
        if wanted == reach:
            break
        reach = wanted
    return _spread(reach)


def _spread(reach: int) -> NDArray[np.int64]:
    """Every lag up to a few, then fewer and fewer."""
    return np.unique(np.concatenate([np.arange(1, min(reach, 20) + 1), np.geomspace(1, reach, 60).round().astype(int)]))


def _length(values: Floats, lags: NDArray[np.int64]) -> int:
    """Steps of a block: three times the lags, since neighbors share pairs, and not more than 200 blocks."""
    return min(values.shape[1], max(LONG * int(lags[-1]), -(-values.size // MOST_BLOCKS)))


def _redrawn(sums: Floats, rng: np.random.Generator) -> Floats:
    """Sums over blocks drawn with replacement; (draw, lag, 5)."""
    n = len(sums)
    weight = rng.multinomial(n, np.full(n, 1 / n), size=DRAWS).astype(float)
    return (weight @ sums.reshape(n, -1)).reshape(DRAWS, *sums.shape[1:])


def _doubts(fit: Decay, drawn: Decay, lags: NDArray[np.int64], blocks: int) -> list[str]:
    doubts = []
    if blocks < FEWEST_BLOCKS:
        doubts.append(
            f"too few steps: {how_many(blocks, 'blocks')} of {lags[-1]} lags, at least {FEWEST_BLOCKS} are needed"
        )
    time = np.inf if fit.m >= 1 else -1 / np.log(fit.m)
    if time > lags[-1]:
        doubts.append(
            f"r_k does not decay within {lags[-1]} steps: the rate drifts, differs from sample to sample, or remembers "
            "for longer than a sample shows"
        )
    first = drawn.regression[:, :FEWEST_LAGS].mean(1)
    if abs(fit.regression[:FEWEST_LAGS].mean()) < 2 * first.std(ddof=1):
        doubts.append(f"{UNCORRELATED}: r_1 = {fit.regression[0]:.3f}, and the lags after it, are within chance of 0")
    elif fit.b <= 0:
        doubts.append(
            f"r_1 = {fit.regression[0]:.3f}: more activity is followed by less, and no spike causes less than 0"
        )
    elif abs(fit.rest) > max(3 * drawn.rest.std(ddof=1), OFFSET * abs(float(fit.b))):
        source = (
            "a slow drive or samples of different rates" if fit.rest > 0 else "a drive that comes back, like a wave"
        )
        doubts.append(f"r_k does not go to 0 but to {fit.rest:.2g}: {source}")
    elif _no_exponential(fit, drawn, lags):
        most = float(np.abs(fit.missed(lags)).max())
        doubts.append(
            f"r_k is no exponential: it misses {fit.b:.2g} x {fit.m:.3g}^k by {most:.2g}, more than by chance"
        )
    return doubts


def _no_exponential(fit: Decay, drawn: Decay, lags: NDArray[np.int64]) -> bool:
    """Whether r_k misses b m^k by more than the draws do, and by enough to matter.

    X = sum_k (e_k / sd e_k)^2 of e_k = r_k - b m^k; the draws' is taken around their mean, which has what r_k misses.
    """
    missed, chance = fit.missed(lags), drawn.missed(lags)
    spread = np.maximum(chance.std(0, ddof=1), 1e-300)
    around = np.sum(((chance - chance.mean(0)) / spread) ** 2, -1)
    rare = np.mean(around >= np.sum((missed / spread) ** 2)) <= CHANCE
    return bool(rare and np.abs(missed).max() > OFFSET * abs(float(fit.b)))


def _wide(low: float, high: float) -> list[str]:
    return [f"too wide: the interval goes from {low:.2g} to {high:.2g}"] if high - low > WIDEST else []


def _shuffled(values: Floats, rng: np.random.Generator) -> Control:
    """r_1 of the same steps in random order."""
    steps = rng.permuted(values, axis=1)
    one = block_sums(steps, np.array([1]), steps.shape[1]).sum(0)
    return Control("r_1 of shuffled steps", float(regression(one)[0]))


def _m(
    m: float | None,
    interval: tuple[float, float] | None,
    size: dict[str, int],
    doubts: tuple[str, ...],
    controls: tuple[Control, ...] = (),
) -> Finding:
    return Finding("branching ratio m", m, interval, "", ESTIMATOR, size, controls, doubts)


def _r1(
    r: float | None, interval: tuple[float, float] | None, size: dict[str, int], doubts: tuple[str, ...]
) -> Finding:
    how = "regression on the step before: m only where all neurons are seen"
    return Finding("r_1, one-step regression", r, interval, "", how, size, (), doubts)
