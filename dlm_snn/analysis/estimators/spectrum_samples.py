"""What samples of one series owe each other: a slope's scatter over them, and a course that they share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FEWEST = 8
"""Samples from which on their scatter is measured; of fewer, an interval by Student's t is too wide to help."""
SURE = 3.0
"""Standard errors by which the mean course must be louder than that of independent samples."""
WIDER = 0.25
"""Least part by which a shared course must raise the variance of a mean density: an interval an eighth too short."""

Floats = NDArray[np.float64]


def half_over_samples(powers: Floats, slope: Callable[[Floats], Floats]) -> float:
    """Half the 95 % interval of a slope by the jackknife over samples; 0 of fewer than FEWEST samples.

    s_i is the slope without sample i; t sqrt((n - 1) / n sum_i (s_i - mean s)^2), with Student's t of n - 1 degrees of
    freedom. It needs neither Gaussian samples nor such of one scale.
    Source: Efron and Stein 1981, Annals of Statistics 9, 586.

    Args:
        powers: (sample, frequency) densities.
        slope: of densities (..., frequency).
    """
    from scipy.special import stdtrit

    n = len(powers)
    if n < FEWEST:
        return 0.0
    without = slope((powers.sum(0) - powers) / (n - 1))
    return float(stdtrit(n - 1, 0.975) * np.sqrt((n - 1) / n * np.sum((without - without.mean()) ** 2)))


def doubts_of_shared_course(series: Floats) -> list[str]:
    """Whether the samples share a course, so that they are fewer than they seem.

    At each of M frequencies, Q = n |mean_i Z_i|^2 / mean_i |Z_i|^2 of the samples' Fourier amplitudes Z_i is n times a
    Beta(1, n - 1) variable if they are independent and Gaussian of one variance: its mean is 1, its variance
    (n - 1) / (n + 1), or less with several variances. A shared part r of the power makes the mean 1 + (n - 1) r, and
    the variance of the mean density (1 + (n - 1) r^2) / n.

    Args:
        series: (sample, step).
    """
    n, n_steps = series.shape
    if n < 2 or n_steps < 4:
        return []
    waves = np.fft.rfft(series - series.mean(-1, keepdims=True))[:, 1 : (n_steps + 1) // 2]
    power = (waves.real**2 + waves.imag**2).mean(0)
    ratio = n * np.abs(waves.mean(0)) ** 2 / np.maximum(power, 1e-300)
    excess = float(ratio.mean()) - 1
    error = np.sqrt((n - 1) / (n + 1) / ratio.size)
    if excess <= SURE * error or excess**2 / (n - 1) <= WIDER:
        return []
    return [
        f"the samples are not independent: their mean course has {ratio.mean():.2g} times the power that it has by "
        "chance; give what is around it"
    ]
