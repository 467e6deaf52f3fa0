"""Runs a network as a graph of Lava processes: the backends ``lava-float`` and ``lava-fixed``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.files.names import file_of
from dlm_snn.networks import artifact
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.runs.recording import (
    Recording,
    RunState,
    WhatToRecord,
    checked_record,
    kind_of,
    recording_of,
    without_samples,
)
from dlm_snn.runs.stimulus import Stimulus, prepare
from lava_processes import job
from lava_processes.hosts import Progress
from lava_processes.support import check_supported


def run(
    target: str,
    network: Network | IntegerNetwork,
    stimulus: Mapping[str, Any],
    n_steps: int,
    record: WhatToRecord = ("s",),
    state: RunState | None = None,
    period: int | None = None,
    timeout: float = 120.0,
    progress: Progress | None = None,
    reuse: bool | None = None,
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
        reuse: False has Lava start anew, and leave nothing for the next call; see hosts.

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
    write = partial(_write_job, target, network, stimuli, n_samples, n_steps, chosen, apart)
    with job.done(write, timeout, progress, reuse) as (folder, given):
        return _read_results(folder, network, n_samples, n_steps, chosen, given)


def _period(network: Network | IntegerNetwork, n_steps: int, asked: int | None) -> int:
    """Steps from one sample to the next: a multiple of every population's own period, so that it begins with each."""
    common = lcm(*(neuron.period for neuron in network.neurons.values() if neuron.period))
    if asked is not None and asked % common:
        nearest_multiple = -(-asked // common) * common
        raise DlmError(f"period = {asked} is no multiple of {common}, the populations' own; give {nearest_multiple}")
    return asked or -(-n_steps // common) * common


def _write_job(
    target: str,
    network: Network | IntegerNetwork,
    stimuli: Mapping[str, Stimulus],
    n_samples: int,
    n_steps: int,
    chosen: Mapping[str, Sequence[str]],
    period: int,
    folder: Path,
) -> job.Job:
    """Put the network, the stimuli and empty result files where the child finds them."""
    artifact.save(network, folder / "network")
    dtype = np.int32 if target == "fixed" else np.float64
    for name, fed in stimuli.items():
        job.put_stimulus(folder, name, fed.values.astype(dtype))
    together = n_samples if not network.unbalanced else 1
    length = (together - 1) * period + n_steps + max(network.depth.values())
    given: job.Job = {
        "target": target,
        "n_steps": n_steps,
        "period": period,
        "runs": n_samples // together,
        "samples_per_run": together,
        "length": length,
        "state": sorted({*chosen.get("u", ()), *chosen.get("v", ())}),
    }
    for index in range(given["runs"]):
        for name, neuron in network.neurons.items():
            job.empty_array(file_of(folder, name, ".npy", f"spikes-{index}-"), np.uint8, (length, neuron.n))
            if name in given["state"]:
                job.empty_array(file_of(folder, name, ".npy", f"state-{index}-"), dtype, (length, 2, neuron.n))
    return given


def _read_results(
    folder: Path,
    network: Network | IntegerNetwork,
    n_samples: int,
    n_steps: int,
    chosen: Mapping[str, Sequence[str]],
    given: job.Job,
) -> Recording:
    """Cut every population's windows out of the rows that the sinks and probes wrote."""

    def windows(kind: str, name: str) -> NDArray:
        starts = network.depth[name] + given["period"] * np.arange(given["samples_per_run"])
        rows = starts[:, None] + np.arange(n_steps)
        runs = [np.load(folder / f"{kind}-{i}-{name}.npy", mmap_mode="r")[rows] for i in range(given["runs"])]
        return np.concatenate(runs)

    traces: dict[str, dict[str, NDArray]] = {"s": {}, "u": {}, "v": {}}
    for name in given["state"]:
        both = windows("state", name).astype(kind_of(network))
        for key, values in zip(("u", "v"), (both[:, :, 0], both[:, :, 1]), strict=True):
            if name in chosen.get(key, ()):
                traces[key][name] = values
    traces["s"] = {name: windows("spikes", name) for name in chosen.get("s", ())}
    return recording_of(network, n_samples, n_steps, traces)
