"""Rasters as NWB files: a units table with a row a neuron, and a trial a sample."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, LossWarning
from dlm_snn.exchange.guarded import hdf5
from dlm_snn.exchange.rasters.grid import (
    Moved,
    common_extent,
    from_clock,
    gathered,
    optional,
    tell_doubt,
    to_steps,
    to_times,
)
from dlm_snn.files.atomic import writing
from dlm_snn.files.names import check_names
from dlm_snn.files.reading import parse_json
from dlm_snn.runs.raster import SpikeRaster

NOTE = "dlm-snn"
"""Key in the file's ``notes`` (JSON) under which the extents stand."""
POPULATION = "units"
"""Of units whose table names none."""
UNITS, PROCESSING = "units", "processing"
START = datetime(2000, 1, 1, tzinfo=timezone.utc)
"""NWB asks for the date of the session; a simulation has none."""
NWB = hdf5.hdf5_file("an NWB file", lambda file: NOTE.encode() in bytes(file["general/notes"][()]))


def write_nwb(
    rasters: Mapping[str, SpikeRaster],
    path: str | os.PathLike[str],
    description: str = "spikes",
    replace: bool = False,
) -> None:
    """Write rasters of one run.

    Units: one a neuron, silent ones too, with the columns ``population`` and ``neuron``. Trials: one a sample, of
    n_steps and the largest depth among the rasters. A spike comes when it does on the machine's clock, (depth + step) *
    dt seconds after its trial begins. ``notes``: the extents and depths, as JSON.

    Args:
        rasters: population -> raster; alike in samples, steps and dt.
        path: the file; written aside, then renamed.
        description: of the session.
        replace: an NWB file of that name gives way, if we wrote it.

    Raises:
        DlmError: rasters of different extent; a path that exists and must not be replaced, or cannot be written.
        MissingError: pynwb is not installed.
    """
    pynwb = optional("pynwb")
    n_samples, n_steps, dt = common_extent(rasters, "an NWB file")
    extents = {name: {"n_neurons": r.n_neurons, "depth": r.depth} for name, r in rasters.items()}
    period = n_steps + max(raster.depth for raster in rasters.values())
    numbers = {"n_samples": n_samples, "n_steps": n_steps, "dt": dt, "period": period}
    notes = {NOTE: {**numbers, "populations": extents}}
    file = pynwb.NWBFile(description, NOTE, START, notes=json.dumps(notes))
    file.add_unit_column("population", "name of the population")
    file.add_unit_column("neuron", "index in the population")
    for name, raster in rasters.items():
        times = to_times(raster.sample.astype(np.int64) * period + raster.depth + raster.step, dt)
        order = np.argsort(raster.neuron, kind="stable")
        cuts = np.searchsorted(raster.neuron[order], np.arange(raster.n_neurons + 1, dtype=np.uint32))
        for neuron, (start, stop) in enumerate(pairwise(cuts)):
            file.add_unit(spike_times=times[order[start:stop]], population=name, neuron=neuron)
    for sample in range(n_samples):
        file.add_trial(sample * period * dt, (sample + 1) * period * dt)
    with writing(Path(path), NWB, replace) as target:
        with pynwb.NWBHDF5IO(target.name, "w") as io:
            io.write(file)
        hdf5.seal(Path(target.name))


class Session(NamedTuple):
    """What an NWB file holds.

    Attributes:
        rasters: population -> raster.
        moved: how many times did not lie on the grid.
        unit_ids: population -> the id of each neuron's unit, where they are not the neurons' own numbers.
    """

    rasters: dict[str, SpikeRaster]
    moved: Moved
    unit_ids: dict[str, tuple[int, ...]]

    def notes(self) -> list[str]:
        """A line for each population whose units have ids of their own."""
        return [
            f"{name}: neurons 0..{len(ids) - 1} are the units {', '.join(map(str, ids[:8]))}{', ...' * (len(ids) > 8)}"
            for name, ids in self.unit_ids.items()
        ]


