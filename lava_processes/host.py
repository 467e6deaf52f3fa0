"""What the child interpreter does in which Lava runs; see job.

It writes lines ``steps DONE TOTAL`` to its output, results into the folder's memory-mapped files, and on failure
``error.json`` with {"kind", "message"}. It ends when its input closes, for then its parent is gone.
"""

from __future__ import annotations

import json
import multiprocessing
import multiprocessing.shared_memory
import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from dlm_snn.files.temporary import shared_memory_prefix, unlink_shared_memory

JOBS = {"columns": "lava_processes.columns_graph"}
"""Targets whose module has ``wired(folder, job)``, which gives a process of the graph to run."""
CHUNK = 200
"""Steps between two signs of life."""
LOOK_EVERY = 0.2
"""Seconds between two looks at the children."""


def main(place: str) -> int:
    """Run the job of a folder."""
    folder = Path(place)
    _name_shared_memory()
    watch = _Watch(folder)
    try:
        import_module("lava.proc.lif.process")
    except ModuleNotFoundError as error:
        _report(
            folder,
            "missing",
            f"the package '{error.name}' that Lava needs is not installed; 'dlm-snn doctor' says how to get it",
        )
        return 1
    try:
        _run_job(folder, watch)
    except Exception as error:
        traceback.print_exc()
        watch.fail(watch.actors, _last_words(error))
    return 0


def _name_shared_memory() -> None:
    """Give all shared memory made here, and in children, a prefix by which the parent can find it."""
    if hasattr(multiprocessing.shared_memory, "_SHM_NAME_PREFIX"):
        multiprocessing.shared_memory._SHM_NAME_PREFIX = "/" + shared_memory_prefix(os.getpid())


def _run_job(folder: Path, watch: _Watch) -> None:
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


def _run_fused(folder: Path, network: Any, job: Mapping[str, Any], watch: _Watch) -> None:
    """Run a network as one Process."""
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
    process = FusedRun(network=network, samples=job["samples"], name="network", **files)
    tag = TAGS["fixed" if isinstance(network, IntegerNetwork) else "float"]
    _run_part(process, tag, {"runs": 1, "length": job["n_steps"]}, 0, watch)


def _run_once(folder: Path, network: Any, job: Mapping[str, Any], index: int, watch: _Watch) -> None:
    """Build the graph and run every part of it: Lava sees only what is connected with the process it is given."""
    graph = _wired(folder, network, job, index)
    for process in graph.neurons.values():
        if process.runtime is None:
            _run_part(process, graph.tag, job, index, watch)


def _run_part(process: Any, tag: str, job: Mapping[str, Any], index: int, watch: _Watch) -> None:
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


class _Watch:
    """A thread that ends everything when a child dies during a run, or when the parent is gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.actors: list[Any] = []
        self._known: set[Any] = set()
        self._running = False
        self._lock = threading.Lock()
        threading.Thread(target=self._look, daemon=True).start()

    def run(self) -> None:
        """From now on no child may end."""
        self._running = True

    def rest(self) -> None:
        """The children are about to end by themselves."""
        with self._lock:
            self._running = False
            self._known = set()

    def fail(self, children: Iterable[Any], otherwise: str) -> None:
        """Report what a child said, or else ``otherwise``; kill and collect all children; leave at once."""
        try:
            _report(self._folder, "lava", f"Lava failed: {_children_said(children) or otherwise}")
            sys.stderr.flush()
            for process in multiprocessing.active_children():
                process.kill()
                with suppress(ChildProcessError):
                    os.waitpid(process.ident or 0, 0)
        finally:
            os._exit(1)

    def _look(self) -> None:
        while not wait([sys.stdin.fileno()], timeout=LOOK_EVERY):
            with self._lock:
                if self._running:
                    self._known |= set(multiprocessing.active_children())
                ended = [process for process in self._known if _has_ended(process)]
                if ended:
                    self.fail(ended, f"its process {ended[0].name} was killed while running")
        self._vanish()

    def _vanish(self) -> None:
        """The parent is gone and cannot clean up: remove what it would have removed, and end the whole session."""
        unlink_shared_memory(os.getpid())
        shutil.rmtree(self._folder, ignore_errors=True)
        os.killpg(0, signal.SIGKILL)


def _has_ended(process: Any) -> bool:
    try:
        return process.exitcode is not None
    except ValueError:
        # Lava joined and closed it, which it does once it reports the error itself.
        return False


def _children_said(children: Iterable[Any]) -> str | None:
    """The first error that a child process collected, in one line; None where none did."""
    for child in children:
        try:
            collected = getattr(child, "exception", None)
        except (OSError, EOFError):
            continue
        if collected:
            return _last_words(collected[0])
    return None


def _last_words(error: BaseException) -> str:
    """An exception as one line: its type, its message and where it was raised."""
    last = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(last[-1].filename).name}:{last[-1].lineno})" if last else ""
    return " ".join(f"{type(error).__name__}: {error}".split()) + where


def _report(folder: Path, kind: str, message: str) -> None:
    aside = folder / "error.json.part"
    aside.write_text(json.dumps({"kind": kind, "message": message}))
    aside.replace(folder / "error.json")
