"""What a verb of the command line is: the object behind an entry point of the group ``dlm_snn.verbs``."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass


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
