"""Lava runs end by themselves, by error, by a killed child, by time-out, by Ctrl-C: nothing stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import dlm_snn as dlm
from lava_processes import hosts
from tests import processes

pytest.importorskip("lava", reason="lava-nc is not installed")
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc and /dev/shm")

LONG = 200_000


@pytest.fixture
def network() -> dlm.Network:
    rng = np.random.default_rng(1)
    return dlm.Network(
        {"x": dlm.Input((5,), graded_bits=4, scale=16), "h": dlm.LIF((6,), dv=0.125, v_threshold=1.0)},
        (dlm.Projection("x", "h", dlm.Dense(rng.integers(-32, 64, (6, 5)) / 64)),),
    )


@pytest.fixture
def stimulus() -> dict[str, np.ndarray]:
    return {"x": np.random.default_rng(2).integers(0, 16, (3, 5))}


@pytest.fixture(autouse=True)
def _nothing_left():
    threads, before = threading.active_count(), processes.abandoned()
    yield
    assert processes.lava_processes() == processes.kept_host()
    assert threading.active_count() == threads
    # Tests beside this one may be in the midst of cleaning up after themselves.
    processes.wait_for(lambda: processes.abandoned() <= before, 15)


def in_background(call):
    """Run something in a thread; returns the thread and the list that gets its result or error."""
    outcome: list = []

    def work():
        try:
            outcome.append(call())
        except dlm.DlmError as error:
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, outcome


def test_a_good_run_leaves_nothing(network, stimulus):
    steps = []
    lava = dlm.run(
        network,
        stimulus,
        10,
        ("s", "u", "v"),
        backend="lava-float",
        progress=lambda done, total: steps.append((done, total)),
    )
    comparison = dlm.compare(dlm.run(network, stimulus, 10, ("s", "u", "v")), lava)
    assert comparison.equal
    assert comparison.spikes["h"][0] > 0
    assert steps[-1][0] == steps[-1][1] > 0


@pytest.mark.parametrize("victim", [0, -1])
def test_a_killed_child_is_told_within_ten_seconds(network, stimulus, victim):
    thread, outcome = in_background(lambda: dlm.run(network, stimulus, LONG, backend="lava-float"))
    processes.wait_for(lambda: len(processes.lava_processes()) > 5)
    time.sleep(0.5)
    others = processes.lava_processes()[1:]
    os.kill(others[victim], signal.SIGKILL)
    start = time.monotonic()
    thread.join(timeout=20)
    assert time.monotonic() - start < 10
    assert isinstance(outcome[0], dlm.DlmError)
    assert "Lava" in str(outcome[0])
    assert "\n" not in str(outcome[0])


def test_a_killed_host_is_told(network, stimulus):
    thread, outcome = in_background(lambda: dlm.run(network, stimulus, LONG, backend="lava-float"))
    processes.wait_for(lambda: len(processes.lava_processes()) > 5)
    os.kill(processes.lava_processes()[0], signal.SIGKILL)
    thread.join(timeout=20)
    assert "code -9" in str(outcome[0])


def test_an_error_in_a_child_is_shown_in_its_own_words(network, stimulus, monkeypatch):
    from lava_processes import runner

    written = runner._write_job

    def truncated(*given):
        job = written(*given)
        (given[-1] / "stimulus-x.npy").write_bytes(b"not an array")
        return job

    monkeypatch.setattr(runner, "_write_job", truncated)
    with pytest.raises(dlm.DlmError, match=r"Lava failed: .*(pickle|magic|array)"):
        dlm.run(network, stimulus, 10, backend="lava-float")


def test_time_out(network, stimulus):
    with pytest.raises(dlm.DlmError, match=r"no progress for 0\.05 s"):
        dlm.run(network, stimulus, LONG, backend="lava-float", timeout=0.05, reuse=False)


def test_a_half_made_semaphore_of_a_failed_run_is_removed(network, stimulus):
    theirs, ours = (processes.SHARED_MEMORY / f"sem.dlm{mark}00" for mark in "ab")
    theirs.touch()
    os.utime(theirs, (0, 0))
    try:
        thread, outcome = in_background(lambda: dlm.run(network, stimulus, LONG, backend="lava-float"))
        processes.wait_for(lambda: len(processes.lava_processes()) > 5)
        ours.touch()
        os.kill(processes.lava_processes()[0], signal.SIGKILL)
        thread.join(timeout=20)
        assert isinstance(outcome[0], dlm.DlmError)
        assert theirs.exists()
        assert not ours.exists()
    finally:
        theirs.unlink()
        ours.unlink(missing_ok=True)


def test_lava_missing_is_one_line(network, stimulus, monkeypatch, tmp_path):
    (tmp_path / "lava").mkdir()
    (tmp_path / "lava" / "__init__.py").write_text("raise ModuleNotFoundError('No module named lava', name='lava')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(dlm.DlmError, match=r"'lava'.*dlm-snn doctor"):
        dlm.run(network, stimulus, 10, backend="lava-float")


def test_refusals_are_by_name(network, stimulus):
    with pytest.raises(dlm.UnsupportedError, match="lava-fixed cannot do a float Network"):
        dlm.run(network, stimulus, 10, backend="lava-fixed")
    state = dlm.run(network, stimulus, 5).state
    with pytest.raises(dlm.UnsupportedError, match="start from a state"):
        dlm.run(network, stimulus, 10, state=state, backend="lava-float")
    with pytest.raises(dlm.DlmError, match="period = 3 is shorter"):
        dlm.run(network, stimulus, 10, backend="lava-float", period=3)
    periodic = dlm.Network({**network.populations, "h": dlm.LIF((6,), dv=0.1, period=4)}, network.projections)
    with pytest.raises(dlm.DlmError, match="period = 10 is no multiple of 4, the populations' own; give 12"):
        dlm.run(periodic, stimulus, 10, backend="lava-float", period=10)


def test_an_odd_convolution_with_a_delay_is_refused_by_name():
    odd = dlm.IntegerProjection("image", "post", dlm.Conv2d([[[[3, -2]]]], (1, 2, 2)), delay=2)
    populations = {"image": dlm.Input((1, 2, 2)), "post": dlm.IntegerLIF((2,), dv=0, v_threshold=1)}
    network = dlm.IntegerNetwork(populations, (odd,))
    with pytest.raises(dlm.UnsupportedError, match=r"odd weights of a convolution with a delay.* \('image->post'\)"):
        dlm.run(network, {"image": np.zeros((1, 3, 4), int)}, 3, backend="lava-fixed")


def test_an_early_spiking_bias_is_refused_by_name(stimulus):
    one = dlm.Dense(np.ones((1, 1)))
    populations = {
        "x": dlm.Input((1,)),
        "a": dlm.LIF((1,), dv=0.0, v_threshold=1.0, bias=2.0),
        "b": dlm.LIF((1,), dv=0.0, v_threshold=1.0),
    }
    balanced = dlm.Network(populations, (dlm.Projection("x", "a", one), dlm.Projection("a", "b", one)))
    assert dlm.run(balanced, {"x": np.zeros((1, 1))}, 5, backend="lava-float").rasters["a"].rate == 1.0
    looped = dlm.Network(populations, (*balanced.projections, dlm.Projection("a", "a", one)))
    with pytest.raises(dlm.UnsupportedError, match="bias of 'a'"):
        dlm.run(looped, {"x": np.zeros((1, 1))}, 5, backend="lava-float")


def test_a_gap_between_samples_changes_nothing(network, stimulus):
    together = dlm.run(network, stimulus, 10, ("s", "v"), backend="lava-float")
    apart = dlm.run(network, stimulus, 10, ("s", "v"), backend="lava-float", period=16)
    assert together.rasters["h"] == apart.rasters["h"]
    assert np.array_equal(together.v["h"], apart.v["h"])


SCRIPT = """
import signal
# A job in the background may ignore Ctrl-C, and its children with it.
signal.signal(signal.SIGINT, signal.default_int_handler)
import numpy as np
import dlm_snn as dlm
from lava_processes import hosts
network = dlm.Network(
    {"x": dlm.Input((5,), graded_bits=4, scale=16), "h": dlm.LIF((6,), dv=0.125)},
    (dlm.Projection("x", "h", dlm.Dense(np.ones((6, 5)))),),
)
print("ready", flush=True)
for backend in ("lava-float", "reference"):
    print(len(dlm.run(network, {"x": np.full((1, 5), 3)}, STEPS, backend=backend).rasters["h"]))
