"""Rasters as tables: pandas frames and CSV files, an event a row."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.atomic import writing
from dlm_snn.errors import DlmError, MissingError
from dlm_snn.exchange.grid import optional, to_times
from dlm_snn.names import check_names
from dlm_snn.raster import EXTENT, INDEX_LIMIT, SpikeRaster

COLUMNS = ("population", "sample", "step", "neuron")
NOTE = "dlm_snn"
"""Key under which a frame's attributes and a CSV's first line hold the extents."""
_HEAD = f"# {NOTE} "
_ENCODING = "utf-8-sig"
"""Spreadsheets begin a file with a byte order mark."""


def to_frame(rasters: Mapping[str, SpikeRaster]) -> Any:
    """A pandas DataFrame with an event a row: population, sample, step, neuron, and time = step * dt in seconds.

    The extents stand in ``frame.attrs["dlm_snn"]``.

    Raises:
        MissingError: pandas is not installed.
    """
    pandas = optional("pandas")
    names = list(rasters)
    code = np.repeat(np.arange(len(names)), [len(raster) for raster in rasters.values()])
    columns: dict[str, Any] = {"population": pandas.Categorical.from_codes(code, categories=names)}
    for key in COLUMNS[1:]:
        # Signed, so that differences do not wrap.
        events = [getattr(r, key).astype(np.int64) for r in rasters.values()]
        columns[key] = np.concatenate(events or [np.zeros(0, np.int64)])
    columns["time"] = np.concatenate([to_times(r.step, r.dt) for r in rasters.values()] or [np.zeros(0)])
    frame = pandas.DataFrame(columns)
    frame.attrs[NOTE] = _extents(rasters)
    return frame


def from_frame(frame: Any, extents: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, SpikeRaster]:
    """Rasters from a frame with the columns population, sample, step, neuron.

    Args:
        frame: of ``to_frame`` or another.
        extents: population -> n_samples, n_steps, n_neurons, dt, where the frame's attributes do not hold them.

    Raises:
        DlmError: a missing column, events outside the extent or twice, no extents.
    """
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise DlmError(f"the frame has no column '{missing[0]}'; it has {', '.join(map(str, frame.columns))}")
    extents = extents if extents is not None else frame.attrs.get(NOTE)
    if extents is None:
        raise DlmError("the frame does not tell its extents; give extents={population: {n_samples, n_steps, ...}}")
    population = frame["population"].astype(str).to_numpy()
    return _rasters(population, [frame[name].to_numpy() for name in COLUMNS[1:]], extents)


def write_csv(rasters: Mapping[str, SpikeRaster], path: str | os.PathLike[str]) -> None:
    """Write ``population,sample,step,neuron`` with an event a row.

    The first line is a comment: ``# dlm_snn `` and the extents of each population as JSON.

    Raises:
        DlmError: the path cannot be written.
    """
    with writing(Path(path)) as file:
        file.write(f"{_HEAD}{json.dumps(_extents(rasters))}\n{','.join(COLUMNS)}\n".encode())
        for name, raster in rasters.items():
            quoted = '"' + name.replace('"', '""') + '"' if set(name) & set(',"\n\r') else name
            for start in range(0, len(raster), 2**16):
                block = (getattr(raster, key)[start : start + 2**16].tolist() for key in COLUMNS[1:])
                rows = (f"{quoted},{sample},{step},{neuron}\n" for sample, step, neuron in zip(*block, strict=True))
                file.write("".join(rows).encode())


def read_csv(
    path: str | os.PathLike[str], extents: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, SpikeRaster]:
    """Read rasters from a CSV with the columns population, sample, step, neuron (others are left out).

    Args:
        path: the file.
        extents: population -> n_samples, n_steps, n_neurons, dt; a file of ours tells them itself.

    Raises:
        MissingError: no such file.
        DlmError: a missing column, a value that is no whole number, events outside or twice, extents that are none;
            names file and line.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingError(f"no file {path}; give a CSV of events")
    try:
        with path.open(newline="", encoding=_ENCODING) as file:
            first = file.readline()
            if first.startswith(_HEAD):
                extents = extents if extents is not None else json.loads(first[len(_HEAD) :])
                names, skipped = next(csv.reader([file.readline()]), []), 2
            else:
                names, skipped = next(csv.reader([first]), []), 1
            missing = [name for name in COLUMNS if name not in names]
            if missing:
                raise DlmError(f"no column '{missing[0]}'; it has {', '.join(names) or 'none'}")
            if extents is None:
                raise DlmError("it does not tell its extents; give samples, steps and neurons (--extent S,T,N)")
            population, indices = _rows(csv.reader(file), [names.index(name) for name in COLUMNS], skipped)
        return _rasters(population, indices, extents)
    except (UnicodeDecodeError, csv.Error, json.JSONDecodeError) as error:
        raise DlmError(f"{path} is not a readable CSV ({error}); write it again") from error
    except DlmError as error:
        raise DlmError(f"{path}: {error}") from error


