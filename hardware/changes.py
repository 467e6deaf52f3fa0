"""What would have to change for a chip to take a network: each change small, alone, and a network that can be run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.neurons.lif import LIF


class Change(NamedTuple):
    """A network with something changed.

    Attributes:
        what: is changed, from what to what.
        network, n_steps: with the change.
    """

    what: str
    network: Network | IntegerNetwork
    n_steps: int


def changes(network: Network | IntegerNetwork, n_steps: int) -> list[Change]:
    """Each change alone, weights as they are; where there are several, all together at the end.

    Windows of a number of steps that is a power of two need no silent steps behind them. A chip's neurons are reset to
    zero, are never refractory and do not compete.

    Args:
        network: as it was trained.
        n_steps: of a sample's window.
    """
    found = [Change(what, _with(network, name, neuron), n_steps) for name, what, neuron in _neurons(network)]
    if n_steps & (n_steps - 1):
        less = 1 << (n_steps.bit_length() - 1)
        found.append(Change(f"steps {n_steps} -> {less}", network, less))
    if len(found) > 1:
        found.append(Change("all of these", chip_neurons(network), found[-1].n_steps))
    return found


def chip_neurons(network: Network | IntegerNetwork) -> Network | IntegerNetwork:
    """The network with neurons that a chip has, weights as they are."""
    while (first := next(_neurons(network), None)) is not None:
        network = _with(network, first[0], first[2])
    return network


def neurons_changed(network: Network | IntegerNetwork) -> list[str]:
    """What ``chip_neurons`` changes."""
    return [what for _, what, _ in _neurons(network)]


def _neurons(network: Network | IntegerNetwork) -> Iterator[tuple[str, str, Any]]:
    """Population, what is changed in it, its neurons with the change."""
    for name, neuron in network.neurons.items():
        if isinstance(neuron, LIF) and neuron.reset == "subtract":
            yield name, f"'{name}' reset to zero, not by subtraction", replace(neuron, reset="zero")
        if isinstance(neuron, LIF) and neuron.refractory:
            yield name, f"'{name}' refractory for {neuron.refractory} -> 0 steps", replace(neuron, refractory=0)
        if getattr(neuron, "winners", None) is not None:
            yield name, f"'{name}' without its competition", replace(neuron, winners=None, groups=1)


def _with(network: Any, name: str, neuron: Any) -> Network | IntegerNetwork:
    changed: Network | IntegerNetwork = replace(network, populations={**network.populations, name: neuron})
    return changed
