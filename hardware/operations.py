"""What a run asked of a chip, counted per sample: operations, updates, spikes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dlm_snn.networks.network import Input, IntegerNetwork, Network
from dlm_snn.neurons.models import spikes
from dlm_snn.runs.metrics import events_by_population, operations_by_projection
from dlm_snn.runs.recording import Recording, spikes_of
from hardware.synapses import synapses


@dataclass(frozen=True)
class Operations:
    """Of a run, per sample.

    Attributes:
        steps: of a window.
        accumulates: synaptic operations of binary events: an event times the nonzero synapses that leave its neuron.
            NeuroBench 2.3 calls them Effective_ACs. Biases that come through a constant Input are among them.
        multiplies: the same of graded events; Effective_MACs.
        dense: synapses times steps, zeros of weights and events included; NeuroBench's Dense.
        updates: neurons times steps.
        spikes: sent by neurons.
        input_events: sent by Inputs.
    """

    steps: int
    accumulates: float
    multiplies: float
    dense: float
    updates: float
    spikes: float
    input_events: float

    @property
    def synaptic(self) -> float:
        """Accumulates and multiplies."""
        return self.accumulates + self.multiplies

    @property
    def input_events_a_step(self) -> float:
        """What has to come into the chip in each step."""
        return self.input_events / self.steps

    @property
    def activation_sparsity(self) -> float:
        """Share of the neurons' steps without a spike."""
        return 1 - self.spikes / self.updates if self.updates else float("nan")


def count(recording: Recording, stimulus: Mapping[str, Any]) -> Operations:
    """Count what a run took.

    Args:
        recording: with "s" recorded, of every population that spikes.
        stimulus: what was fed into it.

    Raises:
        DlmError: a stimulus of other samples or steps, spikes that were not recorded, no samples.
    """
    network, n = recording.network, recording.n_samples
    operations = operations_by_projection(recording, stimulus)
    graded = [_graded(network.populations[projection.pre]) for projection in network.projections]
    events = events_by_population(recording, stimulus)
    senders = [name for name, neuron in network.neurons.items() if spikes(neuron)]
    return Operations(
        steps=recording.n_steps,
        accumulates=sum(number for number, values in zip(operations, graded, strict=True) if not values) / n,
        multiplies=sum(number for number, values in zip(operations, graded, strict=True) if values) / n,
        dense=_synapses(network) * recording.n_steps,
        updates=sum(neuron.n for neuron in network.neurons.values()) * recording.n_steps,
        spikes=sum(len(spikes_of(recording, name)) for name in senders) / n,
        input_events=sum(int(events[name].sum()) for name in network.inputs if name in events) / n,
    )


def bounds(network: Network | IntegerNetwork, n_steps: int) -> tuple[Operations, Operations]:
    """The fewest and the most operations that a sample can take: nothing spikes, and everything in every step.

    Between them lies every run; no stimulus is needed.
    """
    senders = [name for name, neuron in network.neurons.items() if spikes(neuron)]
    each = {True: 0, False: 0}
    for projection in network.projections:
        each[_graded(network.populations[projection.pre])] += synapses(projection.connection).nonzero
    quiet = Operations(
        steps=n_steps,
        accumulates=0,
        multiplies=0,
        dense=_synapses(network) * n_steps,
        updates=sum(neuron.n for neuron in network.neurons.values()) * n_steps,
        spikes=0,
        input_events=0,
    )
    busy = replace(
        quiet,
        accumulates=each[False] * n_steps,
        multiplies=each[True] * n_steps,
        spikes=sum(network.neurons[name].n for name in senders) * n_steps,
        input_events=sum(source.n for source in network.inputs.values()) * n_steps,
    )
    return quiet, busy


def _graded(population: Any) -> bool:
    return isinstance(population, Input) and population.graded_bits is not None


def _synapses(network: Network | IntegerNetwork) -> int:
    """Weights that are zero included."""
    return sum(synapses(projection.connection).all for projection in network.projections)