def populations_of(path: str | os.PathLike[str]) -> list[str]:
    """The names that a CSV's column ``population`` holds, in their order; [] without such a column.

    Raises:
        MissingError: no such file.
        DlmError: no text.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingError(f"no file {path}; give a CSV of events")
    try:
        with path.open(newline="", encoding=_ENCODING) as file:
            first = file.readline()
            rows = csv.reader(file if first.startswith(_HEAD) else chain([first], file))
            names = next(rows, [])
            if COLUMNS[0] not in names:
                return []
            place = names.index(COLUMNS[0])
            return list(dict.fromkeys(row[place] for row in rows if len(row) > place))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DlmError(f"{path} is not a readable CSV ({error}); write it again") from error


def _rows(rows: Iterable[list[str]], places: list[int], skipped: int) -> tuple[NDArray, list[NDArray]]:
    """The population of each row, and its three numbers."""
    population: list[str] = []
    numbers: list[tuple[int, ...]] = []
    for line, row in enumerate(rows, start=skipped + 1):
        if not row:
            continue
        try:
            event = tuple(int(row[place]) for place in places[1:])
            population.append(row[places[0]])
        except (ValueError, IndexError) as error:
            told = " ".join(",".join(row).split())[:60]
            raise DlmError(f"line {line}, '{told}', is not an event of whole numbers") from error
        if max(map(abs, event)) > INDEX_LIMIT:
            raise DlmError(f"line {line}, '{','.join(row)[:60]}', holds a number beyond {INDEX_LIMIT}")
        numbers.append(event)
    array = np.array(numbers, dtype=np.int64).reshape(-1, 3)
    return np.array(population, dtype=object), list(array.T)


def _extents(rasters: Mapping[str, SpikeRaster]) -> dict[str, dict[str, Any]]:
    return {name: {key: getattr(raster, key) for key in (*EXTENT, "dt")} for name, raster in rasters.items()}


def _rasters(
    population: NDArray, indices: list[NDArray], extents: Mapping[str, Mapping[str, Any]]
) -> dict[str, SpikeRaster]:
    for held in (extents, *(extents.values() if isinstance(extents, Mapping) else ())):
        if not isinstance(held, Mapping):
            raise DlmError(f"its extents hold {held!r}; expected population: {{n_samples, n_steps, n_neurons, dt}}")
    check_names(extents)
    unknown = sorted(set(population) - set(extents))
    if unknown:
        raise DlmError(f"events of the population '{unknown[0]}', whose extents are not told")
    rasters = {}
    for name, extent in extents.items():
        own = population == name
        try:
            sample, step, neuron = (index[own] for index in indices)
            n_samples, n_steps, n_neurons = (extent[key] for key in EXTENT)
            dt = extent.get("dt", SpikeRaster.dt)
            rasters[name] = SpikeRaster(sample, step, neuron, n_samples, n_steps, n_neurons, dt)
        except KeyError as error:
            raise DlmError(f"the extents of '{name}' lack {error}") from error
        except DlmError as error:
            raise DlmError(f"population '{name}': {error}") from error
    return rasters
