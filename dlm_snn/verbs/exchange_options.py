"""Options for files that do not tell everything."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Container
from pathlib import Path
from typing import Any

from dlm_snn.exchange.format import Options
from dlm_snn.exchange.known_formats import formats, kind_at
from dlm_snn.exchange.session_formats import BY_CONTENT

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


def columns(text: str) -> dict[str, str]:
    """MEANING=NAME with commas between."""
    pairs = [part.partition("=") for part in text.split(",")]
    found = {meaning.strip(): name.strip() for meaning, _, name in pairs}
    if len(found) < len(pairs) or not all(meaning and name for meaning, name in found.items()):
        raise ArgumentTypeError(f"'{text}' is not a list such as time=NAME,unit=NAME")
    return found


_SECONDS = {"type": float, "metavar": "SECONDS"}
_OPTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "dt": ("a step ({})", _SECONDS),
    "input_shape": ("of the input ({})", {"type": numbers, "metavar": "C,H,W"}),
    "graded_bits": ("of the input's events ({})", {"type": int, "metavar": "B"}),
    "scale": ("of the input: real value = integer / scale ({})", {"type": float, "metavar": "X"}),
    "signed": ("the input's integers have a sign ({})", {"action": "store_true"}),
    "reset_interval": ("after which all states are reset ({})", {"type": int, "metavar": "STEPS"}),
    "num_layers": ("the first of a file only ({})", {"type": int, "metavar": "N"}),
    "skip_layers": ("left out at the beginning of a file ({})", {"type": int, "metavar": "N"}),
    "extra_steps": ("import feedback with the steps it takes ({})", {"action": "store_true"}),
    "reset": ("of the neurons ({}; default: zero, told)", {"choices": ("zero", "subtract")}),
    "start": ("on the recording's clock, of step 0 ({})", _SECONDS),
    "begin": ("on the recording's clock, of step 0; earlier spikes are left out ({})", _SECONDS),
    "end": ("on the recording's clock, at which the raster ends ({})", _SECONDS),
    "trials": ("a sample for each trial of the recording ({})", {"action": "store_true"}),
    "shape": ("of the camera ({}; default: the file's, of N-MNIST 2,34,34)", {"type": three, "metavar": "P,H,W"}),
    "chip": ("of a camera that AEDAT 2.0 does not name: DVS128, DAVIS240, ... ({})", {"metavar": "NAME"}),
    "columns": (
        "what a table calls time and unit, and population and sample where it has them ({})",
        {"type": columns, "metavar": "time=NAME,unit=NAME"},
    ),
    "time_unit": (
        "of the times of a table or array ({}; default: s in a table of fractions, us in an array of whole ones)",
        {"choices": ("s", "ms", "us", "ns")},
    ),
    "sample_rate": ("of the recording's clock, whose samples its times count ({})", {"type": float, "metavar": "HZ"}),
    "extent": ("samples, steps and neurons ({})", {"type": three, "metavar": "S,T,N"}),
}
"""Each option: its help, and how it is parsed."""


_PART = {
    "begin": "seconds from the beginning, or on the recording's clock; what is earlier is left out",
    "end": "seconds from the beginning, or on the recording's clock, at which the part ends",
    "trials": "only these trials (samples); alone, for a recording: one sample for each trial",
}
"""What cuts a part out of every file."""
_WORDS = {"begin": "from", "end": "to"}
"""What Python has other words for."""


def _option(name: str) -> str:
    return f"--{_WORDS.get(name, name).replace('_', '-')}"


def _endings(option: str) -> tuple[str, ...]:
    """Of the formats that leave an option open."""
    kinds = {**formats(), **{name: known.format for name, known in BY_CONTENT.items()}}
    return tuple(kind for kind, known in kinds.items() if option in known.options)


def add_exchange_options(parser: ArgumentParser, trials: Callable[[str], slice] | None = None) -> None:
    """What files of others leave open.

    Args:
        parser: of the verb.
        trials: how a range of trials is parsed, for a verb that looks at a part: --from, --to and --trials are then
            for every file.
    """
    group = parser.add_argument_group("what a file of others does not tell")
    part = group if trials is None else parser.add_argument_group("the part of the file to look at")
    for name, (text, parsed) in _OPTIONS.items():
        if trials is not None and name in _PART:
            part.add_argument(_option(name), dest=name, help=_PART[name], **_parsed(name, trials))
        else:
            group.add_argument(_option(name), dest=name, help=text.format(", ".join(_endings(name))), **parsed)


def _parsed(name: str, trials: Callable[[str], slice]) -> dict[str, Any]:
    ranged = {"nargs": "?", "const": True, "default": False, "type": trials, "metavar": "FIRST:LAST"}
    return ranged if name == "trials" else dict(_SECONDS)


def exchange_options(arguments: Namespace, *paths: Path, without: Container[str] = ()) -> Options:
    """The options that were given for files.

    Args:
        arguments: of the command line.
        paths: of the files.
        without: options that the verb itself answers for these files.

    Raises:
        DlmError: an option that says nothing about any of them.
    """
    from dlm_snn.errors import DlmError

    given: dict[str, Any] = {name: None if name in without else getattr(arguments, name) for name in _OPTIONS}
    given["trials"] = bool(given["trials"])
    kinds, known = [kind_at(path) for path in paths], {*formats(), *BY_CONTENT}
    for name in _OPTIONS:
        open_to = _endings(name)
        # What is of no known kind is refused by its reader; a folder may hold anything.
        silent = not any(kind in open_to or kind not in known for kind in kinds)
        if given[name] is not None and given[name] is not False and silent:
            raise DlmError(f"{_option(name)} is for {', '.join(open_to)}, not for {' and '.join(kinds)}; leave it out")
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
