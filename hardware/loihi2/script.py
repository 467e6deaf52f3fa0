"""``run``, for use as a library by a bundle's ``run.py``: windows back to back, spikes kept and compared.

It needs lava-nc and NumPy only.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from . import board, contents, rasters

CHUNK = 2000
"""Steps between two signs of life, on a CPU."""
SHIFTS = 8
"""Steps by which the spikes of a board may come later than expected, and are looked for."""
REFUSED = 2


def run(folder: Path, words: list[str]) -> int:
    """Do what the command line asks for.

    Args:
        folder: the bundle.
        words: of the command line.

    Returns:
        0: no spike differs; 1: some do; 2: refused, the reason on the error output.
    """
    try:
        bundle = contents.read(folder)
        return _run(folder, bundle, _arguments(bundle).parse_args(words))
    except contents.BundleError as error:
        print(f"error: {error}", file=sys.stderr)
    except Exception as error:
        # Exit code 1 is for spikes that differ, and Lava may raise anything; its traceback tells more.
        traceback.print_exc()
        print(f"error: the run failed ({type(error).__name__}: {error}); nothing was compared", file=sys.stderr)
    return REFUSED


class _Parser(ArgumentParser):
    """Says what is wrong in a line."""

    def error(self, message: str) -> NoReturn:
        """Of the command line."""
        raise contents.BundleError(f"{message}; see run.py --help")


def _steps(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is not a number of steps >= 0")
    return int(text)


def _arguments(bundle: dict[str, Any]) -> ArgumentParser:
    parser = _Parser(prog="run.py", description="Run a bundle's network and compare its spikes.")
    add = parser.add_argument
    add("--target", choices=("cpu", "loihi2"), default="cpu", help="Lava's simulator, or a chip (default: cpu)")
    add("--windows", type=int, default=bundle["n_windows"], help=f"how many (default: {bundle['n_windows']})")
    add("--record", default=",".join(bundle["populations"]), help="populations, with commas (default: all)")
    add("--out", type=Path, help="file of the spikes (default: got-TARGET.npz in the bundle)")
    add("--stock-delays", action="store_true", help="on a CPU too, Lava's own delays: the same spikes, far slower")
    group = parser.add_argument_group("with --target loihi2")
    group.add_argument("--host", help="address of a board (default: NXSDKHOST, else SLURM)")
    group.add_argument("--partition", help="of SLURM")
    group.add_argument("--board", help="of SLURM")
    group.add_argument("--generation", choices=board.GENERATIONS, default="N3B3", help="of the chip (default: N3B3)")
    group.add_argument("--input-steps", type=_steps, default=0, help="steps from host to chip, beyond a simulator's")
    group.add_argument("--output-steps", type=_steps, default=0, help="steps from chip to host, beyond a simulator's")
    return parser


def _run(folder: Path, bundle: dict[str, Any], asked: Namespace) -> int:
    names = [name for name in bundle["populations"] if name in asked.record.split(",")]
    unknown = set(asked.record.split(",")) - set(names)
    if unknown:
        raise contents.BundleError(f"--record {min(unknown)!r} is none of {', '.join(bundle['populations'])}")
    if not 1 <= asked.windows <= bundle["n_windows"]:
        raise contents.BundleError(f"--windows {asked.windows} is not in 1..{bundle['n_windows']}")
    out = asked.out or folder / f"got-{asked.target}.npz"
    if not os.access(out.parent, os.W_OK):
        raise contents.BundleError(f"cannot write {out}: no such folder, or not yours; give another --out")
    if asked.target == "loihi2":
        print(_claimed(asked), flush=True)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bundle-") as aside:
        rows = _rows(bundle, Path(aside), names, asked)
        found = {shift: _cut(bundle, rows, names, asked, shift) for shift in _shifts(asked)}
    took = f"{asked.windows} windows of {bundle['period']} steps in {time.monotonic() - begun:.0f} s"
    got = found[0]
    rasters.write(out, got)
    expected = {
        name: rasters.first_samples(raster, asked.windows)
        for name, raster in rasters.read(folder / contents.EXPECTED).items()
    }
    parted = rasters.difference(expected, got, names)
    told = f"{len(names)} population{'s' * (len(names) != 1)}, {took}; {out} has the spikes"
    *before, verdict = parted.lines()
    print("\n".join([*before, f"{verdict} ({told})"]))
    if not parted.differ:
        return 0
    late = [shift for shift in found if not rasters.difference(expected, found[shift], names).differ]
    if late:
        print(f"all spikes came {late[0]} steps late: give --output-steps {asked.output_steps + late[0]}")
    elif asked.target == "loihi2":
        print(f"no delay of 1 to {SHIFTS} steps explains it; events may reach the chip late: try --input-steps 1, 2, 3")
    return 1


def _claimed(asked: Namespace) -> str:
    lacking = board.missing(asked.host)
    if lacking is not None:
        raise contents.BundleError(f"cannot run on a Loihi 2: {lacking}; nothing was run")
    try:
        return board.claim(asked.host, asked.partition, asked.board, asked.generation)
    except (ValueError, ImportError, OSError) as error:
        raise contents.BundleError(f"cannot run on a Loihi 2: {error}; nothing was run") from error


def _shifts(asked: Namespace) -> range:
    return range(SHIFTS + 1) if asked.target == "loihi2" else range(1)


def _later(bundle: dict[str, Any], name: str, asked: Namespace) -> int:
    """Row in which a population's first window begins."""
    return int(bundle["populations"][name]["depth"]) + asked.input_steps + asked.output_steps


