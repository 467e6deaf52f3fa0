"""The slow, obvious simulator that all others answer to: float and integer networks, in NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.networks.known import check_known
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.neurons.checks import reset_due
from dlm_snn.neurons.integer_lif import Overflow
from dlm_snn.neurons.models import MODELS, Model, models
from dlm_snn.runs.recording import (
    Recording,
    RunState,
    Traces,
    WhatToRecord,
    check_state,
    checked_record,
    dense_traces,
    kind_of,
    recording_of,
)
from dlm_snn.runs.stimulus import prepare

SPIKE_BYTES = 1
"""A raster is dense, a Boolean a neuron and step, until the run ends."""
SENT_BYTES = 8
"""What every population sent, Inputs too, is kept for the whole run."""


def run(
    network: Network | IntegerNetwork,
    stimulus: Mapping[str, Any],
    n_steps: int,
    record: WhatToRecord = ("s",),
    state: RunState | None = None,
) -> Recording:
    """Simulate a network over its windows.

    For every step t of window time and every population by depth:
    drive = sum over projections of connection(events of pre at step t - lag), then one step of the neurons.

    Args:
        network: float (computed in float64) or integer.
        stimulus: Input name -> SpikeRaster or array; see stimulus.prepare.
        n_steps: steps of every window.
        record: any of "s", "u", "v"; or population -> these.
        state: from an earlier run, to go on inside every window; None: from rest.

    Returns:
        The Recording, with a state to go on from.

    Raises:
        DlmError: a stimulus or state that does not fit the network.
    """
    check_known(network, "reference")
    chosen = checked_record(record, network)
    stimuli, n_samples = prepare(network, stimulus, n_steps)
    check_state(network, state, n_samples)
    populations = network.neurons
    sent = {name: _Sent(network, name, state, n_samples, n_steps) for name in network.populations}
    states = {name: state.neurons[name] if state else _rest(p, n_samples) for name, p in populations.items()}
    overflow = {name: Overflow(0, 0) for name in populations if isinstance(network, IntegerNetwork)}
    traces = dense_traces(network, chosen, n_samples, n_steps)
    done = state.step if state else 0
    for t in range(n_steps):
        for name in network.order:
            if name in stimuli:
                sent[name].put(t, stimuli[name].at(t))
                continue
            neuron = populations[name]
            if reset_due(getattr(neuron, "period", None), done + t):
                states[name] = _rest(neuron, n_samples)
            states[name], counted = _step(neuron, states[name], _drive(network, name, sent, t, n_samples))
            sent[name].put(t, states[name].s)
            if counted is not None:
                overflow[name] = overflow[name] + counted
            _keep(traces, name, t, states[name])
    reached = RunState(done + n_steps, states, {name: s.in_flight() for name, s in sent.items() if s.memory})
    return recording_of(network, n_samples, n_steps, traces, reached, overflow)


def _keep(traces: Traces, name: str, t: int, state: Any) -> None:
    for key, by in traces.items():
        if name in by:
            by[name][:, t] = getattr(state, key)


class _Sent:
    """What one population sent in the steps that are still in flight, and in this run."""

    def __init__(
        self, network: Network | IntegerNetwork, name: str, state: RunState | None, n_samples: int, n_steps: int
    ) -> None:
        self.memory = network.memory(name)
        self.values = np.zeros((n_samples, self.memory + n_steps, network.populations[name].n), kind_of(network))
        if state is not None and self.memory:
            self.values[:, : self.memory] = state.flight[name]

    def put(self, t: int, values: NDArray) -> None:
        self.values[:, self.memory + t] = values

    def at(self, t: int) -> NDArray:
        return self.values[:, self.memory + t]

    def in_flight(self) -> NDArray:
        return self.values[:, self.values.shape[1] - self.memory :].copy()


def _drive(network: Network | IntegerNetwork, name: str, sent: Mapping[str, _Sent], t: int, n_samples: int) -> NDArray:
    drive = np.zeros((n_samples, network.populations[name].n), kind_of(network))
    for projection in network.into(name):
        for delay, connection in projection.parts:
            drive = drive + projection.sums(connection, sent[projection.pre].at(t - network.lag(projection, delay)))
    return drive


def _step(neuron: Any, state: Any, drive: NDArray) -> tuple[Any, Overflow | None]:
    outcome = _model(neuron).step(neuron, state, drive)
    return outcome if isinstance(outcome[-1], Overflow) else (outcome, None)


def _model(neuron: Any) -> Model:
    return MODELS.get(type(neuron)) or models()[type(neuron)]


def _rest(neuron: Any, n_samples: int) -> Any:
    return _model(neuron).rest(n_samples, neuron.n)
