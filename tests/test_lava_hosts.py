"""Lava's interpreter stays for the next call, as long as that call would start the same one; nothing of a run stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import dlm_snn as dlm
from lava_processes import hosts
from tests import processes
from tests.nets import FLOAT, INTEGER, make

pytest.importorskip("lava", reason="lava-nc is not installed")
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc and /dev/shm")

NETWORK = dlm.Network(
    {"x": dlm.Input((5,), graded_bits=4, scale=16), "h": dlm.LIF((6,), dv=0.125, v_threshold=1.0)},
    (dlm.Projection("x", "h", dlm.Dense(np.random.default_rng(1).integers(-32, 64, (6, 5)) / 64)),),
)
STIMULUS = {"x": np.random.default_rng(2).integers(0, 16, (3, 5))}
EXPECTED = dlm.run(NETWORK, STIMULUS, 10).rasters


def call(backend: str = "lava-fused", **options) -> int | None:
    """One call, its spikes checked; the process id of the interpreter that waits for the next."""
    assert dlm.run(NETWORK, STIMULUS, 10, backend=backend, **options).rasters == EXPECTED
    waiting = processes.kept_host()
    assert processes.lava_processes() == waiting
    return waiting[0] if waiting else None


def segments(pid: int | None) -> list[Path]:
    return list(processes.SHARED_MEMORY.glob(f"dlm{pid}_*"))


@pytest.fixture(autouse=True)
def _none_before():
    hosts.close()


def test_calls_of_all_kinds_share_one_and_leave_no_memory():
    first = call("lava-float")
    assert first is not None
    for backend in ("lava-fused", "lava-float", "lava-fused"):
        assert call(backend) == first
        assert segments(first) == []


def test_argument_and_environment_switch_it_off(monkeypatch):
    assert call(reuse=False) is None
    monkeypatch.setenv(hosts.SWITCH, "0")
    assert call() is None
    assert call(reuse=True) is not None


@pytest.mark.parametrize("what", ["environment", "path"])
def test_another_start_is_another_interpreter(what, monkeypatch, tmp_path):
    first = call()
    if what == "environment":
        monkeypatch.setenv("SOME_VARIABLE", "changed")
    else:
        monkeypatch.syspath_prepend(str(tmp_path))
    second = call()
    assert second != first
    assert processes.command_line(first or 0) == ""
    assert call() == second


def test_a_module_that_was_edited_is_read_anew():
    first = call("lava-float")
    edited = Path(hosts.__file__).with_name("graph.py")
    before = edited.stat()
    os.utime(edited, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    try:
        assert call() not in (None, first)
    finally:
        os.utime(edited, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_one_that_was_killed_is_replaced():
    first = call()
    os.kill(first or 0, signal.SIGKILL)
    assert call() not in (None, first)


def test_one_that_leaves_is_replaced(monkeypatch):
    """It stops taking jobs between the look at it and the job."""
    first = call()
    monkeypatch.setattr(hosts.Host, "ended", property(lambda _: False), raising=True)
    os.kill(first or 0, signal.SIGKILL)
    processes.wait_for(lambda: processes.command_line(first or 0) == "")
    monkeypatch.setattr(hosts, "LOOK_EVERY", 0.05)
    assert call() not in (None, first)


def test_a_semaphore_of_a_job_that_was_stopped_goes_with_it():
    """After a job that went well, too: what is killed in the midst of one leaves them."""
    first = call()
    half_made = processes.SHARED_MEMORY / "sem.dlmc00"
    outcome: list[Exception] = []

    def work():
        try:
            dlm.run(NETWORK, STIMULUS, 200_000, backend="lava-float", timeout=1)
        except dlm.DlmError as error:
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    processes.wait_for(lambda: len(processes.lava_processes()) > 5)
    half_made.touch()
    try:
        for pid in processes.lava_processes():
            os.kill(pid, signal.SIGSTOP)
        thread.join(timeout=30)
        assert "no progress for 1 s" in str(outcome[0])
        assert not half_made.exists()
        assert processes.command_line(first or 0) == ""
    finally:
        half_made.unlink(missing_ok=True)


def test_calls_at_the_same_time_have_one_each():
    call()
    outcomes: list[bool] = []

    def work():
        outcomes.append(dlm.run(NETWORK, STIMULUS, 10, backend="lava-fused").rasters == EXPECTED)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [True] * 3
    assert processes.lava_processes() == processes.kept_host()


SCRIPT = """
import os, sys, time
import numpy as np
import dlm_snn as dlm
from lava_processes import hosts
network = dlm.Network(
    {"x": dlm.Input((5,), graded_bits=4, scale=16), "h": dlm.LIF((6,), dv=0.125)},
    (dlm.Projection("x", "h", dlm.Dense(np.ones((6, 5)))),),
)
def call():
    dlm.run(network, {"x": np.full((1, 5), 3)}, 5, backend="lava-fused")
    return hosts._kept.host.pid
