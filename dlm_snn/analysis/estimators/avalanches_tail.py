"""The exponent of a discrete power law between two ends, with an interval, and what else would fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.estimators._tail_compiled import EXPLICIT, STEEPEST, best_alpha, beyond, closest, scaled_sum
from dlm_snn.analysis.estimators.avalanches_rivals import likelihood_ratios
from dlm_snn.errors import how_many

FEWEST = 200
"""Values between the ends, below which there is no exponent."""
DECADES = 1.0
"""Least width of the range that a power law is seen over."""
SURE = 0.1
"""p below which one of two distributions is better, or a fit is poor (Clauset, Shalizi and Newman 2009)."""
LIKELIHOOD = 1.9207
"""Loss of log likelihood at the ends of a 95 % interval: half the quantile of chi^2 with one degree of freedom."""

DRAWN = 100
"""Most draws for the goodness of fit."""
WORSE = 10
"""Draws that fit worse than the data, from which on p is known to be .1 or more (Besag and Clifford 1991)."""
MOST = 20_000
"""Values whose fit is tested, at random of more: enough to see a hundredth in the cumulative distribution."""
FARTHEST = 2**62
"""Values that are drawn are no larger."""
TRIED = 40
"""Lower ends that are tried at most."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Tail:
    """A power law P(x) ~ x^-alpha, xmin <= x <= xmax.

    Attributes:
        alpha: by maximum likelihood.
        interval: 95 %, where the log likelihood has lost less than 1.92; for these ends.
        xmin, xmax: the ends; xmax is infinite where there is no cap.
        n: values between them.
        largest: the largest of them.
        ratios: name of another distribution -> log likelihood ratio (above 0: the power law is better) and its p.
        fit: p of the goodness of fit, the share of draws from the power law that lie further from it; None: not asked.
    """

    alpha: float
    interval: tuple[float, float]
    xmin: int
    xmax: float
    n: int
    largest: int
    ratios: dict[str, tuple[float, float]]
    fit: float | None = None

    @property
    def doubts(self) -> list[str]:
        """Why the exponent says nothing."""
        found = []
        if self.n < FEWEST:
            found.append(f"too few: {how_many(self.n, 'values')} from {self.xmin} on, at least {FEWEST} are needed")
        elif np.log10(self.largest / self.xmin) < DECADES:
            found.append(f"the power law is seen from {self.xmin} to {self.largest} only, less than a decade")
        for name, (ratio, p) in self.ratios.items():
            # The others may have a parameter more, which gains half a log n by chance (Schwarz 1978).
            if ratio < -0.5 * np.log(self.n) and p < SURE:
                found.append(f"no power law: {name} fits better (log likelihood ratio {ratio:.1f}, p = {p:.2g})")
        if self.fit is not None and self.fit < SURE:
            found.append(f"poor fit: a share of {self.fit:.2g} of draws from the power law lies as far from it")
        return found


def tail_of(
    values: NDArray[np.int64],
    xmin: int | None = None,
    xmax: float = np.inf,
    compare: bool = True,
    rng: np.random.Generator | None = None,
) -> Tail:
    """Fit a discrete power law; without xmin the one with the least Kolmogorov-Smirnov distance, of those that leave
    at least ``FEWEST`` values.

    alpha and its interval come from the likelihood, -alpha sum ln x - n ln sum_(x = xmin .. xmax) x^-alpha. It is
    compared with an exponential and a lognormal distribution, and with draws from itself.
    Source: Clauset, Shalizi and Newman 2009, SIAM Review 51, 661.

    Args:
        values: whole numbers from 1 on.
        xmin: the lower end.
        xmax: the upper end; give it where what made the values, or the window, cuts them off.
        compare: whether to compare with other distributions.
        rng: of the draws for the goodness of fit; None: without it.
    """
    values = values[values <= xmax]
    low = (_closest(values, None, xmax)[0] if values.size else 1) if xmin is None else xmin
    kept = values[values >= low]
    alpha, interval = exponent(kept, low, xmax)
    enough = kept.size >= FEWEST and np.unique(kept).size > 2
    ratios = _ratios(kept, alpha, low, xmax) if compare and enough else {}
    fit = goodness_of_fit(values, xmin, xmax, rng) if rng is not None and enough else None
    return Tail(alpha, interval, low, xmax, kept.size, int(kept.max(initial=low)), ratios, fit)


def exponent(values: NDArray[np.int64], xmin: int, xmax: float) -> tuple[float, tuple[float, float]]:
    """alpha of maximum likelihood with its 95 % interval by the likelihood's profile; NaN without two values."""
    from scipy.optimize import brentq

    n = values.size
    if n < 2 or values.max() == xmin:
        return np.nan, (np.nan, np.nan)
    mean = float(np.log(values).mean())
    best = best_exponent(mean, xmin, xmax)

    def lost(alpha: float) -> float:
        return n * (_cost(alpha, mean, xmin, xmax) - _cost(best, mean, xmin, xmax)) - LIKELIHOOD

    lowest = _lowest(xmax)
    low = brentq(lost, lowest, best) if lost(lowest) > 0 else lowest
    high = brentq(lost, best, STEEPEST) if lost(STEEPEST) > 0 else STEEPEST
    return best, (float(low), float(high))


