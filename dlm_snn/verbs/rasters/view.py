"""``dlm-snn raster view``: a page of one file that shows spikes, or those of two runs laid over each other."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dlm_snn.errors import how_many
from dlm_snn.verbs.exchange_options import SIMULATOR
from dlm_snn.verbs.rasters.selection import add_selection, selected
from dlm_snn.verbs.verb import Verb, add_replace

if TYPE_CHECKING:
    from dlm_snn.analysis.viewer.membranes import Membrane
    from dlm_snn.analysis.viewer.page import Labels
    from dlm_snn.runs.differences import RasterDifference
    from dlm_snn.runs.raster import SpikeRaster
    from dlm_snn.verbs.rasters.selection import Selected


def _arguments(parser: ArgumentParser) -> None:
    add_selection(parser)
    parser.add_argument(
        "--against", type=Path, metavar="FILE|RUN", help="a second one of the same extents, laid over the first"
    )
    parser.add_argument(
        "--against-simulator",
        metavar="NAME",
        help="whose rasters of the second run; alone, of the first run once more",
    )
    parser.add_argument("--out", type=Path, metavar="FILE.html", help="the page (default: NAME.html, here)")
    add_replace(parser, "a page of ours")


def _run(arguments: Namespace) -> int:
    from dlm_snn.analysis.viewer.page import PAGE, html_path, named_alike, view
    from dlm_snn.files.atomic import check

    out = html_path(arguments.out or f"{arguments.file.resolve().stem}.html")
    check(out, PAGE, arguments.replace)
    first = selected(arguments)
    other = _against(arguments)
    second = None if other is None else selected(other)
    others = None if second is None else named_alike(first.rasters, second.rasters)
    differences = [] if second is None or others is None else _differences(first, second, others)
    view(
        first.rasters,
        out,
        others,
        labels=_labels(arguments, other, first),
        membranes=_membranes(arguments, first),
        membranes_against=None if other is None or second is None else _membranes(other, second),
        replace=arguments.replace,
    )
    for name, raster in first.rasters.items():
        samples, steps, neurons = map(how_many, raster.extent, ("samples", "steps", "neurons"))
        print(f"{name}: {how_many(len(raster), 'spikes')}, {samples} x {steps} of {raster.dt:g} s x {neurons}")
    for note in (*first.told, *(second.told if second else ())):
        print(note)
    for difference in differences:
        print(difference)
    print(f"written: {out} ({out.stat().st_size / 1e6:.2f} MB)")
    return 0


def _against(arguments: Namespace) -> Namespace | None:
    """The arguments of the second run; None where there is none."""
    if arguments.against is None and arguments.against_simulator is None:
        return None
    changed = {"file": arguments.against or arguments.file, "simulator": arguments.against_simulator}
    if arguments.against is not None and arguments.against_simulator is None and _is_run(arguments.against):
        changed["simulator"] = arguments.simulator
    return Namespace(**{**vars(arguments), **changed})


def _differences(first: Selected, second: Selected, others: Mapping[str, SpikeRaster]) -> list[RasterDifference]:
    """How many spikes of each population differ, and where first."""
    from dlm_snn.errors import UnlikeError
    from dlm_snn.runs.differences import raster_differences

    try:
        return raster_differences(first.rasters, others)
    except UnlikeError as error:
        raise UnlikeError(f"{first.path} and {second.path}: {error}") from error


def _is_run(path: Path) -> bool:
    from dlm_snn.runs.run_folder import is_run

    return is_run(path)


def _labels(arguments: Namespace, other: Namespace | None, first: Selected) -> Labels:
    from dlm_snn.analysis.viewer.page import Labels

    names = [_name(arguments), "second" if other is None else _name(other)]
    if other is not None and other.file == arguments.file:
        names = [one.simulator or SIMULATOR for one in (arguments, other)]
    if names[0] == names[1]:
        names = [f"{name} ({which})" for name, which in zip(names, ("first", "second"), strict=True)]
    name, raster = next(iter(first.rasters.items()))
    sample = first.samples.indices(first.stored.rasters[name].n_samples)[0]
    # A reader that cuts out the part itself begins it at step 0.
    step = first.start[name] or round((arguments.begin or 0) / raster.dt)
    units = {name: _units(first, name, arguments.neurons or slice(None)) for name in first.rasters}
    return Labels((names[0], names[1]), sample, step, units)


def _units(first: Selected, name: str, neurons: slice) -> Sequence[int | str]:
    """What the file calls the selected neurons, or their numbers in it."""
    count = first.stored.rasters[name].n_neurons
    own = first.stored.unit_ids.get(name, ())
    return own[neurons] if len(own) == count else range(count)[neurons]


def _membranes(arguments: Namespace, part: Selected) -> dict[str, Membrane]:
    """v of the selected part, where the recording or the run has it."""
    from dlm_snn.analysis.viewer.membranes import membranes_of, membranes_of_run

    found: Mapping[str, Membrane] = {}
    if part.stored.recording is not None:
        found = membranes_of(part.stored.recording)
    elif _is_run(part.path):
        found = membranes_of_run(part.path, arguments.simulator or SIMULATOR)
    start = next(iter(part.start.values()))
    steps = slice(start, start + next(iter(part.rasters.values())).n_steps)
    neurons = arguments.neurons or slice(None)
    kept = {name: v for name, v in found.items() if not arguments.population or name in arguments.population}
    return {name: v.part(part.samples, steps, neurons) for name, v in kept.items()}


def _name(arguments: Namespace) -> str:
    """Of a file; of a run with the simulator."""
    name = arguments.file.resolve().name
    return f"{name} {arguments.simulator or SIMULATOR}" if _is_run(arguments.file) else name


view = Verb("write a page that shows it: pan, zoom, select, two runs laid over each other", _arguments, _run)
