"""Rasters as NWB files: a units table with a row a neuron, and a trial a sample."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, LossWarning, OwnStepsError
from dlm_snn.exchange.guarded import hdf5
from dlm_snn.exchange.rasters.cuts import Cut, placed, placed_trials
from dlm_snn.exchange.rasters.grid import (
    Moved,
    common_extent,
    gathered,
    optional,
    to_steps,
    to_times,
)
from dlm_snn.exchange.rasters.nwb_tables import NOTE, UNITS, Held, Trains, read_tables
from dlm_snn.exchange.rasters.session import Session, Units, session_of
from dlm_snn.files.atomic import writing
from dlm_snn.files.names import check_names
from dlm_snn.runs.raster import SpikeRaster

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
    file.units = _units_table(rasters, period, dt)
    if n_samples:
        bounds = np.arange(n_samples + 1) * period * dt
        file.trials = _table_of(
            pynwb.epoch.TimeIntervals,
            "trials",
            "experimental trials",
            start_time=("Start time of epoch, in seconds", bounds[:-1]),
            stop_time=("Stop time of epoch, in seconds", bounds[1:]),
        )
    with writing(Path(path), NWB, replace) as target:
        with pynwb.NWBHDF5IO(target.name, "w") as io:
            io.write(file)
        hdf5.seal(Path(target.name))


def _units_table(rasters: Mapping[str, SpikeRaster], period: int, dt: float) -> Any:
    """A unit a neuron, made of whole columns: unit by unit the library copies what it has for each that comes."""
    times, counts = [np.zeros(0)], [np.zeros(0, dtype=np.int64)]
    for raster in rasters.values():
        # Events are sorted by time already; the order of small numbers is found by counting.
        own = raster.neuron.astype(np.min_scalar_type(raster.n_neurons))
        step = raster.sample.astype(np.int64) * period + raster.depth + raster.step
        times.append(to_times(step[np.argsort(own, kind="stable")], dt))
        counts.append(np.bincount(raster.neuron, minlength=raster.n_neurons))
    return _table_of(
        optional("pynwb").misc.Units,
        UNITS,
        "a unit a neuron",
        population=("name of the population", [name for name, r in rasters.items() for _ in range(r.n_neurons)]),
        neuron=("index in the population", np.concatenate([np.arange(r.n_neurons) for r in rasters.values()])),
        spike_times=("the spike times for each unit in seconds", np.concatenate(times)),
        cuts={"spike_times": np.cumsum(np.concatenate(counts))},
    )


def _table_of(
    kind: Any, name: str, description: str, cuts: Mapping[str, NDArray] | None = None, **columns: tuple[str, Any]
) -> Any:
    """A table of whole columns: name -> (description, values); ``cuts``: where each row's part of one ends."""
    common = optional("hdmf.common")
    made = []
    for key, (told, values) in columns.items():
        made.append(common.VectorData(name=key, description=told, data=values))
        if cuts is not None and key in cuts:
            ends = cuts[key].astype(np.min_scalar_type(cuts[key].max(initial=0)))
            made.append(common.VectorIndex(name=f"{key}_index", data=ends, target=made[-1]))
    rows = np.arange(len(next(iter(columns.values()))[1]))
    return kind(name=name, description=description, id=rows, columns=made, colnames=list(columns))


def read_nwb(
    path: str | os.PathLike[str],
    dt: float | None = None,
    start: float | None = None,
    begin: float | None = None,
    end: float | None = None,
    trials: bool = False,
) -> tuple[dict[str, SpikeRaster], Moved]:
    """Read rasters from the units table of an NWB file.

    A file of ours comes back as it was. In others every unit is a neuron of the population ``units`` (or of those that
    a column ``population`` names), and the recording is one sample, or each trial is one. The table may lie in a
    processing module, if it is the only one.

    Args:
        path: the file.
        dt: seconds a step; needed for files of others. Ours tell it: another one is an error.
        start: seconds on the file's clock at which step 0 begins; 0 by default. Not for files of ours.
        begin: the same, and what comes before it is left out.
        end: seconds on the file's clock at which the raster ends.
        trials: make each trial between these a sample, whose step 0 is the trial's beginning.

    Returns:
        population -> raster, and how many times did not lie on the grid. A LossWarning says what was left out.

    Raises:
        DlmError: a damaged file, one without units, times that are no times; names the file, the unit and its spike.
        MissingError: no such file, or pynwb is not installed.
    """
    session = read_session(path, dt, start, begin, end, trials)
    if session.trials and not trials:
        left = f"{path}: its {len(session.trials)} trials are left out; the recording is one sample"
        warnings.warn(f"{left} (trials=True makes each one)", LossWarning, stacklevel=2)
    return session.rasters, session.moved


