"""Criticality of a raster: of all neurons, with the branching ratio of a part of them beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.estimators.branching import branching_ratio
from dlm_snn.analysis.estimators.criticality_verdict import Criticality, criticality
from dlm_snn.analysis.estimators.spectrum_raster import population_rate
from dlm_snn.analysis.finding import Control
from dlm_snn.analysis.taking import raster_of
from dlm_snn.errors import DlmError
from dlm_snn.runs.raster import SpikeRaster

SHARE = 0.2
"""Of the neurons that are seen in the control."""


def population_counts(raster: SpikeRaster) -> NDArray[np.float64]:
    """Spikes of all neurons per step; (sample, step)."""
    return np.round(population_rate(raster) * raster.n_neurons)


def thinned(raster: SpikeRaster, share: float, rng: np.random.Generator) -> SpikeRaster:
    """A random part of the neurons, at least one: what a few electrodes would see."""
    count = max(1, round(share * raster.n_neurons))
    return raster[:, :, np.sort(rng.choice(raster.n_neurons, count, replace=False))]


def raster_criticality(
    thing: Any,
    dt: float | None = None,
    *,
    rng: np.random.Generator,
    width: int = 1,
    threshold: float = 0.0,
) -> Criticality:
    """``criticality`` of the spikes per step of all neurons; m and r_1 of a random fifth of them as controls.

    Args:
        thing: a SpikeRaster, or what ``raster_of`` takes.
        dt: seconds per step, where the thing does not have it.
        rng: of resampling and of the neurons in the control.
        width, threshold: see ``criticality``.

    Raises:
        DlmError: a raster without spikes or steps.
    """
    raster = raster_of(thing, dt)
    if not len(raster) or raster.n_steps < 2:
        samples, steps, neurons = raster.extent
        raise DlmError(
            f"a raster of {samples} samples x {steps} steps x {neurons} neurons with {len(raster)} spikes has no "
            "avalanches; give one with spikes, and at least two steps"
        )
    found = criticality(population_counts(raster), rng=rng, width=width, threshold=threshold)
    if raster.n_neurons * SHARE < 1:
        return found
    part = branching_ratio(population_counts(thinned(raster, SHARE, rng)), rng=rng)
    branching = found.branching
    if part.ratio.estimate is None or part.naive.estimate is None:
        return found
    name = f"a random {SHARE:.0%} of the neurons:"
    controls = (
        Control(f"{name} m", part.ratio.estimate, part.ratio.interval),
        Control(f"{name} r_1", part.naive.estimate, part.naive.interval),
    )
    ratio = replace(branching.ratio, controls=(*branching.ratio.controls, *controls))
    return replace(found, branching=replace(branching, ratio=ratio))
