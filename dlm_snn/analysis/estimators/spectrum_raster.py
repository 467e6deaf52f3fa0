"""The spectrum of a population's rate: above the white noise that spikes make by themselves, or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.estimators.population import MANY, population_rate, spiking_raster
from dlm_snn.analysis.estimators.spectrum_slope import FEWEST_BINS, PARTS, Spectrum, spectrum
from dlm_snn.analysis.estimators.spectrum_welch import Line, frequencies, welch
from dlm_snn.analysis.finding import Control, Finding
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.values import check_generator, slices

ABOVE = 2.0
"""Density in units of the floor down to which the line is drawn."""
DECADES = 0.5
"""Least width of a band."""
SPAN = 1.5
"""Decades of frequency of a sample, from which on white noise is to blame and not the few steps."""


def white_floor(raster: SpikeRaster) -> float:
    """Density of the population rate if every spike were independent: 2 dt sum_i r_i (1 - r_i) / n^2.

    r_i is neuron i's spikes per step, n the neurons. The variance of a coin is r (1 - r), its one-sided density twice
    that; for one neuron it is 2 r (1 - r) per cycle per step.

    Returns:
        In (spikes per neuron and step)^2 per Hz.
    """
    spikes = np.zeros(raster.n_neurons)
    for part in slices(len(raster), MANY):
        found = np.bincount(raster.neuron[part])
        spikes[: found.size] += found
    rate = spikes / max(raster.n_samples * raster.n_steps, 1)
    return float(2 * raster.dt * np.sum(rate * (1 - rate)) / max(raster.n_neurons, 1) ** 2)


def raster_spectrum(thing: Any, dt: float | None = None, *, rng: np.random.Generator) -> Spectrum:
    """The spectrum of a population's rate; its slope where the density is at least twice the floor of white noise.

    The floor is subtracted, and the line is drawn from the lowest frequency up to the first of 20 bins that is below
    twice the floor. A sparse train hides the color of its rate: with the floor left in, the slope goes to 0.

    Args:
        thing: a SpikeRaster, or what ``raster_of`` takes.
        dt: seconds per step, where the thing does not have it.
        rng: see ``spectrum``.

    Raises:
        DlmError: a raster without spikes or steps.
    """
    check_generator(rng)
    raster = spiking_raster(thing, dt, "spectrum")
    rate, floor = population_rate(raster), white_floor(raster)
    nperseg = max(raster.n_steps // PARTS, 2)
    power = welch(rate, nperseg).mean(0) * raster.dt
    line = Line.through(frequencies(nperseg) / raster.dt, (0, np.inf))
    if np.ptp(rate) == 0 or line.frequency.size < 2:
        return spectrum(rate, raster.dt, rng=rng)
    density = 10 ** line.binned(power)
    below = np.flatnonzero(density < ABOVE * floor)
    last = below[0] - 1 if below.size else line.frequency.size - 1
    full = Control("all frequencies, floor left in", float(line.slope(power)))
    if last + 1 < FEWEST_BINS or np.log10(line.frequency[last] / line.frequency[0]) < DECADES:
        return _hidden(rate, raster.dt, line, power, density, floor, full)
    band = (0.0, float(line.frequency[last]) * (1 + 1e-9))
    found = spectrum(rate, raster.dt, rng=rng, band=band, floor=floor)
    return replace(found, slope=replace(found.slope, controls=(*found.slope.controls, full)))


def _hidden(
    rate: NDArray[np.float64],
    dt: float,
    line: Line,
    power: NDArray[np.float64],
    density: NDArray[np.float64],
    floor: float,
    full: Control,
) -> Spectrum:
    """A spectrum without a slope: its density is at the floor nearly everywhere."""
    lowest, highest = density[0] / floor, density.max() / floor
    doubt = (
        f"the spikes' own white noise hides the rate's spectrum: its density is {lowest:.2g} times the floor at "
        f"{line.frequency[0]:.3g} Hz and at most {highest:.2g} times; "
        f"{ABOVE:g} times over {FEWEST_BINS} bins and half a decade is needed"
    )
    if np.count_nonzero(line.inside) < 10**SPAN:
        doubt = (
            f"too few steps: {rate.shape[1]} per sample show nothing below {line.frequency[0]:.3g} Hz, and above it "
            f"the rate is not seen over its own white noise; {round(2 * PARTS * 10**SPAN) + 2 * PARTS} are needed"
        )
    size = {"samples": rate.shape[0], "steps": rate.shape[1], "bins": line.frequency.size}
    slope = Finding("spectral slope", None, None, "", "Welch, above the white floor of spikes", size, (full,), (doubt,))
    ends = float(line.frequency[0]), float(line.frequency[-1])
    return Spectrum(
        slope, frequencies(max(rate.shape[1] // PARTS, 2)) / dt, power, line.frequency, density, (0, 0), ends, floor
    )
