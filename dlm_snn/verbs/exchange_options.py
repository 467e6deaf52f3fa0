"""Options for files that do not tell everything."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlm_snn.exchange.stored import Options


def numbers(text: str) -> tuple[int, ...]:
    """Whole numbers with commas between."""
    try:
        values = tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise ArgumentTypeError(f"'{text}' is not a list of whole numbers such as 1,28,28") from error
    if min(values) < 1:
        raise ArgumentTypeError(f"'{text}' holds a number below 1")
    return values


def three(text: str) -> tuple[int, ...]:
    """Three whole numbers."""
    values = numbers(text)
    if len(values) != 3:
        raise ArgumentTypeError(f"'{text}' holds {len(values)} numbers, not 3")
    return values


def add_exchange_options(parser: ArgumentParser) -> None:
    """What files of others leave open."""
    group = parser.add_argument_group("what a file of others does not tell")
    group.add_argument("--dt", type=float, metavar="SECONDS", help="a step (.nir, .nwb, .bs2, .bin, .aedat4)")
    group.add_argument("--input-shape", type=numbers, metavar="C,H,W", help="of the input (.net)")
    group.add_argument("--graded-bits", type=int, metavar="B", help="of the input's events (.net)")
    group.add_argument("--reset-interval", type=int, metavar="STEPS", help="after which all states are reset (.net)")
    group.add_argument("--extra-steps", action="store_true", help="import feedback with the steps it takes (.nir)")
    group.add_argument("--reset", choices=("zero", "subtract"), help="of the neurons (.nir; default: zero, told)")
    group.add_argument("--start", type=float, metavar="SECONDS", help="on the recording's clock, of step 0 (.nwb)")
    group.add_argument("--shape", type=three, metavar="P,H,W", help="of the camera (.bs2; default: 2,34,34)")
    group.add_argument("--extent", type=three, metavar="S,T,N", help="samples, steps and neurons (.csv)")


def exchange_options(arguments: Namespace) -> Options:
    """The options that were given."""
    from dlm_snn.exchange.stored import Options

    return Options(
        arguments.dt,
        arguments.input_shape,
        arguments.graded_bits,
        arguments.reset_interval,
        arguments.extra_steps,
        arguments.shape,
        arguments.extent,
        arguments.reset,
        arguments.start,
    )
