"""Competition from stock neurons and synapses: what a chip has in place of k-winners-take-all.

A network with inhibition is a network like any other: every simulator runs it, and ``quantize`` takes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dlm_snn.connections.dense import Dense
from dlm_snn.errors import DlmError, nearest
from dlm_snn.networks.network import Network, Projection
from dlm_snn.neurons.lif import LIF


def with_lateral(network: Network, population: str, weight: float = -0.03) -> Network:
    """The network with a synapse from every neuron of a population to every other one.

    a_i(t) = ... + weight * sum over j != i of s_j(t - 1): what spikes in a step inhibits the next one.

    Args:
        network: to which the projection ``population->population`` is added, as the last.
        population: of LIF neurons.
        weight: of each synapse, negative.

    Raises:
        DlmError: no such population, or one that inhibits itself already, a weight that is not negative.
    """
    n = _competing(network, population, weight).n
    inhibition = Dense(np.where(np.eye(n, dtype=bool), 0.0, np.float32(weight)).astype(np.float64))
    return Network(network.populations, (*network.projections, Projection(population, population, inhibition)))


def with_counting(
    network: Network, population: str, weight: float = -0.03, neurons: int = 16, spacing: int = 4
) -> Network:
    """The network with neurons that count a population's spikes and inhibit all of it.

    Counter i (from 1) forgets at once and spikes in the steps in which at least i * spacing neurons did:

        v_i = a + bias_i,  bias_i = 3/2 - i spacing,  v_threshold = 1,  a the spikes of this step,

    which the integers hold exactly. Its spikes reach the population in the next step but one, with weight * spacing
    each: so that a spike is worth ``weight``, as in ``with_lateral``.

    Args:
        network: to which the population ``POPULATION_counters`` and two projections are added, as the last.
        population: of LIF neurons.
        weight: of each spike that was counted, negative.
        neurons: how many count.
        spacing: spikes between one counter and the next.

    Raises:
        DlmError: as ``with_lateral``; neurons or spacing below 1.
    """
    n = _competing(network, population, weight).n
    for name, value in (("neurons", neurons), ("spacing", spacing)):
        if value < 1:
            raise DlmError(f"inhibition.{name} = {value} is below 1")
    counters = f"{population}_counters"
    populations: Mapping[str, Any] = {
        **network.populations,
        counters: LIF((neurons,), du=1.0, dv=1.0, v_threshold=1.0, bias=1.5 - spacing * np.arange(1.0, neurons + 1)),
    }
    back = np.full((n, neurons), np.float32(weight * spacing), dtype=np.float64)
    added = (
        Projection(population, counters, Dense(np.ones((neurons, n)))),
        Projection(counters, population, Dense(back)),
    )
    return Network(populations, (*network.projections, *added))


def _competing(network: Network, population: str, weight: float) -> LIF:
    neuron = network.neurons.get(population)
    if neuron is None:
        raise DlmError(f"inhibition in '{population}': {nearest(population, network.neurons)}")
    if not isinstance(neuron, LIF):
        raise DlmError(f"inhibition in '{population}': its neurons never spike; name a population of LIF")
    taken = f"{population}_counters" in network.populations
    if taken or any(p.pre == p.post == population for p in network.projections):
        raise DlmError(f"inhibition in '{population}': it inhibits itself already; begin with a network without")
    if not weight < 0:
        raise DlmError(f"inhibition.weight = {weight:g} is not below 0")
    return neuron
