"""``dlm-snn import``: networks and recordings of others."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dlm_snn.exchange.known_formats import endings, format_at, recordings
from dlm_snn.exchange.session_formats import BY_CONTENT
from dlm_snn.verbs.exchange_options import add_exchange_options, exchange_options
from dlm_snn.verbs.verb import Verb, add_replace


def _arguments(parser: ArgumentParser) -> None:
    networks = ", ".join(endings("float", "integer", ours=False)).replace(".net", ".net of lava-dl")
    kinds = f"a network ({networks}) or recording ({', '.join(recordings())})"
    own = "or FILE.py:NAME, a function that returns a torch module and a sample"
    parser.add_argument("file", type=Path, help=f"{kinds}; {own}")
    parser.add_argument(
        "--out", type=Path, metavar="NAME", help="network NAME.json, or folder of rasters (default: FILE's name)"
    )
    add_replace(parser, "a network, or a folder of rasters,")
    add_exchange_options(parser)


def _run(arguments: Namespace) -> int:
    from dlm_snn.errors import DlmError, how_many
    from dlm_snn.exchange.formats import read_path, unknown, write_rasters
    from dlm_snn.files.reading import regular_file
    from dlm_snn.networks import artifact

    path = arguments.file
    if ".py:" in path.name:
        return _import_module(arguments)
    known = format_at(path)
    if known is not None and known.ours:
        if path.suffix == ".npz":
            _check_raster(path)
        raise DlmError(f"{path} is a file of ours already; nothing to import")
    if path.is_dir() and (known is None or not known.folder):
        raise DlmError(f"{path} is a folder, and none of phy or spikeinterface; give one of its files")
    if not path.is_dir():
        regular_file(path, f"no file {path}; give a network or recording of others")
    if path.suffix == ".py":
        raise DlmError(
            f"{path} is a Python file; give {path.name}:NAME, a function there that returns (module, sample)"
        )
    if known is None:
        raise unknown(path, (*endings(ours=False), *BY_CONTENT))
    out = arguments.out or Path(f"{path.resolve().name}-rasters" if path.is_dir() else path.stem)
    _check(known.holds, out, arguments.replace)
    found = read_path(path, exchange_options(arguments, path))
    if found.network is not None:
        written = artifact.save(found.network, out, arguments.replace)
        _tell(found.network, found.notes)
        print(f"network: {written}")
        return 0
    labels = found.labels(found.rasters)
    write_rasters(found.rasters, out, arguments.replace, labels)
    for name, raster in found.rasters.items():
        samples, steps, neurons = map(how_many, raster.extent, ("samples", "steps", "neurons"))
        print(f"{name}: {how_many(len(raster), 'spikes')} of {neurons}, {samples} x {steps} of {raster.dt:g} s")
    for note in found.notes:
        print(note)
    if labels and out.suffix:
        print(f"{out} has no place for {', '.join(labels)}; a folder keeps them in units.json")
    print(f"{found.moved}; rasters: {out}")
    return 0


def _tell(network: Any, notes: Iterable[str]) -> None:
    """A network, a line a part, and what is to be said of it."""
    for name, population in network.populations.items():
        print(f"{name}: {type(population).__name__} {population.shape}")
    for projection in network.projections:
        connection = projection.connection
        print(f"{projection.name}: {type(connection).__name__} ({connection.n_post}, {connection.n_pre})")
    for note in notes:
        print(note)


def _import_module(arguments: Namespace) -> int:
    """A torch module, with its proof."""
    from dlm_snn.errors import DlmError
    from dlm_snn.exchange.format import NONE_GIVEN
    from dlm_snn.exchange.torch_modules.from_file import WHAT, imported_from, proof_of
    from dlm_snn.files.own_files import own_file
    from dlm_snn.networks import artifact
    from dlm_snn.networks.network import Network

    if exchange_options(arguments, arguments.file) != NONE_GIVEN:
        raise DlmError(f"{arguments.file} is a torch module, which tells everything; leave the options out")
    own = own_file(str(arguments.file), WHAT)
    if own is None:
        raise DlmError(f"{arguments.file} is not FILE.py:NAME; give {WHAT}")
    out = arguments.out or Path(own.path.stem)
    artifact.check(out, Network, arguments.replace, proof=True)
    imported = imported_from(own)
    written = artifact.save(imported.network, out, arguments.replace, proof=proof_of(own, imported))
    _tell(imported.network, str(imported.proof).splitlines())
    print(f"network: {written}")
    return 0


def _check_raster(path: Path) -> None:
    """An npz of ours needs no import, another one has none."""
    from dlm_snn.errors import DlmError
    from dlm_snn.files.packed import listed, npz_names
    from dlm_snn.runs.events import EVENT
    from dlm_snn.runs.raster_files import NUMBERS

    names = npz_names(path)
    if not {*EVENT, *NUMBERS} <= set(names):
        raise DlmError(
            f"{path} holds {listed(names)}; a raster holds {', '.join((*EVENT, *NUMBERS))}. For events of a camera "
            "write Python: dlm_snn.exchange.from_events"
        )


def _check(holds: str, out: Path, replace: bool) -> None:
    """Refuse a result that could not be written, before anything is read."""
    from dlm_snn.exchange.formats import written_kind
    from dlm_snn.files.atomic import check
    from dlm_snn.networks import artifact
    from dlm_snn.networks.network import IntegerNetwork, Network

    if holds == "rasters":
        check(out, written_kind(out), replace)
    else:
        artifact.check(out, IntegerNetwork if holds == "integer" else Network, replace)


import_ = Verb(
    f"read a network or recording of others ({', '.join((*endings(ours=False), *BY_CONTENT))})", _arguments, _run
)
