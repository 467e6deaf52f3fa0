"""``dlm-snn analyze``: estimators over the rasters of a file or a run."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from importlib import import_module
from typing import TYPE_CHECKING

from dlm_snn.verbs.rasters.selection import add_selection, selected
from dlm_snn.verbs.verb import Verb

if TYPE_CHECKING:
    from dlm_snn.verbs.rasters.analyses.outcome import Outcome

WHAT: dict[str, str] = {}
"""Name of an analysis -> what it finds, in a line; ``analyses/NAME.py`` has ``analyze(selected, population, rng)``."""


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in WHAT:
            raise ArgumentTypeError(f"'{name}' is none of {', '.join(WHAT)}")
    return list(dict.fromkeys(names))


def _arguments(parser: ArgumentParser) -> None:
    add_selection(parser)
    told = "; ".join(f"{name}: {text}" for name, text in WHAT.items())
    parser.add_argument("--what", type=_names, default=list(WHAT), metavar="NAME,...", help=told or "analyses")
    parser.add_argument("--seed", type=int, default=0, help="of surrogates and resampling (default: 0)")


def _run(arguments: Namespace) -> int:
    import numpy as np

    part = selected(arguments)
    for name in part.rasters:
        for what in arguments.what:
            outcome: Outcome = import_module(f"dlm_snn.verbs.rasters.analyses.{what}").analyze(
                part, name, np.random.default_rng(arguments.seed)
            )
            for finding in outcome.findings:
                print(f"{name}: {finding}")
    return 0


analyze = Verb("estimate slopes, criticality, stability, information and time's arrow", _arguments, _run)
