"""Curves over temperature, by size, that tell a transition from a crossover, for use as a library.

    susceptibility   chi = N Var(|m|)
    Binder cumulant  U = 1 - <m^4> / (3 <m^2>^2)

m is the order parameter of a replica (a seed), N the size. At a continuous transition chi has a peak that grows as
N^(gamma / (d nu)), and U of all sizes crosses in one point. U is 2/3 where m is sharp, 0 where it is Gaussian around 0.

Sources: Binder, Z. Phys. B 43, 119 (1981); Landau and Binder, A Guide to Monte Carlo Simulations in Statistical
Physics, chapter 4 (|m| in the place of m, which changes its sign in finite systems).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Z = NormalDist().inv_cdf(0.975)


class Curves(NamedTuple):
    """Estimates and their standard errors, (size, temperature)."""

    value: Array
    error: Array

    def interval(self, z: float = Z) -> tuple[Array, Array]:
        """Lower and upper ends, z standard errors away."""
        return self.value - z * self.error, self.value + z * self.error


class Crossing(NamedTuple):
    """Where two curves cross: temperature and the ends of its interval."""

    estimate: float
    low: float
    high: float


def jackknifed(powers: Array, statistic: Callable[[Array, int], Array]) -> Curves:
    """A statistic of means over replicas, with the jackknife's standard error.

    Args:
        powers: what is averaged, (power, size, temperature, replica).
        statistic: (means of the powers (power, ...), replicas) -> (...).
    """
    n = powers.shape[-1]
    total = powers.sum(-1)
    without = statistic((total[..., None] - powers) / (n - 1), n - 1)
    with np.errstate(invalid="ignore"):
        spread = ((without - without.mean(-1, keepdims=True)) ** 2).sum(-1)
    return Curves(statistic(total / n, n), np.sqrt((n - 1) / n * spread))


def log_susceptibility(order: Array, sizes: Array) -> Curves:
    """ln N Var(|m|); minus infinity where no replica differs.

    The error is the larger of the jackknife's and of that of Gaussian m, sqrt(psi_1((n - 1) / 2)): few replicas may
    lie close together by chance.

    Args:
        order: m, (size, temperature, replica).
        sizes: N, (size,).
    """
    from scipy.special import polygamma

    def log_variance(means: Array, n: int) -> Array:
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(np.maximum(means[1] - means[0] ** 2, 0) * n / (n - 1)))

    away = abs(order) - abs(order).mean(-1, keepdims=True)
    found = jackknifed(np.stack([away, away**2]), log_variance)
    least = math.sqrt(polygamma(1, (order.shape[-1] - 1) / 2))
    return Curves(found.value + np.log(sizes)[:, None], np.maximum(found.error, least))


def binder(order: Array) -> Curves:
    """U; NaN where all m are 0."""

    def cumulant(means: Array, _: int) -> Array:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(1 - means[1] / (3 * means[0] ** 2))

    return jackknifed(np.stack([order**2, order**4]), cumulant)


def crossing(curves: Curves, pair: int, temperatures: Array) -> Crossing | None:
    """Where U of a size and of the next larger one cross; None where the crossing is not resolved.

    It is resolved where the larger system's U lies above at one temperature and below at a higher one, each beyond an
    interval of 95 % for all temperatures together (Bonferroni).

    Args:
        curves: of ``binder``.
        pair: index of the smaller size.
        temperatures: (temperature,), increasing.
    """
    z = NormalDist().inv_cdf(1 - 0.025 / len(temperatures))
    gap = curves.value[pair + 1] - curves.value[pair]
    low, high = Curves(gap, np.hypot(curves.error[pair], curves.error[pair + 1])).interval(z)
    above, below = np.flatnonzero(low > 0), np.flatnonzero(high < 0)
    ends = below[below > above.min()] if above.size else below[:0]
    if not ends.size:
        return None
    last = ends[0]
    first = above[above < last].max()
    part = slice(first, last + 1)
    between = temperatures[part]
    return Crossing(*(_first_zero(curve[part], between) for curve in (gap, low, high)))


def _first_zero(curve: Array, temperatures: Array) -> float:
    """Where a curve first comes down to 0, between two temperatures by a straight line."""
    i = int(np.flatnonzero(curve <= 0)[0])
    if i == 0:
        return float(temperatures[0])
    share = curve[i - 1] / (curve[i - 1] - curve[i])
    return float(temperatures[i - 1] + share * (temperatures[i] - temperatures[i - 1]))
