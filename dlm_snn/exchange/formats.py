"""What lies at a path: a network, a recording or rasters, by name and content."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Literal

from dlm_snn.errors import DlmError, MissingError, nearest
from dlm_snn.exchange.rasters.csv_files import CSV, write_csv
from dlm_snn.exchange.rasters.grid import Moved
from dlm_snn.files.atomic import writing_folder
from dlm_snn.files.layouts import LISTED, LISTING, FolderKind, Kind, json_file, list_files
from dlm_snn.files.names import file_of
from dlm_snn.files.reading import settled
from dlm_snn.networks import artefact
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.runs.raster import EXTENT, SpikeRaster
from dlm_snn.runs.raster_files import FOLDER, RASTER, RASTER_FOLDER
from dlm_snn.runs.recording import Recording
from dlm_snn.runs.recording_files import load_recording
from dlm_snn.runs.run_folder import is_run, read_simulated

AnyNetwork = Network | IntegerNetwork


@dataclass(frozen=True)
class Options:
    """What files of others do not tell; each is needed by some formats only.

    Attributes:
        dt: seconds a step.
        input_shape, graded_bits, reset_interval: as for ``read_net``.
        extra_steps, reset: as for ``read_nir``.
        shape: (polarity, row, column) of event recordings.
        extent: n_samples, n_steps, n_neurons of every population of a CSV.
        start: as for ``read_nwb``.
    """

    dt: float | None = None
    input_shape: tuple[int, ...] | None = None
    graded_bits: int | None = None
    reset_interval: int | None = None
    extra_steps: bool = False
    shape: tuple[int, int, int] | None = None
    extent: tuple[int, int, int] | None = None
    reset: Literal["zero", "subtract"] | None = None
    start: float | None = None


@dataclass(frozen=True)
class Stored:
    """A network, rasters, or a recording with both.

    Attributes:
        network: None where there are only rasters.
        rasters: population -> raster; empty where there is only a network.
        recording: with states, where they were recorded.
        moved: what an import did to times off the grid.
        by_file: the file holds no name; the raster's is the file's own.
        notes: what an import says beside, a line each.
        unit_ids: population -> what the file called each neuron, where that is not its number.
    """

    network: AnyNetwork | None = None
    rasters: Mapping[str, SpikeRaster] = field(default_factory=dict)
    recording: Recording | None = None
    moved: Moved = field(default_factory=Moved)
    by_file: bool = False
    notes: Sequence[str] = ()
    unit_ids: Mapping[str, Sequence[int]] = field(default_factory=dict)


UNITS, IDS = "units.json", "unit_ids"
POPULATIONS = FolderKind(
    "a folder of rasters",
    {"*.npz": RASTER, UNITS: json_file("ids of units", IDS), LISTING: LISTED[1]},
    LISTED,
    listed=True,
)
NETWORKS = (".net", ".nir", ".json", ".safetensors")
RASTERS = (".npz", FOLDER, ".nwb", ".csv", ".bs2", ".bin", ".aedat4")


def stored(path: Path, options: Options = Options(), simulator: str = "reference") -> Stored:
    """Read what lies at a path.

    Args:
        path: a file; or a folder: of ``dlm-snn simulate``, of a run, or of rasters.
        options: what files of others do not tell.
        simulator: whose rasters of a run.

    Raises:
        MissingError: nothing there.
        DlmError: of no known kind, or damaged.
    """
    if path.is_dir() and path.suffix != FOLDER:
        return settled(path, lambda folder: _folder(folder, simulator))
    if path.suffix in RASTERS or path.is_dir():
        return _rasters(path, options)
    if path.suffix in NETWORKS or path.with_name(f"{path.name}.json").is_file():
        return _network(path, options)
    if not path.exists():
        raise MissingError(f"nothing at {path}; give a network, a run, a recording or a raster")
    # No ending is guessed: '.aedat' is another format than '.aedat4'.
    raise DlmError(f"{path} is of no known kind; known: {', '.join(sorted((*NETWORKS, *RASTERS)))}")


def _folder(path: Path, simulator: str) -> Stored:
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
    return Stored(rasters={file.stem: SpikeRaster.load(file) for file in found})


def _network(path: Path, options: Options) -> Stored:
    if path.suffix == ".net":
        from dlm_snn.exchange.netx.reader import read_net

        return Stored(read_net(path, options.input_shape, options.graded_bits, options.reset_interval))
    if path.suffix == ".nir":
        from dlm_snn.exchange.nir.reader import import_nir

        found = import_nir(path, options.dt, options.extra_steps, options.reset)
        return Stored(found.network, notes=found.notes())
    return Stored(artefact.load(path))


def _rasters(path: Path, options: Options) -> Stored:
    name = path.name.removesuffix(path.suffix)
    if path.suffix == ".nwb":
        from dlm_snn.exchange.rasters.nwb import read_session

        session = read_session(path, options.dt, options.start)
        return Stored(rasters=session.rasters, moved=session.moved, notes=session.notes(), unit_ids=session.unit_ids)
    if path.suffix == ".csv":
        from dlm_snn.exchange.rasters.csv_files import populations_of, read_csv

        extents = None
        if options.extent is not None:
            own: dict[str, float] = dict(zip(EXTENT, options.extent, strict=True))
            extents = dict.fromkeys(populations_of(path), own if options.dt is None else {**own, "dt": options.dt})
        rasters = read_csv(path, extents)
        for raster in rasters.values():
            if options.dt not in (None, raster.dt):
                raise DlmError(f"{path}: it was written for dt = {raster.dt!r} s, not {options.dt!r} s; leave dt out")
        return Stored(rasters=rasters)
    if path.suffix in (".bs2", ".bin", ".aedat4"):
        from dlm_snn.exchange.rasters import events

        shape = options.shape or events.NMNIST
        if path.suffix == ".aedat4":
            recording, shape = events.read_aedat4(path)
        else:
            recording = events.read_bs2(path)
        if options.dt is None:
            raise DlmError(f"{path} has times, not steps; give dt, in seconds")
        try:
            raster, moved = events.from_events([recording], options.dt, shape)
        except DlmError as error:
            raise DlmError(f"{path}: {error}") from error
        return Stored(rasters={name: raster}, moved=moved, by_file=True)
    return Stored(rasters={name: SpikeRaster.load(path)}, by_file=True)


def written_kind(path: Path) -> Kind:
    """What ``write_rasters`` makes of a path, by its ending.

    Raises:
        DlmError: an ending that it does not write, or nothing but an ending.
        MissingError: a package that this needs is not installed.
    """
    if path.suffix == ".nwb":
        from dlm_snn.exchange.rasters.nwb import NWB

        return NWB
    if path.name in (*RASTERS, *NETWORKS):
        raise DlmError(f"{path} is an ending without a name; give NAME{path.name}")
    kinds: dict[str, Kind] = {".csv": CSV, ".npz": RASTER, FOLDER: RASTER_FOLDER, "": POPULATIONS}
    if path.suffix not in kinds:
        raise DlmError(
            f"cannot write rasters as '{path.suffix}'; {nearest(path.suffix, ('.npz', FOLDER, '.nwb', '.csv'))}"
        )
    return kinds[path.suffix]


def write_rasters(
    rasters: Mapping[str, SpikeRaster],
    path: Path,
    replace: bool = False,
    unit_ids: Mapping[str, Sequence[int]] | None = None,
) -> None:
    """Write rasters in the format of the path's ending: ``.nwb``, ``.csv``, ``.npz`` or ``.raster`` of one population;
    without ending a folder of ``POPULATION.npz``.

    Args:
        rasters: population -> raster.
        path: of the file or folder.
        replace: what we wrote there in the same format gives way.
        unit_ids: population -> what others call each neuron; a folder keeps it as ``units.json``.

    Raises:
        DlmError: another ending, several populations for a file of one; a path that exists and must not be replaced,
            or cannot be written.
    """
    kind = written_kind(path)
    if path.suffix == ".nwb":
        from dlm_snn.exchange.rasters.nwb import write_nwb

        write_nwb(rasters, path, replace=replace)
    elif path.suffix == ".csv":
        write_csv(rasters, path, replace)
    elif kind is POPULATIONS:
        with writing_folder(path, POPULATIONS, replace) as folder:
            for name, raster in rasters.items():
                raster.save(file_of(folder, name, ".npz"))
            if unit_ids:
                (folder / UNITS).write_text(
                    json.dumps({IDS: {name: list(ids) for name, ids in unit_ids.items()}}) + "\n"
                )
            list_files(folder)
    elif len(rasters) != 1:
        raise DlmError(f"{path} holds one population, not {', '.join(rasters) or 'none'}; choose one, or a folder")
    else:
        next(iter(rasters.values())).save(path, replace)
