"""The Inputs of a run: what was made from the sample alone, where it enters a layer."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from dlm_snn.exchange.torch_modules.grid import Grid, grid_of
from dlm_snn.exchange.torch_modules.meaning import Leaf
from dlm_snn.networks.network import Input


def population_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """(n,) or (channel, row, column), without the axis of one step that sinabs has in front; anything else flat."""
    own = tuple(shape[1:] if len(shape) == 4 and shape[0] == 1 else shape)
    return own if len(own) in (1, 3) else (prod(own),)


def as_stimulus(integers: NDArray[np.int64]) -> NDArray[np.int64]:
    """(sample, step, neuron) as a stimulus; (sample, neuron) where every step has the same, which runs faster."""
    return integers[:, 0] if (integers == integers[:, :1]).all() else integers


class Inputs:
    """The Inputs of a run: leaves of all steps that were made in one way, and have the same values."""

    def __init__(self, columns: Iterable[tuple[Leaf, ...]]) -> None:
        self.heads: dict[str, Input] = {}
        self.stimulus: dict[str, NDArray[np.int64]] = {}
        self.grids: dict[str, Grid] = {}
        self.values: dict[str, NDArray[np.float64]] = {}
        self.leaf_grids: dict[int, Grid] = {}
        self._names: dict[Hashable, str] = {}
        for column in columns:
            key = self._key(column)
            if key not in self._names:
                self._names[key] = f"input{len(self._names) or ''}"
                self._add(self._names[key], column)
            self.leaf_grids.update((id(leaf), self.grids[self._names[key]]) for leaf in column)

    @staticmethod
    def _key(column: tuple[Leaf, ...]) -> Hashable:
        return tuple((leaf.origin, leaf.values.numpy().tobytes()) for leaf in column)

    def _add(self, name: str, column: tuple[Leaf, ...]) -> None:
        values = np.stack([leaf.values.numpy() for leaf in column], axis=1)
        grid, shape = grid_of(values), population_shape(values.shape[2:])
        self.heads[name], self.grids[name] = grid.population(shape), grid
        self.values[name] = values.reshape(*values.shape[:2], -1)
        self.stimulus[name] = as_stimulus(grid.integers(self.values[name]))

    def name(self, column: tuple[Leaf, ...]) -> str:
        """Of the Input that leaves come from."""
        return self._names[self._key(column)]
