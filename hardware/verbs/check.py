"""``dlm-snn check``: does a network fit a chip, what keeps it off, and what would the smallest change cost."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from dlm_snn.verbs.verb import Verb

if TYPE_CHECKING:
    from hardware.chips import Chip
    from hardware.verbs.subject import Subject

ALL = "all"


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "network", type=Path, help="a run, or a network (NAME.json, NAME.net); floats are laid out in 8 bits"
    )
    parser.add_argument("--chip", default="loihi2", help="which chip, or all (default: loihi2)")
    parser.add_argument("--packing", help="how the chip's compiler lays populations out (loihi2: 2023, 2022)")
    parser.add_argument(
        "--neurons-per-core",
        action="append",
        default=[],
        metavar="POPULATION=N",
        help="instead of what the compiler would choose; may be given more than once",
    )
    parser.add_argument("--dataset", help="measure what each change costs on its test samples (default: a run's own)")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="folder that holds it")
    parser.add_argument("--steps", type=int, help="steps of a sample (default: a run's own; else 16)")
    parser.add_argument(
        "--samples", type=int, default=1000, help="test samples at most (default: 1000; 0: no accuracies)"
    )
    parser.add_argument("--each-core", action="store_true", help="a line of the table for each core")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the cores (NAME.svg, NAME.png, NAME.pdf)")


def _run(arguments: Namespace) -> int:
    from dlm_snn.errors import DlmError
    from hardware.chips import all_chips, chip
    from hardware.verbs.picture import check_picture
    from hardware.verbs.subject import subject

    per_core = _per_core(arguments.neurons_per_core)
    chosen = list(all_chips().values()) if arguments.chip == ALL else [chip(arguments.chip)]
    laid_out = [one for one in chosen if one.packings]
    for option, given in (
        ("--packing", arguments.packing),
        ("--neurons-per-core", per_core),
        ("--picture", arguments.picture),
        ("--each-core", arguments.each_core),
    ):
        if given and not laid_out:
            raise DlmError(f"{option} is for chips with a packing (loihi2), not {arguments.chip}")
    if arguments.picture is not None:
        check_picture(arguments.picture)
    of = subject(arguments)
    of.check_data()
    fits = False
    for number, one in enumerate(chosen):
        if number:
            print()
        taken, lines = _placed(of, one, arguments, per_core) if one.packings else _limits(of, one)
        fits = fits or taken
        print("\n".join(lines), flush=True)
    for line in of.costs():
        print(line, flush=True)
    return 0 if fits else 1


def _limits(of: Subject, chip: Chip) -> tuple[bool, list[str]]:
    """A chip whose compiler is not known: its plain figures."""
    from hardware.limits import WEIGHT, compared

    found = compared(of.integer, chip)
    lines = [f"{chip.title}: " + ("; ".join(map(str, found.excesses)) or "no limit that is known is broken")]
    if any(excess.limit == WEIGHT for excess in found.excesses) and chip.weight_bits is not None:
        lines.append(
            f"to change: fewer bits; 'dlm-snn convert --bits {chip.weight_bits.value}' makes them, with their loss"
        )
    lines.append(f"neurons: {chip.model or 'not compared'}")
    if found.unknown:
        lines.append(f"not known: {', '.join(found.unknown)}")
    if chip.nir is not None:
        lines.append(f"way there: 'dlm-snn export {of.path} NAME.nir'; {chip.nir}")
    return not found.excesses, lines


def _placed(of: Subject, chip: Chip, arguments: Namespace, per_core: dict[str, int]) -> tuple[bool, list[str]]:
    """A chip whose compiler's print-outs are repeated: cores, load, what has to change."""
    from hardware.messages import traffic
    from hardware.on_chip import windows_told
    from hardware.partition import cut
    from hardware.placement import as_columns, place
    from hardware.subset import doubts, obstacles
    from hardware.verbs.picture import draw

    placed = place(of.integer, chip, arguments.packing, per_core)
    against = [*of.obstacles(), *map(str, obstacles(of.integer))]
    busy = traffic(of.integer, placed, of.rates)
    lines = [*of.notes, *str(placed).splitlines()]
    lines += as_columns(placed.table(each_core=True)) if arguments.each_core else []
    lines.append(f"load: {busy}")
    chips = None
    if placed.chips is not None and placed.chips > 1 and chip.cores is not None:
        parts = cut(busy, chip.cores.value)
        chips = parts.chip
        lines += [f"over chips: {parts}", *_systems(chip, parts.chips)]
    apart, refused = windows_told(of.integer, of.n_steps)
    against += refused
    lines += apart
    lines += [f"to change: {one}" for one in against]
    lines += [f"may differ from Lava: {one}" for one in doubts(of.integer)]
    if arguments.picture is not None:
        draw(placed, busy, chips, arguments.picture)
    return placed.fits and not against, lines


def _systems(chip: Chip, chips: int) -> list[str]:
    """The smallest machine that has so many."""
    large = [system for system in chip.systems if system.chips.value >= chips]
    if not large:
        return ["machines: none that is known has so many chips"]
    least = min(large, key=lambda system: system.chips.value)
    return [f"machines: {least.name} has {least.chips.value} chips ({least.chips.mark})"]


def _per_core(texts: list[str]) -> dict[str, int]:
    from dlm_snn.errors import DlmError

    found: dict[str, int] = {}
    for text in texts:
        name, _, number = text.partition("=")
        if not name or not number.isdecimal():
            raise DlmError(f"--neurons-per-core {text!r} is not POPULATION=N")
        if name in found:
            raise DlmError(f"--neurons-per-core names '{name}' twice; give one number")
        found[name] = int(number)
    return found


check = Verb("does a network fit a chip: limits, cores, memory, what has to change", _arguments, _run)
