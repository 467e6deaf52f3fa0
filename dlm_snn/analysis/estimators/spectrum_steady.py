"""Whether a series is stationary, or its slope is that of a trend, a step, a slow wave, or a change of variance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.estimators.spectrum_noise import power_law_noise
from dlm_snn.analysis.estimators.spectrum_welch import LEAST, PARTS, Line, frequencies, periodograms, welch

POINTS = 2048
"""A series is averaged to at most this many points: trends and steps are slow."""
MOST = 2**15
"""Of many samples only so many are looked at that they have no more steps than this."""
DRAWS = 100
FAR = 2.0
"""Standard deviations by which removing a trend must gain more likelihood than it ever does in noise."""
PLAIN = 10.0
"""The same where the slope stays within CHANGED."""
SURE = 5.0
"""Standard errors from which on a change of variance is told."""
CHANGED = 0.15
"""Least change of the slope that matters."""
LOUDER = 1.25
"""Least ratio of variances that matters."""
_SLOPES = np.linspace(-3, 1, 41)
_CROSSINGS = np.geomspace(0.001, 10, 17)
"""Frequencies in cycles per step at which the power law crosses the floor."""
_DECAYS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
"""Time constants that are tried, as parts of the series."""
_PERIODS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
"""Periods of a wave that are tried, in the whole series."""

Series = NDArray[np.float64]


def without_trend(series: Series) -> Series:
    """The residual of a straight line; (..., step)."""
    return _without(series, np.linspace(-1, 1, series.shape[-1])[None])


def without_step(series: Series) -> Series:
    """The residual of the best single step in the mean; (..., step)."""
    n = series.shape[-1]
    centred = series - series.mean(-1, keepdims=True)
    sums = np.cumsum(centred, -1)[..., :-1]
    k = np.arange(1, n)
    # Removing a step after k points explains sums^2 (1/k + 1/(n - k)) of the sum of squares.
    best = np.argmax(sums**2 * (1 / k + 1 / (n - k)), -1)[..., None]
    before = np.take_along_axis(sums, best, -1) / (best + 1)
    after = -np.take_along_axis(sums, best, -1) / (n - best - 1)
    return centred - np.where(np.arange(n) <= best, before, after)


def without_decay(series: Series) -> Series:
    """The residual of the best exponential decay to a constant, of several time constants; (..., step)."""
    n = series.shape[-1]
    shapes = np.exp(-np.arange(n) / (n * np.array(_DECAYS)[:, None]))
    tried = np.stack([_without(series, shape[None]) for shape in shapes])
    best = np.argmin(np.sum(tried**2, -1), 0)
    return np.take_along_axis(tried, best[None, ..., None], 0)[0]


def without_wave(series: Series) -> Series:
    """The residual of the best sine of half a period to four periods; (..., step).

    A valley or a hill in the mean is mostly such a sine.
    """
    n = series.shape[-1]
    centred = series - series.mean(-1, keepdims=True)
    phases = 2 * np.pi * np.array(_PERIODS)[:, None] * (np.arange(n) + 0.5) / n
    pairs = np.stack([np.cos(phases), np.sin(phases)], 1)
    bases = np.stack([np.linalg.qr((pair - pair.mean(-1, keepdims=True)).T)[0].T for pair in pairs])
    weights = np.einsum("...t,pkt->...pk", centred, bases, optimize=True)
    best = np.argmax(np.sum(weights**2, -1), -1)
    chosen = np.take_along_axis(weights, best[..., None, None], -2)[..., 0, :]
    return centred - np.einsum("...k,...kt->...t", chosen, bases[best])


def _without(series: Series, shape: Series) -> Series:
    """The residual of least squares on a constant and one shape (1, step)."""
    centred = series - series.mean(-1, keepdims=True)
    shape = (shape - shape.mean()) / np.linalg.norm(shape - shape.mean())
    return centred - (centred @ shape.T) * shape


REMOVED: Mapping[str, Callable[[Series], Series]] = {
    "a trend": without_trend,
    "a step in the mean": without_step,
    "a decay": without_decay,
    "a slow wave": without_wave,
}
"""What may lie under a slope -> the series without it."""


def doubts_of_stationarity(series: Series, rng: np.random.Generator, floor: float = 0.0) -> tuple[str, ...]:
    """Why the slope of a series would not be its noise's; empty where nothing was found.

    Two models are compared by Whittle's likelihood: noise of density A f^s + floor, and such noise around a trend, a
    step, a decay or a slow wave. The gain in log likelihood must be beyond what it ever is in noise of the first
    model, with the same numbers; far beyond where removing the trend leaves the slope as it is. Noise of 1/f^2 wanders
    too, but removing its best step gains little.

    Args:
        series: (sample, step), not constant.
        rng: of the noise.
        floor: density of white noise that is known to be there, such as that of spikes; per cycle per step.
    """
    series = series[:: -(-series.size // MOST)] if len(series) > 1 else series
    width = -(-series.shape[-1] // POINTS)
    series, floor = coarse(series, width), floor / width
    nperseg = max(series.shape[-1] // PARTS, 4)
    line = Line.through(frequencies(nperseg), (0, 0.5))
    if line.frequency.size < 4:
        return ()
    models = _Models.over(series.shape[-1], floor)
    cost, made = models.best(series)
    noise = made(rng, DRAWS * len(series)).reshape(DRAWS, *series.shape)
    costs = models.best(noise)[0]
    whole = line.slope(welch(series, nperseg).mean(0))
    found: dict[float, str] = {}
    for name, remove in REMOVED.items():
        gain, null = cost - models.best(remove(series))[0], costs - models.best(remove(noise))[0]
        rest = line.slope(welch(remove(series), nperseg).mean(0))
        beyond = (gain - null.max()) / null.std(ddof=1)
        if beyond > (FAR if abs(rest - whole) > CHANGED else PLAIN):
            found[float(gain)] = f"not stationary: {name}; with it the slope is {whole:.2f}, without it {rest:.2f}"
    return (found[max(found)],) if found else ()


@dataclass(frozen=True)
class _Models:
    """Densities on a grid, for Whittle's likelihood: f^s of any amplitude, or floor (1 + (f / f_c)^s).

    Attributes:
        inverse: (frequency, model), 1 / density.
        logs: (model,), sum of log density.
        slopes, crossings: (model,), s and f_c; f_c = 1 where there is no floor.
        n_steps: of the series.
        floor: density; 0: the amplitude is free.
    """

    inverse: Series
    logs: Series
    slopes: Series
    crossings: Series
    n_steps: int
    floor: float

    @classmethod
    def over(cls, n_steps: int, floor: float) -> _Models:
        frequency = np.arange(1, (n_steps + 1) // 2)[:, None] / n_steps
        places = _CROSSINGS if floor else np.ones(1)
        slopes, crossings = (grid.ravel() for grid in np.meshgrid(_SLOPES, places, indexing="ij"))
        density = floor * (1 + (frequency / crossings) ** slopes) if floor else frequency**slopes
        return cls(1 / density, np.log(density).sum(0), slopes, crossings, n_steps, floor)

    def best(self, series: Series) -> tuple[Any, Callable[..., Series]]:
        """Minus the log likelihood of the best model of series (..., sample, step), and what makes noise of it."""
        waves = np.fft.rfft(series - series.mean(-1, keepdims=True))[..., 1 : len(self.inverse) + 1]
        power = 2 * (waves.real**2 + waves.imag**2).mean(-2) / self.n_steps
        n = len(self.inverse)
        fit = np.maximum(power @ self.inverse, LEAST)
        costs = series.shape[-2] * ((fit if self.floor else n * np.log(fit)) + self.logs)
        best = np.argmin(costs, -1)
        if np.ndim(best):
            return np.min(costs, -1), self._noise
        slope, crossing = self.slopes[best], self.crossings[best]
        floor = crossing**slope if self.floor else 0.0
        scale = self.floor / floor if self.floor else 1.0
        return np.min(costs), partial(self._noise, slope=slope, floor=floor, scale=scale)

    def _noise(self, rng: np.random.Generator, draws: int, slope: float, floor: float, scale: float) -> Series:
        return power_law_noise(slope, self.n_steps, rng, draws, floor) * np.sqrt(scale)


def coarse(series: Series, width: int) -> Series:
    """Means over runs of ``width`` steps; what is left over at the end is dropped."""
    n = series.shape[-1] // width
    return series[..., : n * width].reshape(*series.shape[:-1], n, width).mean(-1)


def doubts_of_variance(series: Series) -> tuple[str, ...]:
    """Whether the fast half of the spectrum is louder in one half of the series than in the other, or here and there.

    The mean over K frequencies of the log of a Gaussian segment's density has variance pi^2 / (6 K), with the Hann
    window about 1.5 times that, whatever the spectrum's shape.
    """
    nperseg = series.shape[-1] // PARTS
    if nperseg < 16:
        return ()
    loud = np.log(np.maximum(periodograms(series, nperseg, nperseg), LEAST))[..., nperseg // 4 :].mean((0, 2))
    error = np.sqrt(1.5 * np.pi**2 / 6 / (len(series) * (nperseg // 4)))
    half = loud.size // 2
    shift = loud[half:].mean() - loud[:half].mean()
    scatter = loud.std(ddof=1)
    if abs(shift) > max(SURE * error * np.sqrt(2 / half), np.log(LOUDER)):
        return (f"not stationary: the variance of the second half is {np.exp(shift):.2g} times that of the first",)
    if scatter > max(3 * error, np.log(LOUDER)):
        return (f"not stationary: the variance differs from segment to segment by a factor of {np.exp(scatter):.2g}",)
    return ()
