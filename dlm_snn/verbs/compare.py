"""``dlm-snn compare``: two networks, two recordings, two runs or two rasters; a network and its torch module; a bundle
and what a board made of it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from dlm_snn.errors import how_many
from dlm_snn.exchange.known_formats import endings, format_of
from dlm_snn.verbs.exchange_options import add_exchange_options, add_simulator, chosen_simulator, exchange_options
from dlm_snn.verbs.verb import Verb

DIFFERENT = 1
TOLERANCE = "of u, v and of ties in float recordings, as a share of their scale (default: 1e-9)"


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("first", type=Path, help=_kinds())
    parser.add_argument("second", type=Path, nargs="?", help="another one")
    parser.add_argument("--module", metavar="FILE.py:NAME", help="instead: the module that a network was imported from")
    add_simulator(parser)
    parser.add_argument("--tolerance", type=float, metavar="SHARE", help=TOLERANCE)
    add_exchange_options(parser)


def _kinds() -> str:
    """What can be compared."""
    networks = ", ".join(endings("float", "integer", ours=False))
    rasters = ", ".join(endings("rasters", written=True))
    return (
        f"a network (NAME that 'dlm-snn train', 'convert' or 'import' wrote; {networks}), a folder of 'dlm-snn "
        f"simulate' or 'run', a raster ({rasters}), or a bundle of 'dlm-snn deploy' and what a board made of it"
    )


def _check(path: Path) -> None:
    """Refuse what is none of these."""
    from dlm_snn.errors import DlmError, MissingError

    if ".py:" in path.name:
        raise DlmError(f"{path} is a function; give the network that was imported from it, and --module {path}")
    if path.is_dir() or format_of(path) is not None or path.with_name(f"{path.name}.json").is_file():
        return
    if not path.exists():
        raise MissingError(f"nothing at {path}; give {_kinds()}")
    if path.suffix == ".py":
        raise DlmError(f"{path} is a Python file; give the network that was imported from it, and --module {path}:NAME")
    raise DlmError(f"{path} cannot be compared; give {_kinds()}")


def _run(arguments: Namespace) -> int:
    from dlm_snn.errors import DlmError, UnlikeError
    from dlm_snn.exchange.formats import read_path
    from dlm_snn.exchange.rasters.bundle import is_bundle

    for path in filter(None, (arguments.first, arguments.second)):
        _check(path)
    if arguments.module is not None:
        return _with_module(arguments)
    if any(path is not None and is_bundle(path) for path in (arguments.first, arguments.second)):
        return _with_bundle(arguments)
    if arguments.second is None:
        raise DlmError(f"{arguments.first} alone; give another one, or --module FILE.py:NAME")
    options = exchange_options(arguments, arguments.first, arguments.second)
    simulator = chosen_simulator(arguments, arguments.first, arguments.second)
    first, second = (read_path(path, options, simulator) for path in (arguments.first, arguments.second))
    second = _named_alike(first, second)
    if bool(first.rasters) != bool(second.rasters):
        raise DlmError(f"{arguments.first} and {arguments.second} are of two kinds; compare networks, or rasters")
    if arguments.tolerance is not None and (first.recording is None or second.recording is None):
        raise DlmError("--tolerance is for u and v, which recordings of 'dlm-snn simulate' have alone; leave it out")
    try:
        return 0 if _compared(first, second, arguments.tolerance) else DIFFERENT
    except UnlikeError as error:
        print(error)
        return DIFFERENT


def _with_module(arguments: Namespace) -> int:
    """Import the module again, with the proof, and compare what comes out."""
    from dlm_snn.errors import DlmError
    from dlm_snn.exchange.torch_modules.from_file import WHAT, imported_from
    from dlm_snn.files.own_files import own_file
    from dlm_snn.networks import artifact

    own = own_file(arguments.module, WHAT)
    if own is None or arguments.second is not None:
        given = arguments.module if own is None else f"--module beside {arguments.second}"
        raise DlmError(f"{given}: give one network and --module FILE.py:NAME, {WHAT}")
    network = artifact.load(arguments.first)
    before = artifact.load_proof(arguments.first, network)
    imported = imported_from(own)
    if not _networks(network, imported.network, told=True):
        return DIFFERENT
    print(imported.proof)
    if before is None:
        print("the network has no proof of its own: it was not imported from a module")
    elif before["sha256"] != own.sha256:
        print(f"{own.path.name} has changed since the import, the network has not")
    return 0


def _with_bundle(arguments: Namespace) -> int:
    """What a board made, beside the spikes that were expected."""
    from dlm_snn.errors import DlmError
    from dlm_snn.exchange.rasters.bundle import is_bundle, read_answer, read_expected
    from dlm_snn.runs.differences import raster_differences

    bundle, file = arguments.first, arguments.second
    if not is_bundle(bundle) or file is None or is_bundle(file):
        given = f"{bundle} alone" if file is None else f"{bundle} and {file}"
        raise DlmError(f"{given}; give a bundle, then the npz or CSV that a board made of it")
    if arguments.tolerance is not None:
        raise DlmError("--tolerance is for u and v, and a board's file has spikes alone; leave it out")
    expected = read_expected(bundle)
    got = read_answer(file, expected)
    samples = next(iter(got.values())).n_samples
    expected_here = {name: expected[name][:samples] for name in got}
    differences = raster_differences(expected_here, got)
    told = f"{how_many(len(got), 'populations')}, {how_many(samples, 'samples')}"
    if absent := sorted(expected.keys() - got.keys()):
        told += f"; not in {file}: {', '.join(absent)}"
    parted = [difference for difference in differences if difference.first is not None]
    if not parted:
        print(f"equal: {how_many(sum(map(len, got.values())), 'spikes')} of {told}")
        return 0
    for difference in differences:
        print(f"{difference.population}: {difference.differ} of {difference.spikes[0]} spikes differ")
    # Of those in one step, who computes first: min keeps the order of the bundle.
    earliest = min(parted, key=lambda difference: (difference.first or ())[:2])
    sample, step, neuron = earliest.first or (0, 0, 0)
    has = "expected a spike, got none" if earliest.in_first else "got a spike, expected none"
    print(f"first difference: sample {sample}, step {step}, population {earliest.population}, neuron {neuron}: {has}")
    print(f"compared: {told}")
    last = max((int(raster.sample.max()) for raster in got.values() if len(raster)), default=-1)
    if file.suffix == ".csv" and last + 1 < samples:
        print(f"{file} ends with sample {last} of 0..{samples - 1}; of fewer windows give an npz, which says how many")
    return DIFFERENT


def _compared(first: Any, second: Any, tolerance: float | None) -> bool:
    """Tell what differs; whether nothing does."""
    equal = True
    if first.network is not None and second.network is not None:
        equal = _networks(first.network, second.network, told=not first.rasters)
    if first.recording is not None and second.recording is not None and equal:
        return _recordings(first.recording, second.recording, tolerance)
    if first.rasters:
        equal = _rasters(first.rasters, second.rasters, networks=equal) and equal
    return equal


def _named_alike(first: Any, second: Any) -> Any:
    """The second with the first's name, where each holds one raster and one of them is named by its file only."""
    from dataclasses import replace

    names = [list(held.rasters) for held in (first, second)]
    if [len(own) for own in names] != [1, 1] or not (first.by_file or second.by_file):
        return second
    return replace(second, rasters={names[0][0]: second.rasters[names[1][0]]})


