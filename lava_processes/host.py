"""What the child interpreter does in which Lava runs; see hosts.

It reads the folder of a job a line, writes lines ``begun``, ``steps DONE TOTAL`` and ``done`` to its output, results
into the folder's memory-mapped files, and on failure ``error.json`` with {"kind", "message"}, after which it ends. It
ends when its input closes, for then its parent is gone.
"""

from __future__ import annotations

import gc
import json
import multiprocessing.shared_memory
import os
import random
import sys
import traceback
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from dlm_snn.files.temporary import shared_memory_prefix, unlink_shared_memory
from lava_processes import segments
from lava_processes.watch import Watch, last_words

JOBS = {"columns": "lava_processes.columns_graph"}
"""Targets whose module has ``wired(folder, job)``, which gives a process of the graph to run."""
CHUNK = 200
"""Steps between two signs of life."""


def main(patience: str) -> int:
    """Do the jobs whose folders come in, until none comes for so many seconds, or a file of a module has changed."""
    _name_shared_memory()
    watch = Watch()
    loaded: dict[str, int] = {}
    while (folder := watch.next_job(float(patience))) is not None and _module_times(loaded) == loaded:
        _speak_into(folder / "log.txt")
        try:
            import_module("lava.proc.lif.process")
        except ModuleNotFoundError as error:
            needed = f"the package '{error.name}' that Lava needs is not installed"
            watch.report("missing", f"{needed}; 'dlm-snn doctor' says how to get it")
            return 1
        segments.keep_here()
        # What draws from the global generators draws anew, as in an interpreter of its own.
        random.seed()
        np.random.seed()  # noqa: NPY002
        print("begun", flush=True)
        try:
            _run_job(folder, watch)
        except Exception as error:
            traceback.print_exc()
            watch.fail(watch.actors, last_words(error))
        watch.end_job()
        _forget_run()
        loaded = _module_times([file for file in map(_file_of, list(sys.modules.values())) if file])
        print("done", flush=True)
    return 0


def _speak_into(log: Path) -> None:
    """Have what is said on the way go into a file: here, and in the processes that are forked."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, sys.stderr.fileno())
    os.close(file)


def _forget_run() -> None:
    """Let go of the graph that was run: two lists of Lava's would keep it for good."""
    from lava.magma.core.process.process import ProcessServer
    from lava.magma.core.process.variable import VarServer

    ProcessServer().reset_server()
    VarServer().reset_server()
    gc.collect()
    # What is left lives as long as this interpreter: processes that are forked need not touch it.
    gc.freeze()
    unlink_shared_memory(os.getpid())


def _file_of(module: Any) -> str | None:
    return getattr(module, "__file__", None)


def _module_times(files: Iterable[str]) -> dict[str, int]:
    """When each file was changed last; those that are gone are left out."""
    times = {}
    for file in files:
        with suppress(OSError):
            times[file] = os.stat(file).st_mtime_ns
    return times


def _name_shared_memory() -> None:
    """Give all shared memory made here, and in children, a prefix by which the parent can find it."""
    if hasattr(multiprocessing.shared_memory, "_SHM_NAME_PREFIX"):
        multiprocessing.shared_memory._SHM_NAME_PREFIX = "/" + shared_memory_prefix(os.getpid())


def _run_job(folder: Path, watch: Watch) -> None:
    from dlm_snn.networks import artifact

    job = json.loads((folder / "job.json").read_text())
    if job["target"] in JOBS:
        process = import_module(JOBS[job["target"]]).wired(folder, job)
        _run_part(process, "fixed_pt", {"runs": 1, "length": job["length"]}, 0, watch)
        return
    network = artifact.load(folder / "network")
    if job["target"] == "fused":
        _run_fused(folder, network, job, watch)
        return
    for index in range(job["runs"]):
        _run_once(folder, network, job, index, watch)


def _run_fused(folder: Path, network: Any, job: Mapping[str, Any], watch: Watch) -> None:
    """Run a network as one Process."""
    from dlm_snn.backends import run
    from dlm_snn.networks.network import IntegerNetwork
    from lava_processes.fused.process import FusedRun
    from lava_processes.support import TAGS

    files = {
        kind: {name: str(folder / f"{prefix}-{name}.npy") for name in job[names]}
        for kind, prefix, names in (
            ("stimuli", "stimulus", "inputs"),
            ("spikes", "spikes", "spikes"),
            ("traces", "traces", "traces"),
        )
    }
    # A step of it here loads what is compiled once for all processes that are forked.
    silence = {name: np.zeros((1, part.n), dtype=np.int64) for name, part in network.inputs.items()}
    run(network, silence, 1, record=(), backend="fast")
    process = FusedRun(network=network, samples=job["samples"], name="network", **files)
    tag = TAGS["fixed" if isinstance(network, IntegerNetwork) else "float"]
    _run_part(process, tag, {"runs": 1, "length": job["n_steps"]}, 0, watch)


def _run_once(folder: Path, network: Any, job: Mapping[str, Any], index: int, watch: Watch) -> None:
    """Build the graph and run every part of it: Lava sees only what is connected with the process it is given."""
    graph = _wired(folder, network, job, index)
    for process in graph.neurons.values():
        if process.runtime is None:
            _run_part(process, graph.tag, job, index, watch)


def _run_part(process: Any, tag: str, job: Mapping[str, Any], index: int, watch: Watch) -> None:
    """Run a process, and all that are connected with it, in chunks; stop them."""
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg

    config = Loihi2SimCfg(select_tag=tag)
    watch.run()
    process.create_runtime(run_cfg=config)
    watch.actors = process.runtime._messaging_infrastructure.actors
    total = job["runs"] * job["length"]
    for start in range(0, job["length"], CHUNK):
        steps = min(CHUNK, job["length"] - start)
        process.run(condition=RunSteps(num_steps=steps), run_cfg=config)
        print("steps", index * job["length"] + start + steps, total, flush=True)
    watch.rest()
    process.stop()


def _wired(folder: Path, network: Any, job: Mapping[str, Any], index: int) -> Any:
    """The network's graph with sources, sinks and probes."""
    from lava_processes.graph import build
    from lava_processes.probe.process import StateProbe
    from lava_processes.sink.process import SpikeSink
    from lava_processes.source.process import StimulusSource

    together = job["samples_per_run"] > 1
    graph = build(network, job["target"], period=job["period"] if together else None)
    for name, ports in graph.in_ports.items():
        source = StimulusSource(
            path=str(folder / f"stimulus-{name}.npy"),
            n=network.populations[name].n,
            n_steps=job["n_steps"],
            period=job["period"],
            first=index,
            count=job["samples_per_run"],
            name=f"source {name}",
        )
        if ports:
            source.s_out.connect(ports)
    for name in graph.neurons:
        n = network.populations[name].n
        sink = SpikeSink(path=str(folder / f"spikes-{index}-{name}.npy"), n=n, name=f"sink {name}")
        graph.out_ports[name].connect(sink.a_in)
        if name in job["state"]:
            probe = StateProbe(path=str(folder / f"state-{index}-{name}.npy"), n=n, name=f"probe {name}")
            probe.u.connect_var(graph.u[name])
            probe.v.connect_var(graph.v[name])
    return graph