def _rows(bundle: dict[str, Any], aside: Path, names: list[str], asked: Namespace) -> dict[str, np.ndarray]:
    """Run the network; population -> (step, neuron)."""
    from .graph import build

    latest = max(_later(bundle, name, asked) for name in names) + max(_shifts(asked))
    steps = (asked.windows - 1) * bundle["period"] + bundle["n_steps"] + latest
    stock = asked.stock_delays or asked.target != "cpu"
    graph = build(bundle, aside, names, asked.windows, steps, asked.input_steps, stock)
    config = _config(asked.target)
    for process in graph.neurons.values():
        # Lava runs what is connected with a process.
        if process.runtime is None:
            _run_part(process, config, steps, CHUNK if asked.target == "cpu" else steps, aside)
    return {name: np.load(path, mmap_mode="r") for name, path in graph.sinks.items()}


def _config(target: str) -> Any:
    from lava.magma.core.run_configs import Loihi2SimCfg

    return Loihi2SimCfg(select_tag="fixed_pt") if target == "cpu" else board.hardware_config()


def _run_part(process: Any, config: Any, steps: int, chunk: int, aside: Path) -> None:
    from lava.magma.core.run_conditions import RunSteps

    # Ctrl-C is this process's to answer: Lava's would each print a traceback.
    answer = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process.create_runtime(run_cfg=config)
    finally:
        signal.signal(signal.SIGINT, answer)
    over = threading.Event()
    threading.Thread(target=_watch, args=(process, aside, over), daemon=True).start()
    try:
        for start in range(0, steps, chunk):
            process.run(condition=RunSteps(num_steps=min(chunk, steps - start)), run_cfg=config)
            print(f"{min(start + chunk, steps)} of {steps} steps", file=sys.stderr, flush=True)
    except BaseException as error:
        over.set()
        if isinstance(error, KeyboardInterrupt):
            _end(process, aside, "interrupted")
        traceback.print_exc()
        _end(process, aside, f"{type(error).__name__}: {error}")
    over.set()
    process.stop()


def _watch(process: Any, aside: Path, over: threading.Event) -> None:
    """Look for processes of Lava that failed or were killed: it would wait for them for good."""
    while not over.wait(1):
        for actor in _actors(process):
            code = _exit_code(actor)
            if code is not None and not over.is_set():
                _end(process, aside, _said(actor) or f"a process of Lava ended with code {code}")


def _exit_code(actor: Any) -> int | None:
    try:
        return actor.exitcode
    except ValueError:
        # Lava joined and closed it.
        return None


def _said(actor: Any) -> str | None:
    """The error that a process raised, in a line."""
    try:
        raised = getattr(actor, "exception", None)
    except (OSError, EOFError):
        return None
    return " ".join(f"{type(raised[0]).__name__}: {raised[0]}".split()) if raised else None


def _actors(process: Any) -> list[Any]:
    infrastructure = getattr(process.runtime, "_messaging_infrastructure", None)
    return [actor for actor in getattr(infrastructure, "actors", ()) if hasattr(actor, "exitcode")]


def _end(process: Any, aside: Path, reason: str) -> NoReturn:
    """Leave at once, and nothing behind: Lava's own stop would not return."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(f"error: the run ended early ({reason}); nothing was compared", file=sys.stderr, flush=True)
    for actor in _actors(process):
        actor.kill()
    memory = getattr(process.runtime._messaging_infrastructure, "_smm", None)
    if memory is not None:
        memory.shutdown()
    shutil.rmtree(aside, ignore_errors=True)
    os._exit(REFUSED)


def _cut(
    bundle: dict[str, Any], rows: dict[str, np.ndarray], names: list[str], asked: Namespace, shift: int
) -> dict[str, rasters.Raster]:
    """The windows of each population."""
    extent = asked.windows, bundle["n_steps"]
    return {
        name: rasters.windowed(
            rows[name], _later(bundle, name, asked) + shift, bundle["period"], (*extent, rows[name].shape[1])
        )
        for name in names
    }
