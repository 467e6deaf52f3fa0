"""``dlm-snn raster``: look at rasters, convert them, cut parts out."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import Any

from dlm_snn.exchange.known_formats import endings
from dlm_snn.verbs.exchange_options import add_exchange_options, exchange_options
from dlm_snn.verbs.verb import Verb, add_replace

MANY = 2**20
"""Neurons counted by a mask, whatever their number of spikes."""


def _range(text: str) -> slice:
    """``first:last`` with one past the last, either left out; or one number."""
    parts = text.split(":")
    try:
        bounds = [int(part) if part else None for part in parts]
    except ValueError as error:
        raise ArgumentTypeError(f"'{text}' is not a range such as 0:100") from error
    if len(bounds) == 1 and bounds[0] is not None and bounds[0] >= 0:
        return slice(bounds[0], bounds[0] + 1)
    if len(bounds) != 2:
        raise ArgumentTypeError(f"'{text}' is not a range such as 0:100")
    return slice(*bounds)


def _arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="info|convert|cut")
    others = ", ".join(endings("rasters", ours=False))
    kinds = f"a raster (.npz, .raster), {others}, or a folder of them"
    written = f"{', '.join(endings('rasters', written=True))}, or a folder"
    for name, text in (("info", "what is in it"), ("convert", "into another format"), ("cut", "a part of it")):
        action = actions.add_parser(name, help=text, description=text, allow_abbrev=False)
        action.add_argument("file", type=Path, help=kinds)
        if name != "info":
            action.add_argument("out", type=Path, help=written)
            add_replace(action, "a file or folder of ours, of the same format and")
        action.add_argument("--population", metavar="NAME", help="only this one")
        if name == "cut":
            for axis in ("samples", "steps", "neurons"):
                action.add_argument(
                    f"--{axis}", type=_range, default=slice(None), metavar="FIRST:LAST", help=f"of {axis}"
                )
        add_exchange_options(action)


def _run(arguments: Namespace) -> int:
    from dlm_snn.errors import DlmError, nearest
    from dlm_snn.exchange.formats import read_path, write_rasters, written_kind
    from dlm_snn.files.atomic import check

    if arguments.action != "info":
        check(arguments.out, written_kind(arguments.out), arguments.replace)
    found = read_path(arguments.file, exchange_options(arguments, arguments.file))
    rasters: dict[str, Any] = dict(found.rasters)
    if not rasters:
        raise DlmError(f"{arguments.file} holds no rasters")
    if arguments.population is not None:
        if arguments.population not in rasters:
            raise DlmError(
                f"{arguments.file} has no '{arguments.population}'; {nearest(arguments.population, rasters)}"
            )
        rasters = {arguments.population: rasters[arguments.population]}
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
    samples, steps, neurons = raster.extent
    silent = neurons - _active(raster)
    print(f"{name}: {samples} samples x {steps} steps of {raster.dt:g} s x {neurons} neurons")
    print(f"  {len(raster)} spikes, rate {raster.rate:.2%}, {silent} neurons silent")


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


raster = Verb("look at rasters, convert them, cut parts out", _arguments, _run)
