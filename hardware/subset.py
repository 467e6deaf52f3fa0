"""What keeps an integer network off a Loihi 2, though it runs in Lava's simulator, and what may differ there.

A chip has the neurons, synapses and delays of stock Lava alone; our own Processes need microcode, which is not public.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlm_snn.connections.conv2d import ImageConnection
from dlm_snn.networks.network import IntegerNetwork
from dlm_snn.neurons.integer_lif import IntegerLIF
from dlm_snn.neurons.li import IntegerLI

LONGEST_DELAY = 62
"""Steps; netx clamps longer ones (lava-dl 0.6.0, netx/hdf5.py)."""
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


def obstacles(network: IntegerNetwork) -> tuple[Obstacle, ...]:
    """Everything that stands in the way of a deployment, in the network's order; empty where nothing does."""
    found = [one for name, neuron in network.neurons.items() for one in _of_neurons(name, neuron)]
    return (*found, *(one for projection in network.projections for one in _of_projection(projection)))


def doubts(network: IntegerNetwork) -> tuple[str, ...]:
    """What a chip may compute otherwise than Lava's simulator, as nobody can check without one."""
    found = []
    for projection in network.projections:
        if projection.weight_exp < 0:
            found.append(f"'{projection.name}' floors its sums (weight_exp = {projection.weight_exp})")
        largest = max(abs(bound) for bound in _bounds(network, projection.pre))
        bits = int(projection.connection.absolute_sums().max(initial=0) * largest).bit_length() + 1
        if bits > SUM_BITS:
            found.append(f"'{projection.name}' can sum up to {bits} bits, beyond {SUM_BITS}")
        if projection.weight_exp and isinstance(projection.connection, ImageConnection):
            found.append(f"'{projection.name}' is a list of synapses there: Lava's Conv has no weight_exp")
    return tuple(found)


def _bounds(network: IntegerNetwork, name: str) -> tuple[int, int]:
    return network.inputs[name].bounds if name in network.inputs else (0, 1)


def _of_neurons(name: str, neuron: Any) -> Iterator[Obstacle]:
    if type(neuron) not in (IntegerLIF, IntegerLI):
        kind = type(neuron).__name__
        yield Obstacle(name, f"neurons of the type {kind}", "stock LIF and LIFReset", "take IntegerLIF")
        return
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
        if len(values) > 1:
            yield Obstacle(
                name,
                f"{len(values)} values of {field}",
                "one for a population",
                f"split it into populations, or take one, as {int(np.median(values))}",
            )


def _power(number: int) -> int:
    """The next power of 2."""
    return 1 << (number - 1).bit_length()


def _of_projection(projection: Any) -> Iterator[Obstacle]:
    longest = int(np.max(projection.delay, initial=1))
    if longest > LONGEST_DELAY:
        yield Obstacle(
            projection.name,
            f"a delay of {longest} steps",
            f"at most {LONGEST_DELAY}",
            f"{longest} -> {LONGEST_DELAY}",
        )
