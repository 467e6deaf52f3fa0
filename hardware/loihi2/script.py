"""``run``, for use as a library by a bundle's ``run.py``: windows back to back, spikes kept and compared.

It needs lava-nc and what lava-nc needs.
"""

from __future__ import annotations

import sys
import tempfile
import time
import traceback
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from . import board, contents, rasters, running

CHUNK = 2000
"""Steps between two signs of life, on a CPU."""
SHIFTS = 8
"""Steps by which the spikes of a board may come later than expected, and are looked for."""
PATIENCE = 600
"""Seconds without a step."""
ON_BOARD = {**dict.fromkeys(("host", "partition", "board")), "generation": "N3B3", "input_steps": 0, "output_steps": 0}
"""Settings of a run on a board, and what they are where nobody says."""


def run(folder: Path, words: list[str]) -> int:
    """Do what the command line asks for.

    Args:
        folder: the bundle.
        words: of the command line.

    Returns:
        0: no spike differs; 1: some do; 2: refused, the reason on the error output.

    Raises:
        ModuleNotFoundError: a package that it needs is not installed.
    """
    try:
        bundle = contents.read(folder)
        return _run(folder, bundle, _arguments(bundle).parse_args(words))
    except contents.BundleError as error:
        print(f"error: {error}", file=sys.stderr)
    except ModuleNotFoundError:
        raise
    except KeyboardInterrupt:
        print("error: interrupted; nothing was compared", file=sys.stderr)
    except Exception as error:
        # Exit code 1 is for spikes that differ, and Lava may raise anything; its traceback tells more.
        traceback.print_exc()
        print(f"error: the run failed ({type(error).__name__}: {error}); nothing was compared", file=sys.stderr)
    return running.REFUSED


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
    add("--record", metavar="NAMES", help="populations, with commas (default: all)")
    add("--out", type=Path, metavar="FILE.npz", help="of the spikes (default: got-TARGET.npz in the bundle)")
    add("--patience", type=float, default=PATIENCE, help=f"seconds without a step until it ends (default: {PATIENCE})")
    add("--stock-delays", action="store_true", help="on a CPU too, Lava's own delays: the same spikes, far slower")
    group = parser.add_argument_group("with --target loihi2")
    group.add_argument("--host", help="address of a board (default: NXSDKHOST, else SLURM)")
    group.add_argument("--partition", help="of SLURM")
    group.add_argument("--board", help="of SLURM")
    group.add_argument("--generation", choices=board.GENERATIONS, help="of the chip (default: N3B3)")
    group.add_argument("--input-steps", type=_steps, help="steps from host to chip, beyond a simulator's")
    group.add_argument("--output-steps", type=_steps, help="steps from chip to host, beyond a simulator's")
    return parser


def _run(folder: Path, bundle: dict[str, Any], asked: Namespace) -> int:
    names = _asked(bundle, asked)
    out = _writable(asked.out or folder / f"got-{asked.target}.npz")
    if asked.target == "loihi2":
        print(_claimed(asked), flush=True)
    begun = time.monotonic()
    with _aside() as aside:
        rows = _rows(bundle, Path(aside), names, asked)
        found = {shift: _cut(bundle, rows, names, asked, shift) for shift in _shifts(asked)}
    took = f"{asked.windows} windows of {bundle['period']} steps in {time.monotonic() - begun:.0f} s"
    got = found[0]
    try:
        rasters.write(out, got)
    except OSError as error:
        raise contents.BundleError(f"cannot write {out} ({error.strerror}); give another --out") from error
    expected = {
        name: rasters.first_samples(raster, asked.windows)
        for name, raster in rasters.read(folder / contents.EXPECTED).items()
    }
    parted = rasters.difference(expected, got, names)
    told = f"{len(names)} population{'s' * (len(names) != 1)}, {took}; {_shown(out)} has the spikes"
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


def _asked(bundle: dict[str, Any], asked: Namespace) -> list[str]:
    """The populations that are recorded; settings are filled in."""
    for setting, otherwise in ON_BOARD.items():
        if getattr(asked, setting) is None:
            setattr(asked, setting, otherwise)
        elif asked.target == "cpu":
            option = "--" + setting.replace("_", "-")
            raise contents.BundleError(f"{option} is for a run on a board; leave it out, or give --target loihi2")
    if asked.record is None:
        recorded = set(bundle["populations"])
    else:
        recorded = {name.strip() for name in asked.record.split(",")}
    names = [name for name in bundle["populations"] if name in recorded]
    unknown = recorded - set(names)
    if unknown:
        raise contents.BundleError(f"--record {min(unknown)!r} is none of {', '.join(bundle['populations'])}")
    if not 1 <= asked.windows <= bundle["n_windows"]:
        raise contents.BundleError(f"--windows {asked.windows} is not in 1..{bundle['n_windows']}")
    if not asked.patience > 0:
        raise contents.BundleError(f"--patience {asked.patience:g}: more than 0 seconds")
    return names


def _writable(out: Path) -> Path:
    """Where spikes go, looked at before the run."""
    if out.suffix != ".npz":
        raise contents.BundleError(f"--out {out}: the name of the file ends in .npz")
    if out.is_dir():
        raise contents.BundleError(f"cannot write {out}: it is a folder; give another --out")
    try:
        with tempfile.NamedTemporaryFile(dir=out.parent):
            return out
    except OSError as error:
        raise contents.BundleError(f"cannot write {out} ({error.strerror}); give another --out") from error


def _shown(out: Path) -> Path:
    """As it lies from here."""
    here = Path.cwd()
    return out.relative_to(here) if here in out.parents else out


def _aside() -> Any:
    try:
        return tempfile.TemporaryDirectory(prefix="bundle-")
    except OSError as error:
        raise contents.BundleError(f"no folder for what it needs on the way ({error}); set TMPDIR") from error


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
    for name in names:
        process = graph.neurons[name]
        # Lava runs what is connected with a process.
        if process.runtime is None:
            chunk = CHUNK if asked.target == "cpu" else steps
            running.run_part(process, config, steps, chunk, aside, asked.patience)
    return {name: np.load(path, mmap_mode="r") for name, path in graph.sinks.items()}


def _config(target: str) -> Any:
    from lava.magma.core.run_configs import Loihi2SimCfg

    return Loihi2SimCfg(select_tag="fixed_pt") if target == "cpu" else board.hardware_config()


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
