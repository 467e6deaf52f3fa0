"""Pools of a few neurons, whose joint spikes are words: small enough for any recording to tell their chances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlm_snn.runs.raster import SpikeRaster


def liveliest(raster: SpikeRaster, n: int) -> NDArray[np.int64]:
    """The n neurons whose spikes vary most, r (1 - r) with r spikes per step: the most active ones below one spike in
    two steps."""
    spikes = np.bincount(raster.neuron, minlength=raster.n_neurons)
    rate = spikes / max(raster.n_samples * raster.n_steps, 1)
    order = np.argsort(-rate * (1 - rate), kind="stable")
    return np.sort(order[:n])
