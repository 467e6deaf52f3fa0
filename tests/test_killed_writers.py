"""Kills of commands at random moments: the old or the new result is whole under its name, and nothing else is left."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.runs.recording_files import load_recording
from dlm_snn.runs.run_folder import check_files, read_record
from dlm_snn.training.initial import initial_network
from experiments.harness.rows import read_rows
from tests import processes

SMALL = ["training.epochs=1", "network.hidden=[16]", "network.winners=4", "simulation.n_steps=5"]
SIMULATORS = ["simulation.samples=5", "simulation.float_backends=[reference,torch]"]
SIMULATORS += ["simulation.integer_backends=[reference,fast]"]


def sets(*values: str) -> list[str]:
    return [word for value in values for word in ("--set", value)]


def of_recording(box: Path) -> int:
    return load_recording(box / "rec").n_samples


def of_run(box: Path) -> int:
    record = read_record(box / "r")
    assert check_files(box / "r", record, "")
    assert set(record["files"]) == {str(p.relative_to(box / "r")) for p in (box / "r").rglob("*") if p.is_file()} - {
        "record.json",
        "report.html",
    }
    assert (box / "r" / "report.html").is_file()
    return record["seed"]


def of_training(box: Path) -> int | None:
    """Its digest is checked as it is read; which of the two it is, it does not tell."""
    dlm.load(box / "t")
    assert not (box / "t.loss.json").exists()
    return None


def of_conversion(box: Path) -> int:
    bits = json.loads((box / "i.loss.json").read_text())["bits"]
    assert {p.num_weight_bits for p in dlm.load(box / "i").projections} == {bits}
    return bits


def of_learning(box: Path) -> int:
    rows = read_rows(box / "b" / "rows.jsonl")
    assert (box / "b" / "report.html").read_text().rstrip().endswith("</html>")
    assert len(list((box / "b").glob("matrix-*.csv"))) == 1
    return len(rows)


def of_raster(box: Path) -> int:
    return dlm.SpikeRaster.load(box / "out.raster").n_samples


@dataclass(frozen=True)
class Writer:
    """A command.

    Attributes:
        words: of its n-th call, of which no two results are alike.
        mark: of a result, which ``told`` finds in it.
        told: checks that a result is whole, and gives its mark.
        late: what is there once it begins to write.
    """

    words: Callable[[int], list[str]]
    mark: Callable[[int], int]
    told: Callable[[Path], int | None]
    late: str


LEARN = ["learn", "--protocol", "clusters", "--learner", "kept", "--jobs", "2", "--results", "rows"]
LEARN += ["--runs", ".", "--report", "b", "--replace", "--seeds"]
SIMULATE = ["simulate", "net", "--out", "rec", "--steps", "5", "--replace", "--backend"]
BACKENDS = ("reference", "lava-float", "lava-fused")
WRITERS = {
    "raster": Writer(
        lambda n: ["raster", "convert", f"{1 + n % 3}.npz", "out.raster", "--replace"],
        lambda n: 1 + n % 3,
        of_raster,
        ".out.raster.dlm-*/new/*/*",
    ),
    "convert": Writer(
        lambda n: ["convert", "net", "--out", "i", "--samples", "20", "--bits", str(4 + n % 5), "--replace"],
        lambda n: 4 + n % 5,
        of_conversion,
        ".i.json.dlm-*/new/*",
    ),
    "simulate": Writer(
        lambda n: [*SIMULATE, BACKENDS[n % 3], "--samples", str(3 + n)],
        lambda n: 3 + n,
        of_recording,
        ".rec.dlm-*/new/*/*",
    ),
    "train": Writer(
        lambda n: ["train", "--out", "t", "--replace", *sets(*SMALL, f"network.seed={n}")],
        lambda n: n,
        of_training,
        ".t.json.dlm-*/new/*",
    ),
    "learn": Writer(lambda n: [*LEARN, str(n + 2)], lambda n: n + 2, of_learning, ".b.dlm-*/new/*/*"),
    "run": Writer(
        lambda n: ["run", "--runs", ".", "--name", "r", "--replace", *sets(*SMALL, *SIMULATORS, f"network.seed={n}")],
        lambda n: n,
        of_run,
        ".r.dlm-*/new/*/config.yaml",
    ),
}


@dataclass
class Box:
    """A folder in which commands write, and one for what they put into the temporary folder."""

    folder: Path
    temporary: Path

    def start(self, words: list[str]) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "TMPDIR": str(self.temporary)}
        words = [sys.executable, "-m", "dlm_snn.cli", *words]
        return subprocess.Popen(
            words, cwd=self.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )

    def run(self, words: list[str]) -> float:
        """Run a command to its end; the seconds that it took."""
        began = time.monotonic()
        process = self.start(words)
        _, err = process.communicate(timeout=600)
        assert process.returncode == 0, err
        return time.monotonic() - began

    def names(self) -> set[str]:
        return {entry.name for entry in self.folder.iterdir()}


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path / "box", tmp_path / "temporary")
    for folder in (made.folder, made.temporary):
        folder.mkdir()
    network = initial_network(64, (16,), 10, np.random.default_rng(0), dv=0.1, graded_bits=5, scale=16)
    dlm.save(network, made.folder / "net")
    for n in (1, 2, 3):
        spikes = np.random.default_rng(n).random((n, 200, 1000)) < 0.1
        dlm.SpikeRaster.from_dense(spikes).save(made.folder / f"{n}.npz")
    before = processes.abandoned()
    yield made
    processes.wait_for(lambda: processes.abandoned() <= before, 20)


def strike(box: Box, writer: Writer, words: list[str], seconds: float, chance: random.Random) -> bool:
    """Kill a command at some moment, half of the times after it began to write; False where it ended before."""
    process = box.start(words)
    if chance.random() < 0.5:
        time.sleep(chance.uniform(0, seconds))
    else:
        processes.wait_for(lambda: process.poll() is not None or bool(list(box.folder.glob(writer.late))), 600)
        time.sleep(chance.choice((0, chance.uniform(0, 0.02), chance.uniform(0, 0.3))))
    ended = process.poll() is not None
    process.kill()
    process.communicate()
    return not ended


def kills(box: Box, names: list[str], count: int, chance: random.Random) -> dict[str, int]:
    """So many kills, one writer after another: how many left the old result, and how many the new one."""
    standing, last = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    seconds = {name: box.run(WRITERS[name].words(0)) for name in names}
    box.run(["raster", "convert", "1.npz", "next.csv"])
    # torch keeps a cache of its own in the temporary folder.
    stands, kept = box.names(), set(box.temporary.iterdir())
    found = {"old": 0, "new": 0}
    while sum(found.values()) < count:
        name = names[sum(found.values()) % len(names)]
        writer = WRITERS[name]
        turn = last[name] = last[name] + 1
        if not strike(box, writer, writer.words(turn), seconds[name], chance):
            standing[name] = turn
            continue
        box.run(["raster", "convert", "1.npz", "next.csv", "--replace"])
        told = writer.told(box.folder)
        assert told in (None, writer.mark(standing[name]), writer.mark(turn)), (name, turn)
        assert box.names() == stands, (name, turn)
        processes.wait_for(lambda: set(box.temporary.iterdir()) <= kept, 20)
        if told is not None and told != writer.mark(standing[name]):
            standing[name] = turn
            found["new"] += 1
        else:
            found["old"] += 1
    return found


def test_three_kills_of_writers(box):
    kills(box, ["raster", "convert"], 3, random.Random(2))


@pytest.mark.long
def test_forty_kills_of_writers(box):
    found = kills(box, list(WRITERS), 40, random.Random(3))
    assert sum(found.values()) == 40
    assert found["new"] >= 1
