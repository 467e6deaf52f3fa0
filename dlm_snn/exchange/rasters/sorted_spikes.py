"""Sorted spikes: phy's folders and spikeinterface's npz files, which count samples of the recording's clock."""

from __future__ import annotations

import os
import re
from ast import literal_eval
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, MissingError
from dlm_snn.exchange.rasters.cuts import Cut, placed
from dlm_snn.exchange.rasters.grid import OBJECTS
from dlm_snn.exchange.rasters.session import POPULATION, Session, Units, printable, session_of
from dlm_snn.files.packed import listed, npz_names, read_array, read_npz
from dlm_snn.files.reading import read_json, read_text

TIMES, CLUSTERS, TEMPLATES, PARAMS = "spike_times.npy", "spike_clusters.npy", "spike_templates.npy", "params.py"
GROUPS = ("cluster_group.tsv", "cluster_KSLabel.tsv")
IDS, RATE, SEGMENTS = "unit_ids", "sampling_frequency", "num_segment"
INFO, SPIKES, FIELDS = "numpysorting_info.json", "spikes.npy", ("sample_index", "unit_index", "segment_index")
_SAMPLE_RATE = re.compile(r"^[ \t]*sample_rate[ \t]*=[ \t]*([^#\n]{1,80})", re.MULTILINE)
_INDEXES = re.compile(r"spike_indexes(?:_seg(\d{1,6}))?")
"""The array of a segment; files of spikeextractors have one without a number."""


def is_phy(path: Path) -> bool:
    """Whether a folder is one of phy."""
    return (path / TIMES).is_file()


def read_phy(
    path: str | os.PathLike[str],
    dt: float | None = None,
    sample_rate: float | None = None,
    start: float | None = None,
    begin: float | None = None,
    end: float | None = None,
) -> Session:
    """Read a folder of phy: ``spike_times.npy``, ``spike_clusters.npy`` and the ``sample_rate`` of ``params.py``.

    Clusters are the neurons of the population ``units``, by ascending numbers; before anything was curated they are the
    templates. ``params.py`` is read as text, and never executed. Groups are those of ``cluster_group.tsv``, or of
    ``cluster_KSLabel.tsv``.

    Args:
        path: the folder.
        dt: seconds a step.
        sample_rate: of the recording in Hz, where ``params.py`` does not tell it.
        start, begin, end: as for ``read_nwb``.

    Raises:
        MissingError: no folder of phy.
        DlmError: damaged, or what it does not tell; names the file, the cluster and its spike.
    """
    path = Path(path)
    if not is_phy(path):
        raise MissingError(f"no {TIMES} in {path}; give a folder of phy")
    counted = _counted(path / TIMES, read_array(path / TIMES))
    labels = path / (CLUSTERS if (path / CLUSTERS).exists() else TEMPLATES)
    clusters = _counted(labels, read_array(labels, f"no {CLUSTERS} in {path}; give the folder that phy opens"))
    if clusters.shape != counted.shape:
        raise DlmError(f"{path}: {TIMES} has {counted.size} spikes, {labels.name} {clusters.size}; write both again")
    if not counted.size:
        raise DlmError(f"{path} has no spikes; there is nothing to read")
    told = [f"{CLUSTERS} is not there; units are templates"] if labels.name == TEMPLATES else []
    rate = _rate(path, _told_rate(path / PARAMS, sample_rate), sample_rate, PARAMS)
    ids, unit = np.unique(clusters, return_inverse=True)
    units = Units([POPULATION] * len(ids), ids.tolist(), groups=_groups(path, ids.tolist()))
    session = _session(path, [counted], [unit], units, rate, _dt(path, dt), Cut(start, begin, end))
    return session._replace(told=(*told, *session.told))


def _groups(path: Path, clusters: list[int]) -> list[str] | None:
    """What a curator, or else the sorter, called each cluster; None: nobody did."""
    file = next((path / name for name in GROUPS if (path / name).exists()), None)
    if file is None:
        return None
    rows = [line.split("\t") for line in read_text(file).splitlines()[1:] if line.strip()]
    wrong = next((row for row in rows if len(row) < 2 or not re.fullmatch(r"\d{1,18}", row[0])), None)
    if wrong is not None:
        raise DlmError(
            f"{file}: {printable(' '.join(wrong))!r} is no cluster and its group; mend it, or delete the file"
        )
    told = {int(row[0]): row[1].strip() for row in rows}
    return [told.get(cluster, "") for cluster in clusters]


def is_sorting(path: Path) -> bool:
    """Whether an npz file is a sorting of spikeinterface."""
    try:
        names = npz_names(path)
    except DlmError:
        return False
    return IDS in names and any(_INDEXES.fullmatch(name) for name in names)


