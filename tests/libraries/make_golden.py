"""Write the libraries' own spikes: ``make golden-libraries``, in the environment of ``make test-libraries``."""

from __future__ import annotations

import json
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from tests.libraries.nets import Library, Net, observed, sample, written

FOLDER = Path(__file__).parent / "golden"
NAMES = ("spikingjelly", "norse", "sinabs")


def cases(library: str) -> Library:
    """What is tried of a library, which must be installed, or have its stand-ins in place."""
    return import_module(f"tests.libraries.{library}_cases").LIBRARY


def runs(library: Library) -> dict[str, dict[str, Any]]:
    """What every layer of every case gives in float64: spikes, or the last v."""
    nets = {name: Net(case, library.call).double() for name, case in library.taken.items()}
    seen = {name: observed(net, sample().double()) for name, net in nets.items()}
    return {name: {layer: written(values) for layer, values in layers.items()} for name, layers in seen.items()}


def rounded(library: Library) -> dict[str, int]:
    """How many spikes of every case are others in float32."""
    found = {}
    for name, case in library.taken.items():
        narrow = observed(Net(case, library.call), sample())
        wide = observed(Net(case, library.call).double(), sample().double())
        fire = [layer for layer, values in wide.items() if isinstance(written(values), str)]
        found[name] = sum(int(np.count_nonzero(narrow[layer] != wide[layer])) for layer in fire)
    return found


def main() -> None:
    for name in NAMES:
        tried = cases(name)
        taken = ",\n".join(f"{json.dumps(case)}: {json.dumps(seen)}" for case, seen in runs(tried).items())
        told = {"version": version(name), "refused": sorted(tried.refused), "float32": rounded(tried)}
        head = json.dumps(told)
        (FOLDER / f"{name}.json").write_text(f'{head[:-1]}, "taken": {{\n{taken}\n}}}}\n')


if __name__ == "__main__":
    main()
