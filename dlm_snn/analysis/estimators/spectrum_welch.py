"""Welch's estimate of a spectral density, and the straight line through it in logarithms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 20
"""Bins of equal width in log frequency."""
PARTS = 8
"""A segment is this part of the series long."""
LEAST = 1e-300
"""Density that has a logarithm in place of 0."""


def periodograms(series: NDArray[np.floating], nperseg: int, hop: int) -> NDArray[Any]:
    """One-sided spectral density of every segment.

    P(f) = 2 |sum_t w_t (x_t - mean) e^(-2 pi i f t)|^2 / sum w^2, with the periodic Hann window w; the mean is the
    segment's own.

    Args:
        series: (..., step).
        nperseg: steps per segment.
        hop: steps from one segment to the next.

    Returns:
        (..., segment, frequency) in units of the series squared per (cycle per step), for the frequencies k / nperseg,
        k = 1 .. below nperseg / 2: neither 0 nor Nyquist's.
    """
    from scipy.fft import rfft

    segments = np.lib.stride_tricks.sliding_window_view(series, nperseg, axis=-1)[..., ::hop, :]
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(nperseg) / nperseg)).astype(series.dtype)
    moved = (segments - segments.mean(-1, keepdims=True)) * window
    waves = rfft(moved)[..., 1 : (nperseg + 1) // 2]
    return 2 * (waves.real**2 + waves.imag**2) / np.sum(window**2)


def welch(series: NDArray[np.floating], nperseg: int) -> NDArray[Any]:
    """The mean of ``periodograms`` over segments that overlap by half; (..., frequency)."""
    return periodograms(series, nperseg, nperseg - nperseg // 2).mean(-2)


def frequencies(nperseg: int) -> NDArray[np.float64]:
    """The frequencies of ``periodograms``, in cycles per step."""
    return np.arange(1, (nperseg + 1) // 2) / nperseg


@dataclass(frozen=True)
class Line:
    """The straight line through the logarithms of a density, as a linear map of them.

    Attributes:
        frequency: (bin,) where the bins lie: the geometric mean of the frequencies in them.
        members: (bin, frequency), the weights with which a bin averages.
        inside: of all frequencies, the band that the line is drawn over.
    """

    frequency: NDArray[np.float64]
    members: NDArray[np.float64]
    inside: NDArray[np.bool_]

    @classmethod
    def through(cls, frequency: NDArray[np.float64], band: tuple[float, float], bins: int = BINS) -> Line:
        """Bins of equal width in log frequency over a band; those without a frequency are left out."""
        inside = (frequency >= band[0]) & (frequency <= band[1])
        logs = np.log10(frequency[inside])
        if not logs.size:
            return cls(np.zeros(0), np.zeros((0, 0)), inside)
        edges = np.linspace(logs[0], logs[-1], bins + 1)
        place = np.clip(np.searchsorted(edges, logs, side="right") - 1, 0, bins - 1)
        used, place = np.unique(place, return_inverse=True)
        members = (np.arange(used.size)[:, None] == place) / np.bincount(place)[:, None]
        return cls(10 ** (members @ logs), members, inside)

    def binned(self, power: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean of log10 of the density in every bin; (..., bin).

        The mean of logarithms, since every frequency's density has the same number of segments: it is too low by the
        same constant everywhere, where the logarithm of a mean is too low by less in a fuller bin. A density of 0, such
        as a periodic series has between its lines, counts as LEAST.
        """
        return np.log10(np.maximum(power[..., self.inside], LEAST)) @ self.members.T

    def slope(self, power: NDArray[np.float64]) -> NDArray[np.float64]:
        """Slope of ordinary least squares through the bins, d log P / d log f; (...)."""
        x = np.log10(self.frequency)
        x = x - x.mean()
        return self.binned(power) @ (x / np.sum(x**2))

    def bend(self, power: NDArray[np.float64]) -> NDArray[np.float64]:
        """Slope through the upper half of the bins minus that through the lower half; (...)."""
        x, y = np.log10(self.frequency), self.binned(power)
        return _slope(x[x.size // 2 :], y[..., x.size // 2 :]) - _slope(x[: x.size // 2], y[..., : x.size // 2])


def _slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = x - x.mean()
    return y @ (centred / np.sum(centred**2))
