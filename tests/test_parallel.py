"""Cells through pools: losses made good, refusals not repeated, nothing run twice, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Executor, Future
from pathlib import Path
from threading import Timer

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from dlm_snn.errors import DlmError, MissingError, UnsupportedError
from experiments.harness import continual, parallel
from experiments.harness.cells import Cell, Entry, cells
from experiments.harness.parallel import TRIES, Outcome, Run
from experiments.harness.pools import Pool, ending, opened
from experiments.harness.processes import LostWorkerError, Processes
from experiments.harness.resume import run_missing
from experiments.harness.rows import read_rows
from tests.continual_rows import made_row


def made(n: int, **options) -> list[Cell]:
    return cells({"kept": Entry("clusters", "kept", options)}, range(n))


class Losing(Executor):
    """Answers after a moment; ``loses(seed, others in flight)`` says which calls lose their worker."""

    def __init__(self, loses, log: list):
        self.loses, self.log, self.flying = loses, log, set()

    def submit(self, fn, cell, *_):
        future: Future = Future()
        self.flying.add(cell.seed)
        self.log.append(cell.seed)
        Timer(0.03, self._answer, [cell, future]).start()
        return future

    def _answer(self, cell, future):
        lost = self.loses(cell.seed, self.flying - {cell.seed})
        self.flying.discard(cell.seed)
        if lost:
            future.set_exception(BrokenExecutor("killed"))
        else:
            future.set_result(Outcome(row=made_row(seed=cell.seed, config=cell.key)))


def losing(loses, in_flight: int) -> tuple[Pool, list]:
    log: list = []
    return Pool(lambda: ending(Losing(loses, log)), in_flight=in_flight), log


def go(pool: Pool, wanted: list[Cell]) -> tuple[list[int], Run]:
    done: list[int] = []
    run = Run(pool, None, lambda cell: None, lambda cell, row: done.append(row.seed))
    run.all(wanted)
    return sorted(done), run


def test_lost_cells_are_handed_over_again():
    lost: list[int] = []

    def once(seed, others):
        lost.append(seed)
        return seed == 2 and lost.count(2) == 1

    pool, log = losing(once, in_flight=2)
    done, run = go(pool, made(6))
    assert done == [0, 1, 2, 3, 4, 5]
    assert run.failures == []
    assert log.count(2) == 2


def test_a_cell_that_loses_its_worker_each_time_is_given_up_and_no_other_with_it():
    pool, log = losing(lambda seed, others: seed == 1, in_flight=3)
    done, run = go(pool, made(5))
    assert done == [0, 2, 3, 4]
    assert [(cell.seed, line) for cell, line in run.failures] == [(1, f"its worker was lost {TRIES} times")]
    assert log.count(1) == TRIES


def test_the_last_try_is_alone():
    """Cells that are lost whenever another runs beside them, as where memory is short."""
    pool, _ = losing(lambda seed, others: bool(others), in_flight=3)
    done, run = go(pool, made(6))
    assert done == [0, 1, 2, 3, 4, 5]
    assert run.failures == []


def test_workers_are_kept_and_a_dead_one_is_replaced_alone():
    with ending(Processes(2)) as executor:
        first = {executor.submit(os.getpid).result() for _ in range(4)}
        assert len(first) == 1
        slow = executor.submit(time.sleep, 1.0)
        lost = executor.submit(signal.raise_signal, signal.SIGKILL)
        with pytest.raises(LostWorkerError):
            lost.result()
        assert slow.result() is None
        assert executor.submit(sum, [1, 2]).result() == 3
        with pytest.raises(ZeroDivisionError):
            executor.submit(divmod, 1, 0).result()
        here = executor.submit(os.getpid).result()
        assert alive(here)
    assert not alive(here)


def test_workers_keep_to_one_thread():
    with ending(Processes(1)) as executor:
        assert executor.submit(os.getenv, "OPENBLAS_NUM_THREADS").result() == "1"
        executor.submit(np.dot, np.ones(3), np.ones(3)).result()
        info = executor.submit(threadpool_info).result()
    assert info
    assert {library["num_threads"] for library in info} == {1}


def test_refused_options_are_told_once_and_their_other_seeds_are_left():
    with opened() as pool:
        done, run = go(pool, made(3, per_class=0))
    assert done == []
    assert [(cell.seed, line) for cell, line in run.failures] == [
        (0, "per_class = 0: at least one sample of a class is kept")
    ]


def test_a_fault_of_one_cell_leaves_the_others(monkeypatch):
    def run_cell(cell, data_dir):
        if cell.seed == 1:
            raise ZeroDivisionError("here")
        return made_row(seed=cell.seed, config=cell.key)

    monkeypatch.setattr(continual, "run_cell", run_cell)
    with opened() as pool:
        done, run = go(pool, made(3))
    assert done == [0, 2]
    assert [line for _, line in run.failures] == ["a fault of the program: ZeroDivisionError: here"]


def test_errors_travel_as_text(monkeypatch):
    """An UnsupportedError cannot be unpickled from its message; raised in a worker it would break the pool."""

    def refuse(cell, data_dir):
        raise UnsupportedError("it", "that", "do this")

    monkeypatch.setattr(continual, "run_cell", refuse)
    assert parallel.attempt(made(1)[0], None, False) == Outcome(refused="it cannot do that; do this")


@pytest.mark.parametrize(("jobs", "scheduler"), [(1, None), (2, None)])
def test_every_pool_gives_the_same_rows(tmp_path, jobs, scheduler):
    with opened(jobs, scheduler) as pool:
        rows, failures = run_missing(made(3), tmp_path, None, pool, lambda *_: None)
    assert failures == []
    assert [row.seed for row in rows] == [0, 1, 2]
    assert all(0.8 < row.figures.acc < 1 for row in rows)
    assert [row.figures.matrix for row in rows] == [continual.run_cell(cell).figures.matrix for cell in made(3)]


def test_finished_cells_are_not_run_again_whatever_they_are_called(tmp_path, monkeypatch):
    told: list[str] = []
    with opened() as pool:
        run_missing(made(2), tmp_path, None, pool, lambda stage, done, total: told.append(stage))
        assert told == ["clusters, kept, seed 0: minutes not known yet", "clusters, kept, seed 1: less than 0.1 min"]
        both = cells(
            {"new": Entry("clusters", "kept"), "twin": Entry("clusters", "kept", {"per_class": 50})}, [0, 1, 2]
        )
        rows, _ = run_missing(both, tmp_path, None, pool, lambda stage, done, total: told.append(stage))
        monkeypatch.setattr(continual, "run_cell", None)
        again, failures = run_missing(both, tmp_path, None, pool, lambda *_: None)
    assert told[2:] == ["clusters, new, seed 2: less than 0.1 min"]
    assert [(row.variant, row.seed) for row in rows] == [(v, s) for s in (0, 1, 2) for v in ("new", "twin")]
    assert again == rows
    assert failures == []
    assert len(read_rows(tmp_path / "continual-clusters.jsonl")) == 3


def children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it did not come about in time")
        time.sleep(0.02)


def workers(pid: int) -> list[int]:
    """The workers of a process."""
    return [c for c in children(pid) if b"experiments.harness.processes" in Path(f"/proc/{c}/cmdline").read_bytes()]


@pytest.fixture
def table(tmp_path):
    """A table of many cells in a process of its own, two at a time."""
    words = ["learn", "--protocol", "clusters", "--learner", "kept", "--seeds", "60", "--jobs", "2"]
    words += ["--results", str(tmp_path), "--runs", str(tmp_path / "runs")]
    # A job in the background of a shell is started with SIGINT ignored, and would hand that on.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-m", "dlm_snn.cli", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    signal.signal(signal.SIGINT, before)
    yield process, tmp_path / "continual-clusters.jsonl"
    process.kill()
    process.communicate()


def test_a_killed_worker_does_not_lose_the_experiment(table):
    process, results = table
    wait_for(lambda: len(read_rows(results)) >= 2)
    os.kill(workers(process.pid)[0], signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert sorted(row["seed"] for row in read_rows(results)) == list(range(60))
    assert b"60" in out


def test_workers_end_with_their_parent_however_it_ends(table):
    process, results = table
    wait_for(lambda: len(read_rows(results)) >= 1)
    left = workers(process.pid)
    assert len(left) == 2
    process.kill()
    process.wait()
    wait_for(lambda: not any(alive(pid) for pid in left))


@pytest.mark.parametrize(
    ("number", "code", "said"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "ended by SIGTERM")]
)
def test_an_interrupt_ends_all_at_once_and_keeps_what_is_done(table, number, code, said):
    process, results = table
    wait_for(lambda: len(read_rows(results)) >= 1)
    left = workers(process.pid)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert err.decode().rstrip().endswith(f"dlm-snn: {said}")
    assert "Traceback" not in err.decode()
    wait_for(lambda: not any(alive(pid) for pid in left))
    assert len(read_rows(results)) >= 1


def test_bad_pools():
    with pytest.raises(DlmError, match="--jobs 0: at least 1"), opened(0):
        pass


def test_without_dask_it_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    words = r"--scheduler needs the package 'distributed'.*dlm-snn\[cluster\]"
    with pytest.raises(MissingError, match=words), opened(1, "local"):
        pass
