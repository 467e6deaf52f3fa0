"""Criticality of a raster: of all neurons, with the branching ratio of a part of them beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.estimators.branching import Branching, branching_ratio
from dlm_snn.analysis.estimators.criticality_verdict import Criticality, criticality
from dlm_snn.analysis.estimators.population import population_counts, spiking_raster
from dlm_snn.analysis.finding import Control, Finding
from dlm_snn.runs.raster import SpikeRaster

SHARE = 0.2
"""Of the neurons that are seen in the control."""
SMOOTH = 0.25
"""Standard deviation of the Gaussian that smooths the rate of independent spikes, in autocorrelation times."""
COMMON = "common input to independent neurons would give the same m and r_1"


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
    """``criticality`` of the spikes per step of all neurons; m of independent spikes and of fewer neurons as controls.

    Independent spikes: Poisson numbers with the smoothed rate of the population as their mean. Where their m and r_1
    are the same, the verdict says that common input would do. m and r_1 of a random fifth of the neurons stand beside
    them where they are resolved.

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
    """With the controls."""
    branching, counts = found.branching, population_counts(raster)
    alone = branching_ratio(independent(counts, branching.ratio.value or 0.0, rng), rng=rng)
    controls = _told("independent spikes at the same smoothed rate:", alone)
    if raster.n_neurons * SHARE >= 1:
        part = branching_ratio(population_counts(thinned(raster, SHARE, rng)), rng=rng)
        controls += _told(f"a random {SHARE:.0%} of the neurons:", part)
    ratio = replace(branching.ratio, controls=(*branching.ratio.controls, *controls))
    same = _overlap(branching.ratio, alone.ratio) and _overlap(branching.naive, alone.naive)
    verdict = found.verdict + (f"; {COMMON}" if same else "")
    return replace(found, verdict=verdict, branching=replace(branching, ratio=ratio))


def independent(counts: NDArray[np.float64], m: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Poisson numbers around counts that are smoothed over a part of their autocorrelation time; (sample, step)."""
    from scipy.ndimage import gaussian_filter1d

    width = max(1.0, SMOOTH / -np.log(np.clip(m, 0.01, 0.999)))
    return rng.poisson(gaussian_filter1d(counts, width, axis=1, mode="reflect")).astype(float)


def _told(name: str, found: Branching) -> tuple[Control, ...]:
    """What is resolved of it."""
    rows = (("m", found.ratio), ("r_1", found.naive))
    return tuple(Control(f"{name} {what}", row.value, row.interval) for what, row in rows if row.value is not None)


def _overlap(one: Finding, other: Finding) -> bool:
    if one.value is None or other.value is None or one.interval is None or other.interval is None:
        return False
    return one.interval[0] <= other.interval[1] and other.interval[0] <= one.interval[1]
