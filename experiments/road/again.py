"""A run that repeats an earlier one: whether it got the same network, and what may be why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlm_snn.config import load_config
from dlm_snn.provenance import Provenance
from dlm_snn.runs.run_folder import CONFIG, is_run, read_record
from experiments.recipes.config import RunConfig

_DECIDING: dict[str, tuple[str, ...]] = {
    "data": ("data",),
    "network": ("data", "network", "training", "dynamics", "n_steps"),
    "integer": ("data", "network", "training", "dynamics", "n_steps", "quantization"),
}
"""A digest of a record -> the parts of the configuration that decide it, and nothing else should."""
_CALLED = {"data": "data", "network": "network", "integer": "integer network"}


@dataclass(frozen=True)
class Earlier:
    """A run whose configuration a later one takes.

    Attributes:
        name: of its folder.
        config, record: what it was.
    """

    name: str
    config: RunConfig
    record: Mapping[str, Any]

    @classmethod
    def of(cls, file: Path | None) -> Earlier | None:
        """The run that ``--config`` names, by its folder or the file in it; None: no run."""
        if file is None:
            return None
        folder = file if file.is_dir() else file.parent
        if not is_run(folder) or not (file.is_dir() or file.name == CONFIG):
            return None
        return cls(folder.resolve().name, load_config(RunConfig, folder), read_record(folder))


def compared(earlier: Earlier, config: RunConfig, record: Provenance) -> str | None:
    """In a sentence, whether a run got what the earlier one got, as far as their configurations are the same.

    Args:
        earlier: the run that is repeated.
        config, record: of the later run, with its digests.

    Returns:
        None where nothing of the two should be the same.
    """
    ours, theirs = _parts(config), _parts(earlier.config)
    known = earlier.record.get("digests") or {}
    expected = [
        name
        for name, parts in _DECIDING.items()
        if name in known and name in record.digests and all(ours[part] == theirs[part] for part in parts)
    ]
    if not expected:
        return None
    differ = [_CALLED[name] for name in expected if record.digests[name] != known[name]]
    if not differ:
        return f"repeats '{earlier.name}': the same {_listed([_CALLED[name] for name in expected])}"
    others = "another " + _listed(differ) if differ != ["data"] else "other data"
    return f"repeats '{earlier.name}' and got {others}: the digests differ ({_why(earlier.record, record)})"


def _parts(config: RunConfig) -> dict[str, Any]:
    """The configuration without what decides nothing: where data lie, which simulators run."""
    data = config.data.model_dump()
    del data["data_dir"]
    return {**config.model_dump(exclude={"data", "simulation"}), "data": data, "n_steps": config.simulation.n_steps}


def _why(before: Mapping[str, Any], after: Provenance) -> str:
    """What else is not the same."""
    found = [
        f"{name} {now} here, {once} there"
        for name, once, now in (
            ("torch's instruction set", before.get("instruction_set"), after.instruction_set),
            ("machine", before.get("machine"), after.machine),
            ("commit", before.get("commit"), after.commit),
        )
        if once is not None and once != now
    ]
    versions = before.get("versions") or {}
    changed = {name: version for name, version in after.versions.items() if versions.get(name, version) != version}
    found += [f"{name} {version} here, {versions[name]} there" for name, version in changed.items()]
    return "; ".join(found) or "machine, commit and versions are the same"


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
