"""Functions that work value by value: masks, weighted sums of several tensors, and all that is done to spikes.

A spike is 0 or 1, so that f(s) = f(0) + (f(1) - f(0)) s, whatever f is.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dlm_snn.exchange.torch_modules.arranging import Arrangements
from dlm_snn.exchange.torch_modules.calls import Call
from dlm_snn.exchange.torch_modules.functions import ROUNDING
from dlm_snn.exchange.torch_modules.meaning import SPIKES, Affine, Meaning, Opaque
from dlm_snn.exchange.torch_modules.refusals import FUNCTION, MIXED, NOT_LINEAR, PRODUCT, ROUNDED
from dlm_snn.exchange.torch_modules.summing import multiplied, scaling, spread

NEAR = 1e-12
"""Of a sum that is computed in two orders."""


def levels(meaning: Meaning | None) -> tuple[Tensor, Tensor] | None:
    """What each value is without and with its spike; None: one comes from several spikes, or from something else."""
    if not isinstance(meaning, Affine):
        return None
    count = torch.zeros_like(meaning.constant)
    high = meaning.constant.clone()
    for term in meaning.terms:
        if term.port != SPIKES or any(element.kind not in ("arranging", "scaling") for element in term.path):
            return None
        size = term.path[0].entering if term.path else meaning.constant.numel()
        reached = torch.ones(size, dtype=torch.float64, device="cpu")
        for element in term.path:
            # The factors alone: a normalization adds a constant too, which the meaning's has already.
            factors = element.factors
            reached = element.push(reached) if factors is None else reached.reshape(factors.shape) * factors
        reached = reached.reshape(meaning.shape)
        count += reached != 0
        high += reached
    return (meaning.constant, high) if bool((count <= 1).all()) else None


def binary(meaning: Meaning | None) -> bool:
    """Whether all values are 0 or 1, in any sample: each comes from one spike at most."""
    found = levels(meaning)
    return found is not None and all(bool(((own == 0) | (own == 1)).all()) for own in found)


def of_spikes(call: Call) -> list[Meaning]:
    """A function of each value, where each is one of two: f(low) + (f(high) - f(low)) s."""
    tensor, meaning = call.tracked[0]
    found = levels(meaning)
    sorted_in = call.name == "bucketize" and call.argument(0, "input") is not tensor
    if len(call.tracked) != 1 or len(call.outputs) != 1 or found is None or sorted_in:
        return call.opaque(ROUNDED if call.name in ROUNDING else FUNCTION)
    whole = spread(meaning, call.outputs[0])
    (low,), (high,) = (call.again(own.to(tensor.dtype).expand(tensor.shape)) for own in found)
    low, high = low.double(), high.double()
    if low.shape != call.outputs[0].shape or bool((low != low[:1]).any()) or bool((high != high[:1]).any()):
        return call.opaque(MIXED)
    # As the values broadcast: what each was before.
    before = None if whole is None else levels(whole)
    if whole is None or before is None:
        return call.opaque(MIXED)
    if not bool(torch.isfinite(low[0]).all() and torch.isfinite(high[0]).all()):
        return call.opaque(NOT_LINEAR)
    apart = before[1] - before[0]
    factors = torch.where(apart == 0, 1.0, (high[0] - low[0]) / torch.where(apart == 0, 1.0, apart))
    # From here on the values count, not how torch writes them: -0, or the type of a comparison.
    scaled = whole if bool((factors == 1).all()) else whole.through(scaling(factors))
    return [Affine(scaled.terms, low[0], addends=whole.addends)]


def scaled(call: Call) -> list[Meaning]:
    """Times a constant; or any other product or quotient of one value that is one of two."""
    found = multiplied(call)
    if not isinstance(found[0], Opaque) or len(call.tracked) != 1:
        return found
    other = of_spikes(call)
    return found if isinstance(other[0], Opaque) else other


def blended(call: Call) -> list[Meaning]:
    """factor a + factor b + ... + constant, value by value."""
    result = call.outputs[0]
    places = [torch.zeros_like(tensor) for tensor, _ in call.tracked]
    (constant,) = call.again(*places)
    generator = torch.Generator(device="cpu").manual_seed(0)
    trials = [
        torch.rand(tensor.shape, dtype=torch.float64, device="cpu", generator=generator) for tensor, _ in call.tracked
    ]
    (seen,) = call.again(*trials)
    parts: list[Affine] = []
    total = constant.clone()
    for place, (tensor, meaning) in enumerate(call.tracked):
        (one,) = call.again(*places[:place], torch.ones_like(tensor), *places[place + 1 :])
        factors = one - constant
        whole = spread(meaning, result)
        if whole is None or factors.shape != result.shape or bool((factors != factors[:1]).any()):
            return call.opaque(MIXED)
        parts.append(whole.through(scaling(factors[0])))
        total = total + factors * trials[place]
    if not torch.allclose(total, seen, rtol=NEAR, atol=NEAR):
        return call.opaque(PRODUCT)
    if bool((constant != constant[:1]).any()):
        return call.opaque(MIXED)
    terms = tuple(term for part in parts for term in part.terms)
    added = torch.stack([part.constant for part in parts]).sum(0) + constant[0]
    return [Affine(terms, added, addends=tuple(meaning for _, meaning in call.tracked))]


class Masks:
    """Functions with a mask, which is a constant.

    Args:
        arrange: of functions that put values to other places.
    """

    def __init__(self, arrange: Arrangements) -> None:
        self._arrange = arrange

    def __call__(self, call: Call) -> list[Meaning]:
        """What is left, and what stands in the places of the rest."""
        if not all(bool(torch.isfinite(tensor).all()) for tensor in call.outputs):
            return call.opaque(NOT_LINEAR)
        if call.meaning(mask_of(call.func, call.args, call.kwargs)) is None:
            return self._arrange(call)
        alone = len(call.tracked) == 1 and call.name not in ("masked_scatter", "masked_select")
        return of_spikes(call) if alone else call.opaque(PRODUCT)


def mask_of(func: Any, args: Any, kwargs: Any) -> Any:
    """The mask among the arguments of a function of ``functions.MASKED``."""
    place = 0 if func is torch.where else 1
    name = "condition" if getattr(func, "__name__", "") == "where" else "mask"
    return args[place] if len(args) > place else kwargs.get(name)


def as_stored(name: str, meaning: Meaning, tensor: Tensor, exact: frozenset[str]) -> bool:
    """Whether a tensor of integers or truth values holds what its meaning says.

    Truth values and small integers hold spikes; larger integers sums of them too, by the functions ``exact``.
    """
    if tensor.is_floating_point() or not isinstance(meaning, Affine) or not meaning.terms:
        return True
    if tensor.dtype not in (torch.int32, torch.int64):
        return binary(meaning)
    return binary(meaning) or (name in exact and bool((meaning.constant == meaning.constant.round()).all()))
