"""Sums of x^-alpha over whole numbers, and the fit of a power law from every lower end, in scalar loops."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlm_snn.compilation import compiled

EXPLICIT = 50
"""Terms that are summed one by one; Euler's and Maclaurin's formula has the rest to better than 1e-9."""
STEEPEST = 30.0
GOLDEN = (5**0.5 - 1) / 2
NARROW = 1e-7
"""Length of the interval in which the search for the least cost ends."""


@compiled
def beyond(alpha: float, y: float, xmin: float) -> float:
    """H(y), of which sum_(x = m + 1 .. n) (x / xmin)^-alpha = H(n + 1/2) - H(m + 1/2) for m > 50.

    With f(y) = (y / xmin)^-alpha and its integral F, H = F - f' / 24 + 7 f''' / 5760: Euler's and Maclaurin's formula
    (DLMF 2.10(i)) at midpoints, with Bernoulli's polynomials B_2(1/2) / 2! and B_4(1/2) / 4!.
    """
    if np.isinf(y):
        return xmin / (alpha - 1)
    logarithm = np.log(y / xmin)
    flat = 1 - alpha
    integral = logarithm if abs(flat) < 1e-12 else np.expm1(flat * logarithm) / flat
    slope = np.exp(-alpha * logarithm) * alpha / y
    return xmin * integral + slope / 24 - 7 * slope * (alpha + 1) * (alpha + 2) / y**2 / 5760


@compiled
def scaled_sum(alpha: float, xmin: float, xmax: float) -> float:
    """sum_(x = xmin .. xmax) (x / xmin)^-alpha."""
    total = 0.0
    for k in range(EXPLICIT):
        if xmin + k > xmax:
            return total
        total += ((xmin + k) / xmin) ** -alpha
    return total + beyond(alpha, xmax + 0.5, xmin) - beyond(alpha, xmin + EXPLICIT - 0.5, xmin)


@compiled
def best_alpha(mean: float, xmin: float, xmax: float, lowest: float) -> float:
    """alpha of the least alpha (<ln x> - ln xmin) + ln sum (x / xmin)^-alpha, which is convex: by golden sections."""
    mean -= np.log(xmin)
    low, high = lowest, STEEPEST
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left = left * mean + np.log(scaled_sum(left, xmin, xmax))
    at_right = right * mean + np.log(scaled_sum(right, xmin, xmax))
    while high - low > NARROW:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = left * mean + np.log(scaled_sum(left, xmin, xmax))
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = right * mean + np.log(scaled_sum(right, xmin, xmax))
    return (low + high) / 2


@compiled
def distance(unique: Any, counts: Any, alpha: float, xmax: float) -> float:
    """Kolmogorov and Smirnov's, between values and the power law from the first of them on.

    Between two values that were seen it is largest just before the second.
    """
    n, xmin = 0, float(unique[0])
    for count in counts:
        n += count
    whole = scaled_sum(alpha, xmin, xmax)
    split = xmin + EXPLICIT
    k, law, start, seen, largest = 0, 0.0, 0.0, 0, 0.0
    for i in range(len(unique)):
        value = float(unique[i])
        while k < EXPLICIT and xmin + k <= value:
            law += ((xmin + k) / xmin) ** -alpha
            k += 1
            if k == EXPLICIT:
                start = law - beyond(alpha, split - 0.5, xmin)
        if value >= split:
            law = start + beyond(alpha, value + 0.5, xmin)
        before = law - (value / xmin) ** -alpha
        largest = max(largest, abs(before / whole - seen / n))
        seen += counts[i]
        largest = max(largest, abs(law / whole - seen / n))
    return largest


@compiled
def closest(unique: Any, counts: Any, tried: Any, xmax: float, lowest: float) -> Any:
    """Which of the lower ends unique[tried] has the least distance, and that; each with its best power law."""
    logs = np.zeros(len(unique) + 1)
    above = np.zeros(len(unique) + 1)
    for i in range(len(unique) - 1, -1, -1):
        logs[i] = logs[i + 1] + counts[i] * np.log(unique[i])
        above[i] = above[i + 1] + counts[i]
    best, least = tried[0], np.inf
    for i in tried:
        alpha = best_alpha(logs[i] / above[i], float(unique[i]), xmax, lowest)
        found = distance(unique[i:], counts[i:], alpha, xmax)
        if found < least:
            best, least = i, found
    return best, least
