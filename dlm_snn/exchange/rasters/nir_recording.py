"""Rasters as NIR's data, for use as a library: NIRGraphData of binary events, on integer steps."""

from __future__ import annotations

from collections.abc import Mapping

import nir
import numpy as np

from dlm_snn.errors import DlmError
from dlm_snn.exchange.rasters.grid import Moved, gathered, tell_doubt, to_steps, to_times
from dlm_snn.files.names import check_names
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.values import as_array, as_floats

SPIKES = "spikes"
"""Name of the observable."""


def to_nir_data(rasters: Mapping[str, SpikeRaster]) -> nir.NIRGraphData:
    """Rasters as the EventData ``spikes`` of nodes: times step * dt in seconds, rows of samples filled up with -1.

    Times count from each population's own window, since the format has no place for its depth.
    """
    return nir.NIRGraphData({name: nir.NIRNodeData({SPIKES: _events(raster)}) for name, raster in rasters.items()})


def _events(raster: SpikeRaster) -> nir.EventData:
    counts = np.bincount(raster.sample, minlength=raster.n_samples)
    starts = np.cumsum(counts) - counts
    place = np.arange(len(raster)) - np.repeat(starts, counts)
    shape = raster.n_samples, int(counts.max(initial=0))
    index, time = np.full(shape, -1), np.full(shape, np.inf)
    index[raster.sample, place] = raster.neuron
    time[raster.sample, place] = to_times(raster.step, raster.dt)
    return nir.EventData(index, time, raster.n_neurons, raster.n_steps * raster.dt)


def from_nir_data(
    data: nir.NIRGraphData, dt: float | None = None, observable: str = SPIKES
) -> tuple[dict[str, SpikeRaster], Moved]:
    """Rasters of every node that has an observable of events.

    Steps are rounded, never floored: nir's own ``to_time_gridded`` floors t / dt and loses events.

    Args:
        data: of EventData or Boolean TimeGriddedData.
        dt: seconds a step; TimeGriddedData tells it itself.
        observable: its name.

    Raises:
        DlmError: nested graphs, values instead of events, times or indices that are none; names the node.
    """
    rasters, moved = {}, Moved()
    check_names(data.nodes)
    for name, node in data.nodes.items():
        if isinstance(node, nir.NIRGraphData):
            raise DlmError(f"node '{name}' is a graph of its own; give its data")
        if observable not in node.observables:
            raise DlmError(f"node '{name}' has no '{observable}'; it has {', '.join(node.observables)}")
        try:
            rasters[name], own = _raster(node.observables[observable], dt)
        except DlmError as error:
            raise DlmError(f"node '{name}': {error}") from error
        moved += own
    return rasters, moved


def _raster(events: nir.EventData | nir.TimeGriddedData, dt: float | None) -> tuple[SpikeRaster, Moved]:
    if isinstance(events, nir.TimeGriddedData):
        return SpikeRaster.from_dense(events.data, float(events.dt)), Moved()
    if isinstance(events, nir.ValuedEventData):
        raise DlmError("its events carry values; a raster holds binary events")
    if dt is None:
        raise DlmError("its times have no steps; give dt, in seconds")
    index, time = as_array(events.idx, "idx"), as_floats(events.time, "time")
    if index.shape != time.shape or index.ndim != 2:
        raise DlmError(f"idx of shape {index.shape} and time of shape {time.shape}; both are (sample, event)")
    sample, place = np.nonzero(index != -1)
    step, moved = to_steps(time[sample, place], dt)
    tell_doubt(time[sample, place], step, dt, "the NIR data")
    n_steps = max(int(to_steps([events.t_max], dt)[0][0]), int(step.max(initial=-1)) + 1)
    raster, merged = gathered(sample, step, index[sample, place], (len(index), n_steps, int(events.n_neurons)), dt)
    return raster, moved._replace(merged=merged)
