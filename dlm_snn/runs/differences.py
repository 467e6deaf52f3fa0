"""The first difference between two networks, or between rasters of two runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.description import describe
from dlm_snn.errors import UnlikeError, how_many
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.runs.events import EVENT
from dlm_snn.runs.raster import SpikeRaster


@dataclass(frozen=True)
class RasterDifference:
    """Where two rasters of a population part.

    Attributes:
        population: its name.
        spikes: of the first and of the second.
        differ: events that only one has.
        first: (sample, step, neuron) of the first of them; None where there is none.
        in_first: whether the first raster has it.
    """

    population: str
    spikes: tuple[int, int]
    differ: int
    first: tuple[int, int, int] | None
    in_first: bool = False

    def __str__(self) -> str:
        told = f"{self.population}: {self.spikes[0]:,} and {how_many(self.spikes[1], 'spikes')}, {self.differ} differ"
        if self.first is None:
            return told
        sample, step, neuron = self.first
        where = "the first" if self.in_first else "the second"
        return f"{told}; first at sample {sample}, step {step}, {self.population}[{neuron}], in {where} only"


def raster_differences(first: Mapping[str, SpikeRaster], second: Mapping[str, SpikeRaster]) -> list[RasterDifference]:
    """Compare rasters of two runs population by population, without making them dense.

    Raises:
        UnlikeError: populations that only one has, or different extents.
    """
    if set(first) != set(second):
        name = sorted(set(first) ^ set(second))[0]
        raise UnlikeError(f"only one of them has a raster of '{name}'; compare runs of the same populations")
    found = []
    for name, raster in first.items():
        other = second[name]
        if raster.extent != other.extent:
            raise UnlikeError(
                f"the rasters of '{name}' differ in (samples, steps, neurons): {raster.extent} and {other.extent}"
            )
        lone, own = _lone(raster, other)
        where = None
        if lone.size:
            row, neuron = divmod(int(lone[0]), raster.n_neurons)
            where = (*divmod(row, raster.n_steps), neuron)
        found.append(RasterDifference(name, (len(raster), len(other)), lone.size, where, own))
    return found


def _lone(first: SpikeRaster, second: SpikeRaster) -> tuple[NDArray[np.int64], bool]:
    """Places of events that only one raster has, in order, and whether the earliest is the first's."""
    if all(np.array_equal(getattr(first, name), getattr(second, name)) for name in EVENT):
        return np.zeros(0, dtype=np.int64), False
    one, other = ((r.sample.astype(np.int64) * r.n_steps + r.step) * r.n_neurons + r.neuron for r in (first, second))
    lone = np.setxor1d(one, other, assume_unique=True)
    return lone, bool(np.isin(lone[:1], one)[0])


def network_difference(first: Network | IntegerNetwork, second: Network | IntegerNetwork) -> str | None:
    """The first difference of two networks in words: which field of what, and both values; None: equal digests."""
    if first.digest() == second.digest():
        return None
    (tree, arrays), (other, others) = describe(first), describe(second)
    return _difference(tree, other, arrays, others, "") or "the digests"


def _difference(a: Any, b: Any, arrays: Mapping[str, Any], others: Mapping[str, Any], where: str) -> str | None:
    if isinstance(a, dict) and isinstance(b, dict) and "array" in a and "array" in b:
        return _values(arrays[a["array"]], others[b["array"]], where)
    if isinstance(a, dict) and isinstance(b, dict) and set(a) == set(b):
        for key in a:
            at = where if key in ("populations", "projections") else f"{where}.{key}".lstrip(".")
            told = _difference(a[key], b[key], arrays, others, at)
            if told is not None:
                return told
        return None
    if isinstance(a, list) and isinstance(b, list) and a and b and isinstance(a[0], dict):
        names = [[_name(item) for item in items] for items in (a, b)]
        if names[0] != names[1]:
            return f"{where or 'the network'}: {', '.join(names[0])} against {', '.join(names[1])}"
        for name, one, two in zip(names[0], a, b, strict=True):
            told = _difference(one, two, arrays, others, f"{where} {name}".strip())
            if told is not None:
                return told
        return None
    if a == b:
        return None
    one, two = ("an array" if isinstance(x, dict) and "array" in x else x for x in (a, b))
    if isinstance(one, dict) and isinstance(two, dict):
        one, two = one.get("type"), two.get("type")
    return f"{where}: {one} against {two}"


def _name(item: Mapping[str, Any]) -> str:
    """Of a population or projection; else its type."""
    if "pre" in item:
        return f"{item['pre']}->{item['post']}"
    return str(item.get("name", item.get("type")))


def _values(a: Any, b: Any, where: str) -> str | None:
    if a.shape != b.shape:
        return f"{where}: shape {a.shape} against {b.shape}"
    differ = np.argwhere(a != b)
    if not len(differ):
        return None
    at = tuple(map(int, differ[0]))
    return f"{where}{list(at)}: {a[at]:.17g} against {b[at]:.17g} ({len(differ)} of {a.size} values differ)"
