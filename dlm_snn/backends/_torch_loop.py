"""The time loop in torch: one code for simulation and, under autograd, for training."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.neurons.checks import reset_due
from dlm_snn.neurons.integer_lif import Overflow
from dlm_snn.runs.recording import (
    Recording,
    RunState,
    WhatToRecord,
    check_state,
    checked_record,
    dense_traces,
    kind_of,
    recording_of,
)
from dlm_snn.runs.stimulus import Stimulus, prepare
from dlm_snn.values import slices

BLOCK = 256
"""Samples computed at once: their states stay in the processor's cache."""


class Arithmetic(Protocol):
    """What a network computes with: products over synapses, and steps of neurons."""

    dtype: torch.dtype

    def product(self, projection: int, part: int, x: Tensor) -> Tensor:
        """Drive that values (..., pre) cause through a part of a projection."""
        ...

    def step(self, name: str, state: Any, drive: Tensor) -> tuple[Any, Overflow | None]:
        """One step of a population: its state with u, v and s, and what left its range."""
        ...

    def first(self, name: str, state: Any, n_samples: int) -> Any:
        """The state to start from: given in arrays, or rest."""
        ...

    def arrays(self, state: Any) -> Any:
        """A state as the reference simulator has it."""
        ...


def simulate(
    network: Network | IntegerNetwork,
    arithmetic: Arithmetic,
    stimulus: Mapping[str, Any],
    n_steps: int,
    record: WhatToRecord,
    state: RunState | None,
) -> Recording:
    """Run a network without gradients; the contract of ``backends.run``.

    Args:
        network, stimulus, n_steps, record, state: see there.
        arithmetic: the network's products and steps.
    """
    chosen = checked_record(record, network)
    stimuli, n_samples = prepare(network, stimulus, n_steps)
    check_state(network, state, n_samples)
    traces = dense_traces(network, chosen, n_samples, n_steps)
    overflow = dict.fromkeys(network.neurons, Overflow(0, 0)) if isinstance(network, IntegerNetwork) else {}
    ends = []
    with torch.no_grad():
        for block in slices(n_samples, BLOCK) or [slice(0, 0)]:
            views = {key: {name: trace[block] for name, trace in by.items()} for key, by in traces.items()}
            ends.append(_run_block(network, arithmetic, stimuli, n_steps, state, block, views, overflow))
    return recording_of(network, n_samples, n_steps, traces, RunState.joined(ends), overflow)


def _run_block(
    network: Network | IntegerNetwork,
    arithmetic: Arithmetic,
    stimuli: Mapping[str, Stimulus],
    n_steps: int,
    state: RunState | None,
    block: slice,
    traces: Mapping[str, Mapping[str, NDArray]],
    overflow: dict[str, Overflow],
) -> RunState:
    """One block of samples: traces and overflow are filled in; returns where it stopped."""
    n_samples = block.stop - block.start
    fed = {
        name: torch.tensor(s.values[block].swapaxes(0, 1), dtype=arithmetic.dtype, device="cpu")
        for name, s in stimuli.items()
    }
    begun = state and state.of_samples(block)
    states = {name: arithmetic.first(name, begun and begun.neurons[name], n_samples) for name in network.neurons}
    sent = {name: _sent(network, name, begun, n_samples, arithmetic.dtype) for name in network.populations}
    done = begun.step if begun else 0
    for t, outcome in enumerate(unroll(network, arithmetic, fed, n_steps, states, sent, done)):
        for name, (reached, counted) in outcome.items():
            for key, by in traces.items():
                if name in by:
                    by[name][:, t] = getattr(reached, key).numpy()
            if counted is not None:
                overflow[name] = overflow[name] + counted
    flights = {name: s.in_flight().astype(kind_of(network)) for name, s in sent.items() if s.memory}
    return RunState(done + n_steps, {name: arithmetic.arrays(s) for name, s in states.items()}, flights)


def _sent(
    network: Network | IntegerNetwork, name: str, state: RunState | None, n_samples: int, dtype: torch.dtype
) -> Sent:
    """What a population sent before a run."""
    if state is None or name not in state.flight:
        return silent(network, name, n_samples, dtype)
    return Sent(torch.tensor(np.swapaxes(state.flight[name], 0, 1), dtype=dtype, device="cpu"))


