"""``dlm-snn export``: a run, a network or rasters in a format of others."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from dlm_snn.exchange.format import Options
from dlm_snn.exchange.known_formats import endings, format_of
from dlm_snn.verbs.exchange_options import add_simulator, chosen_simulator
from dlm_snn.verbs.verb import Verb, add_replace


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", type=Path, help="a run, a recording, a network or rasters")
    parser.add_argument("--to", required=True, choices=_written(), help=_told())
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: SOURCE's name with the format's ending")
    add_replace(parser, "a file of ours, of the same format and")
    parser.add_argument(
        "--dt",
        type=float,
        metavar="SECONDS",
        help="a step in NIR (default: 0.001), or of a SOURCE that does not tell it",
    )
    add_simulator(parser)


def _written(*holds: str) -> list[str]:
    return [ending[1:] for ending in endings(*holds, written=True, ours=False)]


def _told() -> str:
    kinds = {"floats": "float", "integers": "integer", "rasters": "rasters"}
    return "; ".join(f"{', '.join(_written(holds))}: {word}" for word, holds in kinds.items())


def _run(arguments: Namespace) -> int:
    from dlm_snn.errors import DlmError
    from dlm_snn.exchange.formats import read_path, write_rasters
    from dlm_snn.files.atomic import check

    source, kind = arguments.source, arguments.to
    out = arguments.out or Path(f"{source.resolve().name}.{kind}")
    if out.suffix != f".{kind}":
        raise DlmError(f"--out {out} does not end in .{kind}")
    known = format_of(out)
    if known is None or known.writer is None:
        raise DlmError(f"cannot write {out}; give --to one of {', '.join(_written())}")
    check(out, known.writer.kind(), arguments.replace)
    simulator = chosen_simulator(arguments, source)
    if known.holds == "rasters":
        rasters = read_path(source, Options(arguments.dt), simulator).rasters
        if not rasters:
            raise DlmError(f"{source} holds no rasters; export a run, a recording or a raster")
        other = next((r.dt for r in rasters.values() if arguments.dt not in (None, r.dt)), None)
        if other is not None:
            raise DlmError(f"{source} has steps of {other!r} s, not of --dt {arguments.dt!r} s; leave it out")
        write_rasters(rasters, out, arguments.replace)
        print(f"{sum(map(len, rasters.values()))} spikes of {', '.join(rasters)}: {out}")
        return 0
    network = _network(source, known.holds, arguments.dt)
    known.writer.write(network, out, arguments.replace, arguments.dt)
    print(f"network of {len(network.populations)} populations: {out}")
    return 0


def _network(source: Path, holds: str, dt: float | None) -> Any:
    """A run has a network of floats and one of integers."""
    from dlm_snn.errors import DlmError
    from dlm_snn.exchange.formats import read_path
    from dlm_snn.runs.run_folder import is_run, read_network

    if is_run(source):
        return read_network(source, "integer" if holds == "integer" else "float")
    network = read_path(source, Options(dt)).network
    if network is None:
        raise DlmError(f"{source} holds no network; export a run, a recording or a network")
    return network


export = Verb(
    f"write a run, a network or rasters in a format of others ({', '.join(endings(written=True, ours=False))})",
    _arguments,
    _run,
)