def read_nwb(
    path: str | os.PathLike[str], dt: float | None = None, start: float | None = None
) -> tuple[dict[str, SpikeRaster], Moved]:
    """Read rasters from the units table of an NWB file.

    A file of ours comes back as it was. In others every unit is a neuron of the population ``units`` (or of those that
    a column ``population`` names), and the recording is one sample; trials are left out, which a LossWarning says. The
    table may lie in a processing module, if it is the only one.

    Args:
        path: the file.
        dt: seconds a step; needed for files of others. Ours tell it: another one is an error.
        start: seconds on the file's clock at which step 0 begins; 0 by default. Not for files of ours.

    Returns:
        population -> raster, and how many times did not lie on the grid.

    Raises:
        DlmError: a damaged file, one without units, times that are no times; names the file, the unit and its spike.
        MissingError: no such file, or pynwb is not installed.
    """
    rasters, moved, _ = read_session(path, dt, start)
    return rasters, moved


def read_session(path: str | os.PathLike[str], dt: float | None = None, start: float | None = None) -> Session:
    """``read_nwb``, with the ids of the units."""
    path = Path(path)
    where = _table(path)
    with _opened(path) as file:
        units = _units(file, where)
        if units is None or "spike_times" not in units.colnames:
            raise DlmError(f"{path} has no units table with spike times; there is nothing to read")
        noted = _noted(file.notes) if where == UNITS else None
        if noted is None and dt is None:
            raise DlmError(f"{path} does not tell its steps; give dt, in seconds")
        own = [np.asarray(units["spike_times"][i], dtype=np.float64) for i in range(len(units))]
        names = [str(n) for n in units["population"][:]] if "population" in units.colnames else [POPULATION] * len(own)
        neurons = [int(n) for n in units["neuron"][:]] if noted is not None and "neuron" in units.colnames else None
        trains = _Trains(own, names, [int(i) for i in units.id[:]])
        trials = 0 if noted is not None or file.trials is None else len(file.trials)
    try:
        check_names(dict.fromkeys(names))
        if noted is not None and neurons is not None:
            if dt is not None and dt != noted["dt"]:
                raise DlmError(f"it was written for dt = {noted['dt']!r} s, not {dt!r} s; leave dt out")
            if start is not None:
                raise DlmError(f"start = {start!r} of a file of ours, whose samples begin at 0; leave it out")
            return Session(*_ours(trains, neurons, noted), {})
        step_size: Any = noted["dt"] if dt is None and noted is not None else dt
        session = _others(trains, step_size, 0.0 if start is None else start, str(path))
    except (KeyError, TypeError) as error:
        raise DlmError(f"{path}: its notes '{NOTE}' do not fit ({error}); write it again") from error
    except DlmError as error:
        raise DlmError(f"{path}: {error}") from error
    if where != UNITS:
        warnings.warn(f"{path}: its units are those of {where}, a processing module", LossWarning, stacklevel=2)
    if trials:
        warnings.warn(
            f"{path}: its {trials} trials are left out; the recording is one sample", LossWarning, stacklevel=2
        )
    return session


class _Trains(NamedTuple):
    """What stands in a units table, an entry a unit."""

    times: list[NDArray[np.float64]]
    names: list[str]
    ids: list[int]

    def of(self, name: str) -> list[int]:
        """The rows of a population."""
        return [i for i, other in enumerate(self.names) if other == name]

    def flat(self, rows: list[int]) -> NDArray[np.float64]:
        """The times of rows, one after another."""
        return np.concatenate([np.zeros(0), *(self.times[i] for i in rows)])

    def named(self, rows: list[int], at: int) -> str:
        """A spike among those of rows, for a message."""
        ends = np.cumsum([self.times[i].size for i in rows])
        row = int(np.searchsorted(ends, at, side="right"))
        return f"unit {self.ids[rows[row]]}, spike {at - int(ends[row]) + self.times[rows[row]].size}"