def read_sorting(
    path: str | os.PathLike[str],
    dt: float | None = None,
    sample_rate: float | None = None,
    start: float | None = None,
    begin: float | None = None,
    end: float | None = None,
) -> Session:
    """Read a sorting of spikeinterface: an npz (``NpzSortingExtractor.write_sorting``), also one of spikeextractors, or
    a folder (``sorting.save``).

    Units are the neurons of the population ``units`` in the order of ``unit_ids``; each segment is a sample, on a clock
    of its own.

    Args:
        path: the npz file (``unit_ids``, ``sampling_frequency``, ``spike_indexes_seg0``, ``spike_labels_seg0``, ...) or
            the folder (``numpysorting_info.json``, ``spikes.npy``).
        dt, start, begin, end: as for ``read_phy``.
        sample_rate: in Hz, where the file does not tell it.

    Raises:
        MissingError: no such file.
        DlmError: damaged, or what it does not tell; names the segment, the unit and its spike.
    """
    path = Path(path)
    if path.is_dir():
        return _read_folder(path, _dt(path, dt), sample_rate, Cut(start, begin, end))
    names = npz_names(path)
    segments = sorted((int(found[1] or 0), name) for name in names if (found := _INDEXES.fullmatch(name)))
    if IDS not in names or not segments:
        raise DlmError(f"{path} holds {listed(names)}; a sorting holds {IDS}, spike_indexes_seg0, spike_labels_seg0")
    labels = {name: name.replace("indexes", "labels") for _, name in segments}
    held = read_npz(path, [IDS, *labels, *labels.values()], more=[RATE, SEGMENTS])
    if SEGMENTS in held and _number(path, SEGMENTS, held[SEGMENTS]) != len(segments):
        raise DlmError(f"{path} has {len(segments)} segments, {SEGMENTS} says {held[SEGMENTS]}; write it again")
    ids = _ids(path, held[IDS])
    place = {unit: at for at, unit in enumerate(ids)}
    counted, units = [], []
    for name, labels_of in labels.items():
        counted.append(_counted(f"{path}: {name}", held[name]))
        units.append(_places(f"{path}: {labels_of}", held[labels_of], place))
        if counted[-1].shape != units[-1].shape:
            raise DlmError(f"{path}: {name} has {counted[-1].size} spikes, {labels_of} {units[-1].size}")
    own = _number(path, RATE, held[RATE]) if RATE in held else None
    rate = _rate(path, own, sample_rate, RATE)
    return _session(
        path, counted, units, Units([POPULATION] * len(ids), ids), rate, _dt(path, dt), Cut(start, begin, end)
    )


def _read_folder(path: Path, dt: float, sample_rate: float | None, cut: Cut) -> Session:
    """A sorting as ``sorting.save`` leaves it."""
    where = f"no {INFO} in {path}; give a folder of phy or spikeinterface"
    info = read_json(path / INFO, missing=where)
    ids, n_segments = info.get(IDS), info.get("num_segments", 1)
    if not isinstance(ids, list) or not all(isinstance(own, (int, str)) for own in ids) or len(set(ids)) < len(ids):
        raise DlmError(f"{path / INFO} holds no list '{IDS}' of numbers or texts, each once; write it again")
    spikes = read_array(path / SPIKES, f"no {SPIKES} in {path}; give the whole folder", records=True)
    if spikes.ndim != 1 or spikes.dtype.names is None or not {*FIELDS[:2]} <= {*spikes.dtype.names}:
        raise DlmError(
            f"{path / SPIKES} holds {spikes.dtype} of the shape {spikes.shape}, expected {', '.join(FIELDS)}"
        )
    counted, unit = (_counted(f"{path / SPIKES}: {name}", spikes[name]) for name in FIELDS[:2])
    in_one = FIELDS[2] not in spikes.dtype.names
    segment = np.zeros_like(unit) if in_one else _counted(f"{path / SPIKES}: {FIELDS[2]}", spikes[FIELDS[2]])
    for what, place, most in (("unit", unit, len(ids)), ("segment", segment, n_segments)):
        if type(most) is not int or not 0 < most <= OBJECTS:
            raise DlmError(f"{path / INFO} tells {most!r} {what}s, expected a number in 1..{OBJECTS}; write it again")
        wrong = np.flatnonzero((place < 0) | (place >= most))
        if wrong.size:
            raise DlmError(f"{path / SPIKES}, entry {wrong[0]}: {what} {place[wrong[0]]}; {INFO} tells {most} of them")
    order = np.argsort(segment, kind="stable")
    cuts = np.searchsorted(segment[order], np.arange(1, n_segments))
    in_segments, their_units = (np.split(array[order], cuts) for array in (counted, unit))
    rate = _rate(path, info.get(RATE), sample_rate, INFO)
    units = Units([POPULATION] * len(ids), ids)
    return _session(path, in_segments, their_units, units, rate, dt, cut)


