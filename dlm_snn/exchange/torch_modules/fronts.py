"""Functions of the sample alone, before the first layer."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from torch import Tensor

from dlm_snn.exchange.torch_modules import functions as known
from dlm_snn.exchange.torch_modules.blending import mask_of
from dlm_snn.exchange.torch_modules.meaning import Data, Meaning


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


def origin(name: str, parts: Sequence[Any], called: Hashable, index: int) -> Hashable:
    """How something was made of the sample."""
    own = [
        part.origin if isinstance(part, Data) else tuple((term.source.origin, term.path) for term in part.terms)
        for part in parts
    ]
    return (name, index, called, *own)