def _networks(first: Any, second: Any, told: bool) -> bool:
    from dlm_snn.runs.differences import network_difference

    difference = network_difference(first, second)
    if difference is None:
        if told:
            print(f"equal: digest {first.digest()}")
        return True
    print(f"the networks differ; first in {difference}")
    return False


def _recordings(first: Any, second: Any, tolerance: float | None) -> bool:
    from math import isfinite

    from dlm_snn.runs.comparison import TIE, compare

    comparison = compare(first, second, TIE if tolerance is None else tolerance)
    for name, (one, other, differ) in comparison.spikes.items():
        u, v = comparison.values[name]
        gaps = f"; largest difference of u {u:.3g}, of v {v:.3g}" if isfinite(u + v) else ""
        print(f"{name}: {one} and {other} spikes, {differ} differ{gaps}")
    print(comparison)
    return comparison.equal


def _rasters(first: Any, second: Any, networks: bool) -> bool:
    from dlm_snn.runs.differences import raster_differences

    differences = raster_differences(first, second)
    for difference in differences:
        print(difference)
    parted = [d for d in differences if d.first is not None]
    if not parted:
        samples, *_ = next(iter(first.values())).extent
        print(f"equal: spikes of {how_many(len(first), 'populations')}, {how_many(samples, 'samples')}")
        return True
    # Pre before post is not known of rasters: the earliest of all is named.
    earliest = min(parted, key=lambda d: d.first or ())
    sample, step, neuron = earliest.first or (0, 0, 0)
    print(f"first divergence at sample {sample}, step {step}, {earliest.population}[{neuron}]")
    if networks:
        print("cause unknown: rasters hold no states; compare recordings with u and v")
    else:
        print("likely cause: the networks differ")
    return False


compare = Verb("compare networks, recordings, runs, rasters, a bundle (exit code 1: they differ)", _arguments, _run)
