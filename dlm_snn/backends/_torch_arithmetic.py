"""Products and steps in torch: the arithmetic of a float and of an integer network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlm_snn.backends._torch_connections import product
from dlm_snn.connections.chain import Chain
from dlm_snn.connections.connection import Connection
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.neurons import integer_lif, lif
from dlm_snn.neurons.integer_lif import ALIGNMENT, DECAY_UNITY, STATE_LIMIT, Overflow, overflow_of
from dlm_snn.neurons.models import spikes as ever_spikes
from dlm_snn.surrogate import SoftSpikes, Surrogate, spiking, straight_through, winning

Weights = Sequence[Sequence[Tensor]]
"""The connection's weights for each part of each projection: 0 but for the synapses of one delay."""


def tensor(value: Any, dtype: torch.dtype) -> Any:
    """Arrays as tensors; single numbers as they are."""
    return torch.tensor(value, dtype=dtype, device="cpu") if isinstance(value, np.ndarray) else value


def by_delay(projection: Any, weight: Tensor) -> list[Tensor]:
    """A weight matrix split into the parts of a projection, one for each distinct delay."""
    if len(projection.parts) == 1:
        return [weight]
    return [weight * torch.from_numpy(projection.delay == delay) for delay, _ in projection.parts]


def stored_weights(network: Network | IntegerNetwork, dtype: torch.dtype) -> list[list[Tensor]]:
    """A network's own weights; see Weights."""
    return [
        by_delay(p, torch.tensor(c.weight, dtype=dtype, device="cpu"))
        for p, c in zip(network.projections, merged(network), strict=True)
    ]


def merged(network: Network | IntegerNetwork) -> list[Connection]:
    """The connections of a network, chains multiplied out."""
    connections = (p.connection for p in network.projections)
    return [c.merged() if isinstance(c, Chain) else c for c in connections]


class FloatArithmetic:
    """Products and steps of a Network; see ``_torch_loop.Arithmetic``.

    Args:
        network: the graph and its neurons.
        weights: see Weights.
        biases: population -> bias in place of the neurons' own.
        function: a surrogate for training; SoftSpikes: a smooth network; None: spikes without a gradient.
        dtype: of all tensors.
    """

    def __init__(
        self,
        network: Network,
        weights: Weights,
        biases: Mapping[str, Tensor],
        function: Surrogate | SoftSpikes | None,
        dtype: torch.dtype,
    ) -> None:
        self.weights = weights
        self.connections = merged(network)
        self.dtype = dtype
        soft = isinstance(function, SoftSpikes)
        self.spikes: Any = function if soft else winning if function is None else spiking(function)
        self.hold: Any = function.hold if isinstance(function, SoftSpikes) else Tensor.detach
        self.neurons = {name: _tensors(p, biases.get(name), dtype) for name, p in network.neurons.items()}

    @classmethod
    def of(cls, network: Network, dtype: torch.dtype) -> FloatArithmetic:
        """With the network's own weights and without gradients."""
        return cls(network, stored_weights(network, dtype), {}, None, dtype)

    def product(self, projection: int, part: int, x: Tensor) -> Tensor:
        """Drive that values (..., pre) cause through a part of a projection."""
        return product(self.connections[projection], self.weights[projection][part], x)

    def step(self, name: str, state: Any, drive: Tensor) -> tuple[Any, Overflow | None]:
        """One step of a population; see ``lif.step``."""
        neuron: Any = self.neurons[name]
        spikes = self.spikes if neuron.spikes else winning
        return lif.step(neuron, state, drive, spikes=spikes, hold=self.hold), None

    def first(self, name: str, state: Any, n_samples: int) -> Any:
        """The state to start from: given in arrays, or rest."""
        n = self.neurons[name].n
        given: Any = lif.rest(n_samples, n) if state is None else state
        return given._make(torch.tensor(part, dtype=self.dtype, device="cpu") for part in given)

    @staticmethod
    def arrays(state: Any) -> lif.State:
        """A state as the reference simulator has it."""
        u, v, s, refractory = (part.double().numpy() for part in state)
        return lif.State(u, v, s.astype(bool), refractory.astype(np.int64))


