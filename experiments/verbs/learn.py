"""The verb ``learn``: a continual learner through a protocol, or through a stream of recordings."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from dlm_snn.verbs.verb import Verb
from experiments.verbs.shared import run_arguments, run_entries


def _learn_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--protocol", metavar="NAME", help="P1 to P6, digits, clusters, split/DATASET, or a full name")
    parser.add_argument("--stream", action="store_true", help="in place of a protocol: camera recordings, one by one")
    parser.add_argument(
        "--learner",
        required=True,
        metavar="NAME",
        help="columns, readout, ewc, kept, ...: see docs/continual.md; or FILE.py:CLASS of your own",
    )
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", help="of the learner; repeatable")
    run_arguments(parser)


def _learn(arguments: Namespace) -> int:
    from dlm_snn.errors import DlmError

    if arguments.stream:
        from experiments.harness.stream import stream_table

        return stream_table(arguments)
    if arguments.protocol is None:
        raise DlmError("learn needs --protocol NAME, or --stream; 'dlm-snn learn --help' names the protocols")
    from dlm_snn.config import parsed_override
    from experiments.harness.cells import Entry, short_name

    options = dict(parsed_override(text) for text in arguments.set)
    seeds = range(1 if arguments.seeds is None else arguments.seeds)
    entry = Entry(short_name(arguments.protocol), arguments.learner, options)
    learner = Path(arguments.learner).name
    name = " ".join([learner, *arguments.set])
    return run_entries(arguments, {name: entry}, seeds, f"{entry.protocol}-{learner}")


learn = Verb(
    "a continual learner through a protocol of tasks; finished seeds are not run again", _learn_arguments, _learn
)
