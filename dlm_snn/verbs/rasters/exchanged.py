"""The actions of ``dlm-snn raster`` that say what a file holds, convert it, and cut parts out."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from dlm_snn.errors import how_many
from dlm_snn.exchange.known_formats import endings
from dlm_snn.verbs.exchange_options import add_exchange_options, exchange_options
from dlm_snn.verbs.rasters.selection import chosen_populations, kinds_of_rasters, span
from dlm_snn.verbs.verb import Verb, add_replace

MANY = 2**20
"""Neurons counted by a mask, whatever their number of spikes."""
_CUT = ("samples", "steps", "neurons")


def _arguments(parser: ArgumentParser, written: bool = True, cut: bool = False) -> None:
    parser.add_argument("file", type=Path, help=kinds_of_rasters())
    if written:
        parser.add_argument("out", type=Path, help=f"{', '.join(endings('rasters', written=True))}, or a folder")
        add_replace(parser, "a file or folder of ours, of the same format and")
    parser.add_argument("--population", metavar="NAME", help="only this one")
    for axis in _CUT if cut else ():
        parser.add_argument(f"--{axis}", type=span, default=slice(None), metavar="FIRST:LAST", help=f"of {axis}")
    add_exchange_options(parser)


def _run(arguments: Namespace) -> int:
    from dlm_snn.errors import DlmError
    from dlm_snn.exchange.formats import read_path, write_rasters, written_kind
    from dlm_snn.files.atomic import check

    if arguments.action != "info":
        check(arguments.out, written_kind(arguments.out), arguments.replace)
    found = read_path(arguments.file, exchange_options(arguments, arguments.file))
    rasters: dict[str, Any] = dict(found.rasters)
    if not rasters:
        raise DlmError(f"{arguments.file} holds no rasters")
    named = None if arguments.population is None else [arguments.population]
    rasters = {name: rasters[name] for name in chosen_populations(rasters, named, arguments.file)}
    if arguments.action == "cut":
        rasters = {name: _cut(name, raster, arguments) for name, raster in rasters.items()}
    for name, raster in rasters.items():
        _tell(name, raster)
    for note in found.notes:
        print(note)
    if found.moved.events or found.moved.merged:
        print(found.moved)
    if arguments.action != "info":
        # The neurons and samples of a part are others.
        labels = found.labels(rasters) if arguments.action == "convert" else {}
        write_rasters(rasters, arguments.out, arguments.replace, labels)
        print(f"written: {arguments.out}")
    return 0


def _tell(name: str, raster: Any) -> None:
    samples, steps, neurons = map(how_many, raster.extent, ("samples", "steps", "neurons"))
    silent = raster.n_neurons - _active(raster)
    print(f"{name}: {samples} x {steps} of {raster.dt:g} s x {neurons}")
    print(f"  {how_many(len(raster), 'spikes')}, rate {raster.rate:.2%}, {how_many(silent, 'neurons')} silent")


def _cut(name: str, raster: Any, arguments: Namespace) -> Any:
    """A part; an empty one of an axis that has something is a slip of the hand."""
    from dlm_snn.errors import DlmError

    for axis, extent in zip(("samples", "steps", "neurons"), raster.extent, strict=True):
        chosen: slice = getattr(arguments, axis)
        first, last, _ = chosen.indices(extent)
        if extent and first >= last:
            told = ":".join("" if bound is None else str(bound) for bound in (chosen.start, chosen.stop))
            raise DlmError(f"--{axis} {told} holds none of the {axis} 0..{extent - 1} of '{name}'")
    return raster[arguments.samples, arguments.steps, arguments.neurons]


def _active(raster: Any) -> int:
    import numpy as np

    if raster.n_neurons > max(len(raster), MANY):
        return int(np.unique(raster.neuron).size)
    seen = np.zeros(raster.n_neurons, dtype=bool)
    seen[raster.neuron] = True
    return int(seen.sum())


info = Verb("what is in it", lambda parser: _arguments(parser, written=False), _run)
convert = Verb("into another format", _arguments, _run)
cut = Verb("a part of it", lambda parser: _arguments(parser, cut=True), _run)
