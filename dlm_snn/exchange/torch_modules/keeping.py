"""What the parts of a module keep besides parameters, as it was before any run."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from torch import nn

from dlm_snn.exchange.torch_modules.neurons import Table

INTERNAL = frozenset(vars(nn.Module()))
"""Attributes that torch itself gives a module."""


class Kept:
    """Attributes and buffers of all parts but the neurons of known libraries, which their tables put to rest.

    Args:
        model: the copy that runs, before its first run.
        tables: of its libraries.
    """

    def __init__(self, model: nn.Module, tables: Sequence[Table]) -> None:
        neurons = tuple({kind for table in tables for kind in (*table.readers, *table.stateful)})
        inside = {part for neuron in model.modules() if isinstance(neuron, neurons) for part in neuron.modules()}
        self._parts = [part for part in model.modules() if part not in inside]
        # Modules and parameters that an attribute refers to are the model's own, not copied.
        self._shared: dict[int, Any] = {id(part): part for part in (*model.modules(), *model.parameters())}
        self._first = self._copied([(_plain(part), part._buffers) for part in self._parts])

    def restore(self) -> None:
        """All as it was."""
        for part, (plain, buffers) in zip(self._parts, self._copied(self._first), strict=True):
            for name in _plain(part).keys() - plain.keys():
                del vars(part)[name]
            vars(part).update(plain)
            part._buffers.update(buffers)

    def _copied(self, value: Any) -> Any:
        return copy.deepcopy(value, dict(self._shared))


def _plain(part: nn.Module) -> dict[str, Any]:
    return {name: value for name, value in vars(part).items() if name not in INTERNAL}
