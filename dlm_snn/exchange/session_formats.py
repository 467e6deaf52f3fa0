"""Formats of recordings whose spikes are sorted into units; some are known by what they hold, not by an ending."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dlm_snn.errors import DlmError
from dlm_snn.exchange.format import Format, Options, Stored

if TYPE_CHECKING:
    from dlm_snn.exchange.rasters.session import Session

CLOCK = ("start", "begin", "end")
"""Options of every recording that has a clock."""
TIMED = (*CLOCK, "time_unit", "sample_rate")
"""Those of a CSV whose columns are named."""
_PHY_FILES = ("params.py", "spike_times.npy", "spike_clusters.npy", "spike_templates.npy")


def stored(session: Session) -> Stored:
    """A recording as an import has it."""
    return Stored(
        rasters=session.rasters,
        moved=session.moved,
        notes=session.notes(),
        unit_ids=session.unit_ids,
        areas=session.areas,
        groups=session.groups,
        trials=session.trials,
    )


def read_nwb(path: Path, options: Options) -> Stored:
    """NWB."""
    from dlm_snn.exchange.rasters.nwb import read_session

    return stored(read_session(path, options.dt, options.start, options.begin, options.end, options.trials))


def read_timed(path: Path, options: Options) -> Stored:
    """A CSV whose columns are named.

    Raises:
        DlmError: options of a CSV of steps.
    """
    from dlm_snn.exchange.rasters.timed_csv import read_timed_csv

    if options.extent is not None:
        raise DlmError(f"{path}: --extent is for a CSV of steps, and --columns for one of times; give one")
    clock = options.start, options.begin, options.end
    columns, unit = options.columns or {}, options.time_unit
    return stored(read_timed_csv(path, columns, options.dt, unit, options.sample_rate, *clock))


def _read_phy(path: Path, options: Options) -> Stored:
    from dlm_snn.exchange.rasters.sorted_spikes import read_phy

    return stored(read_phy(path, options.dt, options.sample_rate, options.start, options.begin, options.end))


def _holds(path: Path, *names: str) -> bool:
    """Whether a folder holds some files."""
    with suppress(OSError):
        return path.is_dir() and all((path / name).is_file() for name in names)
    return False


def _is_phy(path: Path) -> bool:
    return _holds(path, "spike_times.npy")


def _is_saved(path: Path) -> bool:
    return _holds(path, "numpysorting_info.json", "spikes.npy")


def _read_sorting(path: Path, options: Options) -> Stored:
    from dlm_snn.exchange.rasters.sorted_spikes import read_sorting

    return stored(read_sorting(path, options.dt, options.sample_rate, options.start, options.begin, options.end))


def _is_sorting(path: Path) -> bool:
    from dlm_snn.exchange.rasters.sorted_spikes import is_sorting

    return path.suffix == ".npz" and path.is_file() and is_sorting(path)


class Known(NamedTuple):
    """A format that is known by what a file or folder holds."""

    is_one: Callable[[Path], bool]
    format: Format


_SORTED = ("dt", *CLOCK, "sample_rate")
BY_CONTENT: Mapping[str, Known] = {
    "a phy folder": Known(_is_phy, Format("rasters", _read_phy, options=_SORTED, folder=True)),
    "a spikeinterface folder": Known(_is_saved, Format("rasters", _read_sorting, options=_SORTED, folder=True)),
    "spikeinterface's .npz": Known(_is_sorting, Format("rasters", _read_sorting, options=_SORTED)),
}
"""What it is -> how it is known, and read."""


def content_of(path: Path) -> str | None:
    """Which of ``BY_CONTENT`` lies at a path.

    Raises:
        DlmError: one file of a folder that is read as a whole.
    """
    if path.name in _PHY_FILES and path.is_file() and _is_phy(path.parent):
        raise DlmError(f"{path} is a part of a phy folder; give the folder, {path.parent}")
    if path.name == "spikes.npy" and path.is_file() and _is_saved(path.parent):
        raise DlmError(f"{path} is a part of a sorting of spikeinterface; give the folder, {path.parent}")
    return next((name for name, known in BY_CONTENT.items() if known.is_one(path)), None)
