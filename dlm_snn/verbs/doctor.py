"""``dlm-snn doctor``: what is installed, what is missing and how to get it. Imports nothing that it looks at."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from dlm_snn.processes.our_packages import HOME, PACKAGES
from dlm_snn.verbs.verb import Verb

DISTRIBUTION = "dlm-snn"
# It declares Python < 3.11 but runs on 3.12; given to a whole installation, the flag that ignores this makes pip
# choose releases that the Python cannot build.
LAVA = "lava-nc==0.10.0"
LAVA_COMMAND = f"pip install --no-deps --ignore-requires-python {LAVA}"
CARD = ("lava-nc", "snntorch", "torch", "numpy", "brian2")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "headless_shell")

_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)\s*\(?([^;()]*)\)?\s*(?:;(.*))?$")
_CLAUSE = re.compile(r"^(==|>=|<=|!=|<|>)\s*([0-9][0-9.]*)$")


@dataclass(frozen=True)
class Finding:
    """One row: what was looked at, what is wanted, what was found, the verdict, and what to do."""

    name: str
    wanted: str
    found: str
    verdict: str
    remedy: str = ""
    required: bool = False

    @property
    def fails(self) -> bool:
        """Whether something required is not in order."""
        return self.required and self.verdict != "OK"


def examine() -> list[Finding]:
    """All findings, the packages of the card first."""
    return [_python(), *_packages(), *_foreign_packages(), _browser(), _cache(), _named_data(), _mnist()]


def satisfies(version: str, specifier: str) -> bool:
    """Whether a version meets clauses such as ``>=1.24,<2``; a local part (``+cpu``) does not count.

    Raises:
        ValueError: a clause of another form.
    """
    return all(_meets(_release(version), clause.strip()) for clause in specifier.split(",") if clause.strip())


def _meets(release: tuple[int, ...], clause: str) -> bool:
    match = _CLAUSE.match(clause)
    if match is None:
        raise ValueError(f"version clause '{clause}' is none of ==, !=, >=, <=, >, < and a plain number")
    operator, limit = match[1], _release(match[2])
    return {
        "==": release == limit,
        "!=": release != limit,
        ">=": release >= limit,
        "<=": release <= limit,
        ">": release > limit,
        "<": release < limit,
    }[operator]


def _release(version: str) -> tuple[int, ...]:
    """The numbers of a release without trailing zeros: 1.0 and 1.0.0 are one."""
    match = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(part) for part in match[0].split(".")] if match else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _python() -> Finding:
    version = platform.python_version()
    try:
        wanted = metadata.metadata(DISTRIBUTION)["Requires-Python"] or ""
    except metadata.PackageNotFoundError:
        return Finding(DISTRIBUTION, "installed", "-", "missing", "pip install -e .", required=True)
    right = satisfies(version, wanted)
    remedy = "" if right else "make demo PYTHON=python3.11"
    return Finding("Python", _plain(wanted), version, "OK" if right else "wrong version", remedy, required=True)


def _packages() -> Iterator[Finding]:
    wanted = dict(_requirements())
    first = [name for name in CARD if name in wanted]
    for name in [*first, *sorted(wanted.keys() - set(first))]:
        yield _package(name, wanted[name])


def _requirements() -> Iterator[tuple[str, str]]:
    yield tuple(LAVA.replace("==", " ==").split())  # type: ignore[misc]
    try:
        lines = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return
    for line in lines:
        match = _REQUIREMENT.match(line)
        if match and "extra" not in (match[3] or ""):
            yield match[1].lower(), match[2].strip()


def _package(name: str, specifier: str) -> Finding:
    remedy = LAVA_COMMAND if name == "lava-nc" else f"pip install {_quoted(name + _plain(specifier))}"
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding(name, _plain(specifier), "-", "missing", remedy, required=True)
    if satisfies(version, specifier):
        return Finding(name, _plain(specifier), version, "OK", required=True)
    return Finding(name, _plain(specifier), version, "wrong version", remedy, required=True)


def _plain(specifier: str) -> str:
    """The lower bound first, as people write it."""
    return ",".join(sorted(specifier.replace(" ", "").split(","), reverse=True))


def _quoted(text: str) -> str:
    return f"'{text}'" if set(text) & set("<>,!") else text


def _foreign_packages() -> Iterator[Finding]:
    """Others have packages of our names, such as the index's ``hardware``, which may lie in the place of ours."""
    known = metadata.packages_distributions()
    for package in PACKAGES:
        owners = [name for name in known.get(package, []) if name.lower() != DISTRIBUTION]
        spec = find_spec(package)
        places = [*(spec.submodule_search_locations or []), spec.origin or ""] if spec else []
        folder = Path(places[0]).resolve() if places else None
        if not owners and folder in (None, HOME / package):
            continue
        whose = f"of the distribution {', '.join(owners)}" if owners else "of no distribution"
        remedy = f"pip uninstall {' '.join(owners)}" if owners else "move that folder off Python's path"
        yield Finding(package, "ours or none", f"{folder} {whose}", "foreign", remedy)


def _browser() -> Finding:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    remedy = "" if found else "only one test needs it: apt-get install chromium"
    return Finding("Chromium", "optional", found or "-", "OK" if found else "missing", remedy)


def _cache() -> Finding:
    from dlm_snn.tasks.download import cache_folder

    folder = cache_folder()
    there = next(place for place in (folder, *folder.parents) if place.exists())
    writable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    remedy = "" if writable else "set XDG_CACHE_HOME to a folder that is yours"
    return Finding("cache", "writable", str(folder), "OK" if writable else "not writable", remedy)


def _named_data() -> Finding:
    named = os.environ.get("DLM_DATA")
    if not named:
        return Finding("$DLM_DATA", "optional", "-", "not set", "a folder with mnist.npz, if you have one")
    there = os.path.isdir(Path(named).expanduser())
    remedy = "" if there else "no such folder: unset it or name another"
    return Finding("$DLM_DATA", "optional", named, "OK" if there else "missing", remedy)


def _mnist() -> Finding:
    from dlm_snn.errors import MissingError
    from dlm_snn.tasks.download import MNIST, locate

    try:
        found = locate(MNIST)
    except MissingError:
        return Finding("MNIST", "optional", "-", "missing", "dlm-snn fetch mnist")
    return Finding("MNIST", "optional", str(found[0] if len(found) == 1 else found[0].parent), "OK")


def _table(findings: list[Finding]) -> str:
    rows = [("", "wanted", "found", "", "")]
    rows += [(one.name, one.wanted, one.found, one.verdict, one.remedy) for one in findings]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join("  ".join([*map(str.ljust, row, widths), row[4]]).rstrip() for row in rows)


def _run(_: Namespace) -> int:
    findings = examine()
    print(_table(findings))
    failing = [one for one in findings if one.fails]
    if failing:
        print(f"dlm-snn: not in order: {', '.join(one.name for one in failing)}", file=sys.stderr)
        return 2
    print("everything that is required is there")
    return 0


def _arguments(_: ArgumentParser) -> None:
    """It has none."""


doctor = Verb("what is installed, what is missing and how to get it", _arguments, _run)
