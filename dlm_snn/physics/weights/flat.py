"""Values of many parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor


def flat(tensors: Iterable[Tensor]) -> Tensor:
    """Tensors one after another, in one vector."""
    return torch.cat([t.reshape(-1) for t in tensors])


def part(values: Tensor, sizes: Sequence[int], chosen: Sequence[bool]) -> Tensor:
    """Of a value for every parameter, those of the chosen ones; ``sizes`` says how many each has."""
    if all(chosen):
        return values
    return flat(values_of_one for values_of_one, here in zip(values.split(list(sizes)), chosen, strict=True) if here)


def split(values: Tensor, parameters: Sequence[Tensor]) -> list[Tensor]:
    """A value for every parameter, in the parameters' own shapes."""
    sizes = [p.numel() for p in parameters]
    return [taken.view_as(p) for p, taken in zip(parameters, values.split(sizes), strict=True)]
