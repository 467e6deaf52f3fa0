"""``traffic``: messages from core to core, from a placement and how often each neuron spikes.

A spike is a message to every core on which a projection has a row for its neuron: each core's rows are its own. It is
counted on blocks of cores; no graph of synapses is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from dlm_snn.connections.dense import Dense
from dlm_snn.errors import DlmError, nearest
from dlm_snn.networks.network import IntegerNetwork, IntegerProjection
from dlm_snn.runs.metrics import events_by_population
from dlm_snn.runs.recording import Recording, spikes_of
from dlm_snn.values import as_floats
from hardware.placement import Placement

OUTSIDE = -1
"""The core of a neuron of an Input."""
BLOCKS = 4096
"""At most about so many blocks, so that the table of messages stays below 128 MiB."""


class Counts(NamedTuple):
    """Messages of cores, and between blocks; see Traffic."""

    sent: NDArray[np.float64]
    received: NDArray[np.float64]
    from_inputs: NDArray[np.float64]
    between: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Traffic:
    """Messages per sample on the cores of a placement, in its order: population after population.

    Attributes:
        placement: whose cores.
        sent: messages that each core sends, to itself too, (core,).
        received: that reach each core from cores, itself too, (core,).
        from_inputs: that reach each core from Inputs, (core,).
        block: of each core, (core,): one core, or a few of a population where there are thousands of cores.
        between: messages from block to block, (block, block).
        measured: populations whose spikes were measured; a neuron of the others is taken to spike once.
    """

    placement: Placement
    sent: NDArray[np.float64]
    received: NDArray[np.float64]
    from_inputs: NDArray[np.float64]
    block: NDArray[np.int64]
    between: NDArray[np.float64]
    measured: tuple[str, ...]

    @property
    def populations(self) -> list[str]:
        """The population of each core."""
        return [layer.population for layer in self.placement.layers for _ in range(layer.cores)]

    @property
    def reaching(self) -> NDArray[np.float64]:
        """Messages that reach each core, from wherever, (core,)."""
        return self.received + self.from_inputs

    def __str__(self) -> str:
        how = "measured" if self.measured else "if every neuron spiked once"
        busiest = int(np.argmax(self.reaching))
        first = self.populations.index(name := self.populations[busiest])
        return (
            f"{self.sent.sum():,.0f} messages from core to core per sample ({how}), {self.from_inputs.sum():,.0f} from "
            f"outside; most reach core {busiest - first} of '{name}': {self.reaching[busiest]:,.0f}"
        )


def rates(recording: Recording, stimulus: Mapping[str, Any] | None = None) -> dict[str, NDArray[np.float64]]:
    """Events per sample of each neuron of a run: of the populations that it recorded, and of what was fed into it.

    Raises:
        DlmError: no samples, a stimulus of another run.
    """
    if not recording.n_samples:
        raise DlmError("the recording has no samples; give one that has some")
    if stimulus is None:
        return {name: spikes_of(recording, name).counts().mean(axis=0) for name in recording.rasters}
    return {name: events / recording.n_samples for name, events in events_by_population(recording, stimulus).items()}


def traffic(
    network: IntegerNetwork, placement: Placement, spikes: Mapping[str, NDArray[np.float64]] | None = None
) -> Traffic:
    """Count the messages of a sample.

    messages from core a to core b = sum over neurons on a that have a row on b of their spikes

    Args:
        network: that was placed.
        placement: of it.
        spikes: population -> spikes per sample of each neuron, see ``rates``; of Inputs too. Where a population is not
            named, each of its neurons spikes once.

    Raises:
        DlmError: a placement of other populations; a population that is not there, or numbers that are not one for
            each neuron, negative or not finite.
    """
    _check_placed(network, placement)
    given = {name: _checked(network, name, values) for name, values in (spikes or {}).items()}
    layers, n = placement.layers, placement.cores
    first = np.cumsum([0, *(layer.cores for layer in layers)]).tolist()
    home = {layer.population: layer.home + np.int32(begin) for layer, begin in zip(layers, first, strict=False)}
    block = _blocks([layer.cores for layer in layers])
    counted = Counts(np.zeros(n), np.zeros(n), np.zeros(n), np.zeros((int(block.max(initial=-1)) + 1,) * 2))
    for projection in network.projections:
        n_pre = projection.connection.n_pre
        rate = given.get(projection.pre, np.ones(n_pre))
        begin = home.get(projection.pre, np.full(n_pre, OUTSIDE, np.int32))
        add_rows(*_rows(projection, home[projection.post]), rate, begin, block, np.full(n_pre, -1, np.int32), counted)
    return Traffic(placement, *counted[:3], block, counted.between, tuple(given))


def _check_placed(network: IntegerNetwork, placement: Placement) -> None:
    sizes = {name: neuron.shape for name, neuron in network.neurons.items()}
    if not isinstance(network, IntegerNetwork) or sizes != {one.population: one.shape for one in placement.layers}:
        raise DlmError("the placement is of another network; give place(network, chip)")


def _blocks(sizes: Sequence[int]) -> NDArray[np.int64]:
    """The block of each core: as many cores of a population as it takes, a power of two, to be no more than BLOCKS."""
    width = 1
    while sum(-(-size // width) for size in sizes) > BLOCKS and width < max(sizes):
        width *= 2
    parts = [np.arange(size) // width for size in sizes]
    begins = np.cumsum([0, *(-(-size // width) for size in sizes)])
    return np.concatenate([part + begin for part, begin in zip(parts, begins, strict=False)] or [np.zeros(0, np.int64)])


def _rows(projection: IntegerProjection, home: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Presynaptic neuron and core of each synapse, core after core; of a Dense once for each row."""
    if isinstance(projection.connection, Dense):
        n_pre, cores = projection.connection.n_pre, np.unique(home)
        return np.tile(np.arange(n_pre, dtype=np.int32), cores.size), np.repeat(cores, n_pre)
    listed = projection.connection.sparse()
    core, pre = home[listed.post], listed.pre.astype(np.int32)
    if np.any(core[1:] < core[:-1]):
        order = np.argsort(core, kind="stable")
        return pre[order], core[order]
    return pre, core


