"""Deployment bundles run from their own folders: 100 samples one after another on Lava's simulator, spikes compared.

Run: DLM_DATA=DIR python benchmarks/bundles.py [NAME ...] [--windows 100] [--keep FOLDER]

Each network is trained as its recipe says, written as a bundle into a folder outside the checkout, and run there by an
interpreter that cannot import anything of ours. The exit code is 1 where a spike differs.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from dlm_snn.networks.network import IntegerNetwork
from dlm_snn.tasks.parts import split
from experiments.recipes.config import RunConfig
from experiments.recipes.table import variant_config
from experiments.road.road import convert, train_network
from hardware.loihi2.bundle import write_bundle
from hardware.loihi2.prepared import prepared

STEPS = 16
ALONE = (
    "import runpy, sys\n"
    "sys.modules.update(dict.fromkeys(('dlm_snn', 'lava_processes', 'hardware', 'experiments')))\n"
    "sys.argv = sys.argv[1:]\n"
    "runpy.run_path(sys.argv[0], run_name='__main__')\n"
)
"""Runs a script in an interpreter that has nothing of ours."""
VERDICT = re.compile(r"^(\d+) of (\d+) spikes differ", re.M)


class Work(NamedTuple):
    """A network and what it is fed."""

    network: IntegerNetwork
    stimulus: dict[str, Any]
    n_steps: int


def of_recipe(dataset: str, variant: str) -> Callable[[int], Work]:
    """What trains a recipe's variant by AdamW, for windows of STEPS steps."""

    def made(samples: int) -> Work:
        """Its integer network, and so many test images."""
        config = variant_config(dataset, variant)
        told = {**config.model_dump(), "dynamics": None}
        told["simulation"]["n_steps"] = STEPS
        config = RunConfig.model_validate(told)
        data = split(config.data)
        network, _ = train_network(config, data, lambda *_: None)
        integer, _ = convert(config, network, data)
        return Work(integer, {"pixels": data.x_test[:samples]}, STEPS)

    return made


def columns(samples: int) -> Work:
    """The columns frozen after P2, seed 0, from stock parts."""
    from experiments.chips.frozen_columns import frozen

    found = frozen(0)
    x = found.tasks.data.x_test[:samples]
    return Work(found.network, dict(found.learner.stimulus(x)), found.learner.n_steps)


WORKS: dict[str, Callable[[int], Work]] = {
    "digits": of_recipe("digits", "plain"),
    "mnist": of_recipe("mnist", "plain"),
    "mnist-lateral": of_recipe("mnist", "lateral"),
    "columns": columns,
}


def measured(work: Work, folder: Path) -> tuple[list[str], bool]:
    """A line of the table, and whether no spike differs."""
    ready = prepared(work.network, work.stimulus, work.n_steps)
    write_bundle(ready, folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    begun = time.perf_counter()
    command = [sys.executable, "-c", ALONE, str(folder / "run.py")]
    done = subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    verdict = VERDICT.search(done.stdout)
    if verdict is None:
        raise RuntimeError(done.stdout + done.stderr)
    neurons = sum(part.n for part in ready.windows.network.neurons.values())
    periods = f"{ready.windows.n_steps} of {ready.windows.period}"
    cells = [f"{neurons:,}", str(ready.placement.cores), str(ready.n_windows), periods, f"{size:.1f}"]
    return [*cells, f"{int(verdict[2]):,}", f"{int(verdict[1]):,}", f"{seconds:.0f}"], done.returncode == 0


def main() -> int:
    """Print the table."""
    parser = ArgumentParser(description=__doc__, prog="python benchmarks/bundles.py")
    parser.add_argument("names", nargs="*", choices=[*WORKS, []], default=[], metavar="NAME", help=", ".join(WORKS))
    parser.add_argument("--windows", type=int, default=100)
    parser.add_argument("--keep", type=Path, help="where bundles stay")
    asked = parser.parse_args()
    head = ("network", "neurons", "cores", "windows", "steps", "MB", "spikes", "differ", "seconds")
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}", flush=True)
    equal = True
    with tempfile.TemporaryDirectory() as aside:
        for name in asked.names or WORKS:
            line, same = measured(WORKS[name](asked.windows), (asked.keep or Path(aside)) / name)
            print(f"| {name} | {' | '.join(line)} |", flush=True)
            equal = equal and same
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
