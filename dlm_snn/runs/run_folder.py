"""The folder of a run: what lies in it, how it is written, and how it is read. Its files are named here alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from dlm_snn.errors import DlmError, MissingError, nearest
from dlm_snn.files.atomic import write_text, writing
from dlm_snn.files.checksums import check_checksums, checksums
from dlm_snn.files.kinds import Kind, check_kind
from dlm_snn.files.layouts import FolderKind, json_file, text_file
from dlm_snn.files.names import file_of
from dlm_snn.files.packed import check_size, write_npz
from dlm_snn.files.reading import opened, read_json, read_text, refused, sealed, settled, unsealed
from dlm_snn.networks import artifact
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.provenance import Provenance
from dlm_snn.runs.answers import ANSWERS, Answers, read_answers, write_answers
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.raster_files import RASTER
from dlm_snn.runs.recording import Recording
from dlm_snn.runs.recording_files import TRACES
from dlm_snn.runs.run_metrics import RunMetrics
from dlm_snn.runs.run_traces import Trace, read_traces, stored_traces

CONFIG, PAGE = "config.yaml", "report.html"
_RECORD, _METRICS, _RASTERS, _TRACES = "record.json", "metrics.json", "rasters", "traces.npz"
_ANSWERS = "answers.npz"
_NETWORKS = {"float": "network", "integer": "integer"}
"""Arithmetic -> name of the network in it."""
_RECORDS = json_file("the record of a run", "command", "versions", "digests", "seconds")
REPORT = text_file("a report", begins="<!DOCTYPE html>", holds="<title>Run report")
RUN = FolderKind(
    "a run",
    {
        _RECORD: _RECORDS,
        CONFIG: None,
        _METRICS: None,
        **{f"{name}.{ending}": None for name in _NETWORKS.values() for ending in ("json", "safetensors")},
        _TRACES: TRACES,
        _ANSWERS: ANSWERS,
        f"{_RASTERS}/*/*.npz": RASTER,
        PAGE: REPORT,
    },
    (_RECORD, _RECORDS),
)
KEPT = ("reference", "lava-float", "lava-fixed")
"""Simulators whose rasters and traces go into the folder, in the order in which they are shown."""
_ALWAYS_INTEGER = "lava-fixed"
_REMEDY = "write it again with 'dlm-snn run'"
_TEXT: Kind = (str, None)
_NUMBER: Kind = (float, None)
_RECORD_KIND: Kind = {
    **dict.fromkeys(("command?", "created?", "commit?", "machine?"), _TEXT),
    "seed?": (int, None),
    **dict.fromkeys(("digests?", "versions?"), ({"*": _TEXT}, None)),
    "seconds?": ({"*": _NUMBER}, None),
}
_POPULATION: Kind = {"name?": str, "type?": str, "winners?": (int, None), "scale?": _NUMBER}
_NETWORK_KIND: Kind = {
    "populations?": ([{**_POPULATION, "name": str}], {"*": _POPULATION}),
    "projections?": [{"pre?": str, "post?": str, "weight_exp?": int}],
}


def stored_name(simulator: str, arithmetic: str) -> str:
    """What a simulator of a network in an arithmetic is called in the folder."""
    plain = arithmetic == "float" or simulator == _ALWAYS_INTEGER
    return simulator if plain else f"{simulator}-{arithmetic}"


def stored_arithmetic(stored: str) -> str:
    """The arithmetic of what ``stored_name`` named: the name alone tells, whether or not the simulator is installed."""
    return "integer" if stored == _ALWAYS_INTEGER or stored.endswith("-integer") else "float"


def is_run(folder: Path) -> bool:
    """Whether a folder is a run's."""
    return (folder / _RECORD).is_file()


