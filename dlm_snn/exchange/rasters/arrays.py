"""Rasters as arrays of SciPy, snnTorch [T, B, N], SLAYER [N, C, T] and Lava, for use as a library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, nearest
from dlm_snn.files.free_memory import check_room
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.values import as_array, is_whole


def to_scipy(raster: SpikeRaster) -> Any:
    """As a scipy.sparse.csr_array of ones, (sample * n_steps + step, neuron); the neurons are not copied.

    The ones are int32, so that products count: ``m.T @ m`` holds the coincidences of neurons.

    Raises:
        DlmError: its rows take more memory than is free.
    """
    from scipy.sparse import csr_array

    rows = raster.n_samples * raster.n_steps
    check_room(16 * (rows + 1), f"a sparse array of {rows} rows")
    row = raster.sample.astype(np.int64) * raster.n_steps + raster.step
    starts = np.searchsorted(row, np.arange(rows + 1))
    small = max(raster.n_neurons, len(raster)) < 2**31
    neuron = raster.neuron.view(np.int32) if small else raster.neuron.astype(np.int64)
    spikes = np.ones(len(raster), dtype=np.int32)
    return csr_array((spikes, neuron, starts.astype(neuron.dtype)), shape=(rows, raster.n_neurons))


def from_scipy(matrix: Any, n_steps: int, dt: float = 1e-3) -> SpikeRaster:
    """From a sparse matrix (sample * n_steps + step, neuron) of zeros and ones.

    Raises:
        DlmError: rows that are no multiple of ``n_steps``, or entries other than 0 and 1.
    """
    rows, n_neurons = matrix.shape
    if not is_whole(n_steps) or n_steps < 1 or rows % n_steps:
        raise DlmError(f"{rows} rows are not whole samples of n_steps = {n_steps}")
    found = matrix.tocoo()
    entries = as_array(found.data, "the matrix")
    spikes = entries != 0
    if np.any(entries[spikes] != 1):
        raise DlmError("the matrix holds values other than 0 and 1; a raster holds binary events")
    sample, step = np.divmod(found.row[spikes], n_steps)
    return SpikeRaster(sample, step, found.col[spikes].astype(np.int64), rows // n_steps, n_steps, n_neurons, dt)


def to_time_first(raster: SpikeRaster) -> NDArray[np.float32]:
    """As snnTorch has it: float32 (step, sample, neuron), [T, B, N]; give it to torch.from_numpy."""
    return raster.dense().transpose(1, 0, 2).astype(np.float32)


def from_time_first(spikes: Any, dt: float = 1e-3) -> SpikeRaster:
    """From a snnTorch tensor or array [T, B, N] or [T, B, channel, row, column] of zeros and ones."""
    array = as_array(spikes, "spikes")
    if array.ndim < 3:
        raise DlmError(f"spikes of shape {array.shape} are not [T, B, N] (step, sample, neuron)")
    steps_first = array.reshape(*array.shape[:2], -1) if array.size else array.reshape(*array.shape[:3])
    return SpikeRaster.from_dense(steps_first.transpose(1, 0, 2), dt)


def to_time_last(raster: SpikeRaster, shape: tuple[int, ...] | None = None) -> NDArray[np.float32]:
    """As SLAYER has it: float32 (sample, neuron, step), [N, C, T], or [N, C, H, W, T] for a shape (C, H, W)."""
    spikes = raster.dense().transpose(0, 2, 1).astype(np.float32)
    return spikes if shape is None else spikes.reshape(raster.n_samples, *shape, raster.n_steps)


def from_time_last(spikes: Any, dt: float = 1e-3) -> SpikeRaster:
    """From a SLAYER tensor or array [N, C, T] or [N, C, H, W, T] of zeros and ones.

    SLAYER divides by its sampling time: values are 1 / sampling_time, so give ``spikes * sampling_time`` there.
    """
    array = as_array(spikes, "spikes")
    if array.ndim < 3:
        raise DlmError(f"spikes of shape {array.shape} are not [N, C, T] (sample, neuron, step)")
    neurons = int(np.prod(array.shape[1:-1]))
    return SpikeRaster.from_dense(array.reshape(len(array), neurons, array.shape[-1]).transpose(0, 2, 1), dt)


def from_monitor(data: Mapping[str, Mapping[str, Any]], process: str | None = None, dt: float = 1e-3) -> SpikeRaster:
    """From ``monitor.get_data()`` of a Lava Monitor on a spike port: {process: {port: (step, neuron)}}.

    Args:
        data: what Lava returned.
        process: which Process; the only one by default.

    Raises:
        DlmError: another Process, several ports, or values other than 0 and 1.
    """
    names = [process] if process is not None else list(data)
    if len(names) != 1 or names[0] not in data:
        known = process if process is not None else ", ".join(map(str, data))
        raise DlmError(f"the monitor's data hold {len(data)} Processes, '{known}' is none; {nearest(str(known), data)}")
    ports = data[names[0]]
    if len(ports) != 1:
        raise DlmError(f"the monitor's data of '{names[0]}' hold {', '.join(map(str, ports))}; give those of one port")
    (array,) = ports.values()
    steps = as_array(array, "the monitor's data")
    if steps.ndim < 2:
        raise DlmError(f"the monitor's data have the shape {steps.shape}, expected (step, neuron)")
    return SpikeRaster.from_dense(steps.reshape(1, len(steps), int(np.prod(steps.shape[1:]))), dt)
