"""The same cells on a cluster of dask.distributed, and with one of its workers killed."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from dlm_snn.errors import DlmError
from experiments.harness.cells import Entry, cells
from experiments.harness.continual import run_cell
from experiments.harness.pools import opened
from experiments.harness.resume import run_missing
from experiments.harness.rows import read_rows

distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed; dlm-snn[cluster] brings it")

# What the cluster says of workers that come and go is none of ours.
pytestmark = pytest.mark.filterwarnings(
    "default:::distributed", "default::ResourceWarning", "default::DeprecationWarning"
)


def made(n: int):
    return cells({"kept": Entry("clusters", "kept")}, range(n))


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as running:
        yield running


def test_rows_are_those_of_one_process(cluster, tmp_path):
    told = []
    with opened(scheduler=cluster.scheduler_address) as pool:
        rows, failures = run_missing(made(3), tmp_path, None, pool, lambda stage, done, total: told.append(stage))
    assert failures == []
    assert len(told) == 3
    assert [row.figures.matrix for row in rows] == [run_cell(cell).figures.matrix for cell in made(3)]


def test_a_lost_worker_loses_no_cell_and_runs_none_twice(cluster, tmp_path):
    results = tmp_path / "continual-clusters.jsonl"
    pids = [nanny.pid for nanny in cluster.workers.values()]
    killed = []

    def kill():
        while len(read_rows(results)) < 3:
            time.sleep(0.01)
        os.kill(pids[0], signal.SIGKILL)
        killed.append(len(read_rows(results)))

    killer = threading.Thread(target=kill)
    with opened(scheduler=cluster.scheduler_address) as pool:
        killer.start()
        rows, failures = run_missing(made(40), tmp_path, None, pool, lambda *_: None)
    killer.join()
    assert killed[0] < 40
    assert failures == []
    assert [row.seed for row in rows] == list(range(40))
    assert sorted(row["seed"] for row in read_rows(results)) == list(range(40))


def test_a_refused_option_comes_back_as_one_line(cluster, tmp_path):
    bad = cells({"bad": Entry("clusters", "kept", {"per_class": 0})}, range(3))
    with opened(scheduler=cluster.scheduler_address) as pool:
        rows, failures = run_missing(bad, tmp_path, None, pool, lambda *_: None)
    assert rows == []
    assert [line for _, line in failures] == ["per_class = 0: at least one sample of a class is kept"]


def test_no_scheduler_there(monkeypatch):
    monkeypatch.setattr("experiments.harness.pools.CONNECT_SECONDS", 1)
    with (
        pytest.raises(DlmError, match=r"no scheduler answers at tcp://127\.0\.0\.1:9 \("),
        opened(scheduler="tcp://127.0.0.1:9"),
    ):
        pass
