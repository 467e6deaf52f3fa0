"""A population on cores: what it takes of each, and what of that is too much."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hardware.incoming import Load
from hardware.tiles import Tile

T = TypeVar("T", int, NDArray[np.int64])


def words_in_all(neurons: T, synapses: T, axons: T) -> T:
    """Words of a core as the compiler adds them up: axons, a group, neurons, synapses, a word of axon map a neuron."""
    return axons + 1 + 2 * neurons + synapses


@dataclass(frozen=True)
class Room:
    """What a core has room for; None: no limit is known."""

    neurons: int | None
    synapses: int
    axons: int | None
    total: int | None

    def takes(self, neurons: int, load: Load) -> bool:
        """Whether so many neurons with such a load fit."""
        asked = (neurons, load.synapses, load.axons, words_in_all(neurons, load.synapses, load.axons))
        limits = (self.neurons, self.synapses, self.axons, self.total)
        return all(limit is None or used <= limit for used, limit in zip(asked, limits, strict=True))


@dataclass(frozen=True)
class Excess:
    """A limit that is broken.

    Attributes:
        population: whose neurons.
        limit: what is too small, in words.
        needs, has: how much is asked for, and how much there is.
        change: the smallest that would do; "" where none is known.
    """

    population: str
    limit: str
    needs: int
    has: int
    change: str = ""

    def __str__(self) -> str:
        change = f" ({self.change})" if self.change else ""
        return f"'{self.population}' needs {self.needs:,} {self.limit}; there are {self.has:,}{change}"


@dataclass(frozen=True, eq=False)
class Layer:
    """A population on its cores.

    Attributes:
        population: its name.
        neurons: of each core.
        synapses: words of each core.
        axons: that end on each core; None where the rule is not known (tiles).
        tile: of an image whose weights are shared.
        shape: of the population.
        unchecked: what of it is laid out by a rule that no print-out shows.
    """

    population: str
    neurons: NDArray[np.int64]
    synapses: NDArray[np.int64]
    axons: NDArray[np.int64] | None
    tile: Tile | None = None
    unchecked: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()

    @property
    def home(self) -> NDArray[np.int32]:
        """Which of its cores each neuron lies on, (neuron,)."""
        if self.tile is None:
            return np.repeat(np.arange(self.cores, dtype=np.int32), self.neurons)
        sizes = (self.tile.channels, self.tile.y, self.tile.x)
        axes = [np.arange(whole, dtype=np.int32) // size for whole, size in zip(self.shape, sizes, strict=True)]
        counts = [int(axis[-1]) + 1 for axis in axes]
        channel, row, column = np.ix_(*axes)
        return ((channel * counts[1] + row) * counts[2] + column).astype(np.int32).reshape(-1)

    def core(self, number: int) -> Layer:
        """One of its cores alone."""
        one = slice(number, number + 1)
        axons = None if self.axons is None else self.axons[one]
        return replace(self, neurons=self.neurons[one], synapses=self.synapses[one], axons=axons)

    @property
    def cores(self) -> int:
        """How many it takes."""
        return len(self.neurons)

    @property
    def axon_map(self) -> NDArray[np.int64] | None:
        """Words of each core that say where its spikes go: one a neuron; None for tiles, whose rule is not known."""
        return None if self.tile else self.neurons

    @property
    def total(self) -> NDArray[np.int64] | None:
        """Words of each core in all, as the compiler adds them up: axons, a group, neurons, synapses, axon map."""
        if self.axons is None:
            return None
        return words_in_all(self.neurons, self.synapses, self.axons)