@dataclass(frozen=True)
class StoredNetwork:
    """A network as its files hold it: the tree of its structure, and its arrays by key."""

    tree: Mapping[str, Any]
    arrays: Mapping[str, NDArray]

    @property
    def populations(self) -> dict[str, Mapping[str, Any]]:
        """Population name -> its fields."""
        populations = self.tree.get("populations", [])
        if isinstance(populations, Mapping):
            return dict(populations)
        return {population["name"]: population for population in populations}


@dataclass(frozen=True)
class RunFolder:
    """The content of a run's folder.

    Attributes:
        config: text of the configuration.
        record, metrics: what the run was, and what it measured.
        networks: arithmetic -> network, where stored.
        rasters: ``stored_name`` of a simulator -> population -> SpikeRaster.
        traces: of all simulators and populations.
        answers: on the test set; None where they are not stored.
        verified: the files are those that the run wrote, by the checksums in its record.
    """

    path: Path
    config: str
    record: Mapping[str, Any]
    metrics: RunMetrics
    networks: Mapping[str, StoredNetwork] = field(default_factory=dict)
    rasters: Mapping[str, Mapping[str, SpikeRaster]] = field(default_factory=dict)
    traces: tuple[Trace, ...] = ()
    answers: Answers | None = None
    verified: bool = False


def write_run(
    folder: Path,
    config: str,
    networks: Mapping[str, Network | IntegerNetwork],
    simulated: Mapping[str, tuple[Recording, Recording]],
    metrics: RunMetrics,
    record: Provenance,
    answers: Answers | None = None,
) -> None:
    """Write a run into an existing, empty folder; the record comes last, with checksums over the others.

    Args:
        folder: where to.
        config: text of the configuration.
        networks: arithmetic -> network.
        simulated: ``stored_name`` -> a recording, whose rasters are kept, and one of whose first sample v is kept.
        metrics, record: what the run measured, and what it was.
        answers: on its test set.

    Raises:
        DlmError: the folder cannot be written.
    """
    write_text(folder / CONFIG, config)
    for arithmetic, network in networks.items():
        artifact.save(network, folder / _NETWORKS[arithmetic])
    for name, (recording, _) in simulated.items():
        (folder / _RASTERS / name).mkdir(parents=True)
        for population, raster in recording.rasters.items():
            raster.save(file_of(folder / _RASTERS / name, population, ".npz"))
    with writing(folder / _TRACES) as file:
        write_npz(file, stored_traces({name: states for name, (_, states) in simulated.items()}))
    if answers is not None:
        write_answers(answers, folder / _ANSWERS)
    write_text(folder / _METRICS, json.dumps(metrics.to_json(), indent=1) + "\n")
    save_record(record, folder)


def save_record(record: Provenance, folder: Path, replace: bool = False) -> None:
    """Write the record of a run, with a checksum over it and over the files beside it, but not over the page.

    The page can be made anew from the rest.
    """
    content = sealed({**asdict(record), "files": checksums(folder, without=(_RECORD, PAGE))})
    write_text(folder / _RECORD, json.dumps(content, indent=1) + "\n", _RECORDS, replace)


def read_record(folder: Path, missing: str | None = None) -> dict[str, Any]:
    """The record of a run.

    Raises:
        MissingError, DlmError: it is not there, damaged, or was changed since it was written.
    """
    path = folder / _RECORD
    return unsealed(read_json(path, missing=missing), path)


def check_files(folder: Path, record: Mapping[str, Any], remedy: str, only: str | None = None) -> bool:
    """Hold the files of a run against the checksums in its record, as far as both are there.

    Args:
        folder: of the run.
        record: of ``read_record``.
        remedy: the end of the message.
        only: this file alone.

    Returns:
        Whether there were checksums: records of earlier versions have none.

    Raises:
        DlmError: a file that was changed since the run wrote it.
    """
    files = record.get("files")
    if files is None:
        return False
    check_kind(files, {"*": str}, folder / _RECORD, "files", remedy)
    check_checksums(folder, files, folder / _RECORD, remedy, only)
    return True


