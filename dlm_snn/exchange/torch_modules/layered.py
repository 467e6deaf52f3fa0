"""Tensors whose first axis stands before that of the samples: a stack of branches or of steps, taken apart again.

``torch.stack([a, b]).sum(0)`` is a + b, ``fc(spikes[None])[0]`` is fc(spikes): along that axis stand whole layers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from dlm_snn.exchange.torch_modules.calls import mapped
from dlm_snn.exchange.torch_modules.functions import GATHERING, PRODUCTS, QUOTIENTS, WEIGHTED
from dlm_snn.exchange.torch_modules.meaning import Affine, Meaning, Opaque
from dlm_snn.exchange.torch_modules.neurons import tensors
from dlm_snn.exchange.torch_modules.summing import scaling

Result = Callable[[str, Any, Any, Any, list[tuple[Tensor, Any]], list[Tensor]], list[Meaning]]
"""(name, function, args, kwargs, tensors with their meanings, outputs) -> what it gives for them."""
NEAR = 1e-12
"""Of a function that is computed for one layer and for all."""


def layers_of(name: str, args: Any, kwargs: Any, before: Sequence[tuple[Tensor, Any]]) -> tuple[Affine, ...]:
    """What a call puts along a new first axis; (): it makes none."""
    given = args[0] if args else kwargs.get("tensors", kwargs.get("input"))
    meanings = {id(tensor): meaning for tensor, meaning in before}
    found = [meanings.get(id(piece)) for piece in tensors(given)]
    own = tuple(meaning for meaning in found if isinstance(meaning, Affine))
    if len(own) != len(found) or not _first(name, args, kwargs):
        return ()
    return own


def _first(name: str, args: Any, kwargs: Any) -> bool:
    """Whether a call makes a new first axis."""
    if name in ("stack", "unsqueeze"):
        return _argument(args, kwargs, "dim", 0 if name == "stack" else None) == 0
    if name != "getitem":
        return False
    first, *others = args[1] if isinstance(args[1], tuple) else (args[1],)
    return first is None and all(part is Ellipsis or part == slice(None) for part in others)


def of_opaque(
    name: str,
    func: Any,
    args: Any,
    kwargs: Any,
    before: list[tuple[Tensor, Any]],
    outputs: list[Tensor],
    result: Result,
) -> list[Meaning]:
    """What a function makes of something that no network computes, or of a stack of layers."""
    found = _of_layers(name, func, args, kwargs, before, outputs, result)
    if found is not None:
        return found
    parts = tuple(meaning for _, meaning in before)
    opaque = next(part for part in parts if isinstance(part, Opaque))
    inner = name in WEIGHTED or any(isinstance(part, Opaque) and part.inner for part in parts)
    own = bool(opaque.layers) and name not in GATHERING | WEIGHTED
    values = {"name": name} if own else opaque.values
    return [Opaque(opaque.refusal, values, parts, inner, name) for _ in outputs]


def _of_layers(
    name: str,
    func: Any,
    args: Any,
    kwargs: Any,
    before: Sequence[tuple[Tensor, Any]],
    outputs: list[Tensor],
    result: Result,
) -> list[Meaning] | None:
    """What a function makes of a stack of layers; None: it is not known."""
    whole, meaning = before[0]
    if len(before) != 1 or not isinstance(meaning, Opaque) or not meaning.layers or not args or args[0] is not whole:
        return None
    layers = meaning.layers
    if name in ("sum", "mean") and set(kwargs) <= {"dim", "axis"} and len(args) <= 2:
        dim = _argument(args, kwargs, "dim", kwargs.get("axis"))
        return [_summed(layers, name == "mean")] if dim in (0, (0,), [0]) else None
    if name in ("unbind", "iter") and _argument(args, kwargs, "dim", 0) == 0:
        return list(layers)
    if name in ("getitem", "select", "squeeze"):
        place = _place(name, args, kwargs, whole, outputs[0])
        return None if place is None else [layers[place]]
    if len(layers) != 1 or name not in WEIGHTED | PRODUCTS | QUOTIENTS or not _alone(func, args, kwargs, whole):
        return None
    one = whole[0]
    found = result(name, func, *_with(args, kwargs, whole, one), [(one, layers[0])], [outputs[0][0]])
    if not all(isinstance(part, Affine) for part in found):
        return None
    own = tuple(part for part in found if isinstance(part, Affine))
    return [Opaque(meaning.refusal, meaning.values, own, function=name, layers=own)]


def _argument(args: Any, kwargs: Any, name: str, default: Any) -> Any:
    return args[1] if len(args) > 1 else kwargs.get(name, default)


def _place(name: str, args: Any, kwargs: Any, whole: Tensor, out: Tensor) -> int | None:
    """Which layer a call takes out."""
    if name == "squeeze":
        return 0 if len(whole) == 1 and out.shape == whole.shape[1:] else None
    if name == "select":
        index = args[2] if len(args) > 2 else kwargs.get("index")
        return index if _argument(args, kwargs, "dim", None) == 0 and type(index) is int else None
    first, *others = args[1] if isinstance(args[1], tuple) else (args[1],)
    plain = all(part is Ellipsis or part == slice(None) for part in others)
    return first if type(first) is int and plain else None


def _summed(layers: Sequence[Affine], mean: bool) -> Affine:
    parts = layers
    if mean:
        share = scaling(torch.full(layers[0].shape, 1 / len(layers), dtype=torch.float64, device="cpu"))
        parts = [layer.through(share) for layer in layers]
    terms = tuple(term for part in parts for term in part.terms)
    return Affine(terms, torch.stack([part.constant for part in parts]).sum(0), addends=tuple(layers))


def _alone(func: Any, args: Any, kwargs: Any, whole: Tensor) -> bool:
    """Whether a function of a stack of one layer is that function of the layer."""
    generator = torch.Generator(device="cpu").manual_seed(0)
    trial = torch.randn(whole.shape, dtype=torch.float64, device="cpu", generator=generator)
    found = [func(*own, **named) for own, named in (_with(args, kwargs, whole, x) for x in (trial, trial[0]))]
    all_of_it, one = found
    return all_of_it.shape == (1, *one.shape) and torch.allclose(all_of_it[0], one, NEAR, NEAR)


def _with(args: Any, kwargs: Any, whole: Tensor, other: Tensor) -> tuple[Any, Any]:
    return mapped((args, kwargs), lambda tensor: other if tensor is whole else tensor)
