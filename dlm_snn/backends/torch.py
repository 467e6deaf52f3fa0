"""The simulator in torch: batched runs without gradients, and a module that trains."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from dlm_snn.backends._torch_arithmetic import FloatArithmetic, IntegerArithmetic, by_delay
from dlm_snn.backends._torch_loop import Arithmetic, silent, simulate, unroll
from dlm_snn.connections.chain import Chain
from dlm_snn.connections.pool2d import Pool2d
from dlm_snn.errors import DlmError
from dlm_snn.networks.known import check_known
from dlm_snn.networks.network import Input, IntegerNetwork, IntegerProjection, Network
from dlm_snn.neurons.integer_lif import ALIGNMENT
from dlm_snn.neurons.models import is_integer, spikes
from dlm_snn.runs.recording import Recording, RunState, WhatToRecord, kind_of
from dlm_snn.runs.stimulus import check_range
from dlm_snn.surrogate import SoftSpikes, Surrogate, straight_through

SPIKE_BYTES = 1
"""A raster is dense, a Boolean a neuron and step, until the run ends."""


def run(
    network: Network | IntegerNetwork,
    stimulus: Mapping[str, Any],
    n_steps: int,
    record: WhatToRecord = ("s",),
    state: RunState | None = None,
    dtype: torch.dtype = torch.float64,
) -> Recording:
    """Simulate a network over its windows; the contract of ``backends.run``.

    Args:
        network: float, or integer (computed in float64 tensors that hold the integers exactly).
        stimulus, n_steps, record, state: see ``backends.run``; states go from here to the reference and back.
        dtype: torch.float64, or torch.float32 for a Network.

    Returns:
        The Recording; integer networks with counts of overflow.

    Raises:
        DlmError: a stimulus, state or dtype that does not fit the network.
    """
    check_known(network, "torch")
    return simulate(network, _arithmetic(network, dtype), stimulus, n_steps, record, state)


def _arithmetic(network: Network | IntegerNetwork, dtype: torch.dtype) -> Arithmetic:
    if isinstance(network, IntegerNetwork):
        if dtype != torch.float64:
            raise DlmError(f"an integer network is exact in torch.float64 only, not in {dtype}")
        return IntegerArithmetic.of(network)
    if dtype not in (torch.float32, torch.float64):
        raise DlmError(f"dtype = {dtype} is neither torch.float64 nor torch.float32")
    return FloatArithmetic.of(network, dtype)


class SpikingModule(torch.nn.Module):
    """A network whose weights are parameters: the same time loop under autograd.

    Forward values are exact: a Network in float64 gives the reference's spikes, an IntegerNetwork gives them bit for
    bit. Backward, spikes have the surrogate's derivative, centered on the competition's own threshold
    (``surrogate.spiking``), the reset passes no gradient, and rounding, truncation, floor, wrap and clip pass it
    straight through.

    The parameters of an IntegerNetwork are float64 in float units, w = w_int * scale_pre / (scale_post * 2^weight_exp),
    rounded to the grid of the projection's bits in every forward pass: learning rates carry over from float training.

    Attributes:
        weights: one parameter a projection, in the network's order and in the shape of its connection's weights; that
            of a Pool2d stays as it is.
        biases: population -> parameter (neuron,), if asked for.

    Args:
        network: whose structure, neurons and first weights to take.
        surrogate: a function such as ``snntorch.surrogate.fast_sigmoid(slope=25)``; or SoftSpikes, for a Network:
            then the forward pass is smooth and no longer the reference's.
        biases: whether the neurons' biases are trained too.
        dtype: of a Network's parameters; an IntegerNetwork computes in float64.
    """

    def __init__(
        self,
        network: Network | IntegerNetwork,
        surrogate: Surrogate | SoftSpikes,
        biases: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        check_known(network, "torch")
        if isinstance(surrogate, SoftSpikes) and isinstance(network, IntegerNetwork):
            raise DlmError("soft spikes are for a float Network; an IntegerNetwork takes a surrogate")
        projection: Any
        for projection in network.projections:
            if isinstance(projection.connection, Chain):
                raise DlmError(f"{projection.name}: a Chain cannot be trained as a whole; give chain.merged()")
        self._network = network
        self._populations: Mapping[str, Any] = network.populations
        self._projections: Sequence[Any] = tuple(network.projections)
        self._surrogate = surrogate
        self._dtype = torch.float64 if isinstance(network, IntegerNetwork) else dtype
        self.weights = torch.nn.ParameterList(
            torch.tensor(p.connection.weight / self._unit(p), dtype=self._dtype, device="cpu")
            for p in self._projections
        )
        for weight, p in zip(self.weights, self._projections, strict=True):
            weight.requires_grad_(not isinstance(p.connection, Pool2d))
        trained = network.neurons if biases else {}
        self.biases = torch.nn.ParameterDict(
            {
                n: torch.tensor(np.full(p.n, p.bias / _bias_unit(p)), dtype=self._dtype, device="cpu")
                for n, p in trained.items()
            }
        )

    def _unit(self, projection: Any) -> float:
        """The integer weight of one float unit; 1 in a Network."""
        if not isinstance(projection, IntegerProjection):
            return 1.0
        pre, post = self._populations[projection.pre], self._populations[projection.post]
        return post.scale * 2.0**-projection.weight_exp / (pre.scale if isinstance(pre, Input) else 1.0)

    def forward(
        self, inputs: Mapping[str, Tensor], n_steps: int, populations: Collection[str] | None = None
    ) -> dict[str, Tensor]:
        """Run from rest.

        Args:
            inputs: Input name -> (sample, neuron) held constant, or (step, sample, neuron). Integers are what events
                carry (a Network divides by ``scale``); floats are real values, for a Network only. A constant of the
                network's own (``Input.constant``) may be left out.
            n_steps: steps of every window.
            populations: whose spikes to return; all by default, but copying those of large ones takes time.

        Returns:
            Population -> spikes 0 and 1, (step, sample, neuron); v in float units of a population that never spikes.

        Raises:
            DlmError: inputs of the wrong names, shape or type, or out of the Input's range.
        """
        sources = {n: p for n, p in self._network.inputs.items() if n in inputs or not p.constant}
        fed = {name: self._values(name, population, inputs) for name, population in sources.items()}
        n_samples = next(iter(fed.values())).shape[1] if fed else 1
        for name in self._network.inputs.keys() - fed:
            fed[name] = torch.ones(1, n_samples, 1, dtype=self._dtype, device="cpu")
        arithmetic = self._arithmetic()
        states = {name: arithmetic.first(name, None, n_samples) for name in self._network.neurons}
        sent = {name: silent(self._network, name, n_samples, self._dtype) for name in self._populations}
        given: dict[str, list[Tensor]] = {name: [] for name in populations or states}
        for outcome in unroll(self._network, arithmetic, fed, n_steps, states, sent):
            for name, steps in given.items():
                state, neuron = outcome[name][0], self._populations[name]
                steps.append(state.s if spikes(neuron) else state.v / _bias_unit(neuron))
        return {name: torch.stack(steps) for name, steps in given.items()}

    def _values(self, name: str, population: Input, inputs: Mapping[str, Tensor]) -> Tensor:
        """The values of an Input, (step or 1, sample, neuron)."""
        if name not in inputs:
            raise DlmError(f"no values for Input '{name}'; give a tensor (sample, neuron) or (step, sample, neuron)")
        given = inputs[name]
        if given.ndim not in (2, 3) or given.shape[-1] != population.n:
            raise DlmError(f"values of '{name}' have shape {tuple(given.shape)}; expected (..., {population.n})")
        if isinstance(self._network, IntegerNetwork) and given.is_floating_point():
            raise DlmError(f"values of '{name}' are of {given.dtype}; an integer network takes integers")
        values = given.to(self._dtype)
        if values.numel():
            least, most = (part.item() for part in torch.aminmax(values.detach()))
            real = given.is_floating_point() and population.graded_bits is not None
            check_range(f"input '{name}'", population, least, most, real)
        if not isinstance(self._network, IntegerNetwork) and not given.is_floating_point():
            values = values / population.scale
        return values if values.ndim == 3 else values[None]

    def _arithmetic(self) -> Arithmetic:
        weights = [by_delay(p, w) for p, w in zip(self._projections, self._effective(), strict=True)]
        if isinstance(self._network, IntegerNetwork):
            biases = {name: self._integer_bias(name, b) for name, b in self.biases.items()}
            return IntegerArithmetic(self._network, weights, biases, cast(Surrogate, self._surrogate))
        return FloatArithmetic(self._network, weights, dict(self.biases.items()), self._surrogate, self._dtype)

    def _effective(self) -> Iterator[Tensor]:
        """The weights that the forward pass uses: those of an IntegerNetwork on their grid."""
        for projection, weight in zip(self._projections, self.weights, strict=True):
            if not isinstance(projection, IntegerProjection):
                yield weight
                continue
            low, high, grain = projection.grid
            scaled = weight * self._unit(projection)
            yield straight_through((scaled / grain).round().mul(grain).clamp(low, high), scaled)

    def _integer_bias(self, name: str, bias: Tensor) -> Tensor:
        """bias_mant * 2^bias_exp nearest to a float bias."""
        neuron = self._populations[name]
        grain = 2**neuron.bias_exp
        scaled = bias * _bias_unit(neuron)
        return straight_through((scaled / grain).round().clamp(-4096, 4095) * grain, scaled)

    @torch.no_grad()
    def network(self) -> Network | IntegerNetwork:
        """The network with the parameters as they are now; weights exactly as the forward pass uses them."""
        number = kind_of(self._network)
        projections = [
            replace(p, connection=p.connection.with_weight(weight.numpy().astype(number)))
            for p, weight in zip(self._projections, self._effective(), strict=True)
        ]
        populations = dict(self._populations)
        for name, bias in self.biases.items():
            neuron = populations[name]
            if is_integer(neuron):
                mantissa = self._integer_bias(name, bias).numpy().astype(np.int64) // 2**neuron.bias_exp
                populations[name] = replace(neuron, bias_mant=mantissa)
            else:
                populations[name] = replace(neuron, bias=bias.numpy().astype(np.float64))
        return type(self._network)(populations, projections)


def _bias_unit(neuron: Any) -> float:
    """The integer bias of one float unit; 1 for float neurons."""
    return 2**ALIGNMENT * neuron.scale if is_integer(neuron) else 1.0