def _checked(network: IntegerNetwork, name: str, values: Any) -> NDArray[np.float64]:
    if name not in network.populations:
        raise DlmError(f"spikes name '{name}'; {nearest(name, network.populations)}")
    checked = as_floats(values, f"spikes['{name}']")
    if checked.shape != (network.populations[name].n,) or not np.all(np.isfinite(checked) & (checked >= 0)):
        raise DlmError(f"spikes['{name}'] are not {network.populations[name].n} finite numbers of at least 0")
    return checked


@njit(cache=True)
def add_rows(
    pre: NDArray[np.int32],
    core: NDArray[np.int32],
    rate: NDArray[np.float64],
    home: NDArray[np.int32],
    block: NDArray[np.int64],
    last: NDArray[np.int32],
    counted: Counts,
) -> None:
    """Add the messages of one projection to what is counted.

    Args:
        pre, core: of each synapse, core after core.
        rate: spikes of each presynaptic neuron.
        home: the core that it lies on, or OUTSIDE.
        block: of each core.
        last: of each presynaptic neuron -1; the last core that it was counted for.
        counted: is added to.
    """
    sent, received, from_inputs, between = counted
    for k in range(pre.size):
        neuron, to = pre[k], core[k]
        if last[neuron] != to:
            last[neuron] = to
            begin = home[neuron]
            if begin == OUTSIDE:
                from_inputs[to] += rate[neuron]
            else:
                sent[begin] += rate[neuron]
                received[to] += rate[neuron]
                between[block[begin], block[to]] += rate[neuron]
