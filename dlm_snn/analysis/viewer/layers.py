"""Spikes by neuron, of one run or of two: those of both, of the first only, of the second only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.viewer.packing import deflated, leb128, packed
from dlm_snn.runs.raster import SpikeRaster

SHORT = 2**16
"""Neurons that two bytes number: NumPy sorts those by counting."""


@dataclass(frozen=True)
class Layer:
    """Spikes of one population, neuron after neuron.

    Attributes:
        counts: spikes of each neuron, (neuron,).
        position: of each spike, sample * n_steps + step, in order within each neuron.
    """

    counts: NDArray[np.int64]
    position: NDArray[Any]

    def gaps(self) -> NDArray[Any]:
        """Steps since the neuron's spike before, or since position 0."""
        gaps = np.diff(self.position, prepend=self.position.dtype.type(0))
        first = (np.cumsum(self.counts) - self.counts)[self.counts > 0]
        gaps[first] = self.position[first]
        return gaps

    def to_json(self) -> dict[str, Any]:
        """As text: what ``packed`` makes of the gaps, and ``counts`` as LEB128, deflated, base64."""
        return {**packed(self.gaps()), "counts": deflated(leb128(self.counts))}


def by_neuron(raster: SpikeRaster) -> Layer:
    """The spikes of a raster, neuron after neuron."""
    wide = raster.n_samples * raster.n_steps >= 2**32
    kind: type[np.int64] | type[np.uint32] = np.int64 if wide else np.uint32
    position: NDArray[Any] = raster.sample.astype(kind)
    position *= kind(raster.n_steps)
    position += raster.step.astype(kind, copy=False)
    neuron = raster.neuron.astype(np.uint16) if raster.n_neurons <= SHORT else raster.neuron
    order = np.argsort(neuron, kind="stable")
    return Layer(np.bincount(raster.neuron, minlength=raster.n_neurons), position[order])


def layers(first: SpikeRaster, second: SpikeRaster | None) -> list[Layer]:
    """One layer of one run; of two runs of one extent three: in both, in the first only, in the second only."""
    own = by_neuron(first)
    if second is None:
        return [own]
    other = by_neuron(second)
    row = max(first.n_samples * first.n_steps, 1)
    one, two = _places(own, row), _places(other, row)
    shared = _held(one, two)
    lone = ~_held(two, one)
    return [_some(own, one, row, shared), _some(own, one, row, ~shared), _some(other, two, row, lone)]


def _places(layer: Layer, row: int) -> NDArray[np.int64]:
    """neuron * row + position: sorted, and none twice."""
    neuron = np.repeat(np.arange(layer.counts.size, dtype=np.int64), layer.counts)
    return neuron * row + layer.position


def _held(places: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which places are among others; both sorted."""
    if not others.size:
        return np.zeros(places.size, dtype=bool)
    at = np.searchsorted(others, places)
    return others[np.minimum(at, others.size - 1)] == places


def _some(layer: Layer, places: NDArray[np.int64], row: int, kept: NDArray[np.bool_]) -> Layer:
    return Layer(np.bincount(places[kept] // row, minlength=layer.counts.size), layer.position[kept])
