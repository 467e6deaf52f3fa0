"""The exponent of a discrete power law between two ends, with an interval, and what else would fit."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import how_many

FEWEST = 200
"""Values between the ends, below which there is no exponent."""
DECADES = 1.0
"""Least width of the range that a power law is seen over."""
SURE = 0.1
"""p of a likelihood ratio below which one of two distributions is better (Clauset, Shalizi and Newman 2009)."""
LIKELIHOOD = 1.9207
"""Loss of log likelihood at the ends of a 95 % interval: half the quantile of chi^2 with one degree of freedom."""

STEEPEST = 30.0
EXACT = 2000
"""Values over which sums are exact; beyond them they are integrals."""
LARGEST = 10_000
"""Values above take no part in likelihood ratios."""
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
    """

    alpha: float
    interval: tuple[float, float]
    xmin: int
    xmax: float
    n: int
    largest: int
    ratios: dict[str, tuple[float, float]]

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
        return found


def tail_of(values: NDArray[np.int64], xmin: int | None = None, xmax: float = np.inf, compare: bool = True) -> Tail:
    """Fit a discrete power law; without xmin the one with the least Kolmogorov-Smirnov distance, of those that leave
    at least ``FEWEST`` values.

    alpha and its interval come from the exact likelihood, -alpha sum ln x - n ln sum_(x = xmin .. xmax) x^-alpha. The
    likelihood ratios against an exponential and a lognormal distribution are those of powerlaw 2.0, up to 10,000.
    Source: Clauset, Shalizi and Newman 2009, SIAM Review 51, 661; Alstott, Bullmore and Plenz 2014, PLoS ONE 9, e85777.

    Args:
        values: whole numbers from 1 on.
        xmin: the lower end.
        xmax: the upper end; give it where what made the values, or the window, cuts them off.
        compare: whether to compare with other distributions.
    """
    values = values[values <= xmax]
    low = _xmin(values, xmax) if xmin is None else xmin
    kept = values[values >= low]
    alpha, interval = exponent(kept, low, xmax)
    ratios = _ratios(kept, low, xmax) if compare and kept.size >= FEWEST and np.unique(kept).size > 2 else {}
    return Tail(alpha, interval, low, xmax, kept.size, int(kept.max(initial=low)), ratios)


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
    from scipy.optimize import minimize_scalar

    ends = _lowest(xmax), STEEPEST
    return float(minimize_scalar(_cost, bounds=ends, args=(mean, xmin, xmax), method="bounded").x)


def _lowest(xmax: float) -> float:
    return 1 + 1e-6 if np.isinf(xmax) else -5.0


def log_sum(alpha: float, xmin: int, xmax: float) -> float:
    """ln sum_(x = xmin .. xmax) x^-alpha, which is Hurwitz' zeta where there is no end."""
    from scipy.special import zeta

    if np.isinf(xmax):
        return float(np.log(zeta(alpha, xmin)))
    # Exact up to here, then the integral from half a step before to half a step after.
    split = min(xmax, xmin + EXACT)
    x = np.arange(xmin, split + 1, dtype=float)
    total = float(np.sum((x / xmin) ** -alpha))
    if xmax > split:
        total += _integral(alpha, (split + 0.5) / xmin, (xmax + 0.5) / xmin) * xmin
    return float(np.log(total)) - alpha * float(np.log(xmin))


def _integral(alpha: float, low: float, high: float) -> float:
    if abs(alpha - 1) < 1e-9:
        return float(np.log(high / low))
    return float((high ** (1 - alpha) - low ** (1 - alpha)) / (1 - alpha))


def _xmin(values: NDArray[np.int64], xmax: float) -> int:
    """The lower end with the least distance between data and fit, of those that leave enough values."""
    unique, counts = np.unique(values, return_counts=True)
    tried = unique[counts[::-1].cumsum()[::-1] >= FEWEST]
    if tried.size < 2:
        return int(unique[0]) if unique.size else 1
    tried = np.unique(tried[np.geomspace(1, tried.size, TRIED).astype(int) - 1])
    return int(min(tried, key=lambda low: _distance(unique[unique >= low], counts[unique >= low], int(low), xmax)))


def _distance(unique: NDArray[np.int64], counts: NDArray[np.int64], low: int, xmax: float) -> float:
    """Kolmogorov and Smirnov's, of the best power law from ``low`` on, over the first values."""
    n = int(counts.sum())
    mean = float(counts @ np.log(unique) / n)
    alpha = best_exponent(mean, low, xmax)
    last = int(min(unique[-1], low + EXACT))
    law = np.cumsum(np.exp(-alpha * np.log(np.arange(low, last + 1)) - log_sum(alpha, low, xmax)))
    seen = unique <= last
    return float(np.max(np.abs(counts.cumsum()[seen] / n - law[unique[seen] - low])))


def _ratios(values: NDArray[np.int64], xmin: int, xmax: float) -> dict[str, tuple[float, float]]:
    """By powerlaw, over the same ends, up to a largest value."""
    import powerlaw

    # Its sums run over every number up to the largest value.
    end = min(xmax, LARGEST)
    values = values[values <= end]
    found = {}
    with warnings.catch_warnings():
        # Of guesses that lie outside the bounds of its optimizer.
        warnings.simplefilter("ignore")
        fit = powerlaw.Fit(values, discrete=True, xmin=xmin, xmax=end, verbose=False)
        for name in ("exponential", "lognormal"):
            ratio, p = fit.distribution_compare("power_law", name)
            found[name] = float(ratio), float(p)
    return found
