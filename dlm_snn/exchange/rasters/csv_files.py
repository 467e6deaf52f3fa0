"""Rasters as tables: pandas frames and CSV files, an event a row."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import warnings
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, LossWarning
from dlm_snn.exchange.rasters.grid import optional, to_times
from dlm_snn.files.atomic import writing
from dlm_snn.files.layouts import text_file
from dlm_snn.files.names import check_names
from dlm_snn.files.reading import TEXT_LIMIT, one_line, opened, parse_json
from dlm_snn.runs.events import INDEX_LIMIT
from dlm_snn.runs.raster import EXTENT, SpikeRaster
from dlm_snn.values import slices

COLUMNS = ("population", "sample", "step", "neuron")
NOTE = "dlm_snn"
"""Key under which a frame's attributes and a CSV's first line hold the extents."""
_HEAD = f"# {NOTE} "
CSV = text_file("a CSV of events", begins=_HEAD)
_ENCODING = "utf-8-sig"
"""Spreadsheets begin a file with a byte order mark."""
_SEALED = re.compile(rb"^(# dlm_snn .*) crc32=([0-9a-f]{8})(?=\r?\n|$)")
"""The first line of a file of ours with the checksum over all the rest."""
_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,20}\s*")
LINE_LIMIT = 2**16
"""Characters of a row."""
BLOCK = 2**16
"""Rows held together as Python's own numbers."""


