"""What a run was: versions, commit, machine, seeds, digests and times."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter
from typing import Any, TypedDict

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


class Origin(TypedDict):
    """Where a row of results comes from: date (UTC), commit, machine."""

    date: str
    commit: str | None
    machine: str


def origin(accelerator: str | None = None) -> Origin:
    """Date (UTC), commit and machine, with its accelerator where one computed: where a row of results comes from."""
    date = datetime.now(timezone.utc).date().isoformat()
    where = f"{machine()}, {accelerator}" if accelerator else machine()
    return {"date": date, "commit": checkout_commit(), "machine": where}


def origin_text(row: Mapping[str, Any]) -> str:
    """What ``origin`` says in a row of results, in one line."""
    return f"commit {row['commit']}, {row['date']}, {row['machine']}"


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()


@dataclass
class Provenance:
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
        digests: artifact -> SHA-256.
        seconds: stage -> wall time.
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

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Add the time of a block to ``seconds``."""
        start = perf_counter()
        yield
        self.seconds[stage] = round(self.seconds.get(stage, 0.0) + perf_counter() - start, 3)
