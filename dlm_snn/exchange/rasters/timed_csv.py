"""CSV files of spikes with times, whose columns the user names."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.exchange.rasters.csv_files import BLOCK, NOTE, csv_errors, csv_lines
from dlm_snn.exchange.rasters.cuts import Cut, placed
from dlm_snn.exchange.rasters.session import FIRST, POPULATION, Session, Units, printable, session_of
from dlm_snn.files.reading import one_line

TIME, UNIT, GROUP, SAMPLE = "time", "unit", "population", "sample"
MEANINGS = (TIME, UNIT, GROUP, SAMPLE)
"""What a column may be; the first two must be there."""
ALIASES = {"trial": SAMPLE}
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_MARKS = ",;\t"
"""Between the columns: the one of which the first line has most."""


def read_timed_csv(
    path: str | os.PathLike[str],
    columns: Mapping[str, str],
    dt: float | None = None,
    time_unit: str | None = None,
    sample_rate: float | None = None,
    start: float | None = None,
    begin: float | None = None,
    end: float | None = None,
) -> Session:
    """Read spikes with times: a row each, its columns between commas, semicolons or tabs.

    Units become the neurons of their population, in ascending order; so do samples. A time counts from its sample's
    beginning.

    Args:
        path: the file, whose first line names the columns.
        columns: what the file calls ``time``, ``unit`` and, where it has them, ``population`` and ``sample`` (or
            ``trial``). Where the first line is a spike already: the columns' numbers, from 1.
        dt: seconds a step.
        time_unit: "s", "ms", "us" or "ns"; seconds by default, where any time is a fraction.
        sample_rate: times are samples of a clock of so many Hz.
        start, begin, end: as for ``read_nwb``.

    Raises:
        MissingError: no such file.
        DlmError: a column that is not there, a row that is no spike, a unit of time that nothing tells; names file and
            line.
    """
    path = Path(path)
    if dt is None:
        raise DlmError(f"{path} has times, not steps; give dt (--dt), in seconds")
    with csv_errors(path):
        columns = _checked(columns)
        cut = Cut(start, begin, end)
        with csv_lines(path) as lines:
            rows, places, skipped = _opened(lines, columns)
            spikes = _read(rows, places, skipped)
        seconds = _seconds(spikes.numbers[:, 0], time_unit, sample_rate)
        found = placed(seconds, dt, cut, spikes.named, str(path))
        unit, units = _units(spikes)
        sample, samples = _numbered(spikes.numbers[:, 2], list(spikes.samples))
        session = session_of(found, unit, units, dt, sample, len(samples))
        told: list[str] = []
        trials: tuple[dict[str, int | str], ...] = ()
        if samples != list(range(len(samples))):
            first = ", ".join(map(printable, samples[:FIRST]))
            told = [f"samples 0..{len(samples) - 1} are {first}{', ...' * (len(samples) > FIRST)}"]
            trials = tuple({SAMPLE: name} for name in samples)
        return session._replace(told=(*told, *found.notes()), trials=trials)


def _checked(given: Mapping[str, str]) -> dict[str, str]:
    columns = {ALIASES.get(meaning, meaning): name for meaning, name in given.items()}
    if len(columns) < len(given):
        raise DlmError(f"--columns names {SAMPLE} and trial, which are the same; give one")
    unknown = [name for name in columns if name not in MEANINGS]
    if unknown:
        raise DlmError(f"--columns names '{unknown[0]}', a column is one of {', '.join(MEANINGS)}")
    missing = [name for name in (TIME, UNIT) if name not in columns]
    if missing:
        raise DlmError(f"--columns names no {missing[0]}; give {missing[0]}=NAME")
    return columns


def _opened(lines: Iterator[str], columns: Mapping[str, str]) -> tuple[Iterator[list[str]], dict[str, int], int]:
    """The rows, the place of each column in them, and how many lines were read."""
    first = next(lines, "")
    if first.startswith(f"# {NOTE} "):
        raise DlmError("it is a CSV of ours, which has steps; leave --columns out")
    mark = max(_MARKS, key=first.count)
    titles = [title.strip() for title in next(csv.reader([first], delimiter=mark), [])]
    if all(name in titles for name in columns.values()):
        twice = next((name for name in columns.values() if titles.count(name) > 1), None)
        if twice is not None:
            raise DlmError(f"it has several columns '{one_line(twice, 40)}'; give them names of their own")
        places = {meaning: titles.index(name) for meaning, name in columns.items()}
        return csv.reader(lines, delimiter=mark), places, 1
    numbers = {meaning: int(name) for meaning, name in columns.items() if name.isascii() and name.isdigit()}
    if len(numbers) < len(columns) or not all(1 <= number <= len(titles) for number in numbers.values()):
        absent = next(name for name in columns.values() if name not in titles)
        own = one_line(", ".join(titles)) or "none"
        raise DlmError(f"no column '{one_line(absent, 40)}'; it has {own}; name them with --columns")
    places = {meaning: number - 1 for meaning, number in numbers.items()}
    return csv.reader(_again(first, lines), delimiter=mark), places, 0


def _again(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


class _Spikes(NamedTuple):
    """The rows of a file.

    Attributes:
        numbers: of each: time, unit, sample, line.
        units: (population, unit) -> its number, as they first came.
        samples: name -> its number, likewise.
    """

    numbers: NDArray[np.float64]
    units: dict[tuple[str, str], int]
    samples: dict[str, int]

    def named(self, at: int) -> str:
        """A spike, for a message."""
        return f"line {int(self.numbers[at, 3])}: the spike"


def _read(rows: Iterator[list[str]], places: Mapping[str, int], skipped: int) -> _Spikes:
    """All rows.

    Raises:
        DlmError: one that is no spike; names the line.
    """
    at_time, at_unit = places[TIME], places[UNIT]
    at_group, at_sample = places.get(GROUP), places.get(SAMPLE)
    units: dict[tuple[str, str], int] = {}
    samples: dict[str, int] = {}
    blocks, block = [np.zeros((0, 4))], []
    for line, row in enumerate(rows, start=skipped + 1):
        if not row:
            continue
        try:
            group = POPULATION if at_group is None else row[at_group].strip()
            sample = "0" if at_sample is None else row[at_sample].strip()
            text, unit = row[at_time], row[at_unit].strip()
            time = float(text) if text.isascii() and "_" not in text else None
        except (IndexError, ValueError):
            time = None
        if time is None or not (unit and group and sample):
            raise DlmError(f"line {line}, '{one_line(','.join(row), 60)}', is no spike with a time and a unit")
        of_unit = units.setdefault((group, unit), len(units))
        block.append((time, of_unit, samples.setdefault(sample, len(samples)), line))
        if len(block) == BLOCK:
            blocks.append(np.array(block))
            block = []
    if not units:
        raise DlmError("it has no spikes; there is nothing to read")
    blocks.append(np.array(block, dtype=np.float64).reshape(-1, 4))
    return _Spikes(np.concatenate(blocks), units, samples)


def _units(spikes: _Spikes) -> tuple[NDArray[np.int64], Units]:
    """The unit of each spike, and all units, those of a population in ascending order."""
    names: list[str] = []
    ids: list[int | str] = []
    places = np.zeros(len(spikes.units), dtype=np.int64)
    for group in dict.fromkeys(group for group, _ in spikes.units):
        own = {unit: number for (other, unit), number in spikes.units.items() if other == group}
        order, called = _ordered(list(own))
        for text in order:
            places[own[text]] = len(names)
            names.append(group)
            ids.append(called[text])
    return places[spikes.numbers[:, 1].astype(np.int64)], Units(names, ids)


def _numbered(first: NDArray[np.float64], texts: list[str]) -> tuple[NDArray[np.int64], list[int | str]]:
    """Numbers in ascending order of what they stand for, from those as they first came; and that, in order."""
    order, called = _ordered(texts)
    place = {text: at for at, text in enumerate(order)}
    places = np.array([place[text] for text in texts], dtype=np.int64)
    return places[first.astype(np.int64)], [called[text] for text in order]


def _ordered(texts: list[str]) -> tuple[list[str], dict[str, int | str]]:
    """Texts in ascending order, as numbers where all are whole numbers; and what each is called."""
    whole = all(text.isascii() and text.removeprefix("-").isdigit() and str(int(text[:20])) == text for text in texts)
    called: dict[str, int | str] = {text: int(text) if whole else text for text in texts}
    return sorted(texts, key=int) if whole else sorted(texts), called


def _seconds(times: NDArray[np.float64], time_unit: str | None, sample_rate: float | None) -> NDArray[np.float64]:
    """Times in seconds.

    Raises:
        DlmError: a unit and a sample rate, or neither for whole numbers, of which nothing tells what they count.
    """
    if time_unit is not None and sample_rate is not None:
        raise DlmError("--time-unit and --sample-rate both tell the unit of its times; give one")
    if sample_rate is not None:
        if not 0 < sample_rate < np.inf:
            raise DlmError(f"a sample rate of {sample_rate!r} is no number of Hz above 0; mend --sample-rate")
        return times / sample_rate
    if time_unit is not None and time_unit not in SECONDS:
        raise DlmError(f"a time unit {time_unit!r} is none of {', '.join(SECONDS)}; mend --time-unit")
    if time_unit is None and times.any() and np.array_equal(times, np.rint(times)):
        raise DlmError(
            "its times are whole numbers, and nothing tells what they count; give --time-unit or --sample-rate"
        )
    return times * SECONDS[time_unit or "s"]