def to_frame(rasters: Mapping[str, SpikeRaster]) -> Any:
    """A pandas DataFrame with an event a row: population, sample, step, neuron, and its time in seconds.

    The time is that of the machine's clock from the sample's first step, (depth + step) * dt; the step is the window's.

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
    times = [to_times(raster.depth + raster.step.astype(np.int64), raster.dt) for raster in rasters.values()]
    columns["time"] = np.concatenate(times or [np.zeros(0)])
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
        has = ", ".join(map(str, frame.columns)) or "none"
        one = "'a'" if missing[0] == "population" else "0"
        raise DlmError(
            f"the frame has no column '{missing[0]}' but {has}; add it, with one value for all events if there is only "
            f"one: frame.assign({missing[0]}={one})"
        )
    extents = extents if extents is not None else frame.attrs.get(NOTE)
    if extents is None:
        name = "NAME" if not len(frame) else frame["population"].iloc[0]
        raise DlmError(
            "the frame does not tell its extents; give dlm_snn.exchange.from_frame(frame, extents="
            f"{{'{name}': {{'n_samples': ..., 'n_steps': ..., 'n_neurons': ..., 'dt': ...}}}})"
        )
    names, population = np.unique(frame["population"].astype(str).to_numpy(dtype=object), return_inverse=True)
    # A table without rows has no types.
    columns = [frame[name].to_numpy() if len(frame) else np.zeros(0, np.int64) for name in COLUMNS[1:]]
    return _rasters(list(names), population, columns, extents)


def write_csv(rasters: Mapping[str, SpikeRaster], path: str | os.PathLike[str], replace: bool = False) -> None:
    """Write ``population,sample,step,neuron`` with an event a row.

    The first line is a comment: ``# dlm_snn ``, the extents, dt and depth of each population as JSON, and a checksum
    over the rest of the file, by which ``read_csv`` sees that it was changed since. Steps are those of the population's
    window; the machine's are depth + step.

    Args:
        rasters: population -> raster.
        path: the file; written aside, then renamed.
        replace: a CSV of that name gives way, if we wrote it.

    Raises:
        DlmError: the path exists and must not be replaced, or cannot be written.
    """
    head = f"{_HEAD}{json.dumps(_extents(rasters))}".encode()
    with writing(Path(path), CSV, replace) as file:
        titles = f"\n{','.join(COLUMNS)}\n".encode()
        file.write(head + b" crc32=" + bytes(8) + titles)
        checksum = zlib.crc32(titles, zlib.crc32(head))
        for name, raster in rasters.items():
            quoted = '"' + name.replace('"', '""') + '"' if set(name) & set(',"\n\r') else name
            for part in slices(len(raster), 2**16):
                block = (getattr(raster, key)[part].tolist() for key in COLUMNS[1:])
                rows = (f"{quoted},{sample},{step},{neuron}\n" for sample, step, neuron in zip(*block, strict=True))
                block_of_rows = "".join(rows).encode()
                checksum = zlib.crc32(block_of_rows, checksum)
                file.write(block_of_rows)
        file.seek(len(head) + len(b" crc32="))
        file.write(f"{checksum:08x}".encode())


def read_csv(
    path: str | os.PathLike[str], extents: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, SpikeRaster]:
    """Read rasters from a CSV with the columns population, sample, step, neuron (others are left out).

    Args:
        path: the file.
        extents: population -> n_samples, n_steps, n_neurons, dt; a file of ours tells them itself.

    A LossWarning says that a file of ours was changed since it was written.

    Raises:
        MissingError: no such file.
        DlmError: a missing column, a value that is no whole number, events outside or twice, extents that are none;
            names file and line.
    """
    path = Path(path)
    _check_sum(path)
    with csv_errors(path), csv_lines(path) as lines:
        names, told, skipped = _titles(lines)
        missing = [name for name in COLUMNS if name not in names]
        if missing:
            own = one_line(", ".join(names)) or "none"
            raise DlmError(
                f"no column '{missing[0]}'; it has {own}; of spikes with times name --columns time=..,unit=.."
            )
        extents = extents if extents is not None else told
        if extents is None:
            raise DlmError("it does not tell its extents; give samples, steps and neurons (--extent S,T,N)")
        found = _rows(csv.reader(lines), [names.index(name) for name in COLUMNS], skipped)
        return _rasters(*found, extents)


def populations_of(path: str | os.PathLike[str]) -> list[str]:
    """The names that a CSV's column ``population`` holds, in their order; [] without such a column.

    Raises:
        MissingError: no such file.
        DlmError: no text.
    """
    with csv_errors(Path(path)), csv_lines(Path(path)) as lines:
        names, _, _ = _titles(lines, extents=False)
        if COLUMNS[0] not in names:
            return []
        place = names.index(COLUMNS[0])
        return list(dict.fromkeys(row[place] for row in csv.reader(lines) if len(row) > place))


def columns_of(path: str | os.PathLike[str]) -> list[str]:
    """The names of a CSV's columns, as its title line has them.

    Raises:
        MissingError: no such file.
        DlmError: no text.
    """
    with csv_errors(Path(path)), csv_lines(Path(path)) as lines:
        return _titles(lines, extents=False)[0]


@contextmanager
def csv_errors(path: Path) -> Iterator[None]:
    """Name the file in what is wrong with it."""
    try:
        yield
    except (UnicodeDecodeError, csv.Error) as error:
        raise DlmError(f"{path} is not a readable CSV ({one_line(error)}); write it again") from error
    except DlmError as error:
        raise type(error)(str(error) if str(path) in str(error) else f"{path}: {error}") from error


@contextmanager
def csv_lines(path: Path) -> Iterator[Iterator[str]]:
    """The lines of a file, none longer than a row may be, but for the first, which holds the extents."""

    def lines() -> Iterator[str]:
        limit, number = TEXT_LIMIT, 1
        while line := text.readline(limit + 1):
            if len(line) > limit:
                raise DlmError(f"line {number} has more than {limit} characters; a row has fewer")
            yield line
            limit, number = LINE_LIMIT, number + 1

    with opened(path, f"no file {path}; give a CSV of events") as file:
        text = io.TextIOWrapper(file, encoding=_ENCODING, newline="")
        yield lines()


def _titles(lines: Iterator[str], extents: bool = True) -> tuple[list[str], Any, int]:
    """The names of the columns, the extents where a first line tells them, and how many lines were read."""
    first, told, skipped = next(lines, ""), None, 1
    if first.startswith(_HEAD):
        content = re.sub(r" crc32=[0-9a-f]{8}\s*$", "", first[len(_HEAD) :])
        told = parse_json(content, "its first line", "write it again") if extents else None
        first, skipped = next(lines, ""), 2
    return next(csv.reader([first]), []), told, skipped


def _check_sum(path: Path) -> None:
    """Tell where a file of ours is not what was written."""
    with opened(path, f"no file {path}; give a CSV of events") as file:
        head = file.readline(TEXT_LIMIT)
        found = _SEALED.match(head)
        if found is None:
            return
        checksum = zlib.crc32(head[found.end() :], zlib.crc32(found[1]))
        while block := file.read(BLOCK):
            checksum = zlib.crc32(block, checksum)
    if f"{checksum:08x}".encode() != found[2]:
        warnings.warn(f"{path} was changed since it was written; it is read as it stands", LossWarning, stacklevel=3)


def _rows(rows: Iterator[list[str]], places: list[int], skipped: int) -> tuple[list[str], NDArray, list[NDArray]]:
    """Names of populations; of each row the number of its name, and its three numbers."""
    known: dict[str, int] = {}
    events: list[tuple[int, ...]] = []
    blocks: list[NDArray[np.int64]] = []
    for line, row in enumerate(rows, start=skipped + 1):
        if row:
            events.append(_event(line, row, places, known))
        if len(events) == BLOCK:
            blocks.append(np.array(events, dtype=np.int64))
            events = []
    blocks.append(np.array(events, dtype=np.int64).reshape(-1, 4))
    population, *numbers = np.concatenate(blocks).T
    return list(known), population, numbers


def _event(line: int, row: Sequence[str], places: Sequence[int], known: dict[str, int]) -> tuple[int, ...]:
    try:
        name, *texts = (row[place] for place in places)
    except IndexError as error:
        raise _no_event(line, row) from error
    if not all(_WHOLE.fullmatch(text) for text in texts):
        raise _no_event(line, row)
    event = tuple(map(int, texts))
    if max(map(abs, event)) > INDEX_LIMIT:
        raise DlmError(f"line {line}, '{_told(row)}', holds a number beyond {INDEX_LIMIT}")
    return known.setdefault(name, len(known)), *event


def _no_event(line: int, row: Sequence[str]) -> DlmError:
    return DlmError(f"line {line}, '{_told(row)}', is not an event of whole numbers")


def _told(row: Sequence[str]) -> str:
    return one_line(",".join(row), 60)


def _extents(rasters: Mapping[str, SpikeRaster]) -> dict[str, dict[str, Any]]:
    return {name: {key: getattr(raster, key) for key in (*EXTENT, "dt", "depth")} for name, raster in rasters.items()}


def _rasters(
    names: list[str], population: NDArray, indices: list[NDArray], extents: Mapping[str, Mapping[str, Any]]
) -> dict[str, SpikeRaster]:
    """A raster of each population whose extent is told; ``population`` holds for each event the place of its name."""
    for held in (extents, *(extents.values() if isinstance(extents, Mapping) else ())):
        if not isinstance(held, Mapping):
            raise DlmError(
                f"its extents hold {one_line(repr(held), 60)}; "
                "expected population: {n_samples, n_steps, n_neurons, dt}"
            )
    check_names(extents)
    unknown = sorted(set(names) - set(extents))
    if unknown:
        raise DlmError(f"events of the population '{unknown[0]}', whose extents are not told")
    rasters = {}
    for name, extent in extents.items():
        own = population == (names.index(name) if name in names else -1)
        try:
            sample, step, neuron = (index[own] for index in indices)
            n_samples, n_steps, n_neurons = (extent[key] for key in EXTENT)
            dt, depth = extent.get("dt", SpikeRaster.dt), extent.get("depth", 0)
            rasters[name] = SpikeRaster(sample, step, neuron, n_samples, n_steps, n_neurons, dt, depth)
        except KeyError as error:
            raise DlmError(f"the extents of '{name}' lack {error}") from error
        except DlmError as error:
            raise DlmError(f"population '{name}': {error}") from error
    return rasters
