"""spikingjelly's neurons: IFNode, LIFNode, ParametricLIFNode, CUBALIFNode, step by step.

h = v + (x - (v - v_reset)) / tau, or v - (v - v_reset) / tau + x without ``decay_input``; IFNode: h = v + x;
s = h >= v_threshold;  v = v_reset where it spikes, or h - v_threshold s without a v_reset, which is then 0. v begins at
v_reset. ParametricLIFNode: 1 / tau = sigmoid(w). CUBALIFNode: c = c_decay c + x;  h = v_decay v + c.

Sources: spikingjelly 2.0.0, ``_ops/lif/reference.py`` (charge, step), ``_ops/plif/reference.py``, ``_ops/reset.py``,
``activation_based/functional/neuron.py`` (cuba_lif_step), ``activation_based/surrogate.py`` (heaviside: x >= 0);
0.0.0.0.14, ``activation_based/neuron.py``, has the same, without CUBALIFNode.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from spikingjelly.activation_based import base, neuron
from torch import nn

from dlm_snn.exchange.torch_modules.membranes import MEMBRANES, Number, firing, one_or_each, per_unit
from dlm_snn.exchange.torch_modules.neurons import ForeignNeuron, Returned, Table, tensors
from dlm_snn.exchange.torch_modules.refusals import Refusal, RefusedError

MANY_STEPS = Refusal(
    "step_mode 'm' computes all steps of a layer before the next layer",
    "call functional.set_step_mode(module, 's'): it is then called for each step of the sample, or by your call=",
)
SMOOTH = Refusal(
    "a surrogate_function that is not 1 from 0 on and 0 below", "use one of spikingjelly's with spiking=True"
)
DRIFT = Refusal("v decays to 0 and is reset to {reset}", "set v_reset to 0 or None")


def _check_step(node: Any, where: str) -> None:
    """What spikes are: 1 from the threshold on."""
    probe = torch.tensor([-1.0, -1e-9, 0.0, 1e-9, 1.0], dtype=torch.float64, device="cpu")
    if not torch.equal(node.surrogate_function(probe).double(), (probe >= 0).double()):
        raise RefusedError(SMOOTH, where)


def _read(module: nn.Module, shape: tuple[int, ...], where: str) -> ForeignNeuron:
    node: Any = module
    _check_step(node, where)
    dv, per = _decay(node, where)
    threshold = one_or_each("v_threshold", node.v_threshold, shape, where)
    if node.v_reset is None:
        return firing(shape, where, dv=dv, threshold=threshold, at=True, per=per, subtracted=threshold)
    reset = one_or_each("v_reset", node.v_reset, shape, where)
    return firing(shape, where, dv=dv, threshold=threshold, at=True, per=per, rest=reset)


def _read_current(module: nn.Module, shape: tuple[int, ...], where: str) -> ForeignNeuron:
    node: Any = module
    _check_step(node, where)
    if node.v_reset not in (None, 0):
        raise RefusedError(DRIFT, where, reset=node.v_reset)
    threshold = one_or_each("v_threshold", node.v_threshold, shape, where)
    taken = threshold if node.v_reset is None else None
    dv, du = 1 - node.v_decay, 1 - node.c_decay
    return firing(shape, where, dv=dv, du=du, threshold=threshold, at=True, subtracted=taken)


def _decay(node: Any, where: str) -> tuple[float, Number]:
    """Share of v lost per step, and by what the input is divided."""
    if type(node) is neuron.IFNode:
        return 0.0, 1.0
    if type(node) is neuron.LIFNode:
        return 1 / node.tau, node.tau if node.decay_input else 1.0
    share = float(torch.sigmoid(node.w.detach().double()))
    return share, per_unit(share, where) if node.decay_input else 1.0


def _returned(module: nn.Module, output: Any) -> Returned:
    (spikes,) = tensors(output)
    node: Any = module
    return Returned(spikes, node.v)


@contextmanager
def _resting(model: nn.Module) -> Iterator[None]:
    for name, part in model.named_modules():
        if type(part) in TABLE.readers and part.step_mode != "s":
            raise RefusedError(MANY_STEPS, f"layer '{name or 'itself'}' ({type(part).__name__})")
        if isinstance(part, base.MemoryModule):
            part.reset()
    yield


READERS = dict.fromkeys((neuron.IFNode, neuron.LIFNode, neuron.ParametricLIFNode), _read)
if hasattr(neuron, "CUBALIFNode"):
    READERS[neuron.CUBALIFNode] = _read_current
TABLE = Table(
    readers=READERS,
    stateful=tuple(kind for kind in vars(neuron).values() if isinstance(kind, type) and issubclass(kind, nn.Module)),
    returned=_returned,
    keeps_state=lambda module: True,
    resting=_resting,
    refusals=(MANY_STEPS, SMOOTH, DRIFT, *MEMBRANES),
)
