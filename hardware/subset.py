"""What keeps an integer network off a Loihi 2, though it runs in Lava's simulator, and what may differ there.

A chip has the neurons, synapses and delays of stock Lava alone; our own Processes need microcode, which is not public.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlm_snn.connections.connection import Sparse
from dlm_snn.connections.conv2d import Conv2d, ImageConnection
from dlm_snn.connections.dense import Dense
from dlm_snn.connections.pool2d import Pool2d
from dlm_snn.errors import DlmError
from dlm_snn.learning.on_chip.limits import EPOCH, check_rule
from dlm_snn.learning.on_chip.rule import LearningRule
from dlm_snn.networks.clocked import as_convolution, clocked_delay
from dlm_snn.networks.network import Input, IntegerNetwork
from dlm_snn.networks.signs import weight_grid
from dlm_snn.neurons.integer_lif import DECAY_UNITY, THRESHOLD_LIMIT, IntegerLIF
from dlm_snn.neurons.li import IntegerLI
from hardware.chips import LOIHI2

LONGEST_DELAY = LOIHI2.delay.value if LOIHI2.delay is not None else 62
"""Steps."""
WIDTHS = {
    "du": (-1, DECAY_UNITY - 1, "12 bits and -1, which holds u"),
    "dv": (0, DECAY_UNITY - 1, "12 bits"),
    "v_threshold": (0, THRESHOLD_LIMIT - 1, "17 bits"),
    "bias_mant": (-4096, 4095, "13 bits"),
    "bias_exp": (0, 7, "3 bits"),
}
"""Parameter of a population -> smallest and largest value, and why."""
SYNAPSES = {"weight_exp": (-8, 7, "4 bits"), "num_weight_bits": (1, 8, "8 bits")}
GRADED = (1, 24, "24 bits")
"""Bits of a graded event."""
SUM_BITS = 21
"""A sum of weights beyond so many bits may wrap elsewhere on a chip than in Lava's model; see docs/hardware.md."""
PER_NEURON = ("du", "dv", "v_threshold")
"""One value for a population: Lava declares these Vars with shape (1,), though its CPU models take more."""


@dataclass(frozen=True)
class Obstacle:
    """One thing that a chip does not do.

    Attributes:
        where: population or projection.
        found: its value.
        limit: what the chip has.
        change: the smallest change that would do.
    """

    where: str
    found: str
    limit: str
    change: str

    def __str__(self) -> str:
        return f"'{self.where}' has {self.found}; a chip has {self.limit}: {self.change}"


def obstacles(network: IntegerNetwork, rules: Mapping[str, LearningRule] | None = None) -> tuple[Obstacle, ...]:
    """Everything that stands in the way of a deployment, in the network's order; empty where nothing does.

    Values are looked at again that the network's own parts refuse when they are made: arrays can be changed in place,
    and behind this check comes a board.

    Args:
        network: of integers.
        rules: projection -> the rule by which it learns on the chip.

    Raises:
        DlmError: a float network.
    """
    if not isinstance(network, IntegerNetwork):
        raise DlmError("a chip takes integers: give an IntegerNetwork, as dlm.quantize makes it")
    found = [one for name, part in network.inputs.items() for one in _of_input(name, part)]
    found += [one for name, neuron in network.neurons.items() for one in _of_neurons(name, neuron)]
    found += [one for projection in network.projections for one in _of_projection(network, projection)]
    return (*found, *(one for name, rule in (rules or {}).items() for one in _of_rule(network, name, rule)))


def doubts(network: IntegerNetwork) -> tuple[str, ...]:
    """What a chip may compute otherwise than Lava's simulator, as nobody can check without one.

    Raises:
        DlmError: a float network.
    """
    if not isinstance(network, IntegerNetwork):
        raise DlmError("a chip takes integers: give an IntegerNetwork, as dlm.quantize makes it")
    found = []
    for projection in network.projections:
        if projection.weight_exp < 0:
            found.append(f"'{projection.name}' floors its sums (weight_exp = {projection.weight_exp})")
        largest = max(abs(bound) for bound in _bounds(network, projection.pre))
        bits = int(projection.connection.absolute_sums().max(initial=0) * largest).bit_length() + 1
        if bits > SUM_BITS:
            found.append(f"'{projection.name}' can sum up to {bits} bits, beyond {SUM_BITS}")
        if isinstance(projection.connection, ImageConnection) and as_convolution(network, projection) is None:
            found.append(
                f"'{projection.name}' is a list of synapses there: Lava's Conv has no weight_exp and no delay, and "
                "clamps sums to 24 bits"
            )
    return tuple(found)


def _bounds(network: IntegerNetwork, name: str) -> tuple[int, int]:
    return network.inputs[name].bounds if name in network.inputs else (0, 1)


def _of_input(name: str, part: Input) -> Iterator[Obstacle]:
    if part.graded_bits is not None:
        yield from _within(name, "graded_bits", part.graded_bits, *GRADED)