def _session(
    path: Path,
    counted: Sequence[NDArray[np.int64]],
    places: Sequence[NDArray[np.int64]],
    units: Units,
    rate: float,
    dt: float,
    cut: Cut,
) -> Session:
    """Rasters of spikes of segments, which are counted in samples of the recording."""
    unit, sizes = np.concatenate(places), [part.size for part in counted]
    segment = np.repeat(np.arange(len(sizes)), sizes)

    def named(at: int) -> str:
        told = f"segment {segment[at]}, " * (len(sizes) > 1)
        return f"{told}spike {at - sum(sizes[: segment[at]])} (of unit {printable(units.ids[unit[at]])})"

    try:
        found = placed(np.concatenate(counted) / rate, dt, cut, named, str(path))
        session = session_of(found, unit, units, dt, segment, len(sizes))
    except DlmError as error:
        raise DlmError(f"{path}: {error}") from error
    return session._replace(told=tuple(found.notes()))


def _dt(path: Path, dt: float | None) -> float:
    if dt is None:
        raise DlmError(f"{path} has times, not steps; give dt (--dt), in seconds")
    return dt


def _rate(path: Path, told: float | None, given: float | None, where: str) -> float:
    """Samples a second of a recording's clock."""
    if told is None and given is None:
        raise DlmError(f"{path} does not tell its clock; give --sample-rate, in Hz")
    if None not in (told, given) and told != given:
        raise DlmError(f"{path}: {where} says a sample rate of {told!r} Hz, not {given!r}; leave --sample-rate out")
    rate = given if told is None else told
    if not isinstance(rate, (int, float)) or isinstance(rate, bool) or not 0 < rate < np.inf:
        raise DlmError(f"{path}: a sample rate of {rate!r} is no number of Hz above 0; give --sample-rate")
    return float(rate)


def _told_rate(path: Path, given: float | None) -> float | None:
    """The sample rate in a params.py, which is somebody's program: a number is read, nothing is executed."""
    if not path.exists():
        return None
    found = [text.strip() for text in _SAMPLE_RATE.findall(read_text(path))]
    if not found:
        return None
    try:
        value = literal_eval(found[-1])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        value = None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if given is None:
        raise DlmError(f"{path}: sample_rate = {found[-1][:40]!a} is no number; give --sample-rate, in Hz")
    return None


def _counted(where: object, array: NDArray) -> NDArray[np.int64]:
    """Whole numbers, one a spike."""
    flat = array.reshape(-1) if array.ndim == 2 and 1 in array.shape else array
    if flat.ndim != 1 or flat.dtype.kind not in "iuf":
        raise DlmError(f"{where} holds {array.dtype} of the shape {array.shape}, expected a whole number a spike")
    with np.errstate(invalid="ignore"):
        whole = flat.astype(np.int64)
    wrong = np.flatnonzero((whole != flat) | (np.abs(whole) > 2**53))
    if wrong.size:
        raise DlmError(f"{where}, entry {wrong[0]}: {flat[wrong[0]]} is no whole number of samples or of a unit")
    return whole


def _number(path: Path, name: str, array: NDArray) -> float:
    if array.size != 1 or array.dtype.kind not in "iuf":
        raise DlmError(f"{path}: {name} holds {array.dtype} of the shape {array.shape}, expected one number")
    return float(array.reshape(-1)[0])


def _ids(path: Path, array: NDArray) -> list[int | str]:
    """What units are called: whole numbers or texts, each once."""
    if array.ndim != 1 or array.dtype.kind not in "iuU":
        raise DlmError(f"{path}: {IDS} holds {array.dtype} of the shape {array.shape}, expected numbers or texts")
    ids: list[int | str] = _listed(f"{path}: {IDS}", array)
    if not ids:
        raise DlmError(f"{path} has no units; there is nothing to read")
    if len(set(ids)) < len(ids):
        raise DlmError(f"{path}: {IDS} holds a unit twice; write it again")
    return ids


def _places(where: str, array: NDArray, place: dict[int | str, int]) -> NDArray[np.int64]:
    """The place of each spike's unit among the ids."""
    if array.ndim != 1:
        raise DlmError(f"{where} has the shape {array.shape}, expected a unit a spike")
    if not array.size:
        return np.zeros(0, dtype=np.int64)
    try:
        labels, inverse = np.unique(array, return_inverse=True)
    except ValueError:
        labels, inverse = np.array(["?"]), np.zeros(array.size, dtype=np.int64)
    called = _listed(where, labels)
    unknown = [label for label in called if label not in place]
    if unknown:
        raise DlmError(f"{where} names the unit {str(unknown[0])[:40]!a}, which is not in {IDS}")
    return np.array([place[label] for label in called])[inverse]


def _listed(where: str, array: NDArray) -> list[int | str]:
    try:
        return list(array.tolist())
    except ValueError as error:
        raise DlmError(f"{where} holds what is no text; write it again") from error
