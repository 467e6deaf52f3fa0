"""The tables of an NWB file, read as whole columns: unit by unit takes a call of the library for each."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.exchange.guarded import hdf5
from dlm_snn.exchange.rasters.grid import optional
from dlm_snn.exchange.rasters.session import POPULATION
from dlm_snn.files.reading import parse_json

NOTE = "dlm-snn"
"""Key in the file's ``notes`` (JSON) under which the extents stand."""
UNITS, PROCESSING = "units", "processing"
AREAS = ("location", "area", "brain_area", "brain_region", "region")
"""Columns of a units table that name a unit's area, the first that is there."""


class Trains(NamedTuple):
    """What stands in a units table.

    Attributes:
        times: of all spikes in seconds, unit after unit.
        ends: where each unit's times end.
        names: the population of each unit.
        ids: of each unit.
    """

    times: NDArray[np.float64]
    ends: NDArray[np.int64]
    names: list[str]
    ids: list[int]

    def of(self, name: str) -> list[int]:
        """The rows of a population."""
        return [i for i, other in enumerate(self.names) if other == name]

    def unit(self) -> NDArray[np.int64]:
        """The row of each spike."""
        return np.repeat(np.arange(self.ends.size), np.diff(self.ends, prepend=0))

    def named(self, at: int) -> str:
        """A spike, for a message."""
        row = int(np.searchsorted(self.ends, at, side="right"))
        begin = int(self.ends[row - 1]) if row else 0
        return f"unit {self.ids[row]}, spike {at - begin}"


class Held(NamedTuple):
    """What an NWB file holds.

    Attributes:
        where: its units lie; UNITS, or in a processing module.
        trains: of its units.
        noted: what ``write_nwb`` noted; None: nothing.
        neurons: the number of each unit in its population, in a file of ours.
        areas: of each unit, by its electrodes or a column of its own; None: it tells none.
        trials: (trial, 2): beginnings and ends in seconds.
        trial_labels: what else the table of trials holds, a column each.
    """

    where: str
    trains: Trains
    noted: Any
    neurons: list[int] | None
    areas: list[str] | None
    trials: NDArray[np.float64]
    trial_labels: dict[str, list[Any]]


def read_tables(path: Path) -> Held:
    """The units of a file, their areas, and its trials.

    Raises:
        MissingError: no such file, or pynwb is not installed.
        DlmError: a damaged file, or one without units; names the file.
    """
    where = _table(path)
    with _opened(path) as file:
        units = _units(file, where)
        if units is None or "spike_times" not in units.colnames:
            raise DlmError(f"{path} has no units table with spike times; there is nothing to read")
        noted = _noted(file.notes) if where == UNITS else None
        try:
            times, ends = _spike_times(units)
        except DlmError as error:
            raise DlmError(f"{path}: {error}; write it again") from error
        names = [str(n) for n in units["population"][:]] if "population" in units.colnames else [POPULATION] * len(ends)
        ours = noted is not None and "neuron" in units.colnames
        neurons = [int(n) for n in units["neuron"][:]] if ours else None
        trains = Trains(times, ends, names, [int(i) for i in units.id[:]])
        return Held(where, trains, noted, neurons, _areas(units), *_trials(file.trials))


def _spike_times(units: Any) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The whole column, and where each unit's times end in it.

    Raises:
        DlmError: ends that do not fit.
    """
    column = units["spike_times"]
    if not hasattr(column, "target"):
        times = np.asarray(column.data[:], dtype=np.float64)
        return times, np.arange(1, len(times) + 1)
    times = np.asarray(column.target.data[:], dtype=np.float64)
    ends = np.asarray(column.data[:]).astype(np.int64)
    wrong = np.flatnonzero((np.diff(ends, prepend=0) < 0) | (ends > len(times)))
    if times.ndim != 1 or wrong.size or len(ends) != len(units):
        at = f", first at unit {wrong[0]}" if wrong.size else ""
        raise DlmError(f"spike_times_index of its units does not fit their {len(times)} spike times{at}")
    return times, ends


def _areas(units: Any) -> list[str] | None:
    """The area of each unit: its own column, or the locations of its electrodes or of their group."""
    own = next((name for name in AREAS if name in units.colnames), None)
    if own is not None:
        return [_text(value) for value in units[own][:]]
    if "electrodes" not in units.colnames:
        by_group = "electrode_group" in units.colnames
        return [_text(group.location) for group in units["electrode_group"][:]] if by_group else None
    region = units["electrodes"]
    rows = np.asarray((region.target if hasattr(region, "target") else region).data[:]).astype(np.int64)
    ends = np.asarray(region.data[:]).astype(np.int64) if hasattr(region, "target") else np.arange(1, len(units) + 1)
    table = (region.target if hasattr(region, "target") else region).table
    if table is None or "location" not in table.colnames:
        return None
    places = [_text(value) for value in table["location"][:]]
    found = []
    for first, last in zip([0, *ends[:-1]], ends, strict=True):
        found.append("+".join(dict.fromkeys(places[row] for row in rows[first:last])))
    return found


def _trials(table: Any) -> tuple[NDArray[np.float64], dict[str, list[Any]]]:
    """Beginnings and ends, and what other columns hold that have one number or text a trial."""
    if table is None:
        return np.zeros((0, 2)), {}
    bounds = [np.asarray(table[name].data[:], dtype=np.float64) for name in ("start_time", "stop_time")]
    labels = {}
    for name in table.colnames:
        column = table[name]
        if name in ("start_time", "stop_time") or hasattr(column, "target"):
            continue
        values = list(column.data[:])
        if all(isinstance(value, (str, bytes, int, float, bool, np.generic)) for value in values):
            labels[name] = [_plain(value) for value in values]
    return np.stack(bounds, axis=1), labels


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and not np.isfinite(plain):
        return None
    return plain if isinstance(plain, (bool, int, float)) else _text(plain)


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _table(path: Path) -> str:
    """Where in the file its units lie; UNITS too where there are none.

    Raises:
        DlmError: an array, a table that declares what the file cannot hold, or several tables.
    """
    with hdf5.opened(path, "recording of NWB (.nwb)", spikes_only=True) as file:
        units = file.get(UNITS)
        here = isinstance(units, h5py.Dataset) or (units is not None and "spike_times" in units)
        found = [UNITS] if here else _processed(file)
        if len(found) > 1:
            raise DlmError(f"{path} has several units tables, {', '.join(found)}; keep one, or copy it to /{UNITS}")
        where = found[0] if found else UNITS
        units = file.get(where)
        if isinstance(units, h5py.Dataset):
            raise DlmError(f"{path}: /{where} is an array, expected a table; write it again")
        for table in (units, file.get("intervals/trials"), file.get("general/extracellular_ephys/electrodes")):
            if isinstance(table, h5py.Group):
                hdf5.check_sizes(path, table)
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
