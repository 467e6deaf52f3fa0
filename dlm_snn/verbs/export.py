"""``dlm-snn export``: a run, a network or rasters in a format of others."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from dlm_snn.verbs.exchange_options import add_simulator, chosen_simulator
from dlm_snn.verbs.verb import Verb, add_replace

FORMATS = ("nir", "net", "nwb", "csv")
DT = 1e-3
"""Seconds a step in NIR, where nothing else is told."""


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", type=Path, help="a run, a recording, a network or rasters")
    parser.add_argument("--to", required=True, choices=FORMATS, help="nir: floats; net: integers; nwb, csv: rasters")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: SOURCE's name with the format's ending")
    add_replace(parser, "a file of ours, of the same format and")
    parser.add_argument(
        "--dt",
        type=float,
        metavar="SECONDS",
        help="a step in NIR (default: 0.001), or of a SOURCE that does not tell it",
    )
    add_simulator(parser)


def _run(arguments: Namespace) -> int:
    from dlm_snn.errors import DlmError
    from dlm_snn.exchange.formats import Options, stored, write_rasters
    from dlm_snn.files.atomic import check

    source, kind = arguments.source, arguments.to
    out = arguments.out or Path(f"{source.resolve().name}.{kind}")
    if out.suffix != f".{kind}":
        raise DlmError(f"--out {out} does not end in .{kind}")
    check(out, _written_kind(out), arguments.replace)
    simulator = chosen_simulator(arguments, source)
    if kind in ("nwb", "csv"):
        rasters = stored(source, Options(arguments.dt), simulator).rasters
        if not rasters:
            raise DlmError(f"{source} holds no rasters; export a run, a recording or a raster")
        other = next((r.dt for r in rasters.values() if arguments.dt not in (None, r.dt)), None)
        if other is not None:
            raise DlmError(f"{source} has steps of {other!r} s, not of --dt {arguments.dt!r} s; leave it out")
        write_rasters(rasters, out, arguments.replace)
        print(f"{sum(map(len, rasters.values()))} spikes of {', '.join(rasters)}: {out}")
        return 0
    network = _network(source, kind, arguments.dt)
    if kind == "nir":
        from dlm_snn.exchange.nir.writer import write_nir

        write_nir(network, out, DT if arguments.dt is None else arguments.dt, arguments.replace)
    else:
        from dlm_snn.exchange.netx.writer import write_net

        write_net(network, out, arguments.replace)
    print(f"network of {len(network.populations)} populations: {out}")
    return 0


def _written_kind(out: Path) -> Any:
    if out.suffix == ".nir":
        from dlm_snn.exchange.nir.writer import NIR

        return NIR
    if out.suffix == ".net":
        from dlm_snn.exchange.netx.writer import NET

        return NET
    from dlm_snn.exchange.formats import written_kind

    return written_kind(out)


def _network(source: Path, kind: str, dt: float | None) -> Any:
    """A run has a network of floats and one of integers."""
    from dlm_snn.errors import DlmError
    from dlm_snn.exchange.formats import Options, stored
    from dlm_snn.runs.run_folder import is_run, read_network

    if is_run(source):
        return read_network(source, "float" if kind == "nir" else "integer")
    network = stored(source, Options(dt)).network
    if network is None:
        raise DlmError(f"{source} holds no network; export a run, a recording or a network")
    return network


export = Verb("write a run, a network or rasters in a format of others (.nir, .net, .nwb, .csv)", _arguments, _run)
