"""Which part of a file's rasters a command looks at."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlm_snn.exchange.known_formats import endings
from dlm_snn.verbs.exchange_options import (
    add_exchange_options,
    add_simulator,
    chosen_simulator,
    exchange_options,
)

if TYPE_CHECKING:
    from dlm_snn.exchange.format import Stored
    from dlm_snn.runs.raster import SpikeRaster


_PART = frozenset({"begin", "end", "trials"})
"""Options that choose a part of a file."""


def span(text: str) -> slice:
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


def several(known: Collection[str]) -> Callable[[str], list[str]]:
    """How a list of known names with commas between is parsed; each is taken once."""

    def names(text: str) -> list[str]:
        given = [name.strip() for name in text.split(",")]
        for name in given:
            if name not in known:
                raise ArgumentTypeError(f"'{name}' is none of {', '.join(known)}")
        return list(dict.fromkeys(given))

    return names


def kinds_of_rasters() -> str:
    """What a command about rasters takes, in words."""
    others = ", ".join(endings("rasters", ours=False))
    return f"a raster (.npz, .raster), {others}, a folder of them, or a run"


@dataclass(frozen=True)
class Selected:
    """What was read, and the part of it that was asked for.

    Attributes:
        path: where it lies.
        stored: all that lies there.
        rasters: population -> the selected part of its raster, numbered from 0; never empty.
        start: population -> step of the whole at which the part begins, for axes in time.
        samples: the samples that were selected.
        neurons: the neurons that were selected.
    """

    path: Path
    stored: Stored
    rasters: Mapping[str, SpikeRaster]
    start: Mapping[str, int]
    samples: slice
    neurons: slice

    @property
    def told(self) -> list[str]:
        """What the reader says of the file, and what it did to times off the grid; a line each."""
        moved = self.stored.moved
        return [*self.stored.notes, *([str(moved)] if moved.events or moved.merged else ())]

    def numbers(self, population: str) -> range:
        """The selected neurons by their numbers in the file."""
        first = self.neurons.indices(self.stored.rasters[population].n_neurons)[0]
        return range(first, first + self.rasters[population].n_neurons)

    def of_neurons(self, told: Mapping[str, Sequence[Any]], population: str) -> list[Any] | None:
        """What the file tells of each selected neuron, such as ``stored.unit_ids``; None where it tells nothing."""
        own, numbers = told.get(population, ()), self.numbers(population)
        return [own[k] for k in numbers] if own and numbers.stop <= len(own) else None

    def called(self, population: str) -> list[str]:
        """Each selected neuron by its number in the file, and by the unit that the file names."""
        units = self.of_neurons(self.stored.unit_ids, population)
        numbers = map(str, self.numbers(population))
        return list(numbers) if units is None else [f"{k} (unit {u})" for k, u in zip(numbers, units, strict=True)]


def add_selection(parser: ArgumentParser) -> None:
    """FILE|RUN, --population, --from, --to, --trials, --neurons, --simulator, and what files of others leave open."""
    parser.add_argument("file", type=Path, metavar="FILE|RUN", help=kinds_of_rasters())
    parser.add_argument(
        "--population", action="append", metavar="NAME", help="only this one; may be given several times"
    )
    parser.add_argument("--neurons", type=span, metavar="FIRST:LAST", help="only these neurons")
    add_simulator(parser)
    add_exchange_options(parser, trials=span)


def selected(arguments: Namespace) -> Selected:
    """Read the file and take the selected part.

    Raises:
        MissingError, DlmError: nothing there, no raster, or nothing in the selection; each names the file.
    """
    from dlm_snn.errors import DlmError, OwnStepsError
    from dlm_snn.exchange.formats import read_path

    path: Path = arguments.file
    cut = _cut_by_us(arguments, path)
    simulator = chosen_simulator(arguments, path)
    try:
        stored = read_path(path, exchange_options(arguments, path, without=cut), simulator)
    except OwnStepsError:
        if arguments.trials is True:
            raise
        cut = _PART
        stored = read_path(path, exchange_options(arguments, path, without=cut), simulator)
    if not stored.rasters:
        raise DlmError(f"{path} holds no rasters; give a raster, a recording or a run")
    samples = arguments.trials if isinstance(arguments.trials, slice) else slice(None)
    rasters, start = {}, {}
    for name in chosen_populations(stored.rasters, arguments.population, path):
        raster = stored.rasters[name]
        steps = _steps(raster, arguments, path) if "begin" in cut else slice(None)
        part = {"--trials": samples, "--from and --to": steps, "--neurons": arguments.neurons or slice(None)}
        for (option, chosen), extent in zip(part.items(), raster.extent, strict=True):
            first, last, _ = chosen.indices(extent)
            if extent and first >= last:
                raise DlmError(_nothing(option, name, path, raster, arguments))
        rasters[name] = raster[tuple(part.values())]
        start[name] = steps.indices(raster.n_steps)[0]
    return Selected(path, stored, rasters, start, samples, arguments.neurons or slice(None))


def _nothing(option: str, name: str, path: Path, raster: SpikeRaster, arguments: Namespace) -> str:
    """That an option leaves nothing: times in seconds, as they were asked for."""
    begin, end = arguments.begin, arguments.end
    if option == "--trials":
        return f"--trials leaves nothing of '{name}' in {path}, which has 0..{raster.n_samples - 1}"
    if option == "--neurons":
        return f"--neurons leaves nothing of '{name}' in {path}, which has 0..{raster.n_neurons - 1}"
    if begin is not None and end is not None and end <= begin:
        return f"{path}: --to {end:g} is not after --from {begin:g}; both are seconds"
    given = " ".join(f"{word} {t:g}" for word, t in (("--from", begin), ("--to", end)) if t is not None)
    length, step = raster.n_steps * raster.dt, raster.dt
    return f"{given} leaves nothing of '{name}' in {path}, which lasts {length:g} s in steps of {step:g} s"


def chosen_populations(rasters: Mapping[str, Any], names: list[str] | None, path: Path) -> list[str]:
    """The populations that were named, or all.

    Raises:
        DlmError: one that is not there.
    """
    from dlm_snn.errors import DlmError, nearest

    for name in names or ():
        if name not in rasters:
            raise DlmError(f"{path} has no '{name}'; {nearest(name, rasters)}")
    return list(dict.fromkeys(names)) if names else list(rasters)


def _cut_by_us(arguments: Namespace, path: Path) -> frozenset[str]:
    """Options that the file's reader does not know, so that the selection is taken from the whole raster."""
    from dlm_snn.exchange.known_formats import format_at

    known = None if path.is_dir() and not (path.suffix and format_at(path)) else format_at(path)
    taken = set(known.options) if known else set()
    cut = {"begin", "end"} - taken
    if "trials" not in taken and isinstance(arguments.trials, slice):
        cut.add("trials")
    return frozenset(cut)


def _steps(raster: Any, arguments: Namespace, path: Path) -> slice:
    """--from and --to in seconds as steps of a raster."""
    from dlm_snn.errors import DlmError

    bounds = []
    for option, seconds in (("--from", arguments.begin), ("--to", arguments.end)):
        if seconds is not None and not 0 <= seconds < float("inf"):
            raise DlmError(f"{option} {seconds} for {path} is no time in seconds from 0 on")
        bounds.append(None if seconds is None else round(seconds / raster.dt))
    return slice(*bounds)
