"""Runs Lava in an interpreter of its own, so that nothing of it can stay behind.

Lava starts one operating-system process per Process, threads and shared memory, and neither ``wait`` nor ``stop``
returns once a child is dead. Here it lives in a child interpreter with its own session and its own prefix of shared
memory: whatever happens (success, error, time-out, Ctrl-C), the session is killed and the segments are unlinked.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn import child as child_process
from dlm_snn.errors import DlmError, MissingError, UnsupportedError
from dlm_snn.files.names import file_of
from dlm_snn.files.temporary import SHARED_MEMORY, note_child, temporary_folder, unlink_shared_memory
from dlm_snn.networks import artefact
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.recording import Record, Recording, RunState, checked_record, without_samples
from dlm_snn.runs.stimulus import Stimulus, prepare
from lava_processes.support import check_supported

if find_spec("lava") is None:
    raise ModuleNotFoundError("No module named 'lava'", name="lava-nc")

LOOK_EVERY = 0.2
"""Seconds between two looks at a silent child."""

Progress = Callable[[int, int], None]
"""(steps done, steps in all) -> None."""


class LavaError(DlmError):
    """Lava failed; the message holds the failing Process's own words."""


def run(
    target: str,
    network: Network | IntegerNetwork,
    stimulus: Mapping[str, Any],
    n_steps: int,
    record: Record = ("s",),
    state: RunState | None = None,
    period: int | None = None,
    timeout: float = 120.0,
    progress: Progress | None = None,
) -> Recording:
    """Simulate a network as a graph of Lava processes on Lava's CPU simulator.

    A balanced network takes its samples one after another in one Lava run; any other network takes one Lava run a
    sample, since a loop or a longer path would carry one sample into the next.

    Args:
        target: "float" (floating_pt) or "fixed" (fixed_pt).
        network: a Network for "float", an IntegerNetwork for "fixed".
        stimulus, n_steps, record: as in every backend.
        state: must be None; Lava cannot start inside a window.
        period: steps from one sample to the next, >= n_steps and a multiple of every population's own period; default:
            the least.
        timeout: seconds without progress after which Lava is stopped.
        progress: called with (steps done, steps in all).

    Returns:
        The Recording, without a state.

    Raises:
        UnsupportedError: what the target cannot do, by name.
        MissingError: lava-nc is not installed.
        LavaError: an error inside Lava, a killed process, or the time-out; nothing of it is left behind.
    """
    if state is not None:
        raise UnsupportedError(f"lava-{target}", "a start from a state", "run the whole window in one call")
    if period is not None and period < n_steps:
        raise DlmError(f"period = {period} is shorter than the {n_steps} steps of a sample")
    chosen = checked_record(record, network)
    check_supported(network, target, sequential=False)
    stimuli, n_samples = prepare(network, stimulus, n_steps)
    if n_samples == 0:
        return without_samples(network, n_steps, chosen)
    apart = _period(network, n_steps, period)
    with temporary_folder() as folder:
        written = _write_job(folder, target, network, stimuli, n_samples, n_steps, chosen, apart)
        supervise(folder, timeout, progress)
        return _read_results(folder, network, n_samples, n_steps, chosen, written)


