"""Where spikes lie in a raster plot: bands of rows, of a population, a label or all trials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.plots.style import SPIKE, color_of
from dlm_snn.analysis.plots.time_axis import MS, sample_length
from dlm_snn.errors import DlmError, nearest
from dlm_snn.runs.raster import SpikeRaster

BY = ("population", "label", "trial")
LEAST = 0.12
"""Share of the height that a small population gets beside large ones."""
FLOOR = -0.5
"""Where the first row begins: row 0 has its middle at 0."""


@dataclass(frozen=True)
class Band:
    """Rows of spikes that lie together.

    Attributes:
        name: of the population, the label or the trial.
        color: of its spikes.
        low, high: where its rows begin and end on the y axis.
        rows: how many it has; row r has its middle at low + (r + 1/2) (high - low) / rows.
        time, row: of each spike, in ms and counted from 0.
    """

    name: str
    color: str
    low: float
    high: float
    rows: int
    time: NDArray[np.float64]
    row: NDArray[np.int64]

    @property
    def height(self) -> float:
        """Of a row."""
        return (self.high - self.low) / max(self.rows, 1)

    @property
    def y(self) -> NDArray[np.float64]:
        """The middle of each spike's row."""
        return self.low + (self.row + 0.5) * self.height


def by_population(rasters: Mapping[str, SpikeRaster], begin: float = 0.0, first: int = 0) -> list[Band]:
    """One band for each population, a row for each neuron; samples follow one another in time.

    Args:
        rasters: by population.
        begin: seconds of the first step.
        first: number of the first neuron.
    """
    total = sum(raster.n_neurons for raster in rasters.values())
    shares = {name: max(raster.n_neurons, LEAST * total, 1) for name, raster in rasters.items()}
    scale = max(total, 1) / sum(shares.values()) if len(rasters) > 1 else 1.0
    length = sample_length(rasters)
    bands: list[Band] = []
    for place, (name, raster) in enumerate(rasters.items()):
        low = bands[-1].high if bands else first + FLOOR
        time = raster.sample * length + begin * MS + raster.step * (raster.dt * MS)
        color = SPIKE if len(rasters) == 1 else color_of(place)
        high = low + shares[name] * scale
        bands.append(Band(name, color, low, high, raster.n_neurons, time, raster.neuron.astype(np.int64)))
    return bands


def by_trial(raster: SpikeRaster, begin: float = 0.0, first: int = 0) -> list[Band]:
    """One band of all samples, from below to above, in each a row for each neuron; time is that within the sample.

    Args:
        raster, begin: see ``by_population``.
        first: number of the first sample.
    """
    return _stacked(raster, np.zeros(raster.n_samples, dtype=np.int64), ["trial"], [SPIKE], begin, first)


def by_label(raster: SpikeRaster, labels: Any, begin: float = 0.0) -> list[Band]:
    """One band for each label, in its color; in it the samples of that label, each with a row for each neuron.

    Raises:
        DlmError: not one label for each sample.
    """
    names, of_sample = classes(labels, raster.n_samples)
    return _stacked(raster, of_sample, names, [color_of(place) for place in range(len(names))], begin)


def classes(labels: Any, n_samples: int) -> tuple[list[str], NDArray[np.int64]]:
    """The labels there are, in order, and the place in them of each sample's.

    Raises:
        DlmError: none, or not one for each sample.
    """
    if labels is None:
        raise DlmError("by='label' needs labels, one for each sample; give labels=...")
    told = labels.tolist() if hasattr(labels, "tolist") else list(labels) if isinstance(labels, Iterable) else [labels]
    if len(told) != n_samples:
        raise DlmError(f"there are {len(told)} labels for {n_samples} samples; give one for each sample")
    texts = [str(label) for label in told]
    numbers = all(isinstance(label, (int, float)) for label in told)
    names = sorted(set(texts), key=float if numbers else str)
    place = {name: k for k, name in enumerate(names)}
    return names, np.array([place[text] for text in texts], dtype=np.int64)


def _stacked(
    raster: SpikeRaster, band_of: NDArray, names: Sequence[str], colors: Sequence[str], begin: float, number: int = 0
) -> list[Band]:
    """Samples above one another, those of a band together."""
    counts = np.bincount(band_of, minlength=len(names))
    first = np.concatenate(([0], np.cumsum(counts)))
    order = np.argsort(band_of, kind="stable")
    place = np.empty(raster.n_samples, dtype=np.int64)
    place[order] = np.arange(raster.n_samples) - np.repeat(first[:-1], counts)
    of_event = band_of[raster.sample]
    row = place[raster.sample] * raster.n_neurons + raster.neuron
    time = begin * MS + raster.step * (raster.dt * MS)
    events = np.split(np.argsort(of_event, kind="stable"), np.cumsum(np.bincount(of_event, minlength=len(names)))[:-1])
    return [
        Band(
            name,
            color,
            number + FLOOR + low,
            number + FLOOR + low + n,
            int(n) * raster.n_neurons,
            time[chosen],
            row[chosen],
        )
        for name, color, low, n, chosen in zip(names, colors, first, counts, events, strict=False)
    ]


def with_label(raster: SpikeRaster, band_of: NDArray[np.int64], place: int) -> SpikeRaster:
    """The samples of one label, in their order, numbered from 0."""
    chosen = band_of == place
    keep = chosen[raster.sample]
    number = (np.cumsum(chosen) - 1)[raster.sample[keep]].astype(np.uint32)
    n_samples = int(chosen.sum())
    return replace(raster, sample=number, step=raster.step[keep], neuron=raster.neuron[keep], n_samples=n_samples)


def bands_of(
    rasters: Mapping[str, SpikeRaster],
    by: str,
    labels: Any = None,
    begin: float = 0.0,
    first_sample: int = 0,
    first_neuron: int = 0,
) -> list[Band]:
    """The bands of a raster plot.

    Raises:
        DlmError: another ``by``; several populations where samples are stacked; labels that do not fit.
    """
    if by not in BY:
        raise DlmError(f"by = {by!r}; {nearest(str(by), BY)}")
    if by == "population":
        return by_population(rasters, begin, first_neuron if len(rasters) == 1 else 0)
    if len(rasters) != 1:
        raise DlmError(f"by='{by}' is for one population, not for {', '.join(rasters) or 'none'}; choose one")
    raster = next(iter(rasters.values()))
    return by_trial(raster, begin, first_sample) if by == "trial" else by_label(raster, labels, begin)
