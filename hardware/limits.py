"""A network against the plain limits of any chip: counts, bits, delays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dlm_snn.errors import DlmError
from dlm_snn.networks.network import IntegerNetwork
from hardware.chips import Chip, value_of
from hardware.layers import Excess
from hardware.words import weight_bits


class Limits(NamedTuple):
    """What a chip's figures say of a network.

    Attributes:
        excesses: limits that are broken.
        unknown: limits that nobody has published, or that are not in our table.
    """

    excesses: tuple[Excess, ...]
    unknown: tuple[str, ...]


def compared(network: IntegerNetwork, chip: Chip) -> Limits:
    """Hold a network against a chip's figures; nothing is said of how its neurons are laid out.

    Raises:
        DlmError: a float network.
    """
    if not isinstance(network, IntegerNetwork):
        raise DlmError("a chip takes integers: give an IntegerNetwork, as dlm.quantize makes it")
    excesses, unknown = [], []
    for what, (population, needs) in _asked(network).items():
        has = _room(chip, what)
        if has is None:
            unknown.append(what)
        elif needs > has:
            excesses.append(Excess(population, what, needs, has))
    return Limits(tuple(excesses), tuple(unknown))


NEURONS, SYNAPSES = "neurons, with all others", "synapses on a chip"
FAN_IN, WEIGHT, DELAY = "synapses of one neuron", "bits of a weight, with its sign", "steps of delay"


def _room(chip: Chip, what: str) -> int | None:
    if what == NEURONS:
        cores, each = value_of(chip.cores), value_of(chip.neurons)
        return None if cores is None or each is None else cores * each
    figures = {SYNAPSES: chip.synapses, FAN_IN: chip.fan_in, WEIGHT: chip.weight_bits, DELAY: chip.delay}
    return value_of(figures[what])


def _asked(network: IntegerNetwork) -> dict[str, tuple[str, int]]:
    """Limit -> the population, or projection, that asks for most of it, and how much."""
    sizes = {name: neuron.n for name, neuron in network.neurons.items()}
    fan_in = {name: np.zeros(neuron.n, np.int64) for name, neuron in network.neurons.items()}
    synapses: dict[str, int] = {}
    bits: dict[str, int] = {}
    delays: dict[str, int] = {}
    for projection in network.projections:
        each = projection.connection.fan_in()
        fan_in[projection.post] += each
        synapses[projection.name] = synapses.get(projection.name, 0) + int(each.sum())
        bits[projection.name] = weight_bits(projection.connection.weight)
        delays[projection.name] = int(np.max(projection.delay, initial=1))
    most = {FAN_IN: {name: int(each.max()) for name, each in fan_in.items()}, WEIGHT: bits, DELAY: delays}
    found = {what: max(values.items(), key=lambda pair: pair[1]) for what, values in most.items() if values}
    for what, values in ((NEURONS, sizes), (SYNAPSES, synapses)):
        if values:
            found[what] = max(values, key=lambda name: values[name]), sum(values.values())
    return found
