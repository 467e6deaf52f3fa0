"""Rasters as NWB files: a units table with a row a neuron, and a trial a sample."""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from dlm_snn.atomic import writing
from dlm_snn.errors import DlmError
from dlm_snn.exchange import hdf5
from dlm_snn.exchange.grid import Moved, common_extent, gathered, optional, to_steps, to_times
from dlm_snn.names import check_names
from dlm_snn.raster import SpikeRaster

NOTE = "dlm-snn"
"""Key in the file's ``notes`` (JSON) under which the extents stand."""
START = datetime(2000, 1, 1, tzinfo=timezone.utc)
"""NWB asks for the date of the session; a simulation has none."""


def write_nwb(rasters: Mapping[str, SpikeRaster], path: str | os.PathLike[str], description: str = "spikes") -> None:
    """Write rasters of one run.

    Units: one a neuron, silent ones too, with the columns ``population`` and ``neuron``; its times are
    (sample * n_steps + step) * dt seconds. Trials: one a sample. ``notes``: the extents, as JSON.

    Args:
        rasters: population -> raster; alike in samples, steps and dt.
        path: the file; written aside, then renamed.
        description: of the session.

    Raises:
        DlmError: rasters of different extent, a path that cannot be written.
        MissingError: pynwb is not installed.
    """
    pynwb = optional("pynwb")
    n_samples, n_steps, dt = common_extent(rasters, "an NWB file")
    extents = {name: {"n_neurons": r.n_neurons} for name, r in rasters.items()}
    notes = {NOTE: {"n_samples": n_samples, "n_steps": n_steps, "dt": dt, "populations": extents}}
    file = pynwb.NWBFile(description, NOTE, START, notes=json.dumps(notes))
    file.add_unit_column("population", "name of the population")
    file.add_unit_column("neuron", "index in the population")
    for name, raster in rasters.items():
        times = to_times(raster.sample.astype(np.int64) * n_steps + raster.step, dt)
        order = np.argsort(raster.neuron, kind="stable")
        cuts = np.searchsorted(raster.neuron[order], np.arange(raster.n_neurons + 1, dtype=np.uint32))
        for neuron, (start, stop) in enumerate(pairwise(cuts)):
            file.add_unit(spike_times=times[order[start:stop]], population=name, neuron=neuron)
    for sample in range(n_samples):
        file.add_trial(sample * n_steps * dt, (sample + 1) * n_steps * dt)
    with tempfile.TemporaryDirectory() as folder:
        aside = Path(folder) / "a.nwb"
        with pynwb.NWBHDF5IO(str(aside), "w") as io:
            io.write(file)
        content = aside.read_bytes()
    with writing(Path(path)) as target:
        target.write(content)


def read_nwb(path: str | os.PathLike[str], dt: float | None = None) -> tuple[dict[str, SpikeRaster], Moved]:
    """Read rasters from the units table of an NWB file.

    A file of ours comes back as it was. In others every unit is a neuron of the population ``units`` (or of those that
    a column ``population`` names), and the recording is one sample.

    Args:
        path: the file.
        dt: seconds a step; needed for files of others. Ours tell it: another one is an error.

    Returns:
        population -> raster, and how many times did not lie on the grid.

    Raises:
        DlmError: a damaged file, one without units, times that are no times; names the file and the first.
        MissingError: no such file, or pynwb is not installed.
    """
    path = Path(path)
    with hdf5.opened(path, "NWB file (.nwb)") as file:
        units = file.get("units")
        if isinstance(units, h5py.Dataset):
            raise DlmError(f"{path}: /units is an array, expected a table; write it again")
        if units is not None:
            hdf5.check_sizes(path, units)
    with _units(path) as (units, notes):
        if units is None or "spike_times" not in units.colnames:
            raise DlmError(f"{path} has no units table with spike times; there is nothing to read")
        try:
            noted = json.loads(notes or "{}").get(NOTE)
        except (ValueError, AttributeError):
            noted = None
        if noted is None and dt is None:
            raise DlmError(f"{path} does not tell its steps; give dt, in seconds")
        times = [np.asarray(units["spike_times"][i], dtype=np.float64) for i in range(len(units))]
        names = [str(n) for n in units["population"][:]] if "population" in units.colnames else ["units"] * len(times)
        neurons = [int(n) for n in units["neuron"][:]] if noted is not None and "neuron" in units.colnames else None
    try:
        check_names(dict.fromkeys(names))
        if noted is not None and neurons is not None:
            if dt is not None and dt != noted["dt"]:
                raise DlmError(f"it was written for dt = {noted['dt']!r} s, not {dt!r} s; leave dt out")
            return _ours(times, names, neurons, noted)
        return _others(times, names, noted["dt"] if dt is None else dt)
    except (KeyError, TypeError) as error:
        raise DlmError(f"{path}: its notes '{NOTE}' do not fit ({error}); write it again") from error
    except DlmError as error:
        raise DlmError(f"{path}: {error}") from error


@contextmanager
def _units(path: Path) -> Iterator[tuple[Any, Any]]:
    """The units table and the notes of a file."""
    pynwb = optional("pynwb")
    with warnings.catch_warnings():
        # hdmf warns of namespaces cached in the file; they are the ones that are read.
        warnings.simplefilter("ignore")
        try:
            with pynwb.NWBHDF5IO(str(path), "r") as io:
                file = io.read()
                yield file.units, file.notes
        except DlmError:
            raise
        except Exception as error:
            # What a file of another kind makes hdmf raise has no common name.
            reason = " ".join(str(error).split())[:160]
            raise DlmError(f"{path} is not a readable NWB file ({type(error).__name__}: {reason})") from error


def _ours(
    times: list[Any], names: list[str], neurons: list[int], noted: Mapping[str, Any]
) -> tuple[dict[str, SpikeRaster], Moved]:
    n_samples, n_steps, dt = noted["n_samples"], noted["n_steps"], noted["dt"]
    rasters, moved = {}, Moved()
    unknown = sorted(set(names) - set(noted["populations"]))
    if unknown:
        raise DlmError(f"its notes '{NOTE}' do not tell the extent of the units of '{unknown[0]}'; write it again")
    for name, extent in noted["populations"].items():
        own = [i for i, other in enumerate(names) if other == name]
        flat = np.concatenate([times[i] for i in own]) if own else np.zeros(0)
        neuron = np.repeat([neurons[i] for i in own], [times[i].size for i in own]) if own else np.zeros(0, int)
        place, off = to_steps(flat, dt, max(n_samples * n_steps, 1))
        sample, step = np.divmod(place, max(n_steps, 1))
        raster, merged = gathered(sample, step, neuron, (n_samples, n_steps, extent["n_neurons"]), dt)
        rasters[name] = raster
        moved += off._replace(merged=merged)
    return rasters, moved


def _others(times: list[Any], names: list[str], dt: float) -> tuple[dict[str, SpikeRaster], Moved]:
    last = max((float(np.max(own)) for own in times if own.size), default=0.0)
    n_steps = int(to_steps([last], dt)[0][0]) + 1
    rasters, moved = {}, Moved()
    for name in dict.fromkeys(names):
        own = [train for train, other in zip(times, names, strict=True) if other == name]
        step, off = to_steps(np.concatenate(own), dt)
        neuron = np.repeat(np.arange(len(own)), [train.size for train in own])
        raster, merged = gathered(np.zeros_like(step), step, neuron, (1, n_steps, len(own)), dt)
        rasters[name] = raster
        moved += off._replace(merged=merged)
    return rasters, moved
