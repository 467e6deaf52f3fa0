"""What a run was: versions, commit, machine, seeds, digests and times; written atomically."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter
from typing import Any

from dlm_snn.errors import DlmError
from dlm_snn.files.atomic import write_text
from dlm_snn.files.kinds import check_kind
from dlm_snn.files.layouts import json_file
from dlm_snn.files.reading import opened, read_json, sealed, unsealed

PACKAGES = ("dlm-snn", "lava-nc", "snntorch", "torch", "numpy", "brian2", "scipy", "scikit-learn")


def to_json(values: Mapping[str, Any]) -> str:
    """Plain data as one line of JSON, keys in their order."""
    return json.dumps(values, separators=(", ", ": "))


def installed_versions() -> dict[str, str]:
    """The versions of the packages that a result depends on, as far as installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine() -> str:
    """Operating system, processor, cores and Python, without anything that names one machine."""
    processor = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        models = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        processor = models[0] if models else processor
    return f"{platform.system()}, {processor}, {os.cpu_count()} cores, Python {platform.python_version()}"


RECORD = "record.json"
RECORD_KIND = json_file("the record of a run", "command", "versions", "digests", "seconds")
_UNRECORDED = (RECORD, "report.html")
"""The record itself, and what can be made anew from the rest."""


def files_of(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file of a run, by its path within the folder."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    names = (path.relative_to(folder).as_posix() for path in found)
    return {name: _sha256(folder / name) for name in names if name not in _UNRECORDED}


def read_record(folder: Path, missing: str | None = None) -> dict[str, Any]:
    """What ``record.json`` of a run's folder holds.

    Raises:
        MissingError, DlmError: it is not there, damaged, or was changed since it was written.
    """
    path = folder / RECORD
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
    check_kind(files, {"*": str}, folder / RECORD, "files", remedy)
    for name, digest in files.items():
        if name.startswith("/") or ".." in name.split("/"):
            raise DlmError(f"{folder / RECORD}: the file {name!r} lies outside the run; {remedy}")
        if only in (None, name) and (folder / name).exists() and _sha256(folder / name) != digest:
            raise DlmError(f"{folder / name} was changed since the run wrote it, its checksum differs; {remedy}")
    return True


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with opened(path) as file:
        while block := file.read(2**16):
            digest.update(block)
    return digest.hexdigest()


def checkout_commit() -> str | None:
    """The commit of the checkout that this package lies in; None where it lies in none.

    "+changes" where tracked files differ from it; results that a run adds to change nothing of what it computes.
    """
    folder = Path(__file__).resolve().parent
    if not (folder.parent / ".git").exists():
        return None
    try:
        commit = _git(folder, "rev-parse", "--short=12", "HEAD")
        code = (":(top)", ":(top,exclude)experiments/results")
        changes = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", *code)
        return commit + ("+changes" if changes else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def origin(accelerator: str | None = None) -> dict[str, str | None]:
    """Date (UTC), commit and machine, with its accelerator where one computed: where a row of results comes from."""
    date = datetime.now(timezone.utc).date().isoformat()
    where = f"{machine()}, {accelerator}" if accelerator else machine()
    return {"date": date, "commit": checkout_commit(), "machine": where}


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()


@dataclass
class RunRecord:
    """The provenance of one run.

    Attributes:
        command: what was asked for.
        seed: of the network's first weights.
        created: date and time, UTC, ISO 8601.
        commit: of the checkout, with "+changes" where it had some; None outside a checkout.
        versions: package -> installed version.
        machine: operating system, processor, cores, Python.
        instruction_set: what torch computes with, such as "AVX2": with another one sums are rounded otherwise, and
            training ends in another network.
        repetition: of a run that takes another one's configuration: whether it got the same digests.
        digests: artefact -> SHA-256.
        seconds: stage -> wall time.
        files: path within the run's folder -> SHA-256.
    """

    command: str
    seed: int
    created: str = field(default_factory=lambda: datetime.now(timezone.utc).isoformat(timespec="seconds"))
    commit: str | None = field(default_factory=checkout_commit)
    versions: Mapping[str, str] = field(default_factory=installed_versions)
    machine: str = field(default_factory=machine)
    instruction_set: str | None = None
    repetition: str | None = None
    digests: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Add the time of a block to ``seconds``."""
        start = perf_counter()
        yield
        self.seconds[stage] = round(self.seconds.get(stage, 0.0) + perf_counter() - start, 3)

    def save(self, path: Path, replace: bool = False) -> None:
        """Write it as JSON, whole or not at all, with a checksum over it and over the files beside it."""
        self.files = files_of(path.parent)
        write_text(path, json.dumps(sealed(asdict(self)), indent=1) + "\n", RECORD_KIND, replace)
