"""Options for files that do not tell everything."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlm_snn.exchange.formats import Options

SIMULATOR = "reference"
"""Whose rasters of a run, where none is named."""


def numbers(text: str) -> tuple[int, ...]:
    """Whole numbers with commas between."""
    try:
        values = tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise ArgumentTypeError(f"'{text}' is not a list of whole numbers such as 1,28,28") from error
    if min(values) < 1:
        raise ArgumentTypeError(f"'{text}' holds a number below 1")
    return values


def three(text: str) -> tuple[int, ...]:
    """Three whole numbers."""
    values = numbers(text)
    if len(values) != 3:
        raise ArgumentTypeError(f"'{text}' holds {len(values)} numbers, not 3")
    return values


def add_exchange_options(parser: ArgumentParser) -> None:
    """What files of others leave open."""
    group = parser.add_argument_group("what a file of others does not tell")
    group.add_argument("--dt", type=float, metavar="SECONDS", help="a step (.nir, .nwb, .csv, .bs2, .bin, .aedat4)")
    group.add_argument("--input-shape", type=numbers, metavar="C,H,W", help="of the input (.net)")
    group.add_argument("--graded-bits", type=int, metavar="B", help="of the input's events (.net)")
    group.add_argument("--reset-interval", type=int, metavar="STEPS", help="after which all states are reset (.net)")
    group.add_argument("--extra-steps", action="store_true", help="import feedback with the steps it takes (.nir)")
    group.add_argument("--reset", choices=("zero", "subtract"), help="of the neurons (.nir; default: zero, told)")
    group.add_argument("--start", type=float, metavar="SECONDS", help="on the recording's clock, of step 0 (.nwb)")
    group.add_argument("--shape", type=three, metavar="P,H,W", help="of the camera (.bs2, .bin; default: 2,34,34)")
    group.add_argument("--extent", type=three, metavar="S,T,N", help="samples, steps and neurons (.csv)")


_FORMATS = {
    "dt": (".nir", ".nwb", ".csv", ".bs2", ".bin", ".aedat4"),
    "input_shape": (".net",),
    "graded_bits": (".net",),
    "reset_interval": (".net",),
    "extra_steps": (".nir",),
    "reset": (".nir",),
    "start": (".nwb",),
    "shape": (".bs2", ".bin"),
    "extent": (".csv",),
}
"""Each option, and the formats that leave it open."""


def exchange_options(arguments: Namespace, *paths: Path) -> Options:
    """The options that were given for files.

    Raises:
        DlmError: an option that says nothing about any of them.
    """
    from dlm_snn.errors import DlmError
    from dlm_snn.exchange.formats import NETWORKS, RASTERS, Options

    given = {name: getattr(arguments, name) for name in _FORMATS}
    kinds = [path.suffix for path in paths]
    for name, formats in _FORMATS.items():
        # What is of no known kind is refused by its reader; a folder may hold anything.
        silent = not any(kind in formats or kind not in (*NETWORKS, *RASTERS) for kind in kinds)
        if given[name] is not None and given[name] is not False and silent:
            option = f"--{name.replace('_', '-')}"
            raise DlmError(f"{option} is for {', '.join(formats)}, not for {' and '.join(kinds)}; leave it out")
    return Options(**given)


def add_simulator(parser: ArgumentParser) -> None:
    """Whose rasters of a run."""
    parser.add_argument("--simulator", metavar="NAME", help=f"whose rasters of a run (default: {SIMULATOR})")


def chosen_simulator(arguments: Namespace, *paths: Path) -> str:
    """The simulator that was given, or the default.

    Raises:
        DlmError: one was given, and none of the paths is a run.
    """
    from dlm_snn.errors import DlmError
    from dlm_snn.runs.run_folder import is_run

    if arguments.simulator is None:
        return SIMULATOR
    if not any(is_run(path) for path in paths):
        told = " and ".join(map(str, paths))
        raise DlmError(f"--simulator {arguments.simulator} chooses among the rasters of a run, and {told} is none")
    return str(arguments.simulator)