def _within(name: str, field: str, values: Any, low: int, high: int, why: str) -> Iterator[Obstacle]:
    """A value that has no room."""
    values = np.atleast_1d(np.asarray(values))
    outside = values[(values < low) | (values > high)]
    if len(outside):
        found, nearest = int(outside[0]), int(np.clip(outside[0], low, high))
        yield Obstacle(name, f"{field} = {found}", f"{low}..{high} ({why})", f"{found} -> {nearest}")


def _of_neurons(name: str, neuron: Any) -> Iterator[Obstacle]:
    if type(neuron) not in (IntegerLIF, IntegerLI):
        kind = type(neuron).__name__
        yield Obstacle(name, f"neurons of the type {kind}", "stock LIF and LIFReset", "take IntegerLIF")
        return
    for field, (low, high, why) in WIDTHS.items():
        if type(neuron) is IntegerLIF or field != "v_threshold":
            yield from _within(name, field, getattr(neuron, field), low, high, why)
    if getattr(neuron, "winners", None) is not None:
        group = neuron.n // neuron.groups
        yield Obstacle(
            name,
            f"a competition ({neuron.winners} of {group} may spike)",
            "no competition",
            "train with inhibition between the neurons in its place",
        )
    period = neuron.period
    if period is not None and period & (period - 1):
        yield Obstacle(name, f"a period of {period}", "periods that are powers of 2", f"{period} -> {_power(period)}")
    for field in PER_NEURON:
        values = np.unique(np.asarray(getattr(neuron, field, 0)))
        if len(values) > 1 and (field != "v_threshold" or type(neuron) is IntegerLIF):
            yield Obstacle(
                name,
                f"{len(values)} values of {field}",
                "one for a population",
                f"split it into populations (hardware.as_stock), or take one, as {int(np.median(values))}",
            )


def _power(number: int) -> int:
    """The next power of 2."""
    return 1 << (number - 1).bit_length()


def _of_projection(network: IntegerNetwork, projection: Any) -> Iterator[Obstacle]:
    connection, name = projection.connection, projection.name
    if type(connection) not in (Dense, Sparse, Conv2d, Pool2d):
        kind = f"a connection of the type {type(connection).__name__}"
        yield Obstacle(name, kind, "Dense, Sparse and Conv", "list its synapses: .sparse()")
        return
    for field, (low, high, why) in SYNAPSES.items():
        yield from _within(name, field, getattr(projection, field), low, high, why)
    yield from _of_weights(network, projection)
    pre = network.populations[projection.pre]
    waits = isinstance(pre, Input) and pre.aligned
    longest = int(np.max(clocked_delay(network, projection), initial=1))
    if longest > LONGEST_DELAY:
        why = f" (until the window of '{projection.post}' begins)" if waits else ""
        change = "bring it nearer to the Inputs" if waits else f"{longest} -> {LONGEST_DELAY}"
        yield Obstacle(name, f"a delay of {longest} steps{why}", f"at most {LONGEST_DELAY}", change)


def _of_weights(network: IntegerNetwork, projection: Any) -> Iterator[Obstacle]:
    """Weights off the grid that the chip's synapses have."""
    weight = projection.connection.weight
    low, high, grain = projection.grid
    if isinstance(projection.connection, ImageConnection) and as_convolution(network, projection) is None:
        low, high, grain = weight_grid(projection.sign_mode, projection.num_weight_bits)
    off = weight[(weight < low) | (weight > high) | ((weight - low) % grain != 0)]
    if off.size:
        found = int(off.reshape(-1)[0])
        nearest = low + int(np.clip((found - low) // grain, 0, (high - low) // grain)) * grain
        held = f"weights {low}..{high} in steps of {grain} ({projection.sign_mode}, {projection.num_weight_bits} bits)"
        yield Obstacle(projection.name, f"a weight of {found}", held, f"{found} -> {nearest}")


def _of_rule(network: IntegerNetwork, name: str, rule: LearningRule) -> Iterator[Obstacle]:
    """What a chip's learning engine does not do, or not where it is wanted."""
    learned = [p for p in network.projections if p.name == name]
    if not learned:
        known = ", ".join(p.name for p in network.projections)
        yield Obstacle(name, "a learning rule and no synapses", "rules of projections", f"name one of {known}")
    for projection in learned:
        kind = type(projection.connection).__name__
        if kind != "Dense":
            yield Obstacle(name, f"a learning rule on a {kind}", "LearningDense", f"{kind} -> Dense")
        elif np.max(projection.delay, initial=1) > 1:
            delay = int(np.max(projection.delay))
            yield Obstacle(name, f"a learning rule on a delay of {delay}", "LearningDense without", f"{delay} -> 1")
    beyond = list(_within(name, "t_epoch", rule.t_epoch, *EPOCH, "6 bits"))
    if beyond:
        yield from beyond
        return
    try:
        check_rule(rule, "fixed")
    except DlmError as error:
        found, _, change = str(error).rpartition("; ")
        yield Obstacle(name, f"a rule: {found}", "the learning engine of Lava", change)
