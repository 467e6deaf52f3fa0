"""Errors that a user can act on: one line that names the thing, the value and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class DlmError(ValueError):
    """A request that cannot be met; its message is the one line the command line prints (exit code 2)."""


class UnsupportedError(DlmError):
    """What a target, a format or a backend cannot do, refused by name."""

    def __init__(self, target: str, thing: str, remedy: str) -> None:
        super().__init__(f"{target} cannot do {thing}; {remedy}")
        self.target = target
        self.thing = thing
        self.remedy = remedy


class FaultError(RuntimeError):
    """A fault of the program in another process; its message is the line for the command line (exit code 3)."""


class MissingError(DlmError):
    """A package, file or dataset that is not there."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint ``(did you mean 'x'?)`` for a misspelt name, or the list of known names."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"did you mean '{close[0]}'?"
    return "known: " + ", ".join(names)


class LossWarning(UserWarning):
    """What an import or export changed: nothing of it goes without saying."""


class RangeWarning(UserWarning):
    """An accumulator of an integer network left its range: what follows is what the target would compute."""


class StimulusWarning(UserWarning):
    """A stimulus that fits the network, in a form that was perhaps not meant."""
