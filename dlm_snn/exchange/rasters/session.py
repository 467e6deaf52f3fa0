"""A recording as a lab has it: units with ids of their own, their areas, trials; and how it becomes rasters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlm_snn.exchange.rasters.cuts import Placed
from dlm_snn.exchange.rasters.grid import Moved, gathered
from dlm_snn.files.names import check_names
from dlm_snn.runs.raster import SpikeRaster

POPULATION = "units"
"""Of units of which nothing tells another."""
FIRST = 8
"""Names in a line."""


class Session(NamedTuple):
    """What a recording holds.

    Attributes:
        rasters: population -> raster.
        moved: how many times did not lie on the grid.
        unit_ids: population -> the id of each neuron's unit, where they are not the neurons' own numbers.
        areas: population -> the area of each neuron's unit, where the file tells any.
        groups: population -> what a curator calls each neuron's unit (good, mua, noise), where the file tells it.
        trials: for each trial its beginning and end in seconds, and what other columns say of it; where trials were
            asked for, those that became samples, in their order.
        told: what an import says beside, a line each.
    """

    rasters: dict[str, SpikeRaster]
    moved: Moved
    unit_ids: dict[str, tuple[int | str, ...]]
    areas: dict[str, tuple[str, ...]]
    groups: dict[str, tuple[str, ...]]
    trials: tuple[dict[str, Any], ...]
    told: tuple[str, ...]

    def notes(self) -> list[str]:
        """Lines about units with ids of their own, their areas and groups, and trials."""
        return [*told_labels(self.unit_ids, self.areas, self.groups), *(printable(line, 400) for line in self.told)]


class Units(NamedTuple):
    """The units of a recording, an entry each.

    Attributes:
        names: of their populations.
        ids: what the file calls them.
        areas, groups: None: the file tells none.
    """

    names: Sequence[str]
    ids: Sequence[int | str]
    areas: Sequence[str] | None = None
    groups: Sequence[str] | None = None


def session_of(
    found: Placed,
    unit: NDArray[np.int64],
    units: Units,
    dt: float,
    sample: NDArray[np.int64] | None = None,
    n_samples: int = 1,
) -> Session:
    """Rasters by population of spikes that have their steps.

    Args:
        found: where they came to lie.
        unit: of each spike, counted through all units.
        units: all of them; those of a population become its neurons in their order.
        dt: seconds a step.
        sample: of each spike, where the file tells it.
        n_samples: then.

    Raises:
        DlmError: names of populations that are none.
    """
    check_names(dict.fromkeys(units.names))
    unit = unit[found.chosen]
    samples, n_samples = (found.sample, found.n_samples) if sample is None else (sample[found.chosen], n_samples)
    places = {name: at for at, name in enumerate(dict.fromkeys(units.names))}
    population = np.array([places[name] for name in units.names], dtype=np.int64)
    rasters, ids, moved = {}, {}, found.moved
    kept: dict[str, dict[str, tuple[str, ...]]] = {"areas": {}, "groups": {}}
    for name, place in places.items():
        own = np.flatnonzero(population == place)
        neuron = np.zeros(population.size, dtype=np.int64)
        neuron[own] = np.arange(own.size)
        chosen = slice(None) if len(places) == 1 else population[unit] == place
        extent = n_samples, found.n_steps, own.size
        rasters[name], merged = gathered(samples[chosen], found.step[chosen], neuron[unit[chosen]], extent, dt)
        moved = moved._replace(merged=moved.merged + merged)
        called = tuple(units.ids[i] for i in own)
        if called != tuple(range(own.size)):
            ids[name] = called
        for key, told in (("areas", units.areas), ("groups", units.groups)):
            if told is not None and any(told[i] for i in own):
                kept[key][name] = tuple(told[i] for i in own)
    return Session(rasters, moved, ids, kept["areas"], kept["groups"], (), ())


def told_labels(
    unit_ids: Mapping[str, Sequence[int | str]], areas: Mapping[str, Sequence[str]], groups: Mapping[str, Sequence[str]]
) -> list[str]:
    """A line for each population whose units have ids of their own, and for each whose areas or groups are told."""
    lines = []
    for name, ids in unit_ids.items():
        first = ", ".join(map(printable, ids[:FIRST]))
        lines.append(f"{name}: neurons 0..{len(ids) - 1} are the units {first}{', ...' * (len(ids) > FIRST)}")
    for what, name, own in [
        *(("areas", name, own) for name, own in areas.items()),
        *(("groups", name, own) for name, own in groups.items()),
    ]:
        counted = Counter(area or "none told" for area in own).most_common()
        first = ", ".join(f"{printable(area)} ({n})" for area, n in counted[:FIRST])
        lines.append(f"{name}: {what} {first}{', ...' * (len(counted) > FIRST)}")
    return [printable(line, 400) for line in lines]


def printable(text: object, length: int = 40) -> str:
    """What a file calls something, for a line of a terminal."""
    shown = "".join(c if c.isprintable() else "?" for c in str(text))
    return shown if len(shown) <= length else f"{shown[:length]}..."
