"""Whether a power law fits a spectrum: no peak, no bend, no process with one time constant in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.estimators.spectrum_noise import first_order_noise
from dlm_snn.analysis.estimators.spectrum_welch import Line
from dlm_snn.analysis.finding import LEVEL

BENT = 5.0
"""Standard deviations by which the line's bend must lie outside that of power laws."""
BEND = 0.3
"""Least difference of the slopes of both halves that matters."""
CHANCE = 0.01
"""Power laws that may be taken for none, by their residuals."""
EVIDENCE = 100.0
"""Likelihood ratio from which on no noise is drawn to compare with: of series of another law, at most about one in so
many gives that much evidence for this one (Royall 1997, Statistical Evidence, 1.4)."""
_FEEDBACK = np.concatenate(
    [-np.linspace(0.95, 0.05, 19), np.linspace(0.02, 0.9, 45), 1 - np.geomspace(0.095, 1e-4, 60)]
)
"""Values of a that are tried."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """A power law through a density, and noise that it makes.

    Attributes:
        power: (frequency,) the density.
        drawn: (draw, frequency) densities of noise of the same length with the fitted power law.
        line: through both.
        frequency: (frequency,) in cycles per step.
        dt: seconds per step.
        law: the slope that the noise was made with.
        n_steps: of the series.
        floor: density of white noise that was subtracted; per cycle per step.
        drawn_again: (what makes so many draws of noise) -> its densities, by the same steps as ``drawn``.
    """

    power: Floats
    drawn: Floats
    line: Line
    frequency: Floats
    dt: float
    law: float
    n_steps: int
    floor: float
    drawn_again: Callable[[Callable[[int], Floats]], Floats]


def doubts_of_fit(fit: Fit, sloped: bool, rng: np.random.Generator) -> list[str]:
    """Why the line through a density is no description of it; the first reason that is found.

    Args:
        fit: the line.
        sloped: whether its slope is told from 0. White noise is an AR(1) and a power law.
        rng: of noise with one time constant.
    """
    doubts = _bent(fit.power, fit.drawn, fit.line, fit.dt) or _off(fit.power, fit.drawn, fit.line, fit.dt)
    return doubts or (_one_time_constant(fit, rng) if sloped else [])


def _bent(power: Floats, drawn: Floats, line: Line, dt: float) -> list[str]:
    """Whether the halves of the line have other slopes than noise makes."""
    bends = line.bend(drawn)
    off = float(line.bend(power) - bends.mean())
    if abs(off) <= max(BENT * bends.std(ddof=1), BEND):
        return []
    half = line.frequency.size // 2
    logs, frequency = line.binned(power), np.log10(line.frequency)
    low, high = (np.polyfit(frequency[part], logs[part], 1)[0] for part in (slice(half), slice(half, None)))
    at = line.frequency[half] / dt
    return [f"no single power law: the slope is {low:.2f} below {at:.3g} Hz and {high:.2f} above; give a band"]


def _off(power: Floats, drawn: Floats, line: Line, dt: float) -> list[str]:
    """Whether the bins lie farther from the line than those of noise do.

    X = sum_bin ((e - mean e) / sd e)^2 of the residuals e of least squares, mean and sd over the other draws, for the
    series and for each draw. log X of the series must lie below the 99 % prediction limit of the draws',
    mean + t sd sqrt(1 + 1 / draws).
    """
    rest, noise = _residual(line, line.binned(power)), _residual(line, line.binned(drawn))
    far = (rest - noise.mean(0)) / noise.std(0, ddof=1)
    n = len(noise)
    mean = (noise.sum(0) - noise) / (n - 1)
    spread = np.maximum((noise**2).sum(0) - noise**2 - (n - 1) * mean**2, 1e-300) / (n - 2)
    logs = np.log(np.sum((noise - mean) ** 2 / spread, -1))
    if np.log(np.sum(far**2)) <= _limit(logs, CHANCE):
        return []
    worst = int(np.argmax(np.abs(far)))
    times = 10 ** (rest - noise.mean(0))[worst]
    at = line.frequency[worst] / dt
    return [f"no single power law: at {at:.3g} Hz the density is {times:.2g} times the line's; give a band"]


def _one_time_constant(fit: Fit, rng: np.random.Generator) -> list[str]:
    """Whether an AR(1), x_t = a x_(t-1) + noise, makes the spectrum nearly as likely as the power law does.

    Its density is 1 / (1 + a^2 - 2 a cos 2 pi f): a Lorentzian with its knee at -log(a) / 2 pi cycles per step. Both
    laws have one free level and one free number, and go through the bins by least squares in units of the standard
    deviation of noise; the difference D of both sums of squares is twice the log of the likelihood ratio. It must lie
    above the 95 % prediction limit of noise that the best AR(1) makes. Far above its knee an AR(1) is a power law of
    -2 itself: one whose slope differs by less than BEND over the band, or by less than that part of it, will do.
    Source: Cox 1962, J. R. Statist. Soc. B 24, 406, with draws in place of the expansion.
    """
    ratio, a, level = _against(fit, fit.line.binned(fit.power))
    best = float(a)
    density = _first_order(a, fit.frequency)
    slopes = np.gradient(fit.line.binned(density), np.log10(fit.line.frequency))
    if np.ptp(slopes) <= BEND * min(abs(float(fit.line.slope(density))), 1.0):
        return []
    if ratio > 0:
        if ratio > 2 * np.log(EVIDENCE):
            return []
        drawn = fit.drawn_again(partial(first_order_noise, best, float(level), fit.n_steps, rng, floor=fit.floor))
        if ratio > _limit(_against(fit, fit.line.binned(drawn))[0], 1 - LEVEL):
            return []
    what = f"time constant {-fit.dt / np.log(best):.3g} s" if best > 0 else f"x_t = {best:.2g} x_(t-1) + noise"
    return [f"a power law is not told from one time constant: an AR(1) ({what}) fits about as well; record for longer"]


def _against(fit: Fit, logs: Floats) -> tuple[Any, Any, Any]:
    """D of bins (..., bin), with a and the level of the best AR(1)."""
    steps, noise = np.log10(fit.line.frequency), fit.line.binned(fit.drawn)
    # What Welch's estimate and a subtracted floor add to a power law, they add to an AR(1) of about the same density.
    logs = logs - (noise.mean(0) - fit.law * steps)
    weight = 1 / noise.var(0, ddof=1)
    x = steps - np.average(steps, weights=weight)
    slope = logs @ (weight * x) / np.sum(weight * x**2)
    rest = logs[..., None, :] - fit.line.binned(_first_order(_FEEDBACK, fit.frequency))
    tried = _misfit(rest, weight)
    best = np.argmin(tried, -1)
    level = np.take_along_axis(np.average(rest, axis=-1, weights=weight), best[..., None], -1)[..., 0]
    return tried.min(-1) - _misfit(logs - slope[..., None] * steps, weight), _FEEDBACK[best], 10**level


def _first_order(a: Any, frequency: Floats) -> Floats:
    """Density of an AR(1) up to its level; (..., frequency)."""
    feedback = np.asarray(a)[..., None]
    return 1 / (1 + feedback**2 - 2 * feedback * np.cos(2 * np.pi * frequency))


def _limit(drawn: Floats, chance: float) -> float:
    """What one more draw passes with that chance: mean + t sd sqrt(1 + 1 / draws)."""
    from scipy.special import stdtrit

    n = len(drawn)
    return float(drawn.mean() + stdtrit(n - 1, 1 - chance) * drawn.std(ddof=1) * np.sqrt(1 + 1 / n))


def _residual(line: Line, logs: Floats) -> Floats:
    """What least squares leaves of bins (..., bin)."""
    x = np.log10(line.frequency)
    x = x - x.mean()
    centred = logs - logs.mean(-1, keepdims=True)
    return centred - (centred @ (x / np.sum(x**2)))[..., None] * x


def _misfit(rest: Floats, weight: Floats) -> Any:
    """The weighted sum of squares around the weighted mean, over the last axis."""
    mean = np.average(rest, axis=-1, weights=weight)[..., None]
    return np.sum(weight * (rest - mean) ** 2, -1)
