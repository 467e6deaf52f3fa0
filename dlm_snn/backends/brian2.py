"""The simulator Brian2: the same network written as Brian2 equations and synapses, sharing no step code of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlm_snn.backends._brian2_blocks import Blocks, Sent
from dlm_snn.backends._brian2_import import local_settings
from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.networks.known import check_known
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.runs.recording import Recording, RunState, WhatToRecord, check_state, checked_record, recording_of
from dlm_snn.runs.stimulus import Stimulus, prepare
from dlm_snn.values import is_whole, slices

SYNAPSES_PER_RUN = 4_000_000
"""Synapses that one Brian2 network may hold, some 75 bytes each; more samples take several runs."""
ARITHMETICS = ("float",)
SPIKE_BYTES = 1
"""A raster is dense, a Boolean a neuron and step, until the run ends."""


class NeuronState(NamedTuple):
    """What a population carries from step to step; arrays (sample, neuron)."""

    u: NDArray[np.float64]
    v: NDArray[np.float64]
    s: NDArray[np.bool_]
    refractory: NDArray[np.int64]


def run(
    network: Network | IntegerNetwork,
    stimulus: Mapping[str, Any],
    n_steps: int,
    record: WhatToRecord = ("s",),
    state: RunState | None = None,
    samples_per_run: int | None = None,
) -> Recording:
    """Simulate a float network over its windows in Brian2's NumPy target, in float64.

    u = (1-du) u + a; v = (1-dv) v + u + bias; the winners of v > v_threshold spike; a is what Brian2's synapses add.

    Args:
        network: of floats.
        stimulus: Input name -> SpikeRaster or array; see stimulus.prepare.
        n_steps: steps of every window.
        record: any of "s", "u", "v"; or population -> these.
        state: from an earlier run, of this or another simulator, to go on from; None: from rest.
        samples_per_run: samples that share one Brian2 network; None: as many as SYNAPSES_PER_RUN allows.

    Returns:
        The Recording, with a state to go on from.

    Raises:
        UnsupportedError: an IntegerNetwork.
        DlmError: a stimulus or state that does not fit the network, samples_per_run below 1.

    Source: M. Stimberg, R. Brette and D. F. M. Goodman, Brian 2, eLife 8:e47314 (2019).
    """
    if isinstance(network, IntegerNetwork):
        raise UnsupportedError(
            "brian2", "an IntegerNetwork", "use 'reference' or 'lava-fixed', or run the float Network"
        )
    check_known(network, "brian2")
    chosen = checked_record(record, network)
    stimuli, n_samples = prepare(network, stimulus, n_steps)
    check_state(network, state, n_samples)
    size = _block_count(network, n_samples, state is not None, samples_per_run)
    result = _Result(network, n_samples, n_steps, chosen)
    with local_settings():
        _simulate(network, stimuli, state, size, result)
    traces = {"s": {name: result.spikes[name] for name in chosen.get("s", ())}, **result.traces}
    flight = _in_flight(network, stimuli, state, result.spikes, n_steps)
    reached = RunState(n_steps + (state.step if state else 0), result.states, flight)
    return recording_of(network, n_samples, n_steps, traces, reached)


def _simulate(
    network: Network, stimuli: Mapping[str, Stimulus], state: RunState | None, size: int, result: _Result
) -> None:
    """Run all samples, ``size`` at a time, in one Brian2 network that goes back to rest between batches."""
    if not result.n_samples:
        return
    blocks = Blocks(network, size, list(result.spikes), list(result.traces), resumed=state is not None)
    for batch in slices(result.n_samples, size):
        blocks.run(_start(state, batch), _sent(stimuli, state, batch), result.n_steps, state.step if state else 0)
        result.keep(blocks, batch)


class _Result:
    """The arrays of a whole run, filled batch by batch."""

    def __init__(self, network: Network, n_samples: int, n_steps: int, chosen: Mapping[str, Sequence[str]]) -> None:
        self.n_samples, self.n_steps = n_samples, n_steps
        extents = {name: (n_samples, n_steps, neuron.n) for name, neuron in network.neurons.items()}
        self.spikes = {
            name: np.zeros(extent, dtype=bool)
            for name, extent in extents.items()
            if name in chosen.get("s", ()) or network.memory(name)
        }
        self.traces = {
            key: {name: np.zeros(extents[name]) for name in names} for key, names in chosen.items() if key != "s"
        }
        self.states = {
            name: NeuronState(*(np.zeros((n_samples, neuron.n), dtype=kind) for kind in (float, float, bool, int)))
            for name, neuron in network.neurons.items()
        }

    def keep(self, blocks: Blocks, batch: slice) -> None:
        """Take over what the blocks recorded of a batch."""
        count = batch.stop - batch.start
        for name, spikes in self.spikes.items():
            spikes[batch] = blocks.spikes(name, self.n_steps)[:count]
        for key, arrays in self.traces.items():
            for name, array in arrays.items():
                array[batch] = blocks.values(name, key)[:count]
        for name, state in self.states.items():
            for field, values in zip(state, blocks.state(name), strict=True):
                field[batch] = values[:count]


def _block_count(network: Network, n_samples: int, resumed: bool, samples_per_run: int | None) -> int:
    """How many samples share a Brian2 network: batches as equal as can be, of at most ``samples_per_run``."""
    if samples_per_run is None:
        # A resumed run joins the events that are still in flight through synapses of their own.
        synapses = sum(
            int(p.connection.fan_out().sum()) * (1 + (resumed and any(network.lags(p)))) for p in network.projections
        )
        samples_per_run = max(1, SYNAPSES_PER_RUN // max(1, synapses))
    elif not is_whole(samples_per_run) or samples_per_run < 1:
        raise DlmError(f"samples_per_run = {samples_per_run!r} is not a positive integer")
    batches = max(1, -(-n_samples // samples_per_run))
    return max(1, -(-n_samples // batches))


def _start(state: RunState | None, batch: slice) -> dict[str, list[NDArray]]:
    """The neurons' state before the first step, population -> u, v, s, refractory of a batch."""
    if state is None:
        return {}
    return {
        name: [np.asarray(getattr(neurons, field))[batch] for field in NeuronState._fields]
        for name, neurons in state.neurons.items()
    }


def _sent(stimuli: Mapping[str, Stimulus], state: RunState | None, batch: slice) -> Sent:
    """What a batch's Inputs send in every step, and what all populations sent before the first."""

    def sent(name: str, step: int) -> NDArray:
        if step >= 0:
            return stimuli[name].at(step)[batch]
        if state is None:
            return np.zeros_like(stimuli[name].at(0)[batch])
        return np.asarray(state.flight[name])[batch, step]

    return sent


def _in_flight(
    network: Network,
    stimuli: Mapping[str, Stimulus],
    state: RunState | None,
    spikes: Mapping[str, NDArray],
    n_steps: int,
) -> dict[str, NDArray[np.float64]]:
    """What each population sent in its last steps, as far back as a projection still has it under way."""
    flight = {}
    for name, population in network.populations.items():
        memory = network.memory(name)
        if not memory:
            continue
        sent = stimuli[name].whole() if name in stimuli else spikes[name]
        before = np.zeros((len(sent), memory, population.n)) if state is None else np.asarray(state.flight[name])
        recent = [before[:, min(n_steps, memory) :], sent[:, max(0, n_steps - memory) :]]
        flight[name] = np.concatenate(recent, axis=1, dtype=np.float64)
    return flight