def read_session(
    path: str | os.PathLike[str],
    dt: float | None = None,
    start: float | None = None,
    begin: float | None = None,
    end: float | None = None,
    trials: bool = False,
) -> Session:
    """``read_nwb``, with the ids and areas of the units, and the trials."""
    path = Path(path)
    held = read_tables(path)
    noted = held.noted
    if noted is None and dt is None:
        raise DlmError(f"{path} does not tell its steps; give dt (--dt), in seconds")
    try:
        cut = Cut(start, begin, end)
        check_names(dict.fromkeys(held.trains.names))
        if noted is not None and held.neurons is not None:
            if dt is not None and dt != noted["dt"]:
                raise DlmError(f"it was written for dt = {noted['dt']!r} s, not {dt!r} s; leave dt out")
            if cut.given or trials:
                given = " and ".join([*cut.given, *(["trials"] if trials else [])])
                raise OwnStepsError(f"{path}: {given} of a file of ours, whose samples begin at 0; leave it out")
            return Session(*_ours(held.trains, held.neurons, noted), {}, {}, {}, (), ())
        if noted is not None:
            # Somebody changed a file of ours, whose trials are its samples.
            held = held._replace(trials=np.zeros((0, 2)))
        session = _others(held, noted["dt"] if dt is None else dt, cut, trials, str(path))
    except OwnStepsError:
        raise
    except (KeyError, TypeError) as error:
        raise DlmError(f"{path}: its notes '{NOTE}' do not fit ({error}); write it again") from error
    except DlmError as error:
        raise DlmError(f"{path}: {error}") from error
    if held.where != UNITS:
        warnings.warn(f"{path}: its units are those of {held.where}, a processing module", LossWarning, stacklevel=2)
    return session


def _ours(trains: Trains, neurons: list[int], noted: Mapping[str, Any]) -> tuple[dict[str, SpikeRaster], Moved]:
    n_samples, n_steps, dt = noted["n_samples"], noted["n_steps"], noted["dt"]
    period = noted.get("period", n_steps)
    rasters, moved = {}, Moved()
    unknown = sorted(set(trains.names) - set(noted["populations"]))
    if unknown:
        raise DlmError(f"its notes '{NOTE}' do not tell the extent of the units of '{unknown[0]}'; write it again")
    unit = trains.unit()
    for name, extent in noted["populations"].items():
        depth = extent.get("depth", 0)
        chosen = np.flatnonzero(np.isin(trains.names, name)[unit])
        named = partial(_named, trains, chosen)
        place, off = to_steps(trains.times[chosen], dt, max(n_samples * period, 1), named)
        sample, step = np.divmod(place - depth, max(period, 1))
        neuron = np.array(neurons, dtype=np.int64)[unit[chosen]]
        raster, merged = gathered(sample, step, neuron, (n_samples, n_steps, extent["n_neurons"]), dt)
        rasters[name] = raster.at_depth(depth)
        moved += off._replace(merged=merged)
    return rasters, moved


def _named(trains: Trains, chosen: NDArray[np.int64], at: int) -> str:
    return trains.named(int(chosen[at]))


def _others(held: Held, dt: float, cut: Cut, trials: bool, where: str) -> Session:
    trains = held.trains
    if trials and not len(held.trials):
        raise DlmError("it has no trials; leave --trials out")
    if trials:
        found = placed_trials(trains.times, dt, cut, held.trials, trains.named, where)
    else:
        found = placed(trains.times, dt, cut, trains.named, where)
    session = session_of(found, trains.unit(), Units(trains.names, trains.ids, held.areas), dt)
    labels = tuple(
        {"start": float(held.trials[i, 0]), "stop": float(held.trials[i, 1])}
        | {key: values[i] for key, values in held.trial_labels.items()}
        for i in (found.kept if trials else range(len(held.trials)))
    )
    return session._replace(trials=labels, told=(*_told_trials(held, labels, trials), *found.notes(trials)))


def _told_trials(held: Held, labels: tuple[dict[str, Any], ...], trials: bool) -> list[str]:
    """A line about trials, where there are any."""
    if not labels:
        return []
    told = f"{', '.join(labels[0])} of each are kept"
    if trials:
        return [f"trials: samples 0..{len(labels) - 1} are {len(labels)} of its {len(held.trials)} trials; {told}"]
    return [f"trials: it has {len(labels)}, the recording is one sample; --trials makes each one; {told}"]
