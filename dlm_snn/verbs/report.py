"""``dlm-snn report``: write the report of a run again."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from dlm_snn.verbs.verb import Verb


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", type=Path, help="the folder of a run")


def _run(arguments: Namespace) -> int:
    from dlm_snn.report import write_report

    print(f"report: {write_report(arguments.run)}")
    return 0


report = Verb("write the report of a run again", _arguments, _run)
