"""What was written into the memory that several tensors share: views, detached tensors, ``.data``."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dlm_snn.exchange.torch_modules.neurons import tensors


class Storages:
    """The storages that something of a layer was written into, kept so that no other takes the place of one."""

    def __init__(self) -> None:
        self._written: dict[int, tuple[Any, tuple[Any, ...]]] = {}

    def write(self, target: Any, parts: tuple[Any, ...]) -> None:
        """Note what something that means ``parts`` was written into: a tensor, or several."""
        for tensor in tensors(target):
            storage = _storage(tensor)
            self._written[storage._cdata] = storage, parts

    def parts(self, tensor: Tensor) -> tuple[Any, ...]:
        """What was written into the storage of a tensor last, by any of those that share it."""
        return self._written.get(_storage(tensor)._cdata, (None, ()))[1] if self._written else ()


def _storage(tensor: Tensor) -> Any:
    with torch._C.DisableTorchFunction():
        return tensor.untyped_storage()
