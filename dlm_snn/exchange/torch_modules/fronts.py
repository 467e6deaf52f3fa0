"""Functions of the sample alone, before the first layer."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import torch
from torch import Tensor

from dlm_snn.exchange.torch_modules import functions as known
from dlm_snn.exchange.torch_modules.blending import mask_of
from dlm_snn.exchange.torch_modules.meaning import Data, Meaning
from dlm_snn.exchange.torch_modules.refusals import NOT_VALUES, RefusedError


def affine(
    name: str, func: Callable[..., Any], args: Any, kwargs: Any, several: bool, of: Callable[[Tensor], Meaning | None]
) -> bool:
    """Whether what a function makes of the sample is still the sample; anything else is a front end.

    Args:
        name, func, args, kwargs: the call.
        several: whether more than one of its arguments come from the sample.
        of: what a tensor means.
    """

    def is_data(value: Any) -> bool:
        return isinstance(value, Tensor) and isinstance(of(value), Data)

    if name in known.PRODUCTS and several:
        return False
    if name in known.QUOTIENTS and (several or name.startswith("r") or not is_data(args[0])):
        return False
    if name in known.MASKED and is_data(mask_of(func, args, kwargs)):
        return False
    return name in known.ON_DATA


def without_values(tensor: Tensor) -> RefusedError | None:
    """What is said of a tensor that an Input cannot carry."""
    found = ""
    if tensor.layout != torch.strided:
        found = f"is a {str(tensor.layout).removeprefix('torch.')} tensor"
    elif tensor.is_complex():
        found = "is complex"
    elif not bool(torch.isfinite(tensor).all()):
        found = "holds NaN or infinity"
    return RefusedError(NOT_VALUES, "the input", found=found) if found else None


def into_data(in_place: bool, args: Any, kwargs: Any, meanings: dict[int, Meaning | None]) -> bool:
    """Whether a tensor of the sample is what is written into."""
    target = kwargs.get("out", args[0] if in_place and args else None)
    return isinstance(target, Tensor) and isinstance(meanings[id(target)], Data)


def origin(name: str, parts: Sequence[Any], called: Hashable, index: int) -> Hashable:
    """How something was made of the sample."""
    own = [
        part.origin if isinstance(part, Data) else tuple((term.source.origin, term.path) for term in part.terms)
        for part in parts
    ]
    return (name, index, called, *own)
