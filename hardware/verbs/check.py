"""``dlm-snn check``: does a network fit a chip, and what keeps it off."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from dlm_snn.verbs.verb import Verb

ALL = "all"


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("network", type=Path, help="a run, or an integer network (NAME.json, NAME.net)")
    parser.add_argument("--chip", default="loihi2", help="which chip, or all (default: loihi2)")
    parser.add_argument("--packing", help="how the chip's compiler lays populations out (loihi2: 2023, 2022)")
    parser.add_argument(
        "--neurons-per-core",
        action="append",
        default=[],
        metavar="POPULATION=N",
        help="instead of what the compiler would choose; may be given more than once",
    )


def _run(arguments: Namespace) -> int:
    from dlm_snn.errors import DlmError
    from hardware.chips import all_chips, chip

    network = _network(arguments.network)
    per_core = dict(_pair(text) for text in arguments.neurons_per_core)
    chosen = list(all_chips().values()) if arguments.chip == ALL else [chip(arguments.chip)]
    if (per_core or arguments.packing) and not any(one.packings for one in chosen):
        raise DlmError(f"--packing and --neurons-per-core are for chips with a packing (loihi2), not {arguments.chip}")
    fits = False
    for number, one in enumerate(chosen):
        if number:
            print()
        taken, lines = _told(network, one, arguments.packing, per_core)
        fits = fits or taken
        print("\n".join(lines))
    return 0 if fits else 1


def _told(network: Any, chip: Any, packing: str | None, per_core: dict[str, int]) -> tuple[bool, list[str]]:
    """Whether a chip takes it as it is, and what there is to say."""
    from hardware.limits import compared
    from hardware.placement import place
    from hardware.subset import doubts, obstacles

    if not chip.packings:
        found = compared(network, chip)
        lines = [f"{chip.title}: " + ("; ".join(map(str, found.excesses)) or "no limit that is known is broken")]
        if found.unknown:
            lines.append(f"not known: {', '.join(found.unknown)}; the neuron model is not compared")
        return not found.excesses, lines
    placed = place(network, chip, packing, per_core)
    against = obstacles(network)
    lines = str(placed).splitlines()
    lines += [f"to change: {one}" for one in against]
    lines += [f"may differ from Lava: {one}" for one in doubts(network)]
    return placed.fits and not against, lines


def _pair(text: str) -> tuple[str, int]:
    from dlm_snn.errors import DlmError

    name, _, number = text.partition("=")
    if not name or not number.isdecimal():
        raise DlmError(f"--neurons-per-core {text!r} is not POPULATION=N")
    return name, int(number)


def _network(path: Path) -> Any:
    """Of a run its integers."""
    from dlm_snn.errors import DlmError
    from dlm_snn.exchange.format import Options
    from dlm_snn.exchange.formats import read_path
    from dlm_snn.networks.network import IntegerNetwork
    from dlm_snn.runs.run_folder import is_run, read_network

    network = read_network(path, "integer") if is_run(path) else read_path(path, Options(None)).network
    if network is None:
        raise DlmError(f"{path} holds no network; give a run or an integer network")
    if not isinstance(network, IntegerNetwork):
        raise DlmError(f"{path} holds floats, and a chip takes integers; 'dlm-snn convert' makes them")
    return network


check = Verb("does a network fit a chip: limits, cores, memory", _arguments, _run)
