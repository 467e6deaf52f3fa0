"""What lies at a path: a network, a recording or rasters, by name and content."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from dlm_snn.errors import DlmError, MissingError, nearest
from dlm_snn.exchange.format import NONE_GIVEN, Options, Stored, Writer
from dlm_snn.exchange.known_formats import endings, format_at, format_of, formats, is_ours
from dlm_snn.exchange.rasters.bundle import is_bundle
from dlm_snn.exchange.rasters.session import told_labels
from dlm_snn.files.atomic import writing_folder
from dlm_snn.files.layouts import LISTED, LISTING, FolderKind, Kind, json_file, list_files
from dlm_snn.files.names import file_of
from dlm_snn.files.reading import read_json, refused, settled
from dlm_snn.networks import artifact
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.raster_files import FOLDER, RASTER
from dlm_snn.runs.recording_files import load_recording
from dlm_snn.runs.run_folder import is_run, read_simulated

UNITS, IDS = "units.json", "unit_ids"
OF_NEURONS = (IDS, "areas", "groups")
"""Labels of neurons, by population."""
POPULATIONS = FolderKind(
    "a folder of rasters",
    {"*.npz": RASTER, UNITS: json_file("labels of units", IDS), LISTING: LISTED[1]},
    LISTED,
    listed=True,
)


def read_path(path: Path, options: Options = NONE_GIVEN, simulator: str = "reference") -> Stored:
    """Read what lies at a path.

    Args:
        path: a file; or a folder: of ``dlm-snn simulate``, of a run, or of rasters.
        options: what files of others do not tell.
        simulator: whose rasters of a run.

    Raises:
        MissingError: nothing there.
        DlmError: of no known kind, or damaged.
    """
    known = format_at(path)
    if path.is_dir() and (known is None or not known.folder):
        return settled(path, lambda folder: _folder(folder, simulator))
    if known is not None and is_ours(known):
        return known.read(path, options)
    if known is not None and path.exists():
        # A reader of another package may raise anything.
        with refused(path):
            return known.read(path, options)
    if path.with_name(f"{path.name}.json").is_file():
        return Stored(artifact.load(path))
    if not path.exists():
        raise MissingError(f"nothing at {path}; give a network, a run, a recording or a raster")
    raise unknown(path, endings())


def unknown(path: Path, known: Sequence[str]) -> DlmError:
    """What to say of a file whose ending nobody knows: what it is by its content, or which endings are known."""
    from dlm_snn.exchange.rasters.event_files import known_as

    return DlmError(known_as(path) or f"{path} is of no known kind; known: {', '.join(sorted(known))}")


def _folder(path: Path, simulator: str) -> Stored:
    if is_bundle(path):
        raise DlmError(f"{path} is a bundle of 'dlm-snn deploy'; give the network that it was made from")
    if (path / "recording.json").is_file():
        recording = load_recording(path)
        return Stored(recording.network, recording.rasters, recording)
    if is_run(path):
        return Stored(*read_simulated(path, simulator))
    found = sorted([*path.glob("*.npz"), *path.glob(f"*{FOLDER}")], key=lambda file: (file.stem, file.suffix))
    if not found:
        raise MissingError(f"no network, run, recording or raster in {path}; give a folder that 'dlm-snn' wrote")
    twice = next((one for one, other in pairwise(found) if one.stem == other.stem), None)
    if twice is not None:
        raise DlmError(f"{path} holds '{twice.stem}' as .npz and as {FOLDER}; give one of them")
    labels = _labels(path / UNITS)
    notes = told_labels(*(labels.get(key, {}) for key in OF_NEURONS))
    return Stored(rasters={file.stem: SpikeRaster.load(file) for file in found}, notes=notes, **labels)


def _labels(path: Path) -> dict[str, Any]:
    """What a folder of rasters keeps of units and trials."""
    if not path.is_file():
        return {}
    held = read_json(path)
    labels = {key: held[key] for key in (*OF_NEURONS, "trials") if key in held}
    for key, told in labels.items():
        lists = [told] if key == "trials" else list(told.values()) if isinstance(told, dict) else [None]
        if not all(isinstance(one, list) for one in lists):
            raise DlmError(f"{path} does not hold '{key}' as lists; write it again")
    return labels


def _raster_writer(path: Path) -> Writer | None:
    """By the path's ending; None: a folder."""
    if path.name in formats():
        raise DlmError(f"{path} is an ending without a name; give NAME{path.name}")
    if not path.suffix:
        return None
    known = format_of(path)
    if known is None or known.holds != "rasters" or known.writer is None:
        told = nearest(path.suffix, endings("rasters", written=True))
        raise DlmError(f"cannot write rasters as '{path.suffix}'; {told}")
    return known.writer


def written_kind(path: Path) -> Kind:
    """What ``write_rasters`` makes of a path, by its ending.

    Raises:
        DlmError: an ending that it does not write, or nothing but an ending.
        MissingError: a package that this needs is not installed.
    """
    writer = _raster_writer(path)
    return POPULATIONS if writer is None else writer.kind()


def write_rasters(
    rasters: Mapping[str, SpikeRaster],
    path: Path,
    replace: bool = False,
    labels: Mapping[str, Any] | None = None,
) -> None:
    """Write rasters in the format of the path's ending: ``.nwb``, ``.csv``, ``.npz`` or ``.raster`` of one population;
    without ending a folder of ``POPULATION.npz``.

    Args:
        rasters: population -> raster.
        path: of the file or folder.
        replace: what we wrote there in the same format gives way.
        labels: of ``Stored.labels``; a folder keeps them as ``units.json``.

    Raises:
        DlmError: another ending, several populations for a file of one; a path that exists and must not be replaced,
            or cannot be written.
    """
    writer = _raster_writer(path)
    if writer is not None:
        writer.write(rasters, path, replace, None)
        return
    with writing_folder(path, POPULATIONS, replace) as folder:
        for name, raster in rasters.items():
            raster.save(file_of(folder, name, ".npz"))
        if labels:
            (folder / UNITS).write_text(json.dumps({IDS: {}, **labels}) + "\n")
        list_files(folder)
