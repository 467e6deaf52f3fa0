"""The time loop in torch: one code for simulation and, under autograd, for training."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dlm_snn.network import IntegerNetwork, Network
from dlm_snn.neurons import integer_lif, lif
from dlm_snn.neurons.integer_lif import ALIGNMENT, DECAY_UNITY, STATE_LIMIT, IntegerLIF, Overflow
from dlm_snn.neurons.lif import LIF
from dlm_snn.surrogate import Surrogate, spiking, straight_through, winning

Weights = Sequence[Sequence[Tensor]]
"""One matrix (post, pre) for each part of each projection: the synapses of one delay."""


def tensor(value: Any, dtype: torch.dtype) -> Any:
    """Arrays as tensors; single numbers as they are."""
    return torch.tensor(value, dtype=dtype) if isinstance(value, np.ndarray) else value


def by_delay(projection: Any, weight: Tensor) -> list[Tensor]:
    """A weight matrix split into the parts of a projection, one for each distinct delay."""
    if len(projection.parts) == 1:
        return [weight]
    return [weight * torch.from_numpy(projection.delay == delay) for delay, _ in projection.parts]


class FloatArithmetic:
    """Products and steps of a Network.

    Args:
        network: the graph and its neurons.
        weights: see Weights.
        biases: population -> bias in place of the neurons' own.
        function: a surrogate for training; None: spikes without a gradient.
        dtype: of all tensors.
    """

    def __init__(
        self,
        network: Network,
        weights: Weights,
        biases: Mapping[str, Tensor],
        function: Surrogate | None,
        dtype: torch.dtype,
    ) -> None:
        self.weights = weights
        self.dtype = dtype
        self.spikes = winning if function is None else spiking(function)
        self.neurons = {name: _tensors(p, biases.get(name), dtype) for name, p in network.neurons.items()}

    def product(self, projection: int, part: int, x: Tensor) -> Tensor:
        """Drive that values (..., pre) cause through a part of a projection."""
        return x @ self.weights[projection][part].T

    def step(self, name: str, state: lif.State, drive: Tensor) -> tuple[lif.State, None]:
        """One step of a population; see ``lif.step``."""
        return lif.step(self.neurons[name], state, drive, spikes=self.spikes, hold=Tensor.detach), None  # type: ignore[arg-type]

    def first(self, name: str, state: Any, n_samples: int) -> lif.State:
        """The state to start from: given in arrays, or rest."""
        n = self.neurons[name].n
        given = lif.rest(n_samples, n) if state is None else state
        return lif.State(*(torch.from_numpy(np.asarray(part)).to(self.dtype) for part in given))

    @staticmethod
    def arrays(state: lif.State) -> lif.State:
        """A state as the reference simulator has it."""
        u, v, s, refractory = (part.double().numpy() for part in state)
        return lif.State(u, v, s.astype(bool), refractory.astype(np.int64))


def _tensors(neuron: LIF, bias: Tensor | None, dtype: torch.dtype) -> SimpleNamespace:
    values = {key: tensor(getattr(neuron, key), dtype) for key in ("du", "dv", "v_threshold", "bias")}
    if bias is not None:
        values["bias"] = bias
    others = {key: getattr(neuron, key) for key in ("n", "reset", "winners", "groups", "refractory")}
    return SimpleNamespace(**values, **others)


class IntegerArithmetic:
    """Products and steps of an IntegerNetwork, in float64 tensors that hold the integers exactly.

    Every value stays below 2^53: sums by the bounds of IntegerProjection and Input, v (4096 - dv) below 2^36.
    Truncation, floor, wrap and clip pass gradients straight through.

    Args:
        network, function: as in FloatArithmetic.
        weights: whole numbers, with or without a gradient.
        biases: population -> bias_mant * 2^bias_exp in place of the neurons' own.
    """

    dtype = torch.float64

    def __init__(
        self, network: IntegerNetwork, weights: Weights, biases: Mapping[str, Tensor], function: Surrogate | None
    ) -> None:
        self.weights = weights
        self.factors = [2.0**p.weight_exp for p in network.projections]
        self.neurons = {name: _integers(p, biases.get(name), function) for name, p in network.neurons.items()}

    def product(self, projection: int, part: int, x: Tensor) -> Tensor:
        """Drive that values (..., pre) cause through a part of a projection: the shifted sum, floored."""
        a = (x @ self.weights[projection][part].T) * self.factors[projection]
        return straight_through(a.floor(), a) if self.factors[projection] < 1 else a

    def step(self, name: str, state: integer_lif.State, drive: Tensor) -> tuple[integer_lif.State, Overflow]:
        """One step of a population; see ``integer_lif.step``."""
        neuron = self.neurons[name]
        current = _decay(state.u, neuron.keep_u) + drive * 2**ALIGNMENT
        u = straight_through(_wrap(current), current)
        voltage = _decay(state.v, neuron.keep_v) + u + neuron.bias
        v = straight_through(voltage.clamp(1 - STATE_LIMIT, STATE_LIMIT - 1), voltage)
        s = neuron.spikes(v - neuron.v_threshold, neuron.winners, neuron.groups)
        overflow = Overflow(int((u != current).sum()), int((v != voltage).sum()))
        return integer_lif.State(u=u, v=v * (1 - s.detach()), s=s), overflow  # type: ignore[arg-type]

    def first(self, name: str, state: Any, n_samples: int) -> integer_lif.State:
        """The state to start from: given in arrays, or rest."""
        n = self.neurons[name].n
        given = integer_lif.rest(n_samples, n) if state is None else state
        return integer_lif.State(*(torch.from_numpy(np.asarray(part)).to(self.dtype) for part in given))  # type: ignore[arg-type]

    @staticmethod
    def arrays(state: integer_lif.State) -> integer_lif.State:
        """A state as the reference simulator has it."""
        u, v, s = (part.numpy().astype(np.int64) for part in state)  # type: ignore[attr-defined]
        return integer_lif.State(u, v, s.astype(bool))


def _integers(neuron: IntegerLIF, bias: Tensor | None, function: Surrogate | None) -> SimpleNamespace:
    return SimpleNamespace(
        keep_u=tensor(DECAY_UNITY - (neuron.du + 1), torch.float64),
        keep_v=tensor(DECAY_UNITY - neuron.dv, torch.float64),
        v_threshold=tensor(neuron.v_threshold * 2**ALIGNMENT, torch.float64),
        bias=tensor(neuron.bias, torch.float64) if bias is None else bias,
        spikes=winning if function is None else spiking(function, unit=2**ALIGNMENT * neuron.scale),
        **{key: getattr(neuron, key) for key in ("n", "winners", "groups")},
    )


def _decay(value: Tensor, keep: Any) -> Tensor:
    """trunc(value keep / 4096): the quotient is exact in float64."""
    kept = value * keep / DECAY_UNITY
    return straight_through(kept.trunc(), kept)


def _wrap(u: Tensor) -> Tensor:
    """One wrap into 24 bits; see ``integer_lif.wrap``."""
    up, down = u > STATE_LIMIT, u <= -STATE_LIMIT
    return u + 2 * STATE_LIMIT * (down.to(u.dtype) - up.to(u.dtype))


class Sent:
    """What one population sent in the steps that are still in flight."""

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


Arithmetic = FloatArithmetic | IntegerArithmetic


def unroll(
    network: Network | IntegerNetwork,
    arithmetic: Arithmetic,
    stimuli: Mapping[str, Tensor],
    n_steps: int,
    states: dict[str, Any],
    sent: Mapping[str, Sent],
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

    Yields:
        After each step: population -> (state, overflow of this step).
    """
    into = {name: list(_parts(network, arithmetic, name, stimuli)) for name in network.neurons}
    for t in range(n_steps):
        outcome = {}
        for name in network.order:
            if name in stimuli:
                sent[name].put(stimuli[name][t if len(stimuli[name]) > 1 else 0])
                continue
            drive = _sum(part.drive(t, sent) for part in into[name])
            if drive is None:
                drive = torch.zeros_like(states[name].v)
            outcome[name] = states[name], _ = arithmetic.step(name, states[name], drive)
            sent[name].put(states[name].s)
        yield outcome


def _parts(
    network: Network | IntegerNetwork, arithmetic: Arithmetic, name: str, stimuli: Mapping[str, Tensor]
) -> Iterator[_Part]:
    for index, projection in enumerate(network.projections):
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
