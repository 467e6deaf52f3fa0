"""What else would fit the tail of whole numbers: an exponential and a lognormal distribution, by likelihood ratios."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FLATTEST = 1e-9
"""Least decay of an exponential, in shares of that without an upper end."""
CURVED = (-12.0, 5.0)
"""Logarithms of the least and the largest curvature 1 / (2 sigma^2) of a lognormal distribution on two logarithmic
axes; at the least a range of 10 decades bends by less than .01."""
NARROW = 1e-3
"""Width times slope up to which a density stands for its integral, to a millionth."""


def likelihood_ratios(
    unique: NDArray[np.int64], counts: NDArray[np.int64], power: Floats, xmin: int, xmax: float
) -> dict[str, tuple[float, float]]:
    """Name -> R = sum of ln p(x) - ln q(x) over all values, and its p.

    p is the power law; q an exponential or a lognormal distribution over the same whole numbers, each by maximum
    likelihood. Of the exponential, p is Vuong's, erfc(|R| / (s sqrt(2 n))), s the standard deviation of ln p - ln q. A
    lognormal distribution between two ends is a power law where its curvature is 0, so that -2 R is chi^2 of one degree
    of freedom in half of all draws from a power law, and 0 in the others: p = erfc(sqrt(-R)) / 2.
    Source: Vuong 1989, Econometrica 57, 307; Clauset, Shalizi and Newman 2009, SIAM Review 51, 661, appendix C;
    Malevergne, Pisarenko and Sornette 2011, Phys. Rev. E 83, 036111.

    Args:
        unique, counts: the values and how often each was seen, from xmin on.
        power: ln p of each.
        xmin, xmax: the ends; xmax may be infinite.
    """
    from scipy.special import erfc

    n = counts.sum()
    gain = power - exponential(unique, counts, xmin, xmax)
    ratio = float(counts @ gain)
    spread = float(np.sqrt(counts @ (gain - ratio / n) ** 2 / n))
    vuong = float(erfc(abs(ratio) / (spread * np.sqrt(2 * n)))) if spread > 0 else 1.0
    bent = float(counts @ (power - lognormal(unique, counts, xmin, xmax)))
    return {"exponential": (ratio, vuong), "lognormal": (bent, float(erfc(np.sqrt(max(-bent, 0.0))) / 2))}


def exponential(unique: NDArray[np.int64], counts: NDArray[np.int64], xmin: int, xmax: float) -> Floats:
    """ln q of q(x) = e^(-l (x - xmin)) (1 - e^-l) / (1 - e^(-l (xmax - xmin + 1))), l of maximum likelihood."""
    from scipy.optimize import minimize_scalar

    above = (unique - xmin).astype(np.float64)
    mean = float(counts @ above / counts.sum())

    def cost(logarithm: float) -> float:
        decay = np.exp(logarithm)
        ends = np.log(-np.expm1(-decay * (xmax - xmin + 1))) if np.isfinite(xmax) else 0.0
        return float(decay * mean - np.log(-np.expm1(-decay)) + ends)

    # An upper end makes the mean smaller, so that the decay is at most that without one.
    steepest = np.log(np.log1p(1 / mean))
    best = minimize_scalar(cost, bounds=(steepest + np.log(FLATTEST), steepest + 1e-6), method="bounded").x
    return np.exp(best) * (mean - above) - cost(best)


def lognormal(unique: NDArray[np.int64], counts: NDArray[np.int64], xmin: int, xmax: float) -> Floats:
    """ln q of q(x) = (Phi(z(x + 1/2)) - Phi(z(x - 1/2))) / (Phi(z(xmax + 1/2)) - Phi(z(xmin - 1/2))),
    z(x) = (ln x - m) / s, m and s of maximum likelihood: a lognormal variable, rounded.

    Sought by the slope of its density at the mean of ln x, on two logarithmic axes, and its curvature 1 / (2 s^2).
    """
    from scipy.optimize import minimize

    x = unique.astype(np.float64)
    low = np.log(np.append(x, xmin) - 0.5)
    width = np.append(np.log1p(1 / (x - 0.5)), np.log(xmax + 0.5) - low[-1])
    centre = float(counts @ np.log(x) / counts.sum())

    def told(parameters: Floats) -> Floats:
        curvature = np.exp(np.clip(parameters[1], *CURVED))
        middle, scale = centre + (1 - parameters[0]) / (2 * curvature), np.sqrt(2 * curvature)
        found = log_normal((low - middle) * scale, width * scale)
        return np.asarray(found[:-1] - found[-1])

    def cost(parameters: Floats) -> float:
        return -float(counts @ told(parameters)) / counts.sum()

    starts = [[1.0, np.log(0.5 / max(counts @ (np.log(x) - centre) ** 2 / counts.sum(), 1e-6))], [2.0, -4.0]]
    options = {"xatol": 1e-4, "fatol": 1e-9, "maxiter": 400}
    fits = [minimize(cost, start, method="Nelder-Mead", options=options) for start in starts]
    return told(min(fits, key=lambda fit: float(fit.fun)).x)


def log_normal(low: Floats, width: Floats) -> Floats:
    """ln(Phi(low + width) - Phi(low)), on the side on which both are small; of narrow ones by the density."""
    from scipy.special import log_ndtr

    high, turned = low + width, low > 0
    near, far = (log_ndtr(np.where(turned, -a, b)) for a, b in ((low, high), (high, low)))
    middle = low + width / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        found = near + np.log(-np.expm1(far - near))
        density = np.log(width) - middle**2 / 2 - np.log(2 * np.pi) / 2
        return np.where(width * (1 + np.abs(middle)) < NARROW, density, found)