def _table(path: Path) -> str:
    """Where in the file its units lie; UNITS too where there are none.

    Raises:
        DlmError: an array, a table that declares what the file cannot hold, or several tables.
    """
    with hdf5.opened(path, "NWB file (.nwb)", spikes_only=True) as file:
        units = file.get(UNITS)
        here = isinstance(units, h5py.Dataset) or (units is not None and "spike_times" in units)
        found = [UNITS] if here else _processed(file)
        if len(found) > 1:
            raise DlmError(f"{path} has several units tables, {', '.join(found)}; keep one, or copy it to /{UNITS}")
        where = found[0] if found else UNITS
        units = file.get(where)
        if isinstance(units, h5py.Dataset):
            raise DlmError(f"{path}: /{where} is an array, expected a table; write it again")
        if units is not None:
            hdf5.check_sizes(path, units)
    return where


def _processed(file: h5py.File) -> list[str]:
    """Units tables with spikes in processing modules."""
    modules = file.get(PROCESSING)
    groups = modules.items() if isinstance(modules, h5py.Group) else ()
    return [
        f"{PROCESSING}/{module}/{name}"
        for module, group in groups
        if isinstance(group, h5py.Group)
        for name, table in group.items()
        if isinstance(table, h5py.Group) and "spike_times" in table
    ]


def _units(file: Any, where: str) -> Any:
    if where == UNITS:
        return file.units
    _, module, name = where.split("/")
    return file.processing[module].data_interfaces[name]


def _noted(notes: str | None) -> Any:
    """What ``write_nwb`` noted; None: nothing."""
    try:
        return parse_json(notes or "{}", "its notes").get(NOTE)
    except (ValueError, AttributeError):
        return None


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A file as pynwb reads it."""
    pynwb = optional("pynwb")
    with warnings.catch_warnings():
        # hdmf warns of namespaces cached in the file; they are the ones that are read.
        warnings.simplefilter("ignore")
        try:
            with pynwb.NWBHDF5IO(str(path), "r") as io:
                yield io.read()
        except DlmError:
            raise
        except Exception as error:
            # What a file of another kind makes hdmf raise has no common name.
            reason = " ".join(str(error).split())[:160]
            raise DlmError(f"{path} is not a readable NWB file ({type(error).__name__}: {reason})") from error


def _ours(trains: _Trains, neurons: list[int], noted: Mapping[str, Any]) -> tuple[dict[str, SpikeRaster], Moved]:
    n_samples, n_steps, dt = noted["n_samples"], noted["n_steps"], noted["dt"]
    period = noted.get("period", n_steps)
    rasters, moved = {}, Moved()
    unknown = sorted(set(trains.names) - set(noted["populations"]))
    if unknown:
        raise DlmError(f"its notes '{NOTE}' do not tell the extent of the units of '{unknown[0]}'; write it again")
    for name, extent in noted["populations"].items():
        rows, depth = trains.of(name), extent.get("depth", 0)
        neuron = np.repeat(np.array([neurons[i] for i in rows], dtype=int), [trains.times[i].size for i in rows])
        named = partial(trains.named, rows)
        place, off = to_steps(trains.flat(rows), dt, max(n_samples * period, 1), named)
        sample, step = np.divmod(place - depth, max(period, 1))
        raster, merged = gathered(sample, step, neuron, (n_samples, n_steps, extent["n_neurons"]), dt)
        rasters[name] = raster.at_depth(depth)
        moved += off._replace(merged=merged)
    return rasters, moved


def _others(trains: _Trains, dt: float, start: float, where: str) -> Session:
    rows = list(range(len(trains.times)))
    times = trains.flat(rows)
    every, moved = from_clock(times, dt, start, partial(trains.named, rows))
    tell_doubt(times, every, dt, where)
    n_steps = int(every.max(initial=0)) + 1
    neuron, rasters, ids = np.zeros(len(rows), dtype=int), {}, {}
    unit = np.repeat(rows, [own.size for own in trains.times]).astype(int)
    for name in dict.fromkeys(trains.names):
        own = trains.of(name)
        neuron[own] = np.arange(len(own))
        chosen = np.isin(unit, own)
        step = every[chosen]
        raster, merged = gathered(np.zeros_like(step), step, neuron[unit[chosen]], (1, n_steps, len(own)), dt)
        rasters[name] = raster
        moved = moved._replace(merged=moved.merged + merged)
        if [trains.ids[i] for i in own] != list(range(len(own))):
            ids[name] = tuple(trains.ids[i] for i in own)
    return Session(rasters, moved, ids)
