"""The slope of a spectrum with an interval that covers, or the reasons why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.estimators.spectrum_control import trained_controls
from dlm_snn.analysis.estimators.spectrum_fit import Fit, doubts_of_fit
from dlm_snn.analysis.estimators.spectrum_noise import in_portions, power_law_noise
from dlm_snn.analysis.estimators.spectrum_samples import doubts_of_shared_course, half_over_samples
from dlm_snn.analysis.estimators.spectrum_second import second_opinion
from dlm_snn.analysis.estimators.spectrum_steady import doubts_of_stationarity, doubts_of_variance
from dlm_snn.analysis.estimators.spectrum_welch import LEAST, PARTS, Line, frequencies, welch
from dlm_snn.analysis.finding import Control, Finding
from dlm_snn.errors import DlmError, how_many
from dlm_snn.values import as_floats, check_generator, check_seconds, is_whole

FEWEST = 200
"""A series of at most so many steps per sample has no slope: its spectrum spans a decade, its interval half a unit."""
FEWEST_BINS = 6
LARGEST = 1e100
"""Values up to here have squares, and sums and products of these, that a float64 holds; their inverses too."""
DRAWS = (24, 100)
"""Series of the bootstrap: few for long series, whose noise costs seconds."""
FEWEST_DRAWS = 10
"""Of the bootstrap: with fewer, Student's t makes an interval of little use."""
MOST_DRAWS = 10_000
"""Of the bootstrap: an interval whose length is known to a percent."""
WORK = 2**23
"""Steps of noise that a bootstrap makes, within those numbers."""
ESTIMATOR = "Welch (Hann, N/8), DC dropped, 20 log bins, least squares, parametric bootstrap"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spectrum:
    """A spectral density and its slope.

    Attributes:
        slope: d log P / d log f over the band.
        frequency: (frequency,) in Hz.
        power: (frequency,) in units of the series squared per Hz; a known floor is still in it.
        binned_frequency, binned_power: (bin,) what the line goes through; a known floor is subtracted.
        line: (2,) intercept and slope of least squares, log10 P = line[0] + line[1] log10 f, before any correction.
        band: in Hz.
        floor: density of white noise that was known and subtracted; 0 where there was none.
        second: the slope by specparam; None where it is not installed or not told.
    """

    slope: Finding
    frequency: Floats
    power: Floats
    binned_frequency: Floats
    binned_power: Floats
    line: tuple[float, float]
    band: tuple[float, float]
    floor: float = 0.0
    second: Finding | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The rows of a table."""
        return (self.slope,) if self.second is None else (self.slope, self.second)


def spectrum(
    series: Any,
    dt: float = 1e-3,
    *,
    rng: np.random.Generator,
    band: tuple[float, float] | None = None,
    floor: float = 0.0,
    draws: int | None = None,
) -> Spectrum:
    """The slope s of P(f) ~ f^s, with a 95 % interval.

    Welch's density (Hann window, segments of an eighth, each without its mean, overlapping by half), without f = 0 and
    Nyquist's frequency; log10 P averaged in 20 bins of equal width in log f; least squares. ``draws`` series of
    Gaussian noise with P = f^s + floor go through the same steps. Their mean slope minus s is the bias, which is
    subtracted; their standard deviation, times the quantile of Student's t, is half the interval, or that of the
    jackknife over 8 samples or more where it is longer.

    Args:
        series: (step,) or (sample, step); samples are independent stretches of the same length, without order.
        dt: seconds per step.
        rng: of the noise.
        band: lowest and highest frequency in Hz; all where None.
        floor: density of white noise that is known to be there, in units of the series squared per Hz.
        draws: series of the bootstrap; 24 to 100, by the length, where None.

    Returns:
        The spectrum. Its slope is not resolved where a series is constant, of 200 steps or fewer, not stationary, no
        single power law, or where its samples share a course.

    Raises:
        DlmError: values that are not finite or whose squares are not, another shape, a dt that is no time, a band
            that is no range, a floor below 0, a number of draws that is none.
    """
    check_generator(rng)
    check_seconds(dt, "dt")
    _check(floor, draws)
    values = as_series(series)
    nperseg = max(values.shape[-1] // PARTS, 2)
    frequency = frequencies(nperseg)
    low, high = (0.0, 0.5 / dt) if band is None else _range(band)
    line = Line.through(frequency, (low * dt, high * dt))
    size = {"samples": values.shape[0], "steps": values.shape[1], "bins": line.frequency.size}
    hertz = frequency / dt
    if np.ptp(values) == 0 or line.frequency.size < FEWEST_BINS:
        why = _no_line(values, line, band)
        power = welch(values, nperseg).mean(0) * dt
        slope = _finding(None, None, size, (), (why,))
        return Spectrum(slope, hertz, power, hertz[:0], power[:0], (0, 0), (low, high), floor)
    used = int(np.clip(WORK // values.size, *DRAWS)) if draws is None else draws
    return _measured(values, dt, line, floor / dt, used, size, rng)


def _measured(
    values: Floats, dt: float, line: Line, floor: float, draws: int, size: dict[str, int], rng: np.random.Generator
) -> Spectrum:
    nperseg = max(values.shape[-1] // PARTS, 2)
    powers = welch(values, nperseg)
    power = powers.mean(0)
    usable = _above(power, floor)
    raw = float(line.slope(usable))
    level = 10 ** float(np.mean(line.binned(usable)) - raw * np.mean(np.log10(line.frequency)))
    law = min(max(raw, -4.0), 2.0)
    n_steps, shares = values.shape[-1], _shares(powers, line)
    made = partial(power_law_noise, law, n_steps, rng, floor=floor / level)
    drawn = _drawn(made, floor / level, shares, n_steps, draws)
    slopes = line.slope(drawn)
    white = partial(power_law_noise, 0.0, n_steps, rng)
    flat = line.slope(_drawn(white, 0.0, shares, n_steps, max(draws // 2, DRAWS[0])))
    estimate = raw - (slopes.mean() - law)
    half = student(draws) * slopes.std(ddof=1) * np.sqrt(1 + 1 / draws)
    half = max(half, half_over_samples(powers, lambda some: line.slope(_above(some, floor))))
    again = partial(_drawn, floor=floor, shares=shares, n_steps=n_steps, draws=draws)
    fit = Fit(usable, drawn, line, frequencies(nperseg), dt, law, n_steps, floor, again)
    doubts = [
        *_at_floor(power, floor, line, dt),
        *_too_few(values.shape[-1], half),
        *doubts_of_stationarity(values, rng, floor),
        # The noise of spikes is louder wherever their rate is higher.
        *(() if floor else doubts_of_variance(values)),
        *doubts_of_shared_course(values),
        *doubts_of_fit(fit, abs(estimate) > half, rng),
    ]
    controls = (Control("white noise", float(flat.mean()), _spread(flat)), *trained_controls())
    slope = _finding(estimate, (estimate - half, estimate + half), size, controls, tuple(doubts))
    binned = 10 ** line.binned(usable)
    band = (float(line.frequency[0] / dt), float(line.frequency[-1] / dt))
    second = second_opinion(frequencies(nperseg)[line.inside], usable[line.inside], slope)
    return Spectrum(
        slope,
        frequencies(nperseg) / dt,
        power * dt,
        line.frequency / dt,
        binned * dt,
        (float(np.log10(level * dt) + raw * np.log10(dt)), raw),
        band,
        floor * dt,
        second,
    )


def _range(band: Any) -> tuple[float, float]:
    try:
        low, high = (float(end) for end in as_floats(band, "band"))
    except (DlmError, TypeError, ValueError):
        low, high = np.nan, np.nan
    if not 0 <= low < high:
        raise DlmError(f"band = {band!r} is no range of frequencies in Hz; give two numbers, the lower one first")
    return low, high


def _check(floor: Any, draws: Any) -> None:
    """Raise unless the floor is a density, one number from 0 on, and the draws are a number of series, or None."""
    if draws is not None and not (is_whole(draws) and FEWEST_DRAWS <= draws <= MOST_DRAWS):
        raise DlmError(f"draws = {draws!r} is not a number of series in {FEWEST_DRAWS}..{MOST_DRAWS}")
    number = isinstance(floor, (int, float, np.number)) and not isinstance(floor, (bool, np.complexfloating))
    if not number or not 0 <= floor < np.inf:
        raise DlmError(f"floor = {floor!r} is no density; give units of the series squared per Hz, from 0 on")


def as_series(given: Any, name: str = "series") -> Floats:
    """A series of a user as (sample, step).

    Raises:
        DlmError: another shape, values that are not finite.
    """
    values = as_floats(given, name)
    if values.ndim == 1:
        values = values[None]
    if values.ndim != 2 or values.shape[0] < 1 or values.shape[1] < 2:
        raise DlmError(
            f"a {name} of shape {np.shape(given)} is none; give (step,) or (sample, step), two steps or more"
        )
    if not np.isfinite(values).all():
        raise DlmError(
            f"the {name} is not finite in {how_many(np.count_nonzero(~np.isfinite(values)), 'places')}; cut them out"
        )
    check_squares(values, name)
    return values


def check_squares(values: Floats, name: str) -> None:
    """Raise unless squares of the values, and of their differences, can be computed with.

    Raises:
        DlmError: values beyond LARGEST, or such that differ by less than its inverse.
    """
    most, spread = float(np.abs(values).max()), float(np.ptp(values))
    if most > LARGEST:
        raise DlmError(f"the {name} reaches {most:.3g}: its squares leave the range of numbers; divide it first")
    if 0 < spread < 1 / LARGEST:
        raise DlmError(f"the {name} varies by {spread:.3g}: its squares leave the range of numbers; multiply it first")


def _above(power: Floats, floor: float) -> Floats:
    """The density above the floor; where chance put it below, a tenth of a percent of the floor stands in."""
    return np.maximum(power - floor, max(1e-3 * floor, LEAST))


def _drawn(
    make: Callable[[int], NDArray[np.floating]], floor: float, shares: Floats, n_steps: int, draws: int
) -> Floats:
    """Densities of made noise above the floor, by the same steps as those of the series; (draw, frequency).

    Every sample of a draw has that share of the density that the series' sample has.
    """
    nperseg = max(n_steps // PARTS, 2)
    found = [welch(make(portion), nperseg) for portion in in_portions(draws * shares.size, n_steps)]
    return _above(shares @ np.concatenate(found).reshape(draws, shares.size, -1), floor)


def _shares(powers: Floats, line: Line) -> Floats:
    """The part of the density that each sample has, by its geometric mean over the bins; (sample,)."""
    levels = line.binned(powers).mean(-1)
    shares = 10 ** (levels - levels.max())
    return shares / shares.sum()


def _no_line(values: Floats, line: Line, band: tuple[float, float] | None) -> str:
    if np.ptp(values) == 0:
        return f"the series is constant at {values.flat[0]:g}"
    where = "" if band is None else f" between {band[0]:g} and {band[1]:g} Hz"
    found, steps = how_many(line.frequency.size, "frequencies"), how_many(values.shape[1], "steps per sample")
    return f"{found}{where} in {steps}; at least {FEWEST_BINS} are needed"


def _too_few(n_steps: int, half: float) -> list[str]:
    if n_steps > FEWEST:
        return []
    return [f"too few steps: {n_steps} per sample, more than {FEWEST} are needed (interval +-{half:.2f})"]


def _at_floor(power: Floats, floor: float, line: Line, dt: float) -> list[str]:
    """Whether a bin lies at the floor that is told, or below it."""
    if not floor:
        return []
    density = 10 ** line.binned(power)
    lowest = int(np.argmin(density))
    if density[lowest] > floor:
        return []
    return [
        f"the density is {density[lowest] * dt:.3g} at {line.frequency[lowest] / dt:.3g} Hz, not above the floor of "
        f"{floor * dt:.3g}; give a smaller floor or a band"
    ]


def _finding(
    estimate: float | None,
    interval: tuple[float, float] | None,
    size: dict[str, int],
    controls: tuple[Control, ...],
    doubts: tuple[str, ...],
) -> Finding:
    return Finding("spectral slope", estimate, interval, "", ESTIMATOR, size, controls, doubts)


def _spread(values: Floats) -> tuple[float, float]:
    half = float(student(values.size) * values.std(ddof=1))
    return float(values.mean()) - half, float(values.mean()) + half


def student(draws: int) -> float:
    """The 97.5 % quantile of Student's t for the mean of so many draws."""
    from scipy.special import stdtrit

    return float(stdtrit(draws - 1, 0.975))