first = call()
"""


def script(rest: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT + rest], stdout=subprocess.PIPE, stdin=subprocess.PIPE, env=environment, text=True
    )


@pytest.mark.parametrize("ending", ["", "os._exit(0)", "os.kill(os.getpid(), 9)", "raise SystemExit(3)"])
def test_it_ends_with_its_parent_however_that_ends(ending):
    out, _ = script(f"print(first, flush=True)\n{ending}").communicate(timeout=60)
    processes.wait_for(lambda: processes.command_line(int(out)) == "", 10)
    assert segments(int(out)) == []


def test_a_forked_process_has_one_of_its_own_and_keeps_none_alive():
    child = script(
        "forked = os.fork()\n"
        "print(call(), flush=True)\n"
        "if not forked:\n    sys.stdin.read()\n    os._exit(0)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    assert child.stdout is not None
    pids = {int(child.stdout.readline()), int(child.stdout.readline())}
    assert len(pids) == 2
    # The parent is gone, the forked process lives on, and with it only its own interpreter.
    processes.wait_for(lambda: sum(processes.command_line(pid) != "" for pid in pids) == 1, 10)
    child.communicate("", timeout=60)
    processes.wait_for(lambda: not any(processes.command_line(pid) for pid in pids), 10)


def test_it_ends_after_some_idle_time(monkeypatch):
    monkeypatch.setattr(hosts, "IDLE", 0.2)
    first = call()
    processes.wait_for(lambda: not processes.lava_processes(), 10)
    assert call() not in (None, first)


@pytest.mark.long
def test_memory_stays_over_a_hundred_calls():
    pid = call("lava-float")

    def megabytes() -> float:
        pages = int((Path("/proc") / str(pid) / "statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def descriptors() -> int:
        return len(os.listdir(f"/proc/{pid}/fd"))

    for _ in range(5):
        call("lava-float")
        call()
    before, open_before = megabytes(), descriptors()
    for _ in range(50):
        assert call("lava-float") == pid
        assert call() == pid
    assert megabytes() - before <= 5
    assert descriptors() == open_before


@pytest.mark.long
@pytest.mark.parametrize("backend", ["lava-float", "lava-fixed", "lava-fused"])
def test_every_conformance_case_is_equal_twice_through_one(backend):
    pids, calls = set(), 0
    for case in (*FLOAT, *INTEGER):
        network, stimulus, n_steps = make(case)
        expected = dlm.run(network, stimulus, n_steps, record=("s", "u", "v"))
        try:
            found = [dlm.run(network, stimulus, n_steps, record=("s", "u", "v"), backend=backend) for _ in range(2)]
        except dlm.UnsupportedError:
            continue
        for recording in found:
            assert dlm.compare(expected, recording).equal, case
        pids |= set(processes.kept_host())
        calls += 2
        assert processes.lava_processes() == processes.kept_host()
    assert len(pids) == 1
    assert segments(pids.pop()) == []
    assert calls >= 60
