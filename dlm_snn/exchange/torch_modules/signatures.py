"""Arguments of a function as a key: arrays by their content, tensors that carry values by their place."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary


def by_identity() -> Any:
    """A dictionary by tensors, which it does not keep alive."""
    return WeakIdKeyDictionary()


class Contents:
    """Digests of tensors; a weight is read once as long as nobody changes it."""

    def __init__(self) -> None:
        self._known = by_identity()

    def digest(self, tensor: Tensor) -> str:
        """SHA-256 over the shape, type and bytes."""
        version, digest = self._known.get(tensor, (None, ""))
        if version != tensor._version:
            array = tensor.detach().cpu().contiguous()
            head = hashlib.sha256(f"{array.dtype}{tuple(array.shape)}".encode())
            head.update(array.resolve_neg().resolve_conj().numpy().tobytes())
            digest = head.hexdigest()
            self._known[tensor] = (tensor._version, digest)
        return digest


def signature(value: Any, of: Callable[[Tensor], Hashable]) -> Hashable:
    """Nested arguments as something that can be compared and hashed.

    Args:
        value: lists, tuples, dictionaries, slices, tensors, numbers, names.
        of: what stands for a tensor.
    """
    if isinstance(value, Tensor):
        return of(value)
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, *(signature(part, of) for part in value))
    if isinstance(value, Mapping):
        return ("dict", *((key, signature(part, of)) for key, part in sorted(value.items())))
    if isinstance(value, slice):
        return ("slice", *(signature(part, of) for part in (value.start, value.stop, value.step)))
    return repr(value)
