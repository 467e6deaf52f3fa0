"""What a raster's neurons do together, step by step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.taking import raster_of
from dlm_snn.errors import DlmError, how_many
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.values import slices

MANY = 2**22
"""Events counted together."""


def spiking_raster(thing: Any, dt: float | None, lacks: str) -> SpikeRaster:
    """The raster of an object, which has something to estimate from.

    Args:
        thing, dt: see ``raster_of``.
        lacks: what a raster without spikes does not have, for the message.

    Raises:
        DlmError: a raster without spikes, or of fewer than two steps.
    """
    raster = raster_of(thing, dt)
    if not len(raster) or raster.n_steps < 2:
        extent = " x ".join(map(how_many, raster.extent, ("samples", "steps", "neurons")))
        raise DlmError(
            f"a raster of {extent} with {how_many(len(raster), 'spikes')} has no {lacks}; give one with spikes, and at "
            "least two steps"
        )
    return raster


def population_counts(raster: SpikeRaster) -> NDArray[np.float64]:
    """Spikes of all neurons per step; (sample, step)."""
    counts = np.zeros(raster.n_samples * raster.n_steps)
    for part in slices(len(raster), MANY):
        sample, step = raster.sample[part], raster.step[part]
        low = int(sample[0]) * raster.n_steps
        found = np.bincount(sample.astype(np.int64) * raster.n_steps + step - low)
        counts[low : low + found.size] += found
    return counts.reshape(raster.n_samples, raster.n_steps)


def population_rate(raster: SpikeRaster) -> NDArray[np.float64]:
    """Spikes per neuron and step; (sample, step)."""
    return population_counts(raster) / max(raster.n_neurons, 1)
