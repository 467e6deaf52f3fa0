"""snnTorch's neurons: Leaky, Synaptic, RLeaky, RSynaptic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import snntorch as snn
import torch
from torch import Tensor, nn

from dlm_snn.connections.connection import Connection
from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.exchange.snntorch.neurons import KNOWN, RECURRENT, Firing, li_of, lif_of, reset_of
from dlm_snn.exchange.snntorch.recurrence import recurrence
from dlm_snn.exchange.torch_modules.neurons import ForeignNeuron, Returned, Table, spikes_first
from dlm_snn.exchange.torch_modules.refusals import Refusal, RefusedError, told_by

OPTION = Refusal("{thing}", "{remedy}")
"""An option under which a snnTorch neuron differs from LIF; ``exchange.snntorch.neurons`` knows which."""
STATES = ("spk", "syn", "mem")
DERIVED = ("reset",)
"""Made anew in each call, and left from the last run."""


class _InDtype:
    """A surrogate whose spikes have the dtype of v: snnTorch's are float32, which its own recurrence refuses."""

    def __init__(self, surrogate: Any) -> None:
        self.surrogate = surrogate

    def __call__(self, overshoot: Tensor) -> Tensor:
        return self.surrogate(overshoot).to(overshoot.dtype)


def _read(module: nn.Module, shape: tuple[int, ...], where: str) -> ForeignNeuron:
    neuron: Any = module
    loops: list[tuple[Connection, int]] = []
    bias: Any = 0.0
    try:
        if reset_of(neuron) == "none":
            return ForeignNeuron(li_of(neuron, shape, where))
        if type(module) in RECURRENT:
            loop, bias = recurrence(neuron, shape, where)
            loops = [(loop, 1)]
        return ForeignNeuron(lif_of(neuron, shape, 0.0, where), bias=bias, loops=loops)
    except UnsupportedError as error:
        thing = error.thing.removeprefix(f"{where} with ")
        raise RefusedError(OPTION, where, thing=thing, remedy=error.remedy) from error
    except DlmError as error:
        thing, remedy = told_by(error)
        raise RefusedError(OPTION, where, thing=thing.removeprefix(f"{where}: "), remedy=remedy) from error


def _returned(module: nn.Module, output: Any) -> Returned:
    found = spikes_first(module, output)
    return found if found.v is not None else found._replace(v=getattr(module, "mem", None))


def put_to_rest(neuron: nn.Module) -> None:
    """No state, as before the first call."""
    for name in STATES:
        if name in neuron._buffers:
            neuron._buffers[name] = torch.zeros(0, dtype=torch.float64, device="cpu")
    for name in DERIVED:
        vars(neuron).pop(name, None)


@contextmanager
def _resting(model: nn.Module) -> Iterator[None]:
    """States at rest; ``snntorch.utils.reset`` reaches the neurons of this model instead of the user's."""
    neurons = [part for part in model.modules() if isinstance(part, snn.SpikingNeuron)]
    for neuron in neurons:
        put_to_rest(neuron)
        if not isinstance(neuron.spike_grad, Firing):
            neuron.spike_grad = _InDtype(neuron.spike_grad)
    instances = snn.SpikingNeuron.instances
    snn.SpikingNeuron.instances = neurons
    try:
        yield
    finally:
        snn.SpikingNeuron.instances = instances


TABLE = Table(
    readers=dict.fromkeys(KNOWN, _read),
    stateful=(snn.SpikingNeuron,),
    returned=_returned,
    keeps_state=lambda module: True,
    fed_back=lambda module: type(module) in RECURRENT,
    resting=_resting,
    refusals=(OPTION,),
)
