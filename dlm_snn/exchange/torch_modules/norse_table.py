"""norse's cells: LIFCell, LIFRecurrentCell, LIFBoxCell, IAFCell, LICell, LILinearCell, LIBoxCell, step by step.

i' = i + x;  h = v + dt tau_mem_inv ((v_leak - v) + i');  i = i' - dt tau_syn_inv i';  z = h > v_th;  v = v_reset
where it spikes. v begins at v_leak, i at 0. Box cells have no i: h = v + dt tau_mem_inv (x + v_leak - v), and may
subtract v_th. IAFCell: h = v + x, from v_reset. LI cells never spike, and give v. LIFRecurrentCell and LILinearCell
multiply x by input_weights first, and LIFRecurrentCell adds recurrent_weights z of the step before. dt tau is
multiplied in the dtype of the stored tensors, float32.

Source: norse 1.1.0, ``norse/torch/functional/``: ``lif.py`` (lif_feed_forward_step), ``lif_box.py``, ``iaf.py``,
``leaky_integrator.py``, ``leaky_integrator_box.py``, ``reset.py``; ``threshold.py``: every method is x > 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dlm_snn.connections.dense import Dense
from dlm_snn.errors import MissingError
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
from dlm_snn.values import as_array

try:
    from norse.torch.functional.reset import reset_subtract, reset_value
    from norse.torch.module import (
        coba_lif,
        iaf,
        leaky_integrator,
        leaky_integrator_box,
        lif,
        lif_box,
        lif_correlation,
        snn,
    )
except ImportError as error:
    raise MissingError(f"this norse has no {error.name or error}; install norse>=1.1") from error

LEAK = Refusal(
    "v_leak {leak} and v_reset {reset} differ: it begins at the one and resets to the other", "give both one value"
)
LEVEL = Refusal("v_leak {leak} is read as v, which begins at 0", "set v_leak to 0, and add it to what you read")
RESET = Refusal("a reset_method of its own", "use norse's reset_value or reset_subtract")
SILENT = (leaky_integrator.LICell, leaky_integrator.LILinearCell, leaky_integrator_box.LIBoxCell)
WEIGHTED = (lif.LIFRecurrentCell, leaky_integrator.LILinearCell)


def _share(cell: Any, key: str, shape: tuple[int, ...], where: str) -> Number:
    """dt / tau, multiplied as norse does."""
    return one_or_each(f"dt {key}", cell.dt * getattr(cell.p, key), shape, where)


def _value(cell: Any, key: str, shape: tuple[int, ...], where: str) -> Number:
    return one_or_each(key, getattr(cell.p, key), shape, where)


def _rest(cell: Any, shape: tuple[int, ...], where: str) -> Number:
    """v_leak, which must be v_reset."""
    leak, reset = (_value(cell, key, shape, where) for key in ("v_leak", "v_reset"))
    if np.any(leak != reset):
        raise RefusedError(LEAK, where, leak=leak, reset=reset)
    return leak


def _read_lif(module: nn.Module, shape: tuple[int, ...], where: str) -> ForeignNeuron:
    dv, du = (_share(module, key, shape, where) for key in ("tau_mem_inv", "tau_syn_inv"))
    per, rest, threshold = per_unit(dv, where), _rest(module, shape, where), _value(module, "v_th", shape, where)
    return firing(shape, where, dv=dv, du=du, threshold=threshold, at=False, per=per, rest=rest)


def _read_recurrent(module: nn.Module, shape: tuple[int, ...], where: str) -> ForeignNeuron:
    cell: Any = module
    loop = Dense(as_array(cell.recurrent_weights, f"recurrent_weights of {where}").astype(np.float64))
    return replace(_read_lif(module, shape, where), loops=[(loop, 1)])


def _read_box(module: nn.Module, shape: tuple[int, ...], where: str) -> ForeignNeuron:
    p: Any = module.p
    if p.reset_method not in (reset_value, reset_subtract):
        raise RefusedError(RESET, where)
    dv, threshold = _share(module, "tau_mem_inv", shape, where), _value(module, "v_th", shape, where)
    subtracts = p.reset_method is reset_subtract
    rest = _value(module, "v_leak", shape, where) if subtracts else _rest(module, shape, where)
    taken = threshold if subtracts else None
    per = per_unit(dv, where)
    return firing(shape, where, dv=dv, threshold=threshold, at=False, per=per, rest=rest, subtracted=taken)


def _read_iaf(module: nn.Module, shape: tuple[int, ...], where: str) -> ForeignNeuron:
    threshold, reset = (_value(module, key, shape, where) for key in ("v_th", "v_reset"))
    return firing(shape, where, dv=0.0, threshold=threshold, at=False, rest=reset)


def _read_li(module: nn.Module, shape: tuple[int, ...], where: str) -> ForeignNeuron:
    leak = _value(module, "v_leak", shape, where)
    if np.any(leak != 0):
        raise RefusedError(LEVEL, where, leak=leak)
    dv = _share(module, "tau_mem_inv", shape, where)
    box = type(module) is leaky_integrator_box.LIBoxCell
    return integrating(shape, where, dv=dv, gain=dv, du=1.0 if box else _share(module, "tau_syn_inv", shape, where))


def _returned(module: nn.Module, output: Any) -> Returned:
    """(spikes, (v, i)), (spikes, (spikes, v, i)) of a recurrent cell, (v, (v, i)) of a cell without spikes."""
    first, *states = tensors(output)
    own = states[_place_of_v(module) :]
    return Returned(None if type(module) in SILENT else first, own[0], own)


def _place_of_v(module: nn.Module) -> int:
    return int(type(module) is lif.LIFRecurrentCell)


def _weights(module: nn.Module) -> Tensor | None:
    cell: Any = module
    return cell.input_weights if type(module) in WEIGHTED else None


def _at_rest(module: nn.Module, states: Sequence[Tensor]) -> bool:
    """v at v_leak (an IAFCell's at v_reset), z and i at 0: as ``initial_state`` has them."""
    rest = list(states)
    v = rest.pop(_place_of_v(module))
    p: Any = module.p
    begin = torch.as_tensor(p.v_reset if type(module) is iaf.IAFCell else p.v_leak, dtype=v.dtype, device=v.device)
    return bool((v == begin).all()) and not any(bool((state != 0).any()) for state in rest)


TABLE = Table(
    readers={
        lif.LIFCell: _read_lif,
        lif.LIFRecurrentCell: _read_recurrent,
        lif_box.LIFBoxCell: _read_box,
        iaf.IAFCell: _read_iaf,
        **dict.fromkeys(SILENT, _read_li),
    },
    stateful=(
        *(snn.SNNCell, snn.SNNRecurrentCell, snn.SNN, snn.SNNRecurrent),
        *(leaky_integrator.LILinearCell, coba_lif.CobaLIFCell, lif_correlation.LIFCorrelation),
    ),
    returned=_returned,
    weights=_weights,
    at_rest=_at_rest,
    refusals=(LEAK, LEVEL, RESET, *MEMBRANES),
)
