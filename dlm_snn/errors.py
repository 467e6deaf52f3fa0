"""What users are told: errors in one line that names the thing, the value and the remedy; counts; warnings."""

from __future__ import annotations

import difflib
import re
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


class DivergenceError(DlmError):
    """Values that left what is finite, or all measure, while something was computed step by step.

    Attributes:
        found: what did, without the remedy.
        layer: where, counted from 0.
    """

    def __init__(self, found: str, remedy: str, layer: int = 0) -> None:
        super().__init__(f"{found}; {remedy}")
        self.found = found
        self.layer = layer


class UnlikeError(DlmError):
    """Two things have not the same parts or extents: they differ, and cannot be compared further."""


class OwnStepsError(DlmError):
    """A file that has steps and samples was asked for a part by a recording's clock or trials."""


class MissingError(DlmError):
    """A package, file or dataset that is not there."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint ``(did you mean 'x'?)`` for a misspelled name, or the list of known names."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"did you mean '{close[0]}'?"
    return "known: " + ", ".join(names)


def how_many(n: int, things: str) -> str:
    """A count and what is counted, given in the plural: ``1 step per sample``, ``2,000 steps per sample``."""
    if n != 1:
        return f"{n:,} {things}"
    noun, *rest = re.split(r"(?= (?:at|in|of|per) )", things, maxsplit=1)
    for plural, singular in (("ies", "y"), ("sses", "ss"), ("s", "")):
        if noun.endswith(plural):
            return f"1 {noun.removesuffix(plural)}{singular}{''.join(rest)}"
    return f"1 {things}"


class LossWarning(UserWarning):
    """What an import or export changed: nothing of it goes without saying."""


class RangeWarning(UserWarning):
    """An accumulator of an integer network left its range: what follows is what the target would compute."""


class StimulusWarning(UserWarning):
    """A stimulus that fits the network, in a form that was perhaps not meant."""


class DivergenceWarning(UserWarning):
    """A training that ended no better than guessing, since its steps were too large."""