"""


def script(steps: int) -> subprocess.Popen:
    """A plain script without a __main__ guard, fed through standard input as an interactive session would be."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    code = SCRIPT.replace("STEPS", str(steps))
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    )


def test_a_script_without_a_guard():
    out, err = script(20).communicate(timeout=60)
    _, lava, reference = out.split()
    assert lava == reference != "0", err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_or_killed_script_leaves_nothing(number):
    child = script(LONG)
    processes.wait_for(lambda: len(processes.lava_processes(child.pid)) > 5)
    started = processes.lava_processes(child.pid)
    time.sleep(0.5)
    os.kill(child.pid, number)
    child.communicate(timeout=60)
    processes.wait_for(lambda: not any("python" in processes.command_line(pid) for pid in started), 10)
    processes.wait_for(lambda: not list(processes.SHARED_MEMORY.glob(f"dlm{started[0]}_*")), 10)


@pytest.mark.long
def test_fifty_runs_in_one_process_five_with_a_killed_child(network, stimulus, capsys):
    hosts.close()
    descriptors = len(os.listdir("/proc/self/fd"))
    dlm.run(network, stimulus, 10, backend="lava-float")
    before, slowest = processes.resident_megabytes(), 0.0
    for number in range(50):
        if number % 10 != 5:
            recording = dlm.run(network, stimulus, 10, backend="lava-float")
            assert recording.rasters == dlm.run(network, stimulus, 10).rasters
            continue
        thread, outcome = in_background(lambda: dlm.run(network, stimulus, LONG, backend="lava-float"))
        processes.wait_for(lambda: len(processes.lava_processes()) > 5)
        time.sleep(0.3)
        others = processes.lava_processes()[1:]
        os.kill(others[number % len(others)], signal.SIGKILL)
        start = time.monotonic()
        thread.join(timeout=60)
        slowest = max(slowest, time.monotonic() - start)
        assert isinstance(outcome[0], dlm.DlmError)
    growth = processes.resident_megabytes() - before
    with capsys.disabled():
        print(f"\n50 Lava runs: memory grew {growth:.1f} MB, slowest error {slowest:.1f} s after the kill")
    assert growth <= 15
    assert slowest < 10
    hosts.close()
    assert len(os.listdir("/proc/self/fd")) == descriptors
