"""Damaged files: whatever was done to them, one line and no more; and none of ours is read as something else."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import warnings
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from dlm_snn.exchange.guarded import apart as reading_apart
from tests.damage import Outcome, apart, damage, poisoned
from tests.damaged_files import OLDER, SUBJECTS, Subject, copies, made

FAULTS = ("traceback", "abort", "over time", "over memory", "many lines", "other", "outside")
FEW, BY_COMMAND_FEW = 4, 1
MANY, BY_COMMAND = 400, 50


class Found(NamedTuple):
    """How often each came of reading, and the dearest of them."""

    counted: Counter[str]
    seconds: float
    waited: float
    memory: int

    def __str__(self) -> str:
        cost = f"{self.seconds:.1f} s of computing, {self.waited:.1f} s of the clock, {self.memory / 2**20:.0f} MiB"
        return f"{dict(self.counted)}; at most {cost}"


def outcomes(subject: Subject, folder: Path, seeds: range, by_command: bool) -> Found:
    """What came of reading after damage by each seed; a fault ends it, with the seed and the words."""
    if subject.make.__name__ == "_aedat4":
        pytest.importorskip("dv_processing")
    files = made(subject, folder / "whole")
    read = (lambda: command(subject)) if by_command else (lambda: subject.read(Path("d")))
    os.chdir(folder)
    place = copies(folder / "whole", folder / "d")
    next(place)
    whole = "" if by_command else apart(read).told
    counted: Counter[str] = Counter()
    costs = [(0.0, 0.0, 0)]
    for seed in seeds:
        next(place)
        shutil.rmtree(folder / "out", ignore_errors=True)
        (folder / "out").mkdir()
        done = damage(folder / "d", files, seed)
        found = apart(read)
        kind = judged(found, whole, subject, by_command)
        if kind in FAULTS:
            pytest.fail(
                f"seed {seed}, {done}: {kind}, {found.seconds:.1f} s, {found.memory / 2**20:.0f} MiB\n{found.told}"
            )
        counted[kind] += 1
        costs.append((found.seconds, found.waited, found.memory))
    strange = {p.name for p in folder.iterdir()} - {"whole", "d", "out"}
    assert not strange, f"files outside: {strange}"
    return Found(counted, *map(max, zip(*costs, strict=True)))


def judged(found: Outcome, whole: str, subject: Subject, by_command: bool) -> str:
    if found.kind != "read":
        return found.kind
    same = by_command or found.told == whole
    if subject.read.__name__ == "_read_rows" and not same:
        # A torn last row is passed over, as a kill leaves it.
        same = whole.startswith(found.told)
    return "same" if same else "other" if subject.ours else "another"


def command(subject: Subject) -> str:
    """The command line in this process; anything but one line of refusal or success is raised."""
    from dlm_snn import cli
    from tests.damaged_files import mnist_checksums

    if "mnist" in subject.words:
        from dlm_snn.tasks import datasets

        datasets._MNIST_SHA256 = mnist_checksums()
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(list(subject.words))
    told = err.getvalue()
    lines = [line for line in told.splitlines() if line.strip() and not line.startswith("  ")]
    if code not in (0, 1, 2) or "Traceback" in told or (code == 2 and not lines[-1].startswith("dlm-snn: ")):
        raise AssertionError(f"code {code}: {told}")
    if any(not line.startswith("dlm-snn: ") for line in lines):
        raise AssertionError(f"code {code}, more than lines of ours: {told}")
    return told


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DLM_DATA", raising=False)
    # Each reader here is a process of its own already, and would start the process that forks anew.
    monkeypatch.setattr(reading_apart, "started", reading_apart.forked)
    with warnings.catch_warnings():
        # Forked with threads of libraries that wait for work.
        warnings.simplefilter("ignore", DeprecationWarning)
        yield tmp_path


@pytest.mark.parametrize("name", SUBJECTS)
def test_some_damage_is_one_line(name, here):
    outcomes(SUBJECTS[name], here / "x", range(FEW), by_command=False)


@pytest.mark.long
@pytest.mark.parametrize("name", SUBJECTS)
def test_damage_is_one_line(name, here, capsys):
    found = outcomes(SUBJECTS[name], here / "x", range(MANY), by_command=False)
    with capsys.disabled():
        print(f"\n{name}: {found}")


@pytest.mark.long
@pytest.mark.parametrize("name", SUBJECTS)
def test_damage_is_one_line_of_the_command_line(name, here, capsys):
    found = outcomes(SUBJECTS[name], here / "x", range(10_000, 10_000 + BY_COMMAND), by_command=True)
    with capsys.disabled():
        print(f"\n{name} by command: {found}")


@pytest.mark.long
def test_a_run_folder_of_an_earlier_version_is_one_line(here, capsys):
    found = outcomes(OLDER, here / "x", range(100), by_command=False)
    with capsys.disabled():
        print(f"\nolder run: {found}")


@pytest.mark.parametrize("name", SUBJECTS)
def test_no_file_runs_code(name, here):
    """A pickle in place of each file, and in the place of an array inside."""
    files = made(SUBJECTS[name], here / "whole")
    place = copies(here / "whole", here / "d")
    for file in files:
        (next(place) / file).write_bytes(poisoned())
        assert apart(lambda: SUBJECTS[name].read(Path("d"))).kind in ("refused", "read")
    assert not (here / "CODE_RAN").exists()