def _tensors(neuron: Any, bias: Tensor | None, dtype: torch.dtype) -> SimpleNamespace:
    values = {key: tensor(getattr(neuron, key), dtype) for key in ("du", "dv", "v_threshold", "bias")}
    if bias is not None:
        values["bias"] = bias
    others = {key: getattr(neuron, key) for key in ("n", "reset", "winners", "groups", "refractory")}
    return SimpleNamespace(**values, **others, spikes=ever_spikes(neuron))


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

    @classmethod
    def of(cls, network: IntegerNetwork) -> IntegerArithmetic:
        """With the network's own weights and without gradients."""
        return cls(network, stored_weights(network, cls.dtype), {}, None)

    def __init__(
        self, network: IntegerNetwork, weights: Weights, biases: Mapping[str, Tensor], function: Surrogate | None
    ) -> None:
        self.weights = weights
        self.connections = merged(network)
        self.factors = [2.0**p.weight_exp for p in network.projections]
        self.neurons = {name: _integers(p, biases.get(name), function) for name, p in network.neurons.items()}

    def product(self, projection: int, part: int, x: Tensor) -> Tensor:
        """Drive that values (..., pre) cause through a part of a projection: the shifted sum, floored."""
        a = product(self.connections[projection], self.weights[projection][part], x) * self.factors[projection]
        return straight_through(a.floor(), a) if self.factors[projection] < 1 else a

    def step(self, name: str, state: Any, drive: Tensor) -> tuple[Any, Overflow | None]:
        """One step of a population; see ``integer_lif.step``."""
        neuron = self.neurons[name]
        current = _decay(state.u, neuron.keep_u) + drive * 2**ALIGNMENT
        u = straight_through(_wrap(_int32(current)), current)
        voltage = _decay(state.v, neuron.keep_v) + u + neuron.bias
        v = straight_through(_int32(voltage).clamp(1 - STATE_LIMIT, STATE_LIMIT - 1), voltage)
        s = neuron.spikes(v - neuron.v_threshold, neuron.winners, neuron.groups)
        overflow = overflow_of((u != current).numpy(), (v != voltage).numpy())
        return state._replace(u=u, v=v * (1 - s.detach()), s=s), overflow

    def first(self, name: str, state: Any, n_samples: int) -> Any:
        """The state to start from: given in arrays, or rest."""
        n = self.neurons[name].n
        given: Any = integer_lif.rest(n_samples, n) if state is None else state
        return given._make(torch.tensor(part, dtype=self.dtype, device="cpu") for part in given)

    @staticmethod
    def arrays(state: Any) -> integer_lif.State:
        """A state as the reference simulator has it."""
        u, v, s = (part.numpy().astype(np.int64) for part in state)
        return integer_lif.State(u, v, s.astype(bool))


def _integers(neuron: Any, bias: Tensor | None, function: Surrogate | None) -> SimpleNamespace:
    return SimpleNamespace(
        keep_u=tensor(DECAY_UNITY - (neuron.du + 1), torch.float64),
        keep_v=tensor(DECAY_UNITY - neuron.dv, torch.float64),
        v_threshold=tensor(neuron.v_threshold * 2**ALIGNMENT, torch.float64),
        bias=tensor(neuron.bias, torch.float64) if bias is None else bias,
        spikes=winning
        if function is None or not ever_spikes(neuron)
        else spiking(function, unit=2**ALIGNMENT * neuron.scale),
        **{key: getattr(neuron, key) for key in ("n", "winners", "groups")},
    )


def _decay(value: Tensor, keep: Any) -> Tensor:
    """trunc(value keep / 4096): the quotient is exact in float64."""
    kept = value * keep / DECAY_UNITY
    return straight_through(kept.trunc(), kept)


def _int32(value: Tensor) -> Tensor:
    """The value that 32 bits hold; see ``integer_lif.int32``."""
    return value - 2.0**32 * torch.floor((value + 2.0**31) / 2.0**32)


def _wrap(u: Tensor) -> Tensor:
    """One wrap into 24 bits; see ``integer_lif.wrap``."""
    up, down = u > STATE_LIMIT, u <= -STATE_LIMIT
    return u + 2 * STATE_LIMIT * (down.to(u.dtype) - up.to(u.dtype))
