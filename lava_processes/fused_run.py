"""Runs a network as one Lava Process: the backend ``lava-fused``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dlm_snn.errors import UnsupportedError
from dlm_snn.files.names import file_of
from dlm_snn.networks import artifact
from dlm_snn.networks.known import check_known
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

TARGET = "fused"


def run(
    network: Network | IntegerNetwork,
    stimulus: Mapping[str, Any],
    n_steps: int,
    record: WhatToRecord = ("s",),
    state: RunState | None = None,
    timeout: float = 120.0,
    progress: Progress | None = None,
    reuse: bool | None = None,
) -> Recording:
    """Simulate a network as one Process on Lava's CPU simulator, all samples at once.

    What it computes is what the graph of stock Lava processes computes, spike for spike; only that graph goes to
    hardware.

    Args:
        network: a Network (floating_pt) or an IntegerNetwork (fixed_pt), with whatever the fast simulator takes.
        stimulus, n_steps, record: as in every backend.
        state: must be None.
        timeout: seconds without progress after which Lava is stopped.
        progress: called with (steps done, steps in all).
        reuse: False has Lava start anew, and leave nothing for the next call; see hosts.

    Returns:
        The Recording, without a state.

    Raises:
        UnsupportedError: a state.
        LavaError: an error inside Lava, a killed process, or the time-out; nothing of it is left behind.
    """
    if state is not None:
        raise UnsupportedError("lava-fused", "a start from a state", "run the whole window in one call, or use 'fast'")
    check_known(network, "lava-fused")
    chosen = checked_record(record, network)
    stimuli, n_samples = prepare(network, stimulus, n_steps)
    if n_samples == 0:
        return without_samples(network, n_steps, chosen)
    write = partial(_write_job, network, stimuli, n_samples, n_steps, chosen)
    with job.done(write, timeout, progress, reuse) as (folder, _):
        return _read_results(folder, network, n_samples, n_steps, chosen)


def _write_job(
    network: Network | IntegerNetwork,
    stimuli: Mapping[str, Stimulus],
    n_samples: int,
    n_steps: int,
    chosen: Mapping[str, Sequence[str]],
    folder: Path,
) -> job.Job:
    """Put the network, the stimuli and empty result files where the child finds them."""
    artifact.save(network, folder / "network")
    integers = isinstance(network, IntegerNetwork)
    for name, fed in stimuli.items():
        binary = network.inputs[name].graded_bits is None
        dtype = np.uint8 if binary else np.int32 if integers else np.float64
        job.put_stimulus(folder, name, fed.values.astype(dtype))
    traced = sorted({*chosen.get("u", ()), *chosen.get("v", ())})
    for name in chosen.get("s", ()):
        job.empty_array(
            file_of(folder, name, ".npy", "spikes-"), np.uint8, (n_steps, n_samples, network.populations[name].n)
        )
    for name in traced:
        shape = n_steps, 2, n_samples, network.populations[name].n
        job.empty_array(folder / f"traces-{name}.npy", np.int32 if integers else np.float64, shape)
    return {
        "target": TARGET,
        "samples": n_samples,
        "n_steps": n_steps,
        "inputs": list(stimuli),
        "spikes": list(chosen.get("s", ())),
        "traces": traced,
    }


def _read_results(
    folder: Path,
    network: Network | IntegerNetwork,
    n_samples: int,
    n_steps: int,
    chosen: Mapping[str, Sequence[str]],
) -> Recording:
    traces: dict[str, dict[str, Any]] = {"u": {}, "v": {}}
    for i, key in enumerate(traces):
        for name in chosen.get(key, ()):
            rows = np.load(folder / f"traces-{name}.npy", mmap_mode="r")[:, i]
            traces[key][name] = rows.swapaxes(0, 1).astype(kind_of(network))
    traces["s"] = {
        name: np.load(folder / f"spikes-{name}.npy").swapaxes(0, 1).view(bool) for name in chosen.get("s", ())
    }
    return recording_of(network, n_samples, n_steps, traces)