def _period(network: Network | IntegerNetwork, n_steps: int, asked: int | None) -> int:
    """Steps from one sample to the next: a multiple of every population's own period, so that it begins with each."""
    common = lcm(*(neuron.period for neuron in network.neurons.values() if neuron.period))
    if asked is not None and asked % common:
        nearest_multiple = -(-asked // common) * common
        raise DlmError(f"period = {asked} is no multiple of {common}, the populations' own; give {nearest_multiple}")
    return asked or -(-n_steps // common) * common


def _write_job(
    folder: Path,
    target: str,
    network: Network | IntegerNetwork,
    stimuli: Mapping[str, Stimulus],
    n_samples: int,
    n_steps: int,
    chosen: Mapping[str, Sequence[str]],
    period: int,
) -> dict[str, Any]:
    """Put the network, the stimuli and empty result files where the child finds them."""
    artefact.save(network, folder / "network")
    dtype = np.int32 if target == "fixed" else np.float64
    for name, fed in stimuli.items():
        np.save(file_of(folder, name, ".npy", "stimulus-"), fed.values.astype(dtype))
    together = n_samples if not network.unbalanced else 1
    length = (together - 1) * period + n_steps + max(network.depth.values())
    job: dict[str, Any] = {
        "target": target,
        "n_steps": n_steps,
        "period": period,
        "runs": n_samples // together,
        "samples_per_run": together,
        "length": length,
        "state": sorted({*chosen.get("u", ()), *chosen.get("v", ())}),
    }
    (folder / "job.json").write_text(json.dumps(job))
    for index in range(job["runs"]):
        for name, neuron in network.neurons.items():
            empty_array(file_of(folder, name, ".npy", f"spikes-{index}-"), np.uint8, (length, neuron.n))
            if name in job["state"]:
                empty_array(file_of(folder, name, ".npy", f"state-{index}-"), dtype, (length, 2, neuron.n))
    return job


def empty_array(path: Path, dtype: Any, shape: tuple[int, ...]) -> None:
    """An .npy file of zeros, to be filled by whoever maps it."""
    np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape).flush()


def supervise(folder: Path, timeout: float, progress: Progress | None) -> None:
    """Start the child, follow it to its end, and leave nothing of it behind."""
    # Lava's processes share the cores already; threads inside each would only fight over them.
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    started = time.time()
    with (folder / "log.txt").open("wb") as log:
        child = subprocess.Popen(
            child_process.command("lava_processes.host:main", str(folder)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=child_process.environment(PYTHONUNBUFFERED="1", **one_thread),
            start_new_session=True,
        )
    try:
        note_child(folder, child.pid)
        _follow(child, timeout, progress)
        code = child.wait()
    except TimeoutError as error:
        raise LavaError(f"Lava made no progress for {timeout:g} s and was stopped; raise the timeout") from error
    finally:
        _leave_nothing(child, started)
    if code != 0:
        raise _failure(folder, code)


def _follow(child: subprocess.Popen[bytes], timeout: float, progress: Progress | None) -> None:
    """Read the child's lines ``done total`` until it closes its output; TimeoutError where none comes."""
    stdout = child.stdout
    if stdout is None:
        raise LavaError("Lava's child process has no output to follow")
    deadline = time.monotonic() + timeout
    pending = b""
    while True:
        ready, _, _ = select.select([stdout], [], [], LOOK_EVERY)
        if not ready:
            if child.poll() is not None:
                # Its own children may still hold the pipe open.
                return
            if time.monotonic() > deadline:
                raise TimeoutError
            continue
        piece = os.read(stdout.fileno(), 65536)
        if not piece:
            return
        deadline = time.monotonic() + timeout
        *lines, pending = (pending + piece).split(b"\n")
        for line in lines:
            words = line.split()
            if progress is not None and len(words) == 3 and words[0] == b"steps":
                progress(int(words[1]), int(words[2]))


def _leave_nothing(child: subprocess.Popen[bytes], started: float) -> None:
    """Kill the child's whole session, wait for it, close its pipes, unlink its shared memory."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
    unlink_shared_memory(child.pid)
    if child.returncode != 0:
        _unlink_unfinished_semaphores(started)


def _unlink_unfinished_semaphores(since: float) -> None:
    """Remove what a process leaves that is killed inside sem_open: an empty file, filled and unlinked at once else."""

    def empty() -> set[Path]:
        found = set()
        for path in SHARED_MEMORY.glob("sem.??????"):
            with suppress(OSError):
                state = path.stat()
                if state.st_size == 0 and state.st_uid == os.getuid() and state.st_mtime >= since:
                    found.add(path)
        return found

    first = empty()
    if first:
        # What another process is just making is no longer empty by then.
        time.sleep(0.05)
        for path in first & empty():
            path.unlink(missing_ok=True)


def _failure(folder: Path, code: int) -> DlmError:
    """The child's own words about what went wrong."""
    path = folder / "error.json"
    if path.is_file():
        error = json.loads(path.read_text())
        if error["kind"] == "missing":
            return MissingError(error["message"])
        return LavaError(error["message"])
    lines = (folder / "log.txt").read_text(errors="replace").strip().splitlines()
    said = lines[-1] if lines else "it said nothing"
    return LavaError(f"Lava's interpreter ended with code {code}: {said}")


def _read_results(
    folder: Path,
    network: Network | IntegerNetwork,
    n_samples: int,
    n_steps: int,
    chosen: Mapping[str, Sequence[str]],
    job: Mapping[str, Any],
) -> Recording:
    """Cut every population's windows out of the rows that the sinks and probes wrote."""

    def windows(kind: str, name: str) -> NDArray:
        starts = network.depth[name] + job["period"] * np.arange(job["samples_per_run"])
        rows = starts[:, None] + np.arange(n_steps)
        runs = [np.load(folder / f"{kind}-{i}-{name}.npy", mmap_mode="r")[rows] for i in range(job["runs"])]
        return np.concatenate(runs)

    integers = isinstance(network, IntegerNetwork)
    traces: dict[str, dict[str, NDArray]] = {"u": {}, "v": {}}
    for name in job["state"]:
        both = windows("state", name).astype(np.int64 if integers else np.float64)
        for key, values in zip(traces, (both[:, :, 0], both[:, :, 1]), strict=True):
            if name in chosen.get(key, ()):
                traces[key][name] = values
    rasters = {name: SpikeRaster.from_dense(windows("spikes", name)) for name in chosen.get("s", ())}
    return Recording(network, n_samples, n_steps, rasters, traces["u"], traces["v"])
