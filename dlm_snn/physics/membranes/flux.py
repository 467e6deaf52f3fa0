"""Currents that spikes carry, along projections and around cycles of neurons; for use as a library."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.recording import Recording, spikes_of


def spike_flux(recording: Recording) -> dict[str, float]:
    """Spikes times fan-out per step and sample, by projection between neurons: the spikes' information current.

    Args:
        recording: with the spikes of all populations.

    Raises:
        DlmError: spikes of a presynaptic population were not recorded.
    """
    found: dict[str, float] = {}
    for projection in recording.network.projections:
        if projection.pre not in recording.network.neurons:
            continue
        fan_out = np.bincount(projection.connection.sparse().pre, minlength=projection.connection.n_pre)
        counts = spikes_of(recording, projection.pre).counts().sum(0)
        steps = max(recording.n_samples * recording.n_steps, 1)
        found[projection.name] = found.get(projection.name, 0.0) + float(counts @ fan_out) / steps
    return found


def edge_currents(raster: SpikeRaster) -> NDArray[np.float64]:
    """J_ij = <s_j(t+1) s_i(t) - s_i(t+1) s_j(t)>, (neuron, neuron), antisymmetric: who leads whom.

    It is 0 in the mean where time has no direction.
    """
    s = raster.dense().astype(float)
    pairs = max(s.shape[0] * (s.shape[1] - 1), 1)
    lead = np.einsum("bti,btj->ij", s[:, :-1], s[:, 1:]) / pairs
    return lead - lead.T
