"""Criticality of a raster: of all neurons, with the branching ratio of a part of them beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dlm_snn.analysis.estimators.branching import branching_ratio
from dlm_snn.analysis.estimators.criticality_common import told
from dlm_snn.analysis.estimators.criticality_verdict import Criticality, criticality
from dlm_snn.analysis.estimators.population import population_counts, spiking_raster
from dlm_snn.runs.raster import SpikeRaster

SHARE = 0.2
"""Of the neurons that are seen in the control."""


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
    """``criticality`` of the spikes per step of all neurons; m and r_1 of fewer neurons as controls.

    m and r_1 of a random fifth of the neurons stand beside those of all where they are resolved.

    Args:
        thing: a SpikeRaster, or what ``raster_of`` takes.
        dt: seconds per step, where the thing does not have it.
        rng: of resampling and of the neurons in the control.
        width, threshold: see ``criticality``.

    Raises:
        DlmError: a raster without spikes or steps.
    """
    raster = spiking_raster(thing, dt, "avalanches")
    found = criticality(population_counts(raster), rng=rng, width=width, threshold=threshold)
    return _beside(found, raster, rng) if found.branching.ratio.resolved else found


def _beside(found: Criticality, raster: SpikeRaster, rng: np.random.Generator) -> Criticality:
    """With m and r_1 of a part of the neurons."""
    if raster.n_neurons * SHARE < 1:
        return found
    part = branching_ratio(population_counts(thinned(raster, SHARE, rng)), rng=rng)
    ratio = found.branching.ratio
    controls = (*ratio.controls, *told(f"a random {SHARE:.0%} of the neurons:", part))
    return replace(found, branching=replace(found.branching, ratio=replace(ratio, controls=controls)))
