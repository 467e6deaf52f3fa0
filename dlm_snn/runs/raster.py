"""The spikes of one population, as integer events."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.description import unfailing
from dlm_snn.errors import DlmError, how_many
from dlm_snn.files.free_memory import check_room
from dlm_snn.runs.events import EVENT, INDEX_LIMIT, bounds, check_indices, give_back, in_order, places, since
from dlm_snn.values import as_array, is_whole, slices

EXTENT = ("n_samples", "n_steps", "n_neurons")
BLOCK = 2**17
"""Events looked at together: three arrays of them fit into a core's cache."""
PLACES = 2**63 - 1
"""Samples times steps times neurons: the place of an event is one int64 where rasters are compared."""
MANY = 2**22
"""Events counted together."""


@dataclass(frozen=True, eq=False)
class SpikeRaster:
    """Binary events of one population over samples and steps of its window.

    ``raster[samples, steps, neurons]`` is the raster of a part, numbered from 0: each index is a slice without stride
    or one number (which keeps its axis); neurons may also be an array of indices.

    Attributes:
        sample, step, neuron: uint32 arrays, one entry an event, sorted by sample, then step, then neuron; not
            copied where they are that already. Unsigned: cast before you subtract, or differences wrap.
        n_samples, n_steps, n_neurons: extent of the three axes, each below 2^32.
        dt: seconds a step; labels axes only.
        depth: steps of the machine's clock before step 0 of the window (``Network.depth``). Other tools get times of
            the machine, (depth + step) * dt. It takes no part in ``==``.

    Raises:
        DlmError: indices outside the extent, arrays of unequal length, the same event twice.
    """

    sample: NDArray[np.uint32]
    step: NDArray[np.uint32]
    neuron: NDArray[np.uint32]
    n_samples: int
    n_steps: int
    n_neurons: int
    dt: float = 1e-3
    depth: int = 0

    @unfailing
    def __repr__(self) -> str:
        extent = " x ".join(map(how_many, self.extent, ("samples", "steps", "neurons")))
        return f"SpikeRaster({how_many(len(self), 'spikes')} in {extent}, rate {self.rate:.2%}, dt={self.dt:g} s)"

    def __post_init__(self) -> None:
        for name in (*EXTENT, "depth"):
            extent = getattr(self, name)
            if not is_whole(extent) or not 0 <= extent <= INDEX_LIMIT:
                raise DlmError(f"raster {name} = {extent!r} is not a whole number in 0..{INDEX_LIMIT}")
        if prod(self.extent) > PLACES:
            raise DlmError(f"raster of {self.extent} (samples, steps, neurons) has more than {PLACES} places")
        if not isinstance(self.dt, (int, float, np.number)) or not 0 < self.dt < np.inf:
            raise DlmError(f"raster dt = {self.dt!r} is not a number of seconds above 0")
        events = [as_array(getattr(self, name), f"raster {name}") for name in EVENT]
        if len({e.shape for e in events}) != 1 or events[0].ndim != 1:
            raise DlmError(f"raster arrays have shapes {[e.shape for e in events]}; they must be flat and equally long")
        if not self._in_order(events):
            for name, event, extent in zip(EVENT, events, self.extent, strict=True):
                check_indices(name, event, extent)
            order = np.lexsort(tuple(reversed(events)))
            events = [e[order] for e in events]
            if not self._in_order(events):
                raise DlmError(f"raster holds {self._twice(events)} twice; a neuron spikes at most once a step")
        self._keep(events)

    def _keep(self, events: Sequence[NDArray]) -> None:
        for name, event in zip(EVENT, events, strict=True):
            # A view, so that the giver's own array stays writable.
            event = event.astype(np.uint32, copy=False).view()
            event.flags.writeable = False
            object.__setattr__(self, name, event)

    @property
    def extent(self) -> tuple[int, int, int]:
        """(n_samples, n_steps, n_neurons)."""
        return self.n_samples, self.n_steps, self.n_neurons

    def _in_order(self, events: Sequence[NDArray]) -> bool:
        """Whether events are sorted, no two equal and all inside; block by block, since there may be many."""
        if any(event.dtype != np.uint32 for event in events):
            for name, event, extent in zip(EVENT, events, self.extent, strict=True):
                check_indices(name, event, extent)
        return all(
            in_order([event[start : start + BLOCK + 1] for event in events], self.extent)
            for start in range(0, events[0].size, BLOCK)
        )

    @staticmethod
    def _twice(events: Sequence[NDArray]) -> str:
        same = np.all([event[1:] == event[:-1] for event in events], axis=0)
        at = int(np.argmax(same))
        return "(sample, step, neuron) = " + str(tuple(int(event[at]) for event in events))

    @classmethod
    def from_dense(cls, spikes: NDArray, dt: float = 1e-3) -> SpikeRaster:
        """From a (sample, step, neuron) array of zeros and ones."""
        spikes = as_array(spikes, "spikes")
        if spikes.ndim != 3 or (spikes.dtype != bool and not np.all((spikes == 0) | (spikes == 1))):
            raise DlmError(f"a dense raster is (sample, step, neuron) of 0 and 1; got shape {spikes.shape}")
        sample, step, neuron = (places.astype(np.uint32) for places in np.nonzero(spikes))
        n_samples, n_steps, n_neurons = spikes.shape
        return cls(sample, step, neuron, n_samples, n_steps, n_neurons, dt)

    @classmethod
    def concatenate(cls, rasters: Sequence[SpikeRaster], axis: str = "sample") -> SpikeRaster:
        """Rasters one after another along an axis.

        Args:
            rasters: at least one; alike in dt and in the other two axes.
            axis: "sample", "step" or "neuron".

        Returns:
            The whole; of depth 0 where the rasters are of several depths.

        Raises:
            DlmError: none, or rasters that do not fit.
        """
        if axis not in EVENT:
            raise DlmError(f"axis = {axis!r} is none of {', '.join(EVENT)}")
        if not rasters:
            raise DlmError("no raster to concatenate")
        at = EVENT.index(axis)
        first = rasters[0]
        for i, raster in enumerate(rasters):
            alike = all(raster.extent[k] == first.extent[k] for k in range(3) if k != at) and raster.dt == first.dt
            if not alike:
                raise DlmError(
                    f"raster {i} has (samples, steps, neurons) = {raster.extent} and dt = {raster.dt:g}, the first "
                    f"{first.extent} and {first.dt:g}; along '{axis}' the others must agree"
                )
        if len(rasters) == 1:
            return first
        starts = np.concatenate(([0], np.cumsum([raster.extent[at] for raster in rasters])))
        events = {name: np.concatenate([getattr(raster, name) for raster in rasters]) for name in EVENT}
        lengths = [len(raster) for raster in rasters]
        events[axis] = (events[axis] + np.repeat(starts[:-1], lengths)).astype(np.uint32)
        depth = first.depth if len({raster.depth for raster in rasters}) == 1 else 0
        changed: dict[str, Any] = {**events, EXTENT[at]: int(starts[-1]), "depth": depth}
        return replace(first, **changed)

    def dense(self) -> NDArray[np.bool_]:
        """As a Boolean (sample, step, neuron) array.

        Raises:
            DlmError: it does not fit into the free memory.
        """
        check_room(prod(self.extent), f"a dense raster of {self.extent}")
        spikes = np.zeros(self.extent, dtype=bool)
        spikes[self.sample, self.step, self.neuron] = True
        return spikes

    def counts(self) -> NDArray[np.int64]:
        """Spikes of each neuron in each sample, (sample, neuron)."""
        if not self.n_steps:
            check_room(8 * self.n_samples * self.n_neurons, "counts")
            return np.zeros((self.n_samples, self.n_neurons), dtype=np.int64)
        return self.binned(self.n_steps)[:, 0]

    def binned(self, width: int) -> NDArray[np.int64]:
        """Spikes of each neuron in bins of ``width`` steps, (sample, bin, neuron); the last bin may be shorter.

        Raises:
            DlmError: a width below one step, or more bins than fit into the free memory.
        """
        if not is_whole(width) or width < 1:
            raise DlmError(f"width = {width!r} is not a number of steps >= 1")
        bins = -(-self.n_steps // width)
        check_room(
            8 * self.n_samples * bins * self.n_neurons,
            f"counts of (samples, bins, neurons) = {(self.n_samples, bins, self.n_neurons)}",
        )
        counts = np.zeros(self.n_samples * bins * self.n_neurons, dtype=np.int64)
        for part in slices(len(self), MANY):
            sample, step, neuron = (getattr(self, name)[part] for name in EVENT)
            flat = (
                sample.astype(np.int64) * bins + step // np.uint32(min(width, INDEX_LIMIT))
            ) * self.n_neurons + neuron
            # Events are sorted by sample, so that a block lies within a few of them.
            low = int(sample[0]) * bins * self.n_neurons
            found = np.bincount(flat - low)
            counts[low : low + found.size] += found
        return counts.reshape(self.n_samples, bins, self.n_neurons)

    def __getitem__(self, part: Any) -> SpikeRaster:
        """A part, numbered from 0; events that lie together are not copied."""
        index = part if isinstance(part, tuple) else (part,)
        if len(index) > 3:
            raise DlmError(f"a raster has three axes (sample, step, neuron), {len(index)} indices were given")
        whole = (slice(None),) * 3
        samples, steps, neurons = index + whole[len(index) :]
        cut = self._samples(*bounds("sample", samples, self.n_samples))
        cut = cut._steps(*bounds("step", steps, self.n_steps))
        if isinstance(neurons, (slice, int, np.integer)):
            first, last = bounds("neuron", neurons, self.n_neurons)
            return cut._neurons(first, last)
        return cut._chosen(neurons)

    def _samples(self, first: int, last: int) -> SpikeRaster:
        if (first, last) == (0, self.n_samples):
            return self
        keep = slice(*places(self.sample, (first, last)))
        return self._part((since(self.sample[keep], first), self.step[keep], self.neuron[keep]), n_samples=last - first)

    def _steps(self, first: int, last: int) -> SpikeRaster:
        if (first, last) == (0, self.n_steps):
            return self
        if self.n_samples == 1:
            keep: Any = slice(*places(self.step, (first, last)))
        else:
            keep = (self.step >= first) & (self.step < last)
        return self._part((self.sample[keep], since(self.step[keep], first), self.neuron[keep]), n_steps=last - first)

    def _neurons(self, first: int, last: int) -> SpikeRaster:
        if (first, last) == (0, self.n_neurons):
            return self
        keep = (self.neuron >= first) & (self.neuron < last)
        return self._part((self.sample[keep], self.step[keep], since(self.neuron[keep], first)), n_neurons=last - first)

    def _part(self, events: tuple[NDArray, NDArray, NDArray], **extent: int) -> SpikeRaster:
        """Some of the events in their order: nothing to look at again."""
        return trusted(events, {name: getattr(self, name) for name in EXTENT} | extent, self.dt, self.depth)

    def at_depth(self, depth: int) -> SpikeRaster:
        """The same events in a window that begins at another step of the machine's clock."""
        events = self.sample, self.step, self.neuron
        return (
            self
            if depth == self.depth
            else trusted(events, dict(zip(EXTENT, self.extent, strict=True)), self.dt, depth)
        )

    def _chosen(self, neurons: ArrayLike) -> SpikeRaster:
        """Neurons by index, in the order given."""
        chosen = as_array(neurons, "neurons")
        if chosen.shape == (0,):
            chosen = chosen.astype(np.int64)
        if chosen.dtype == bool and chosen.shape == (self.n_neurons,):
            chosen = np.flatnonzero(chosen)
        if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
            raise DlmError(f"neurons {neurons!r} are no slice, number or array of indices")
        if chosen.size and (chosen.min() < 0 or chosen.max() >= self.n_neurons):
            raise DlmError(f"neurons {chosen.min()}..{chosen.max()} lie outside 0..{self.n_neurons - 1}")
        if len(np.unique(chosen)) < chosen.size:
            raise DlmError("a neuron is chosen twice")
        place = np.full(self.n_neurons, INDEX_LIMIT, dtype=np.int64)
        place[chosen] = np.arange(chosen.size)
        renumbered = place[self.neuron]
        keep = renumbered < INDEX_LIMIT
        return replace(
            self,
            sample=self.sample[keep],
            step=self.step[keep],
            neuron=renumbered[keep].astype(np.uint32),
            n_neurons=int(chosen.size),
        )

    def pieces(self, n_steps: int) -> Iterator[tuple[int, int, SpikeRaster]]:
        """The raster in pieces of one sample and at most ``n_steps`` steps, for recordings larger than memory.

        Yields:
            sample, first step, and the piece as a raster of one sample. Pages of a file that were read are given back.
        """
        if not is_whole(n_steps) or n_steps < 1:
            raise DlmError(f"n_steps = {n_steps!r} is not a number of steps >= 1")
        for sample in range(self.n_samples):
            start, end = places(self.sample, (sample, sample + 1))
            for first in range(0, self.n_steps, n_steps):
                size = min(n_steps, self.n_steps - first)
                stop = start + places(self.step[start:end], first + size)
                step, neuron = self.step[start:stop] - np.uint32(first), np.array(self.neuron[start:stop])
                yield sample, first, self._part((np.zeros_like(step), step, neuron), n_samples=1, n_steps=size)
                start = stop
                for name in EVENT:
                    give_back(getattr(self, name))

    @property
    def rate(self) -> float:
        """Spikes per neuron and step, 0..1."""
        places = self.n_samples * self.n_steps * self.n_neurons
        return self.sample.size / places if places else 0.0

    def __len__(self) -> int:
        """Number of events."""
        return int(self.sample.size)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SpikeRaster):
            return NotImplemented
        return self.extent == other.extent and all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in EVENT
        )

    __hash__ = None  # type: ignore[assignment]

    def save(self, path: str | os.PathLike[str], replace: bool = False) -> None:
        """Write a compressed ``.npz``, or a folder where the path ends in ``.raster``; see raster_files.save."""
        from dlm_snn.runs import raster_files

        raster_files.save(self, path, replace)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> SpikeRaster:
        """Read what ``save`` or a sink wrote; see raster_files.load."""
        from dlm_snn.runs import raster_files

        return raster_files.load(path)


def trusted(events: Sequence[NDArray], extent: Mapping[str, int], dt: float, depth: int = 0) -> SpikeRaster:
    """A raster of events that are known to be inside and in order; they are not looked at.

    Args:
        events: sample, step, neuron, uint32.
        extent: n_samples, n_steps, n_neurons.
        dt: seconds a step.
        depth: see SpikeRaster.
    """
    raster = object.__new__(SpikeRaster)
    for name, value in (*extent.items(), ("dt", dt), ("depth", depth)):
        object.__setattr__(raster, name, value)
    raster._keep(events)
    return raster
