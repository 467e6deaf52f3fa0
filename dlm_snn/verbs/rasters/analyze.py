"""``dlm-snn analyze``: estimators over the rasters of a file or a run."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from dlm_snn.verbs.rasters.selection import Selected, add_selection, selected, several
from dlm_snn.verbs.verb import Verb, add_replace

if TYPE_CHECKING:
    from dlm_snn.verbs.rasters.analyses.outcome import Outcome
    from dlm_snn.verbs.rasters.answers import Answer

WHAT = {
    "spectrum": "slope of the spectrum of the population's rate, above the white noise of its spikes",
    "criticality": "branching ratio, avalanche exponents, and whether they agree",
    "stability": "how a difference of one spike grows or dies, and periods",
    "information": "what spikes tell about labels, other layers and each other",
    "irreversibility": "time's arrow in words of spikes",
}
"""Name of an analysis -> what it finds, in a line; ``analyses/NAME.py`` has ``analyze(selected, population, rng)``."""
FORMATS = ("png", "svg")


def _arguments(parser: ArgumentParser) -> None:
    add_selection(parser)
    told = "; ".join(f"{name}: {text}" for name, text in WHAT.items())
    parser.add_argument("--what", type=several(WHAT), metavar="NAME,...", help=f"{told} (default: all that apply)")
    parser.add_argument("--seed", type=int, default=0, help="of surrogates and resampling (default: 0)")
    parser.add_argument("--json", action="store_true", help="print the table as JSON")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write table.csv, table.json and the figures there")
    parser.add_argument("--format", choices=FORMATS, help="of the figures (default: both)")
    add_replace(parser, "an analysis")


def _run(arguments: Namespace) -> int:
    from dlm_snn.errors import DlmError
    from dlm_snn.files.atomic import check
    from dlm_snn.verbs.rasters import answers

    if arguments.out is None and (arguments.replace or arguments.format):
        raise DlmError(f"--{'replace' if arguments.replace else 'format'} is for --out; give --out FOLDER too")
    if arguments.seed < 0:
        raise DlmError(f"--seed {arguments.seed} is below 0; give a whole number from 0 on")
    if arguments.out is not None:
        check(arguments.out, answers.ANALYSIS, arguments.replace)
    part = selected(arguments)
    found = [_answer(part, name, what, arguments) for name in part.rasters for what in arguments.what or WHAT]
    head = {"file": str(arguments.file), "seed": arguments.seed, "notes": part.told}
    print(answers.as_json(found, head) if arguments.json else answers.as_text(found, part.told))
    if arguments.out is not None:
        formats = [arguments.format] if arguments.format else FORMATS
        answers.write(found, head, arguments.out, formats, arguments.replace)
        if not arguments.json:
            print(f"written: {arguments.out}")
    return 0


def _answer(part: Selected, population: str, what: str, arguments: Namespace) -> Answer:
    """One analysis of one population; what does not apply is told, and refused only where it was asked for."""
    import numpy as np

    from dlm_snn.errors import DlmError
    from dlm_snn.verbs.rasters.answers import Answer

    module = import_module(f"dlm_snn.verbs.rasters.analyses.{what}")
    try:
        outcome: Outcome = module.analyze(part, population, np.random.default_rng(arguments.seed))
    except DlmError as error:
        if arguments.what:
            raise DlmError(f"'{population}' in {part.path}: {error}") from error
        return Answer(population, what, None, str(error))
    return Answer(population, what, outcome)


analyze = Verb("estimate slopes, criticality, stability, information and time's arrow", _arguments, _run)
