"""Gaussian noise with a power law as its spectrum: what the slope's estimator is tried on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dlm_snn.values import check_generator

LONGER = 1.25
"""Noise is made this many times longer than what is cut out of it, so that its ends do not meet."""
AT_ONCE = 2**20
"""Steps that are made at a time."""


def power_law_noise(
    slope: float, n_steps: int, rng: np.random.Generator, draws: int = 1, floor: float = 0.0, longer: float = LONGER
) -> NDArray[np.float32]:
    """Noise whose one-sided spectral density is f^slope + floor, f in cycles per step; (draw, step), float32.

    Every frequency above 0 of the longer series has an independent complex Gaussian amplitude.
    Source: Timmer and Koenig 1995, Astron. Astrophys. 300, 707.

    Args:
        slope: such as 0 (white), -1 (pink), -2 (brown).
        n_steps: per draw.
        rng: of the amplitudes.
        draws: how many series.
        floor: density of white noise on top.
        longer: the series is cut out of one this many times longer.
    """
    check_generator(rng)
    from scipy.fft import irfft, next_fast_len

    whole = next_fast_len(int(np.ceil(longer * n_steps)), real=True)
    # The density of irfft(wave) is 2 |wave|^2 / whole, and |wave|^2 of two standard normal numbers is 2 on average.
    scale = np.sqrt(((np.arange(1, whole // 2 + 1) / whole) ** slope + floor) * whole) / 2
    normal = rng.standard_normal((draws, 2 * scale.size), dtype=np.float32)
    waves = np.zeros((draws, scale.size + 1), dtype=np.complex64)
    waves[:, 1:] = normal.view(np.complex64) * scale.astype(np.float32)
    return irfft(waves, whole)[:, :n_steps]


def first_order_noise(
    a: float, level: float, n_steps: int, rng: np.random.Generator, draws: int = 1, floor: float = 0.0
) -> NDArray[np.float64]:
    """x_t = a x_(t-1) + noise, stationary, of density level / (1 + a^2 - 2 a cos 2 pi f) + floor; (draw, step).

    Args:
        a: in -1..1, without the ends.
        level, floor: one-sided, per cycle per step; white noise of variance v has the density 2 v.
        n_steps: per draw.
        rng: of the noise.
        draws: how many series.
    """
    from scipy.signal import lfilter

    start = rng.standard_normal((draws, 1)) / np.sqrt(1 - a**2)
    found, _ = lfilter([1.0], [1.0, -a], rng.standard_normal((draws, n_steps)), zi=a * start)
    return np.sqrt(level / 2) * found + np.sqrt(floor / 2) * rng.standard_normal((draws, n_steps))


def in_portions(draws: int, n_steps: int) -> Iterator[int]:
    """How many draws to make at a time, so that memory is bounded."""
    portion = max(1, AT_ONCE // n_steps)
    for start in range(0, draws, portion):
        yield min(portion, draws - start)
