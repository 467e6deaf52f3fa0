"""What a report shows: the files of a run folder, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from dlm_snn.errors import DlmError, MissingError
from dlm_snn.files.kinds import Kind, check_kind
from dlm_snn.files.packed import check_size, read_npz
from dlm_snn.files.reading import opened, read_json, read_text, refused, settled
from dlm_snn.provenance import check_files, read_record
from dlm_snn.report.contents import METRICS, NETWORK, RECORD
from dlm_snn.runs.raster import SpikeRaster

ARITHMETICS = ("float", "integer")
"""The two forms of a network, which are also the names of its artefacts."""

_REMEDY = "write it again with 'dlm-snn run'"


@dataclass(frozen=True)
class Stored:
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
class Trace:
    """The membrane voltage of one population in one simulator, for one sample.

    Attributes:
        v: (step, neuron), at the end of each step.
        v_threshold: one number, or (neuron,); None where it was not stored.
    """

    backend: str
    population: str
    v: NDArray
    v_threshold: NDArray | None


@dataclass(frozen=True)
class RunFolder:
    """The content of a run folder.

    Attributes:
        config: text of ``config.yaml``.
        record, metrics: the two JSON files.
        networks: "float" and "integer", where stored.
        rasters: backend -> population -> SpikeRaster.
        traces: of all backends and populations.
        verified: the files are those that the run wrote, by the checksums in its record.
    """

    path: Path
    config: str
    record: Mapping[str, Any]
    metrics: Mapping[str, Any]
    networks: Mapping[str, Stored] = field(default_factory=dict)
    rasters: Mapping[str, Mapping[str, SpikeRaster]] = field(default_factory=dict)
    traces: tuple[Trace, ...] = ()
    verified: bool = False

    @property
    def order(self) -> list[str]:
        """Populations as the network lists them, then any others by name."""
        listed = [name for stored in self.networks.values() for name in stored.populations]
        seen = [name for rasters in self.rasters.values() for name in rasters] + [t.population for t in self.traces]
        return list(dict.fromkeys(listed + sorted(set(seen))))

    @property
    def inputs(self) -> set[str]:
        """Populations whose events come from outside."""
        populations = [item for stored in self.networks.values() for item in stored.populations.items()]
        return {name for name, population in populations if population.get("type") == "Input"}

    def backends(self, kind: str, population: str) -> list[str]:
        """Simulators of one arithmetic with a raster of a population, the reference first."""
        having = [b for b, rasters in self.rasters.items() if population in rasters]
        return sorted((b for b in having if arithmetic(b) == kind), key=_precedence)

    def raster(self, kind: str, population: str) -> SpikeRaster | None:
        """The raster of a population in the first simulator of one arithmetic."""
        backends = self.backends(kind, population)
        return self.rasters[backends[0]][population] if backends else None

    def pair(self, kind: str, population: str) -> list[Trace]:
        """The traces to lay over each other: of the reference and of one more simulator, as far as stored."""
        found = [t for t in self.traces if t.population == population and arithmetic(t.backend) == kind]
        return sorted(found, key=lambda trace: _precedence(trace.backend))[:2]


def arithmetic(backend: str) -> str:
    """ "integer" for the simulators of integer networks, else "float"."""
    return "integer" if "integer" in backend or "fixed" in backend else "float"


def _precedence(backend: str) -> tuple[bool, bool, str]:
    return not backend.startswith("reference"), not backend.startswith("lava"), backend


def read(path: Path) -> RunFolder:
    """Read a run folder.

    Raises:
        MissingError: no such folder, or no metrics.json, record.json or config.yaml in it.
        DlmError: a truncated file, or one that holds something else.
    """
    if not path.is_dir():
        raise MissingError(f"no run folder at {path}; name one that 'dlm-snn run' wrote")
    return settled(path, _read)


def _read(path: Path) -> RunFolder:
    record = read_record(path, f"no record.json in {path}; {_REMEDY}")
    check_kind(record, RECORD, path / "record.json", remedy=_REMEDY)
    return RunFolder(
        path=path,
        verified=check_files(path, record, _REMEDY),
        config=_read_config(path / "config.yaml"),
        record=record,
        metrics=_read_json(path / "metrics.json", METRICS),
        networks={name: stored for name in ARITHMETICS if (stored := _read_network(path / name)) is not None},
        rasters=_read_rasters(path / "rasters"),
        traces=_read_traces(path / "traces.npz"),
    )


def _missing(path: Path) -> str:
    return f"no {path.name} in {path.parent}; {_REMEDY}"


def _read_json(path: Path, kind: Kind) -> dict[str, Any]:
    content = read_json(path, _REMEDY, _missing(path))
    check_kind(content, kind, path, remedy=_REMEDY)
    return content


def _read_config(path: Path) -> str:
    from dlm_snn.files.yaml_text import parse_yaml

    text = read_text(path, missing=_missing(path))
    if not isinstance(parse_yaml(text, str(path)), dict):
        raise DlmError(f"{path} is empty or truncated: no settings in it; {_REMEDY}")
    return text


def _read_network(path: Path) -> Stored | None:
    weights, structure = path.with_suffix(".safetensors"), path.with_suffix(".json")
    if path.name == "float":
        weights, structure = path.with_name("network.safetensors"), path.with_name("network.json")
    if not (weights.exists() and structure.exists()):
        return None
    from safetensors.numpy import load

    content = read_json(structure, _REMEDY)
    tree = content.get("tree", content)
    check_kind(tree, NETWORK, structure, remedy=_REMEDY)
    with opened(weights) as file, refused(weights, _REMEDY, "is not a complete safetensors file"):
        check_size(weights.stat().st_size, weights)
        return Stored(tree, load(file.read()))


def _read_rasters(path: Path) -> dict[str, dict[str, SpikeRaster]]:
    rasters: dict[str, dict[str, SpikeRaster]] = {}
    for file in sorted(path.glob("*/*.npz")):
        rasters.setdefault(file.parent.name, {})[file.stem] = SpikeRaster.load(file)
    return rasters


def _read_traces(path: Path) -> tuple[Trace, ...]:
    if not path.exists():
        return ()
    arrays = read_npz(path, remedy=_REMEDY, what="is not a complete npz file")
    places = [key.split("/") for key in sorted(arrays)]
    return tuple(
        Trace(place[0], place[1], arrays["/".join(place)], arrays.get(f"{place[0]}/{place[1]}/v_threshold"))
        for place in places
        if len(place) == 3 and place[2] == "v" and _is_trace(arrays["/".join(place)])
    )


def _is_trace(array: NDArray) -> bool:
    return array.ndim == 2 and array.dtype.kind in "iuf"
