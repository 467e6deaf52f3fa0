"""sinabs' layers: LIF, IAF and ExpLeak, and their Squeeze forms, one step a call.

i = alpha_syn (i + x), or x without tau_syn;  h = alpha_mem v + (1 - alpha_mem if norm_input) i;
s = h >= spike_threshold;  then MembraneReset: v = 0 where it spikes, or MembraneSubtract: v = h - threshold s. IAF:
alpha_mem = 1, no norm_input. ExpLeak never spikes, and gives v. alpha = exp(-1 / tau), or as trained.

Source: sinabs 3.1.3, ``sinabs/layers/functional/lif.py`` (lif_forward_single), ``layers/lif.py``, ``layers/iaf.py``,
``layers/exp_leak.py``, ``activation/spike_generation.py``, ``activation/reset_mechanism.py``; 2.0.3 has the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from sinabs import layers
from sinabs.activation import MaxSpike, MembraneReset, MembraneSubtract, SingleSpike
from torch import nn

from dlm_snn.exchange.torch_modules.membranes import (
    MEMBRANES,
    Number,
    firing,
    integrating,
    one_or_each,
    per_unit,
)
from dlm_snn.exchange.torch_modules.neurons import ForeignNeuron, Returned, Table, tensors
from dlm_snn.exchange.torch_modules.refusals import Refusal, RefusedError

SEVERAL = Refusal("spike_fn {name} sends several spikes a step", "use spike_fn=SingleSpike")
FLOOR = Refusal("min_v_mem {value}, a floor of the membrane", "train with min_v_mem=None")
LEVEL = Refusal("MembraneReset({value}) adds {value} in every step", "use MembraneReset(0)")
RESET = Refusal("a reset_fn of its own ({name})", "use MembraneReset() or MembraneSubtract()")
MANY_STEPS = Refusal(
    "{steps} steps in one call",
    "give call= with a loop over time, which passes x[:, t:t+1] (Squeeze layers: batch_size=None, num_timesteps=1)",
)
SILENT = (layers.ExpLeak, layers.ExpLeakSqueeze)
FIRING = (layers.LIF, layers.LIFSqueeze, layers.IAF, layers.IAFSqueeze)


def _read(module: nn.Module, shape: tuple[int, ...], where: str) -> ForeignNeuron:
    layer: Any = module
    if layer.min_v_mem is not None:
        raise RefusedError(FLOOR, where, value=float(layer.min_v_mem))
    alpha = one_or_each("alpha_mem", layer.alpha_mem_calculated, shape, where)
    gain: Number = 1 - alpha if layer.norm_input else 1.0
    du: Number = 1.0
    if layer.alpha_syn_calculated is not None:
        synaptic = one_or_each("alpha_syn", layer.alpha_syn_calculated, shape, where)
        du, gain = 1 - synaptic, gain * synaptic
    if type(layer) in SILENT:
        return integrating(shape, where, dv=1 - alpha, gain=gain, du=du)
    _check_spikes(layer, where)
    threshold = one_or_each("spike_threshold", layer.spike_threshold, shape, where)
    per, taken = per_unit(gain, where), _subtracted(layer, threshold, where)
    return firing(shape, where, dv=1 - alpha, du=du, threshold=threshold, at=True, per=per, subtracted=taken)


def _check_spikes(layer: Any, where: str) -> None:
    made = layer.spike_fn
    if made is not SingleSpike and not (type(made) is MaxSpike and made.max_num_spikes_per_bin == 1):
        raise RefusedError(SEVERAL, where, name=getattr(made, "__name__", made))


def _subtracted(layer: Any, threshold: Number, where: str) -> Number | None:
    """What a spike takes from v; None: all of it."""
    reset = layer.reset_fn
    if type(reset) is MembraneSubtract:
        return threshold if reset.subtract_value is None else float(reset.subtract_value)
    if type(reset) is not MembraneReset:
        raise RefusedError(RESET, where, name=type(reset).__name__)
    if reset.reset_value != 0:
        raise RefusedError(LEVEL, where, value=reset.reset_value)
    return None


def _returned(module: nn.Module, output: Any) -> Returned:
    (first,) = tensors(output)
    layer: Any = module
    if not isinstance(layer, layers.SqueezeMixin) and first.shape[1] != 1:
        raise RefusedError(MANY_STEPS, f"a layer ({type(layer).__name__})", steps=first.shape[1])
    return Returned(None if type(module) in SILENT else first, layer.v_mem)


@contextmanager
def _resting(model: nn.Module) -> Iterator[None]:
    """As made: no rate, and states without a shape, which sinabs would draw from for another number of samples."""
    for layer, part in model.named_modules():
        if isinstance(part, layers.SqueezeMixin) and part.num_timesteps != 1:
            steps = "an open number of" if part.num_timesteps < 0 else part.num_timesteps
            raise RefusedError(MANY_STEPS, f"layer '{layer or 'itself'}' ({type(part).__name__})", steps=steps)
        if isinstance(part, layers.StatefulLayer):
            for name in dict(part.named_buffers(recurse=False)):
                part.register_buffer(name, torch.zeros(0, dtype=torch.float64, device="cpu"))
            vars(part).pop("firing_rate", None)
    yield


TABLE = Table(
    readers=dict.fromkeys((*FIRING, *SILENT), _read),
    stateful=(layers.StatefulLayer,),
    returned=_returned,
    keeps_state=lambda module: True,
    resting=_resting,
    refusals=(SEVERAL, FLOOR, LEVEL, RESET, MANY_STEPS, *MEMBRANES),
)