def read_run(path: Path) -> RunFolder:
    """Read the folder of a run.

    Raises:
        MissingError: no such folder, or no metrics, record or configuration in it.
        DlmError: a truncated file, or one that holds something else.
    """
    if not path.is_dir():
        raise MissingError(f"no run folder at {path}; name one that 'dlm-snn run' wrote")
    return settled(path, _read)


def _read(path: Path) -> RunFolder:
    record = read_record(path, f"no {_RECORD} in {path}; {_REMEDY}")
    check_kind(record, _RECORD_KIND, path / _RECORD, remedy=_REMEDY)
    networks = {arithmetic: _read_network(path / name) for arithmetic, name in _NETWORKS.items()}
    return RunFolder(
        path=path,
        verified=check_files(path, record, _REMEDY),
        config=_read_config(path / CONFIG),
        record=record,
        metrics=_read_metrics(path / _METRICS),
        networks={arithmetic: stored for arithmetic, stored in networks.items() if stored is not None},
        rasters={name: _read_rasters(path, name) for name in simulators(path)},
        traces=read_traces(path / _TRACES, _REMEDY),
        answers=read_answers(path / _ANSWERS, _REMEDY),
    )


def _missing(path: Path) -> str:
    return f"no {path.name} in {path.parent}; {_REMEDY}"


def _read_metrics(path: Path) -> RunMetrics:
    return RunMetrics.from_json(read_json(path, _REMEDY, _missing(path)), path, _REMEDY)


def _read_config(path: Path) -> str:
    from dlm_snn.files.yaml_text import parse_yaml

    text = read_text(path, missing=_missing(path))
    if not isinstance(parse_yaml(text, str(path)), dict):
        raise DlmError(f"{path} is empty or truncated: no settings in it; {_REMEDY}")
    return text


def _read_network(path: Path) -> StoredNetwork | None:
    """What the report shows of a network, whatever version wrote it."""
    weights, structure = path.with_suffix(".safetensors"), path.with_suffix(".json")
    if not (weights.exists() and structure.exists()):
        return None
    from safetensors.numpy import load

    content = read_json(structure, _REMEDY)
    tree = content.get("tree", content)
    check_kind(tree, _NETWORK_KIND, structure, remedy=_REMEDY)
    with opened(weights) as file, refused(weights, _REMEDY, "is not a complete safetensors file"):
        check_size(weights.stat().st_size, weights)
        return StoredNetwork(tree, load(file.read()))


def simulators(folder: Path) -> list[str]:
    """The ``stored_name`` of each simulator whose rasters lie in a run's folder."""
    return sorted(path.name for path in (folder / _RASTERS).glob("*") if path.is_dir())


def _read_rasters(folder: Path, name: str) -> dict[str, SpikeRaster]:
    return {file.stem: SpikeRaster.load(file) for file in sorted((folder / _RASTERS / name).glob("*.npz"))}


def read_network(folder: Path, arithmetic: str) -> Network | IntegerNetwork:
    """The network of a run in an arithmetic.

    Raises:
        MissingError, DlmError: see ``artifact.load``.
    """
    return artifact.load(folder / _NETWORKS[arithmetic])


def read_simulated(folder: Path, name: str) -> tuple[Network | IntegerNetwork, dict[str, SpikeRaster]]:
    """The network that a simulator ran, and its rasters, each at the depth of its population.

    Args:
        folder: of the run.
        name: ``stored_name`` of the simulator.

    Raises:
        MissingError: no rasters of that name.
        DlmError: a damaged file.
    """
    if name not in (known := simulators(folder)):
        raise MissingError(f"{folder} has no rasters of '{name}'; {nearest(name, known)}")
    rasters = _read_rasters(folder, name)
    network = read_network(folder, stored_arithmetic(name))
    return network, {
        population: raster.at_depth(network.depth.get(population, 0)) for population, raster in rasters.items()
    }
