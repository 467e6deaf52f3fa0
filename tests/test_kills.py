"""Kills at random moments: no finished row is lost, none is run twice, and in the end all are there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.harness.cells import Entry, cells
from experiments.harness.continual import run_cell
from experiments.harness.rows import CONTINUAL_ROW, read_rows
from tests.test_parallel import wait_for, workers

SEEDS = 24


def start(folder: Path) -> subprocess.Popen[bytes]:
    words = ["learn", "--protocol", "clusters", "--learner", "kept", "--seeds", str(SEEDS), "--jobs", "2"]
    words += ["--results", str(folder), "--runs", str(folder / "runs")]
    words = [sys.executable, "-m", "dlm_snn.cli", *words]
    return subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)


def whole_lines(results: Path) -> bytes:
    content = results.read_bytes() if results.is_file() else b""
    return content[: content.rfind(b"\n") + 1]


def strike(process: subprocess.Popen[bytes], results: Path, chance: random.Random) -> bool:
    """Kill the run or one of its workers at some moment; False where it ended before."""
    before = len(read_rows(results))
    # Half of the moments are anywhere from the start on, the others while rows are being made.
    if chance.random() < 0.5:
        time.sleep(chance.uniform(0, 2.5))
    else:
        wait_for(lambda: process.poll() is not None or len(read_rows(results)) > before)
        time.sleep(chance.uniform(0, 0.2))
    if process.poll() is not None:
        return False
    victims = workers(process.pid)
    if victims and chance.random() < 0.5:
        os.kill(chance.choice(victims), signal.SIGKILL)
    else:
        process.kill()
        process.wait()
    return True


def killed(folder: Path, kills: int, chance: random.Random) -> tuple[int, Path]:
    """A table run to its end under at most so many kills: how many there were, and the rows."""
    results = folder / "continual-clusters.jsonl"
    done = 0
    while True:
        stood = whole_lines(results)
        process = start(folder)
        try:
            while done < kills and process.poll() is None:
                done += strike(process, results, chance)
            _, err = process.communicate(timeout=300)
        finally:
            process.kill()
        assert whole_lines(results).startswith(stood), "a finished row was lost or changed"
        if process.returncode == 0:
            return done, results
        # Three kills can meet one cell: then it is given up, and the next run has it.
        assert process.returncode == -signal.SIGKILL or b"its worker was lost" in err, err


def check(results: Path) -> None:
    rows = read_rows(results, CONTINUAL_ROW)
    assert sorted(row.seed for row in rows) == list(range(SEEDS))
    for cell in cells({"kept": Entry("clusters", "kept")}, range(0, SEEDS, 7)):
        (row,) = (row for row in rows if row.config == cell.key)
        assert row.figures.matrix == run_cell(cell).figures.matrix


def test_three_kills(tmp_path):
    done, results = killed(tmp_path, 3, random.Random(0))
    assert done >= 2
    check(results)


@pytest.mark.long
def test_fifty_kills(tmp_path):
    chance = random.Random(1)
    done = table = 0
    while done < 50:
        more, results = killed(tmp_path / str(table), 50 - done, chance)
        check(results)
        done, table = done + more, table + 1
    assert done == 50
