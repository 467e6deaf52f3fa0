"""``dlm-snn raster``: look at rasters, convert them, cut parts out, analyze and draw them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from dlm_snn.verbs.rasters.exchanged import convert, cut, info
from dlm_snn.verbs.rasters.plot import plot
from dlm_snn.verbs.rasters.stats import stats
from dlm_snn.verbs.rasters.view import view
from dlm_snn.verbs.verb import Verb, add_debug

ACTIONS = {"info": info, "convert": convert, "cut": cut, "stats": stats, "plot": plot, "view": view}
"""Name of an action -> what it is; each is written as a verb."""


def _arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="|".join(ACTIONS))
    for name, action in ACTIONS.items():
        own = actions.add_parser(name, help=action.help, description=action.help, allow_abbrev=False)
        action.arguments(own)
        add_debug(own)


def _run(arguments: Namespace) -> int | None:
    return ACTIONS[arguments.action].run(arguments)


raster = Verb("look at rasters, convert them, cut parts out, statistics", _arguments, _run)
