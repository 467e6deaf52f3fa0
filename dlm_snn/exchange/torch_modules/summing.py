"""Sums, differences, and products with constants."""

from __future__ import annotations

import torch
from torch import Tensor

from dlm_snn.connections.connection import Connection, Sparse
from dlm_snn.exchange.torch_modules.calls import Call, constant_part
from dlm_snn.exchange.torch_modules.functions import DIFFERENCES
from dlm_snn.exchange.torch_modules.meaning import Affine, Element, Meaning
from dlm_snn.exchange.torch_modules.probing import arrangement
from dlm_snn.exchange.torch_modules.refusals import MIXED, PRODUCT, ROUNDED, STRANGER


def scaling(factors: Tensor) -> Element:
    """Each value times a factor of its own, (...)."""

    def make() -> Connection:
        weight = factors.reshape(-1).numpy()
        index = torch.arange(weight.size, device="cpu").numpy()
        return Sparse((weight.size, weight.size), index, index, weight)

    factors = factors.detach().double().contiguous()
    key = ("scaling", tuple(factors.shape), factors.numpy().tobytes())
    return Element(key, make, lambda constant: constant * factors, "scaling", factors, entering=factors.numel())


def summed(call: Call) -> list[Meaning]:
    """a + alpha b, or a - alpha b; other arguments are constants."""
    result = call.outputs[0]
    alpha = call.kwargs.get("alpha", 1)
    first, second = call.argument(0, "input"), call.argument(1, "other")
    sign = -1.0 if call.name in DIFFERENCES else 1.0
    factors = (sign * alpha, 1.0) if call.name == "rsub" else (1.0, sign * alpha)
    parts = []
    for value, factor in zip((first, second), factors, strict=True):
        part = _addend(call, value, result)
        if part is None:
            return call.opaque(STRANGER if isinstance(value, Tensor) else MIXED)
        parts.append(part if factor == 1 else part.through(scaling(torch.full(part.shape, factor, device="cpu"))))
    terms = tuple(term for part in parts for term in part.terms)
    addends = tuple(part for part in parts if part.terms)
    return [Affine(terms, parts[0].constant + parts[1].constant, addends=addends)]


def _addend(call: Call, value: object, result: Tensor) -> Affine | None:
    meaning = call.meaning(value)
    if meaning is None:
        constant = constant_part(value, result)
        return None if constant is None else Affine((), constant)
    return spread(meaning, result)


def spread(meaning: Affine, result: Tensor) -> Affine | None:
    """A summand or factor as it broadcasts; None where its sample axis is another one of the result."""
    shape = (result.shape[0], *meaning.shape)
    if shape == tuple(result.shape):
        return meaning
    if len(shape) != result.ndim:
        return None
    (found,) = arrangement(lambda own: [own.expand(result.shape).clone()], [shape])
    return None if found is None else meaning.through(found.elements[0])


def multiplied(call: Call) -> list[Meaning]:
    """Times a constant, or divided by one; with the sign changed."""
    tensor, meaning = call.tracked[0]
    result = call.outputs[0]
    if call.kwargs.get("rounding_mode") is not None:
        return call.opaque(ROUNDED)
    if len(call.tracked) != 1:
        return call.opaque(PRODUCT)
    ones = torch.ones_like(tensor)
    (factors,), (doubled,) = call.again(ones), call.again(2 * ones)
    if factors.shape != result.shape or not torch.equal(doubled, 2 * factors):
        return call.opaque(PRODUCT)
    if bool((factors != factors[:1]).any()):
        return call.opaque(MIXED)
    whole = spread(meaning, result)
    return call.opaque(MIXED) if whole is None else [whole.through(scaling(factors[0]))]
