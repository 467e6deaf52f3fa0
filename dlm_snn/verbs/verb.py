"""What a verb of the command line is: the object behind an entry point of the group ``dlm_snn.verbs``."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

DEBUG_HELP = "show the traceback of an error"


def add_replace(parser: ArgumentParser, what: str) -> None:
    """Add --replace.

    Args:
        parser: of the verb.
        what: the kind of the result, in words.
    """
    parser.add_argument("--replace", action="store_true", help=f"let {what} of that name give way")


def add_debug(parser: ArgumentParser) -> None:
    """Add --debug; the shell looks for it among the words, wherever it stands."""
    parser.add_argument("--debug", action="store_true", help=DEBUG_HELP)


def inside(folder: Path, option: str, name: str) -> Path:
    """The folder of a name within another one.

    Raises:
        DlmError: a name that leads elsewhere.
    """
    from dlm_snn.errors import DlmError

    if name in ("", "..") or Path(name).name != name:
        raise DlmError(f"{option} '{name}' is not the name of a folder; give one without '/'")
    return folder / name


@dataclass(frozen=True)
class Verb:
    """One verb of ``dlm-snn``.

    Attributes:
        help: one line for the list of verbs.
        arguments: adds the verb's own arguments to its parser (``--help`` and ``--debug`` are there already).
        run: does the work and returns the exit code; None is 0. Bad input is a DlmError.
    """

    help: str
    arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int | None]
