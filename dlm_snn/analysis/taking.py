"""Rasters from what people have in memory, for use as a library: Neo objects, frames, Monitor data, tensors, ours."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from dlm_snn.errors import DlmError, LossWarning
from dlm_snn.exchange.rasters.arrays import from_monitor, from_time_first
from dlm_snn.exchange.rasters.csv_files import from_frame
from dlm_snn.exchange.rasters.neo import from_neo
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.recording import Recording

UNNAMED = "spikes"
"""Name of the population of an array, which tells none."""
STEP = SpikeRaster.dt
"""Seconds per step of what has steps and does not tell their length."""


def rasters_of(thing: Any, dt: float | None = None) -> dict[str, SpikeRaster]:
    """The rasters of an object.

    Args:
        thing: a SpikeRaster; a Recording of ours; a mapping population -> SpikeRaster, array or tensor; a neo.Block,
            Segment, SpikeTrain or a list of SpikeTrains; a pandas frame with the columns population, sample, step,
            neuron; the data of a Lava Monitor, ``monitor.get_data()``; an array or tensor of 0 and 1: (step, neuron),
            or (step, sample, neuron) as snnTorch has it, [T, B, N].
        dt: seconds per step. Neo objects, which have times, need it; what has steps takes 1 ms where it is not given.
            Rasters of ours have their own.

    Returns:
        Population -> raster. A Monitor's Processes are its populations.

    Raises:
        DlmError: an object of another kind; see the readers for what is wrong inside.

    A LossWarning says where spikes of Neo objects fell into one step and were merged.
    """
    if isinstance(thing, (str, os.PathLike)):
        raise DlmError(f"{thing} is the name of a file; give SpikeRaster.load({str(thing)!r}), or what read it")
    if isinstance(thing, SpikeRaster):
        return {UNNAMED: _as_told(thing, dt, UNNAMED)}
    if isinstance(thing, Recording):
        return {name: _as_told(raster, dt, name) for name, raster in thing.rasters.items()}
    if isinstance(thing, Mapping):
        return _of_mapping(thing, dt)
    kind = type(thing).__module__.partition(".")[0]
    if kind == "neo" or _are_trains(thing):
        rasters, moved = from_neo([thing] if type(thing).__name__ == "SpikeTrain" else thing, dt)
        if moved.merged:
            warnings.warn(f"{moved}; a smaller dt keeps them apart", LossWarning, stacklevel=2)
        return rasters
    if kind == "pandas":
        return {name: _as_told(raster, dt, name) for name, raster in from_frame(thing).items()}
    return {UNNAMED: _of_array(thing, dt)}


def raster_of(thing: Any, dt: float | None = None, population: str | None = None) -> SpikeRaster:
    """The one raster of an object, or that of a named population; see ``rasters_of``.

    Raises:
        DlmError: several populations and none named, or none of that name.
    """
    found = rasters_of(thing, dt)
    if population is None and len(found) == 1:
        return next(iter(found.values()))
    if population not in found:
        told = "no population was named" if population is None else f"'{population}' is none of them"
        raise DlmError(f"there are rasters of {', '.join(found) or 'nothing'}, and {told}; give population=NAME")
    return found[population]


def _as_told(raster: Any, dt: float | None, name: str) -> SpikeRaster:
    if not isinstance(raster, SpikeRaster):
        raise DlmError(f"'{name}' is a {type(raster).__name__}, where a SpikeRaster is wanted")
    if dt is not None and dt != raster.dt:
        raise DlmError(f"the raster of '{name}' has dt = {raster.dt:g} s, and dt = {dt:g} was given; leave it out")
    return raster


def _of_mapping(thing: Mapping[Any, Any], dt: float | None) -> dict[str, SpikeRaster]:
    if thing and all(isinstance(ports, Mapping) for ports in thing.values()):
        return {str(process): from_monitor(thing, process, STEP if dt is None else dt) for process in thing}
    return {str(name): _of_value(value, dt, str(name)) for name, value in thing.items()}


def _of_value(value: Any, dt: float | None, name: str) -> SpikeRaster:
    if isinstance(value, SpikeRaster) or len(_shape(value)) not in (2, 3):
        return _as_told(value, dt, name)
    return _of_array(value, dt)


def _are_trains(thing: Any) -> bool:
    return (
        isinstance(thing, (list, tuple))
        and bool(thing)
        and all(type(one).__module__.startswith("neo") for one in thing)
    )


def _shape(thing: Any) -> tuple[int, ...]:
    """Of an array, tensor or nested lists; lists of unequal lengths are times of spikes, which have no place yet."""
    try:
        return np.shape(thing)
    except ValueError as error:
        raise DlmError(
            f"a {type(thing).__name__} of rows of unequal lengths is no raster; give times of spikes as Neo "
            "SpikeTrains with dt, or 0 and 1 for every step and neuron"
        ) from error


def _of_array(thing: Any, dt: float | None) -> SpikeRaster:
    shape = _shape(thing)
    step = STEP if dt is None else dt
    if len(shape) == 2:
        return from_time_first(np.asarray(thing)[:, None], step)
    if len(shape) != 3:
        raise DlmError(
            f"a {type(thing).__name__} of shape {shape} is no raster; give (step, neuron), (step, sample, neuron), "
            "a SpikeRaster, Neo objects, a frame or a Monitor's data"
        )
    return from_time_first(thing, step)
