"""Genuine snnTorch neurons inside our time loop, in float64."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from dlm_snn.backends._torch_arithmetic import FloatArithmetic, tensor
from dlm_snn.backends._torch_loop import simulate
from dlm_snn.errors import UnsupportedError
from dlm_snn.exchange.snntorch.neurons import neuron_module
from dlm_snn.networks.known import check_known
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.neurons import lif
from dlm_snn.neurons.lif import LIF
from dlm_snn.runs.recording import Recording, RunState, WhatToRecord

ARITHMETICS = ("float",)
SPIKE_BYTES = 1
"""A raster is dense, a Boolean a neuron and step, until the run ends."""


def run(
    network: Network | IntegerNetwork,
    stimulus: Mapping[str, Any],
    n_steps: int,
    record: WhatToRecord = ("s",),
    state: RunState | None = None,
) -> Recording:
    """Simulate a network with snnTorch's Leaky and Synaptic neurons; the contract of ``backends.run``.

    Synaptic sums, delays and recurrence are written in the loop around the neurons. ``u`` is the drive of a Leaky
    and the syn of a Synaptic; ``v`` is mem (1 - s) for a zero reset, else mem.

    Raises:
        UnsupportedError: integer networks, and what ``exchange.snntorch_neurons.neuron_module`` refuses.
        DlmError: a stimulus or state that does not fit the network.
    """
    if isinstance(network, IntegerNetwork):
        raise UnsupportedError("snnTorch", "integer networks", "use backend='torch', 'reference' or 'lava-fixed'")
    check_known(network, "snntorch")
    return simulate(network, _SnnTorch(network), stimulus, n_steps, record, state)


class _State(NamedTuple):
    """As recorded, and the membrane as snnTorch keeps it: before a zero reset."""

    u: Tensor
    v: Tensor
    s: Tensor
    mem: Tensor


class _SnnTorch:
    """Synaptic sums as in the torch simulator, steps by snnTorch; see ``_torch_loop.Arithmetic``."""

    dtype = torch.float64

    def __init__(self, network: Network) -> None:
        self.product = FloatArithmetic.of(network, self.dtype).product
        self.neurons = network.neurons
        self.modules = {name: neuron_module(name, p) for name, p in network.neurons.items()}
        self.biases = {name: tensor(p.bias, self.dtype) for name, p in network.neurons.items()}

    def step(self, name: str, state: _State, drive: Tensor) -> tuple[_State, None]:
        """One call of the module."""
        module = self.modules[name]
        if _leaky(self.neurons[name]):
            s, mem = module(drive + self.biases[name], state.mem)
            u = drive
        else:
            s, u, mem = module(drive, state.u, state.mem)
        v = mem * (1 - s) if self.neurons[name].reset == "zero" else mem
        return _State(u, v, s, mem), None

    def first(self, name: str, state: Any, n_samples: int) -> _State:
        """The state to start from. A Leaky finds the spikes that it has to reset in mem: there winners stand out."""
        neuron = self.neurons[name]
        given = lif.rest(n_samples, neuron.n) if state is None else state
        u, v, s = (torch.tensor(part, dtype=self.dtype, device="cpu") for part in given[:3])
        high = v.abs().max() + float(np.max(neuron.v_threshold)) + 1 if v.numel() else v
        mem = torch.where(s > 0, high, v) if neuron.reset == "zero" and _leaky(neuron) else v
        return _State(u, v, s, mem)

    @staticmethod
    def arrays(state: _State) -> lif.State:
        """A state as the reference simulator has it."""
        s = state.s.numpy().astype(bool)
        return lif.State(state.u.numpy(), state.v.numpy(), s, np.zeros(s.shape, dtype=int))


def _leaky(neuron: LIF) -> bool:
    return bool(np.all(np.asarray(neuron.du) == 1))
