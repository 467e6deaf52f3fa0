"""One call of a torch function during a run, and what its tensors mean."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dlm_snn.exchange.torch_modules.meaning import Affine, Meaning, Opaque
from dlm_snn.exchange.torch_modules.neurons import tensors
from dlm_snn.exchange.torch_modules.refusals import Refusal


def mapped(value: Any, change: Callable[[Tensor], Any]) -> Any:
    """Nested arguments with every tensor changed."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(mapped(part, change) for part in value))
    if isinstance(value, (list, tuple)):
        return type(value)(mapped(part, change) for part in value)
    if isinstance(value, Mapping):
        return {key: mapped(part, change) for key, part in value.items()}
    return value


def widened(value: Any) -> Any:
    """Nested arguments with floats in float64."""
    narrow = (torch.float32, torch.float16, torch.bfloat16)
    return mapped(value, lambda tensor: tensor.double() if tensor.dtype in narrow else tensor)


@dataclass(eq=False)
class Call:
    """A function that was called, with tensors that come from the sample or from layers.

    Attributes:
        name: see ``functions.name_of``.
        func, args, kwargs: the call.
        tracked: the tensors that depend on the sample, with their meanings before the call: linear maps only, leaves
            for what comes from the sample alone.
        outputs: what it gave.
        signature: the arguments as a key.
    """

    name: str
    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    tracked: list[tuple[Tensor, Affine]]
    outputs: list[Tensor]
    signature: Hashable

    def again(self, *values: Tensor) -> list[Tensor]:
        """The tensors that the function gives for other values in the places of the tracked ones."""
        # Copies: the function may work in place.
        places = {id(tensor): value.clone() for (tensor, _), value in zip(self.tracked, values, strict=True)}
        args, kwargs = mapped((self.args, self.kwargs), lambda tensor: places.get(id(tensor), tensor))
        return list(tensors(self.func(*args, **kwargs)))

    def argument(self, position: int, name: str, default: Any = None) -> Any:
        """An argument by place or name."""
        return self.args[position] if len(self.args) > position else self.kwargs.get(name, default)

    def meaning(self, tensor: Any) -> Affine | None:
        """Of one argument; None: a constant, or no tensor."""
        return next((meaning for own, meaning in self.tracked if own is tensor), None)

    def opaque(self, refusal: Refusal, **values: Any) -> list[Meaning]:
        """All outputs, refused where they enter a layer."""
        parts = tuple(meaning for _, meaning in self.tracked)
        return [Opaque(refusal, {"name": self.name, **values}, parts) for _ in self.outputs]


def constant_part(value: Any, like: Tensor) -> Tensor | None:
    """A constant argument as what each sample gets of it, without the sample axis.

    Args:
        value: a number, or a tensor that broadcasts.
        like: the result, (sample, ...).

    Returns:
        None where it differs between samples.
    """
    tensor = torch.as_tensor(value, dtype=torch.float64, device="cpu")
    whole = tensor.expand(torch.broadcast_shapes(tensor.shape, like.shape))
    if whole.shape != like.shape or bool((whole != whole[:1]).any()):
        return None
    return whole[0].clone()
