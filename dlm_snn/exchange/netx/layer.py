"""The groups of a ``.net`` file, read without trusting what they declare."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.exchange.guarded import hdf5
from dlm_snn.values import is_whole

WHOLE_LIMIT = 2**31
"""Whole numbers beyond it are none of a network of 8 bits, and must not wrap."""
NEURONS_LIMIT = 2**24
"""Neurons of a layer, beyond which a declared shape is taken for a mistake."""


@dataclass(frozen=True)
class Layer:
    """One group of the file: a layer, or its neurons."""

    file: Path
    group: h5py.Group
    name: str

    def text(self, key: str) -> str | None:
        """A text; None where it is not there."""
        return hdf5.text(self.file, self.group, key)

    def neurons(self) -> Layer | None:
        """Its group of neurons."""
        group = self.group.get("neuron")
        return Layer(self.file, group, self.name) if isinstance(group, h5py.Group) else None

    def __str__(self) -> str:
        return f"{self.file}: {self.group.name}"

    def get(self, key: str) -> NDArray | None:
        """A dataset; None where it is not there."""
        return hdf5.array(self.file, self.group, key)

    def need(self, key: str) -> NDArray:
        """A dataset that must be there."""
        value = self.get(key)
        if value is None:
            raise DlmError(f"{self} has no '{key}'; it is not a complete layer")
        return value

    def whole(self, key: str, default: int | None = None) -> NDArray[np.int64]:
        """Whole numbers; netx would cut fractions off silently."""
        value = self.get(key)
        if value is None and default is not None:
            return np.asarray(default)
        value = self.need(key)
        if value.dtype.kind not in "iufb" or value.size == 0 or not np.isfinite(value).all():
            raise DlmError(f"{self}/{key} does not hold finite numbers")
        if np.any(value != np.round(value)):
            bad = tuple(map(int, np.argwhere(value != np.round(value))[0]))
            raise DlmError(f"{self}/{key}{list(bad)} = {value[bad]} is not whole; export the quantized network")
        if np.any(np.abs(value.astype(np.float64)) > WHOLE_LIMIT):
            bad = tuple(map(int, np.argwhere(np.abs(value.astype(np.float64)) > WHOLE_LIMIT)[0]))
            raise DlmError(f"{self}/{key}{list(bad)} = {value[bad]:g} lies outside 32 bits; export the network again")
        return value.astype(np.int64)

    def pair(self, key: str, default: int | None = None) -> tuple[int, int]:
        """(row, column), from one number or two."""
        value = self.whole(key, default).reshape(-1)
        if value.size not in (1, 2):
            raise DlmError(f"{self}/{key} has {value.size} numbers; expected (row, column)")
        return int(value[0]), int(value[-1])

    def shape(self) -> tuple[int, ...]:
        """(n,) or (channel, row, column), as declared."""
        axes = tuple(int(n) for n in self.whole("shape").reshape(-1))
        if len(axes) not in (1, 3) or min(axes) < 1:
            raise DlmError(f"{self}/shape = {axes} is not (n,) or (channel, row, column)")
        if prod(axes) > NEURONS_LIMIT:
            raise DlmError(f"{self}/shape = {axes} is more than {NEURONS_LIMIT} neurons; export the network again")
        return axes


def layers(path: Path, file: h5py.File) -> list[Layer]:
    """The layers of a file in their order.

    Raises:
        DlmError: no group of layers, or a number left out.
    """
    group = file.get("layer")
    if not isinstance(group, h5py.Group) or not len(group):
        raise DlmError(f"{path} has no group 'layer'; it is not a network that lava-dl exported")
    names = [str(i) for i in range(len(group))]
    lacking = [name for name in names if not isinstance(group.get(name), h5py.Group)]
    if lacking:
        raise DlmError(f"{path}: no group layer/{lacking[0]} among {len(group)} layers; they are numbered from 0")
    return [Layer(path, group[name], name) for name in names]


def cut(every: list[Layer], num_layers: int | None, skip_layers: int) -> tuple[list[Layer], tuple[int, ...] | None]:
    """Some of a file's layers, counted as netx counts: the first ``num_layers``, without the first ``skip_layers``.

    Returns:
        The layers, and the shape of what reaches the first of them; None: nothing was skipped that tells it.

    Raises:
        DlmError: a number that leaves no layer.

    Source: lava-dl 0.6.0, lava/lib/dl/netx/hdf5.py, ``Network._create``.
    """
    for name, value, least in (("num_layers", num_layers, 1), ("skip_layers", skip_layers, 0)):
        if value is not None and not (is_whole(value) and value >= least):
            raise DlmError(f"{name} = {value!r} is not a number of layers >= {least}")
    kept = every[:num_layers]
    if skip_layers >= len(kept):
        raise DlmError(f"skip_layers = {skip_layers} leaves none of {len(kept)} layers; skip fewer")
    told = [layer for layer in kept[:skip_layers] if layer.text("type") != "flatten"]
    if not told:
        return kept[skip_layers:], None
    shape = told[-1].shape()
    return kept[skip_layers:], (prod(shape),) if str(told[-1].text("type")).startswith("dense") else shape
