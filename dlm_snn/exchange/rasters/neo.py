"""Rasters as Neo objects, for use as a library: a Block with a Segment per sample and a SpikeTrain per neuron."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.exchange.rasters.grid import (
    Moved,
    check_dt,
    common_extent,
    gathered,
    optional,
    tell_doubt,
    to_steps,
    to_times,
)
from dlm_snn.files.names import check_name, check_names
from dlm_snn.runs.raster import SpikeRaster

NOTE = "dlm_snn"
"""Annotation of the Block: the extents."""
UNITS = "units"
"""Population of trains that name none."""


def to_neo(rasters: Mapping[str, SpikeRaster], name: str = "dlm-snn") -> Any:
    """A neo.Block of rasters of one run; times in seconds of the machine's clock, (depth + step) * dt, from the
    sample's first step, annotated with population and neuron.

    Raises:
        DlmError: rasters of different extent.
        MissingError: neo is not installed.
    """
    neo = optional("neo")
    n_samples, n_steps, dt = common_extent(rasters, "a Neo block")
    extents = {population: raster.n_neurons for population, raster in rasters.items()}
    depths = {population: raster.depth for population, raster in rasters.items()}
    block = neo.Block(name=name)
    noted = {"n_samples": n_samples, "n_steps": n_steps, "dt": dt, "n_neurons": extents, "depth": depths}
    block.annotate(**{NOTE: noted})
    # Units as objects, made once: a text is parsed for every train.
    second = optional("quantities").second
    bounds = {"t_start": 0.0 * second, "t_stop": (n_steps + max(depths.values())) * dt * second}
    for sample in range(n_samples):
        segment = neo.Segment(name=f"sample {sample}", index=sample)
        for population, raster in rasters.items():
            part = raster[sample]
            order = np.argsort(part.neuron, kind="stable")
            times = to_times(part.step[order].astype(np.int64) + raster.depth, dt)
            cuts = np.searchsorted(part.neuron[order], np.arange(part.n_neurons + 1, dtype=np.uint32)).tolist()
            # At once: each append looks through all trains there are.
            segment.spiketrains.extend(
                [
                    neo.SpikeTrain(times[start:stop], units=second, population=population, neuron=neuron, **bounds)
                    for neuron, (start, stop) in enumerate(pairwise(cuts))
                ]
            )
        block.segments.append(segment)
    return block


def from_neo(block: Any, dt: float | None = None) -> tuple[dict[str, SpikeRaster], Moved]:
    """Rasters from the spike trains of a neo.Block, of a Segment, or of a list of SpikeTrains.

    Ours come back as they were. In others every Segment is a sample, whose step 0 is the earliest t_start of its
    trains; a SpikeTrain is a neuron of the population ``units`` (or of the one that an annotation ``population``
    names), numbered as ``labels_of`` says.

    Args:
        block: of Segments with spike trains.
        dt: seconds a step; needed for blocks of others.

    Raises:
        DlmError: a dt that is not that of a block of ours, a population that its annotation does not tell, times that
            are no times, trains of which nothing tells what neuron they are.
    """
    noted = getattr(block, "annotations", {}).get(NOTE)
    trains, n_samples = _trains(block, bounded=noted is None)
    if noted is not None:
        return _ours(trains, noted, dt)
    if dt is None:
        raise DlmError("the Neo block does not tell its steps; give dt, in seconds")
    check_dt(dt)
    return _others(trains, n_samples, dt)


def labels_of(block: Any) -> dict[str, tuple[str, ...]]:
    """Population -> the name of each neuron's trains, as ``from_neo`` numbers the neurons; a number without a name.

    Trains of one name are one neuron, if all trains of the population have a name and no two of a Segment the same.
    Else the n-th train of every Segment is neuron n.
    """
    labels, _ = _numbered(_trains(block, bounded=False)[0])
    return {population: tuple(map(str, own)) for population, own in labels.items()}


class _Trains(NamedTuple):
    """All SpikeTrains, a list for each of their properties: an object for each takes longer to make than to read.

    Attributes:
        sample, population, name, neuron: of each train.
        times: in seconds.
        start, stop: likewise, where they are asked for.
    """

    sample: list[int]
    population: list[str]
    name: list[str]
    neuron: list[Any]
    times: list[NDArray[np.float64]]
    start: list[float]
    stop: list[float]

    def by_population(self) -> dict[str, list[int]]:
        """Population -> the places of its trains."""
        places = defaultdict(list)
        for i, population in enumerate(self.population):
            places[population].append(i)
        return dict(places)


def _trains(block: Any, bounded: bool) -> tuple[_Trains, int]:
    """The trains of all samples, with their bounds or without, and the number of samples."""
    if hasattr(block, "segments"):
        samples: list[Iterable[Any]] = [segment.spiketrains for segment in block.segments]
    elif hasattr(block, "spiketrains"):
        samples = [block.spiketrains]
    elif isinstance(block, Iterable) and not isinstance(block, np.ndarray):
        samples = [block]
    else:
        raise DlmError(f"a {type(block).__name__} is no neo.Block, Segment or list of SpikeTrains; give one of them")
    trains = _Trains([], [], [], [], [], [], [])
    seconds = _Seconds()
    for sample, own in enumerate(samples):
        for train in own:
            try:
                _add(trains, train, seconds, bounded)
            except (AttributeError, TypeError, ValueError) as error:
                reason = " ".join(str(error).split())[:120]
                place = len(trains.population) - len(trains.sample)
                told = f"segment {sample}, train {place} is no SpikeTrain in a unit of time ({reason})"
                raise DlmError(told) from error
        trains.sample.extend([sample] * (len(trains.population) - len(trains.sample)))
    check_names(dict.fromkeys(trains.population))
    return trains, len(samples)


def _add(trains: _Trains, train: Any, seconds: _Seconds, bounded: bool) -> None:
    """One train, but for its sample."""
    times, factor = np.asarray(train, dtype=np.float64), seconds.of(train)
    notes, name = train.annotations, train.name
    if bounded:
        start, stop = train.t_start, train.t_stop
        trains.start.append(start.item() * seconds.of(start))
        trains.stop.append(stop.item() * seconds.of(stop))
    trains.times.append(times if factor == 1 and times.ndim == 1 else times.reshape(-1) * factor)
    trains.name.append(str(name) if name else "")
    trains.neuron.append(notes.get("neuron"))
    trains.population.append(str(notes.get("population", UNITS)))


class _Seconds:
    """What units are in seconds, computed once for each, and not for every train."""

    def __init__(self) -> None:
        self.objects: dict[int, tuple[Any, float]] = {}
        self.texts: dict[str, float] = {}

    def of(self, quantity: Any) -> float:
        """Seconds in the unit of a quantity.

        Raises:
            AttributeError, TypeError, ValueError: it is no quantity, or none of time.
        """
        # The property copies this one. Its keys are iterated, never looked up, since units take long to compare.
        dimensions = getattr(quantity, "_dimensionality", None) or quantity.dimensionality
        unit = None
        if len(dimensions) == 1:
            ((unit, power),) = dimensions.items()
            known = self.objects.get(id(unit))
            if known is not None and power == 1:
                return known[1]
            unit = unit if power == 1 else None
        # A block that was copied or stored has unit objects of its own in each train.
        text = repr(list(dimensions.items()))
        factor = self.texts.get(text) or float(quantity.units.rescale("s").magnitude)
        self.texts[text] = factor
        if unit is not None:
            self.objects[id(unit)] = unit, factor
        return factor


def _numbered(trains: _Trains) -> tuple[dict[str, list[Any]], list[int]]:
    """Population -> what each of its neurons is called, and the neuron of each train.

    Raises:
        DlmError: Segments with unequal numbers of trains whose names do not tell them apart.
    """
    labels: dict[str, list[Any]] = {}
    numbers = [0] * len(trains.sample)
    for population, own in trains.by_population().items():
        names = [(trains.sample[i], trains.name[i]) for i in own]
        called: list[Any] = [name for _, name in names]
        if "" in called or len(set(names)) < len(names):
            counts = Counter(sample for sample, _ in names)
            if len(set(counts.values())) > 1:
                raise DlmError(
                    f"Segments have {' and '.join(map(str, sorted(set(counts.values()))))} trains of '{population}', "
                    "and names do not tell which neuron each is; give every train a name of its own"
                )
            called = [place for sample in counts for place in range(counts[sample])]
        place_of = {label: number for number, label in enumerate(dict.fromkeys(called))}
        labels[population] = list(place_of)
        for i, label in zip(own, called, strict=True):
            numbers[i] = place_of[label]
    return labels, numbers


def _ours(trains: _Trains, noted: Mapping[str, Any], dt: float | None) -> tuple[dict[str, SpikeRaster], Moved]:
    try:
        own_dt = float(noted["dt"])
        extents = {
            check_name(name): (noted["n_samples"], noted["n_steps"], n) for name, n in noted["n_neurons"].items()
        }
        depths = {name: int(noted.get("depth", {}).get(name, 0)) for name in extents}
        neurons = list(map(int, trains.neuron))
    except (KeyError, TypeError, AttributeError) as error:
        raise DlmError(
            f"the annotation '{NOTE}' of the Neo block, or 'neuron' of a train, is damaged ({error})"
        ) from error
    if dt not in (None, own_dt):
        raise DlmError(f"dt = {dt!r} of a Neo block that has steps of {own_dt!r} s; leave dt out")
    of = trains.by_population()
    unknown = [population for population in of if population not in extents]
    if unknown:
        raise DlmError(f"population '{unknown[0]}' of the Neo block is not in its annotation '{NOTE}'")
    rasters, moved = {}, Moved()
    for population, extent in extents.items():
        begin = dict.fromkeys(range(extent[0]), depths[population] * own_dt)
        raster, off = _raster(_flat(trains, of.get(population, []), neurons, begin), extent, own_dt)
        rasters[population] = raster.at_depth(depths[population])
        moved += off
    return rasters, moved


def _others(trains: _Trains, n_samples: int, dt: float) -> tuple[dict[str, SpikeRaster], Moved]:
    starts: dict[int, float] = {}
    for sample, start in zip(trains.sample, trains.start, strict=True):
        starts[sample] = min(start, starts.get(sample, np.inf))
    (labels, numbers), of = _numbered(trains), trains.by_population()
    ends = zip(trains.sample, trains.stop, strict=True)
    length = max((stop - starts[sample] for sample, stop in ends), default=0.0)
    rasters, moved = {}, Moved()
    for population, own_labels in labels.items():
        flat = _flat(trains, of[population], numbers, starts)
        extent = n_samples, int(np.ceil(length / dt - 1e-6)), len(own_labels)
        rasters[population], off = _raster(flat, extent, dt, foreign=True)
        moved += off
    most = max((raster.n_steps for raster in rasters.values()), default=0)
    return {name: replace(raster, n_steps=most) for name, raster in rasters.items()}, moved


class _Flat(NamedTuple):
    """All spikes of a population, one after another."""

    trains: _Trains
    places: Sequence[int]
    sample: NDArray[np.int64]
    neuron: NDArray[np.int64]
    times: NDArray[np.float64]
    ends: NDArray[np.int64]

    def named(self, at: int) -> str:
        """A spike for a message."""
        train = int(np.searchsorted(self.ends, at, side="right"))
        spike = at - (int(self.ends[train - 1]) if train else 0)
        name = self.trains.name[self.places[train]]
        called = f"'{name}'" if name else f"of neuron {int(self.neuron[at])}"
        return f"segment {int(self.sample[at])}, train {called}, spike {spike}"


def _flat(trains: _Trains, places: Sequence[int], numbers: Sequence[int], starts: Mapping[int, float]) -> _Flat:
    """Times from the start of each sample, of the trains at some places; ``numbers``: the neuron of each train."""
    own = [trains.times[i] for i in places]
    samples = [trains.sample[i] for i in places]
    counts = np.array([times.size for times in own], dtype=np.int64)
    sample = np.repeat(np.array(samples, dtype=np.int64), counts)
    neuron = np.repeat(np.array([numbers[i] for i in places], dtype=np.int64), counts)
    begins = np.repeat(np.array([starts.get(i, 0.0) for i in samples]), counts)
    times = np.concatenate([np.zeros(0), *own]) - begins
    return _Flat(trains, places, sample, neuron, times, np.cumsum(counts))


def _raster(flat: _Flat, extent: tuple[int, int, int], dt: float, foreign: bool = False) -> tuple[SpikeRaster, Moved]:
    step, moved = to_steps(flat.times, dt, named=flat.named)
    if foreign:
        tell_doubt(flat.times, step, dt, "the Neo block")
        # A time at the very end is rounded up to one step more.
        extent = extent[0], max(extent[1], int(step.max(initial=-1)) + 1), extent[2]
    raster, merged = gathered(flat.sample, step, flat.neuron, extent, dt)
    return raster, moved._replace(merged=merged)