def _cost(alpha: float, mean: float, xmin: int, xmax: float) -> float:
    """Minus the log likelihood of one value, for the mean of ln x."""
    return alpha * mean + log_sum(alpha, xmin, xmax)


def best_exponent(mean: float, xmin: int, xmax: float) -> float:
    """alpha of maximum likelihood for the mean of ln x."""
    return float(best_alpha(mean, float(xmin), float(xmax), _lowest(xmax)))


def _lowest(xmax: float) -> float:
    return 1 + 1e-6 if np.isinf(xmax) else -5.0


def log_sum(alpha: float, xmin: int, xmax: float) -> float:
    """ln sum_(x = xmin .. xmax) x^-alpha, which is Hurwitz' zeta where there is no end."""
    return float(np.log(scaled_sum(alpha, float(xmin), float(xmax)))) - alpha * float(np.log(xmin))


def _ratios(values: NDArray[np.int64], alpha: float, xmin: int, xmax: float) -> dict[str, tuple[float, float]]:
    unique, counts = np.unique(values, return_counts=True)
    return likelihood_ratios(unique, counts, -alpha * np.log(unique) - log_sum(alpha, xmin, xmax), xmin, xmax)


def goodness_of_fit(values: NDArray[np.int64], xmin: int | None, xmax: float, rng: np.random.Generator) -> float:
    """p: the share of draws that lie further from their power law than the values from theirs.

    A draw has as many values: those above the lower end are drawn from the power law, the others from the data, and the
    lower end is chosen anew where none is given. After 10 draws that are further away the rest is left out, p = 10 /
    draws.
    Source: Clauset, Shalizi and Newman 2009, SIAM Review 51, 661, section 4.1; Besag and Clifford 1991, Biometrika 78,
    301.

    Args:
        values: up to xmax.
        xmin, xmax: the ends; None: the lower one is chosen.
        rng: of the draws.
    """
    values = values if xmin is None else values[values >= xmin]
    if values.size > MOST:
        values = rng.choice(values, MOST, replace=False)
    low, seen = _closest(values, xmin, xmax)
    below = values[values < low]
    n, n_above = values.size, values.size - below.size
    alpha = best_exponent(float(np.log(values[values >= low]).mean()), low, xmax)
    worse = drawn = 0
    while drawn < DRAWN and worse < WORSE:
        above = rng.binomial(n, n_above / n)
        own = draw(above, alpha, low, xmax, rng)
        again = np.concatenate([rng.choice(below, n - above), own]) if below.size else own
        worse += _closest(again, xmin, xmax)[1] >= seen
        drawn += 1
    return worse / drawn


def _closest(values: NDArray[np.int64], xmin: int | None, xmax: float) -> tuple[int, float]:
    """The lower end with the least distance between data and fit, of those that leave enough values; and that."""
    unique, counts = np.unique(values, return_counts=True)
    tried = np.flatnonzero(counts[::-1].cumsum()[::-1] >= FEWEST)
    if xmin is not None:
        # A lower end that is given need not be among the values.
        unique, counts, tried = np.append(xmin, unique), np.append(0, counts), tried[:0]
    if tried.size < 2:
        tried = np.zeros(1, dtype=np.int64)
    tried = np.unique(tried[np.geomspace(1, tried.size, TRIED).astype(int) - 1])
    best, least = closest(unique, counts, tried, float(xmax), _lowest(xmax))
    return int(unique[best]), float(least)


def draw(n: int, alpha: float, xmin: int, xmax: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """n whole numbers of the power law, by the inverse of its cumulative distribution."""
    last = int(min(xmax, xmin + 20 * EXPLICIT))
    steps = np.cumsum((np.arange(xmin, last + 1) / xmin) ** -alpha)
    whole = scaled_sum(alpha, float(xmin), float(xmax))
    place = whole * (1 - rng.random(n))
    found = xmin + np.searchsorted(steps, place)
    far = place > steps[-1]
    if far.any() and xmax > last:
        # Beyond, the sum is H(x + 1/2), of which the integral is all but a millionth.
        integral = (place[far] - steps[-1] + beyond(alpha, last + 0.5, float(xmin))) / xmin
        flat = 1 - alpha
        logarithm = integral if abs(flat) < 1e-12 else np.log1p(np.maximum(flat * integral, -1 + 1e-15)) / flat
        found[far] = np.ceil(np.minimum(xmin * np.exp(logarithm) - 0.5, min(xmax, FARTHEST))).astype(np.int64)
    return np.minimum(found, int(min(xmax, FARTHEST)))
