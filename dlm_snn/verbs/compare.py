"""``dlm-snn compare``: two recordings of one network, spike by spike."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from dlm_snn.verbs.verb import Verb

DIFFERENT = 1


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("first", type=Path, help="a folder that 'dlm-snn simulate' wrote")
    parser.add_argument("second", type=Path, help="another one, of the same network and samples")


def _run(arguments: Namespace) -> int:
    from math import isfinite

    from dlm_snn.comparison import compare
    from dlm_snn.recording_files import load_recording

    comparison = compare(load_recording(arguments.first), load_recording(arguments.second))
    for name, (first, second, differ) in comparison.spikes.items():
        u, v = comparison.values[name]
        gaps = f"; largest difference of u {u:.3g}, of v {v:.3g}" if isfinite(u + v) else ""
        print(f"{name}: {first} and {second} spikes, {differ} differ{gaps}")
    print(comparison)
    return 0 if comparison.equal else DIFFERENT


compare = Verb("compare two recordings of one network, spike by spike (exit code 1: they differ)", _arguments, _run)
