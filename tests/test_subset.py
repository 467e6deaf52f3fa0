"""What a Loihi 2 does not do: each refusal names the place, the value, the limit and the smallest change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.learning.on_chip.rule import LearningRule, Trace
from dlm_snn.networks.clocked import as_convolution
from hardware.chips import LOIHI2
from hardware.subset import LONGEST_DELAY, doubts, obstacles

HERE = object.__setattr__
Change = Callable[[dlm.IntegerNetwork], None]


def network(delay: int = 1, connection: Any = None, **neuron: Any) -> dlm.IntegerNetwork:
    connection = dlm.Dense(2 * np.arange(6).reshape(2, 3) + 10) if connection is None else connection
    return dlm.IntegerNetwork(
        {
            "x": dlm.Input((3,), graded_bits=8, scale=255),
            "h": dlm.IntegerLIF((2,), **{"dv": 10, "v_threshold": 100} | neuron),
        },
        [dlm.IntegerProjection("x", "h", connection, delay=delay)],
    )


def setting(part: str, field: str, value: Any) -> Change:
    """Changed in place, behind what the parts themselves refuse when they are made."""
    return lambda net: HERE(net.populations[part], field, value)


def of_projection(field: str, value: Any) -> Change:
    return lambda net: HERE(net.projections[0], field, value)


def weight(value: int) -> Change:
    def change(net: dlm.IntegerNetwork) -> None:
        HERE(net.projections[0].connection, "weight", np.array([[2, 4, 6], [2, value, 6]]))

    return change


class Other(dlm.IntegerLIF):
    """Not of stock Lava."""


class Odd(dlm.Dense):
    """Not of stock Lava either."""


CHANGED: dict[str, tuple[Change, str]] = {
    "du": (
        setting("h", "du", 4096),
        "'h' has du = 4096; a chip has -1..4095 (12 bits and -1, which holds u): 4096 -> 4095",
    ),
    "dv": (setting("h", "dv", 4096), "'h' has dv = 4096; a chip has 0..4095 (12 bits): 4096 -> 4095"),
    "negative dv": (setting("h", "dv", -3), "'h' has dv = -3; a chip has 0..4095 (12 bits): -3 -> 0"),
    "threshold": (
        setting("h", "v_threshold", 131_072),
        "'h' has v_threshold = 131072; a chip has 0..131071 (17 bits): 131072 -> 131071",
    ),
    "bias": (
        setting("h", "bias_mant", np.array([5, 4096])),
        "'h' has bias_mant = 4096; a chip has -4096..4095 (13 bits): 4096 -> 4095",
    ),
    "bias exponent": (setting("h", "bias_exp", 8), "'h' has bias_exp = 8; a chip has 0..7 (3 bits): 8 -> 7"),
    "competition": (
        setting("h", "winners", 1),
        "'h' has a competition (1 of 2 may spike); a chip has no competition: train with inhibition between",
    ),
    "period": (
        setting("h", "period", 25),
        "'h' has a period of 25; a chip has periods that are powers of 2: 25 -> 32",
    ),
    "decays": (
        setting("h", "dv", np.array([3, 5])),
        "'h' has 2 values of dv; a chip has one for a population: split it into populations (hardware.as_stock)",
    ),
    "graded bits": (
        setting("x", "graded_bits", 32),
        "'x' has graded_bits = 32; a chip has 1..24 (24 bits): 32 -> 24",
    ),
    "delay": (of_projection("delay", 63), "'x->h' has a delay of 63 steps; a chip has at most 62: 63 -> 62"),
    "exponent": (
        of_projection("weight_exp", -9),
        "'x->h' has weight_exp = -9; a chip has -8..7 (4 bits): -9 -> -8",
    ),
    "bits": (
        of_projection("num_weight_bits", 9),
        "'x->h' has num_weight_bits = 9; a chip has 1..8 (8 bits): 9 -> 8",
    ),
    "odd weight": (
        weight(5),
        "'x->h' has a weight of 5; a chip has weights -256..254 in steps of 2 (mixed, 8 bits): 5 -> 4",
    ),
    "large weight": (
        weight(300),
        "'x->h' has a weight of 300; a chip has weights -256..254 in steps of 2 (mixed, 8 bits): 300 -> 254",
    ),
    "neurons": (
        lambda net: net.populations.update(h=Other((2,), dv=1, v_threshold=9)),  # type: ignore[attr-defined]
        "'h' has neurons of the type Other; a chip has stock LIF and LIFReset: take IntegerLIF",
    ),
    "connection": (
        of_projection("connection", Odd(np.array([[2, 2, 2], [2, 2, 2]]))),
        "'x->h' has a connection of the type Odd; a chip has Dense, Sparse and Conv: list its synapses: .sparse()",
    ),
}


@pytest.mark.parametrize(("change", "line"), CHANGED.values(), ids=CHANGED)
def test_every_obstacle_names_place_value_limit_and_change(change: Change, line: str) -> None:
    net = network()
    assert obstacles(net) == ()
    change(net)
    told = list(map(str, obstacles(net)))
    assert [one for one in told if one.startswith(line)], told


def test_an_input_that_waits_too_long() -> None:
    """On a clock the constant of a deep population comes as late as its data."""
    names = [f"p{depth}" for depth in range(LONGEST_DELAY + 1)]
    net = dlm.IntegerNetwork(
        {
            "x": dlm.Input((1,)),
            "one": dlm.Input((1,), graded_bits=1, aligned=True),
            **{name: dlm.IntegerLIF((1,), dv=1, v_threshold=9) for name in names},
        },
        [
            *(dlm.IntegerProjection(a, b, dlm.Dense([[8]])) for a, b in zip(["x", *names[:-1]], names, strict=True)),
            dlm.IntegerProjection("one", names[-1], dlm.Dense([[8]])),
        ],
    )
    (found,) = obstacles(net)
    assert str(found) == (
        "'one->p62' has a delay of 63 steps (until the window of 'p62' begins); a chip has at most 62: bring it nearer "
        "to the Inputs"
    )


def image(kernel: int, delay: int = 1, weight_exp: int = 0, bits: int | None = None) -> dlm.IntegerNetwork:
    connection = dlm.Conv2d(np.full((1, 1, 2, 2), kernel), (1, 3, 3))
    return dlm.IntegerNetwork(
        {"x": dlm.Input((1, 3, 3), graded_bits=bits), "h": dlm.IntegerLIF((1, 2, 2), dv=1, v_threshold=9)},
        [dlm.IntegerProjection("x", "h", connection, delay=delay, weight_exp=weight_exp)],
    )


def test_a_convolution_keeps_odd_weights_only_as_a_convolution() -> None:
    for net, kept in (
        (image(5), True),
        (image(5, bits=24), False),
        (image(5, delay=2), False),
        (image(6, weight_exp=1), False),
    ):
        assert (as_convolution(net, net.projections[0]) is not None) == kept
        assert bool(obstacles(net)) == (not kept and net.projections[0].weight_exp == 0)
        assert any("is a list of synapses there" in one for one in doubts(net)) == (not kept)
    line = "'x->h' has a weight of 5; a chip has weights -256..254 in steps of 2 (mixed, 8 bits): 5 -> 4"
    assert str(obstacles(image(5, delay=2))[0]) == line


def rule(text: str, **given: Any) -> LearningRule:
    return LearningRule(dw=text, traces={"x1": Trace(16, 10), "y1": Trace(16, 10)}, **given)


RULES: dict[str, tuple[LearningRule, dict[str, Any], str]] = {
    "mantissa": (
        rule("9*x1*y0"),
        {},
        "learning rule '9*x1*y0', product '9*y0*x1': mantissa 9 is not in -8..7",
    ),
    "width": (rule("2^-2*x1*y0*w"), {}, "20 bits of which integers keep 15, so it is 2^5 weaker than in floats"),
    "epoch": (rule("x1*y0", t_epoch=64), {}, "'x->h' has t_epoch = 64; a chip has 1..63 (6 bits): 64 -> 63"),
    "delay": (rule("x1*y0"), {"delay": 3}, "'x->h' has a learning rule on a delay of 3; a chip has LearningDense"),
    "sparse": (
        rule("x1*y0"),
        {"connection": dlm.Sparse((2, 3), [0], [1], [4])},
        "'x->h' has a learning rule on a Sparse; a chip has LearningDense: Sparse -> Dense",
    ),
}


@pytest.mark.parametrize(("given", "net", "line"), RULES.values(), ids=RULES)
def test_learning_rules_are_held_against_the_engine(given: LearningRule, net: dict[str, Any], line: str) -> None:
    assert obstacles(network(), {"x->h": rule("2^-2*x1*y0")}) == ()
    (found,) = obstacles(network(**net), {"x->h": given})
    assert line in str(found)


def test_a_rule_needs_a_projection() -> None:
    (found,) = obstacles(network(), {"x->g": rule("2^-2*x1*y0")})
    assert str(found) == (
        "'x->g' has a learning rule and no synapses; a chip has rules of projections: name one of x->h"
    )


def test_the_longest_delay_stands_once() -> None:
    assert LOIHI2.delay is not None
    assert LOIHI2.delay.value == LONGEST_DELAY
    assert obstacles(network(LONGEST_DELAY)) == ()