class Sent:
    """What one population sent in the steps that are still in flight.

    Args:
        flight: (memory, sample, neuron), oldest first; memory is the population's largest outgoing lag.
    """

    def __init__(self, flight: Tensor) -> None:
        self.memory = len(flight)
        self.values = deque(flight, maxlen=self.memory + 1)
        self.last = -1

    def put(self, values: Tensor) -> None:
        """The values of the next step."""
        self.values.append(values)
        self.last += 1

    def at(self, t: int) -> Tensor:
        """The values of step t, at most ``memory`` steps before the last."""
        return self.values[t - self.last - 1]

    def in_flight(self) -> NDArray:
        """The values of the last ``memory`` steps, (sample, memory, neuron)."""
        return torch.stack(list(self.values)[1:], dim=1).numpy()


def silent(network: Network | IntegerNetwork, name: str, n_samples: int, dtype: torch.dtype) -> Sent:
    """A population that has sent nothing yet."""
    return Sent(torch.zeros(network.memory(name), n_samples, network.populations[name].n, dtype=dtype, device="cpu"))


def unroll(
    network: Network | IntegerNetwork,
    arithmetic: Arithmetic,
    stimuli: Mapping[str, Tensor],
    n_steps: int,
    states: dict[str, Any],
    sent: Mapping[str, Sent],
    done: int = 0,
) -> Iterator[dict[str, tuple[Any, Overflow | None]]]:
    """The steps of all windows.

    For every step t and every population by depth: drive = sum over projections of weights times the events of
    pre at step t - lag, then one step of the neurons. What Inputs cause is multiplied out before the loop.

    Args:
        network: the graph.
        arithmetic: its products and steps.
        stimuli: Input -> (step or 1, sample, neuron).
        n_steps: steps of the run.
        states: population -> state; goes on in place.
        sent: population -> events in flight; goes on in place.
        done: steps since rest.

    Yields:
        After each step: population -> (state, overflow of this step).
    """
    into = {name: list(_parts(network, arithmetic, name, stimuli)) for name in network.neurons}
    for t in range(n_steps):
        outcome: dict[str, tuple[Any, Overflow | None]] = {}
        for name in network.order:
            if name in stimuli:
                sent[name].put(stimuli[name][t if len(stimuli[name]) > 1 else 0])
                continue
            if reset_due(network.neurons[name].period, done + t):
                states[name] = arithmetic.first(name, None, len(states[name].v))
            drive = _sum(part.drive(t, sent) for part in into[name])
            if drive is None:
                drive = torch.zeros_like(states[name].v)
            outcome[name] = states[name], _ = arithmetic.step(name, states[name], drive)
            sent[name].put(states[name].s)
        yield outcome


def _parts(
    network: Network | IntegerNetwork, arithmetic: Arithmetic, name: str, stimuli: Mapping[str, Tensor]
) -> Iterator[_Part]:
    projections: Sequence[Any] = network.projections
    for index, projection in enumerate(projections):
        if projection.post == name:
            for part, lag in enumerate(network.lags(projection)):
                yield _Part(arithmetic, projection.pre, index, part, lag, stimuli.get(projection.pre))


class _Part:
    """One delay of one projection."""

    def __init__(
        self, arithmetic: Arithmetic, pre: str, projection: int, part: int, lag: int, stimulus: Tensor | None
    ) -> None:
        self.arithmetic, self.pre, self.projection, self.part, self.lag = arithmetic, pre, projection, part, lag
        self.hoisted = None if stimulus is None else arithmetic.product(projection, part, stimulus)

    def drive(self, t: int, sent: Mapping[str, Sent]) -> Tensor:
        emitted = t - self.lag
        if self.hoisted is not None and emitted >= 0:
            return self.hoisted[emitted if len(self.hoisted) > 1 else 0]
        return self.arithmetic.product(self.projection, self.part, sent[self.pre].at(emitted))


def _sum(drives: Iterable[Tensor]) -> Tensor | None:
    """The sum from left to right, as the reference simulator adds; None where there is nothing to add."""
    total = None
    for drive in drives:
        total = drive if total is None else total + drive
    return total
