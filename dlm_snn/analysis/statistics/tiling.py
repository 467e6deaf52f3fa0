"""The spike time tiling coefficient, a correlation that does not grow with rates; for use as a library."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.statistics._tiling_compiled import covered, nearby
from dlm_snn.analysis.statistics.first_order import share
from dlm_snn.analysis.statistics.steps import steps_of
from dlm_snn.analysis.statistics.trains import trains_of
from dlm_snn.analysis.taking import raster_of
from dlm_snn.files.free_memory import check_room


def spike_time_tiling(spikes: Any, reach: float = 0.005, dt: float | None = None) -> NDArray[np.float64]:
    """The spike time tiling coefficient (STTC) of every pair of neurons, -1..1.

    STTC = ((P_a - T_b) / (1 - P_a T_b) + (P_b - T_a) / (1 - P_b T_a)) / 2. P_a is the share of a's spikes within
    ``reach`` of a spike of b, T_a the share of steps within ``reach`` of a spike of a; a term is 1 where its P and T
    are 1. About 0 for independent neurons of any rates. Cutts and Eglen 2014, J. Neurosci. 34:14288. Spikes lie in the
    middle of their steps: Elephant gives the same with half a step added to its times and to its dt, and a bias
    without.

    Args:
        spikes: whatever ``raster_of`` takes; spikes and time of all samples are taken together.
        reach: s, to both sides.
        dt: see ``raster_of``.

    Returns:
        (neuron, neuron), symmetric; NaN for a neuron that never fires.

    Raises:
        DlmError: a reach that is no multiple of dt or longer than a sample; no room.
    """
    raster = raster_of(spikes, dt)
    steps = steps_of(reach, raster.dt, "reach", raster.n_steps)
    n = raster.n_neurons
    check_room(40 * n * n, f"the pairs of {n} neurons")
    tiled, near = np.zeros(n, np.int64), np.zeros((n, n), np.int64)
    for sample in range(raster.n_samples):
        trains = trains_of(raster[sample])
        covered(trains.time, trains.starts, steps, raster.n_steps, tiled)
        nearby(trains.time, trains.starts, steps, near)
    counts = raster.counts().sum(axis=0)
    shares = share(near, np.repeat(counts[:, None], n, axis=1))
    time = tiled / max(raster.n_samples * raster.n_steps, 1)
    product = shares * time
    term = np.divide(shares - time, 1 - product, out=np.ones((n, n)), where=product != 1)
    found = (term + term.T) / 2
    found[:, counts == 0] = np.nan
    return found
