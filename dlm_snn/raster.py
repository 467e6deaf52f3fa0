"""The spikes of one population, as integer events."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlm_snn.atomic import writing
from dlm_snn.errors import DlmError, MissingError

_ARRAYS = ("sample", "step", "neuron")
_NUMBERS = ("n_samples", "n_steps", "n_neurons", "dt")


@dataclass(frozen=True, eq=False)
class SpikeRaster:
    """Binary events of one population over samples and steps of its window.

    Attributes:
        sample, step, neuron: uint32 arrays, one entry an event, sorted by sample, then step, then neuron.
        n_samples, n_steps, n_neurons: extent of the three axes.
        dt: seconds a step; labels axes only.

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

    def __post_init__(self) -> None:
        events = [np.asarray(getattr(self, name)) for name in _ARRAYS]
        if len({e.shape for e in events}) != 1 or events[0].ndim != 1:
            raise DlmError(f"raster arrays have shapes {[e.shape for e in events]}; they must be flat and equally long")
        for name, event, extent in zip(_ARRAYS, events, (self.n_samples, self.n_steps, self.n_neurons), strict=True):
            if event.size and (event.dtype.kind not in "iu" or event.min() < 0 or event.max() >= extent):
                raise DlmError(f"raster {name} holds {event.min()}..{event.max()}, outside 0..{extent - 1}")
        sample, step, neuron = (e.astype(np.int64) for e in events)
        place = (sample * self.n_steps + step) * self.n_neurons + neuron
        if np.any(np.diff(place) <= 0):
            order = np.argsort(place)
            if np.any(np.diff(place[order]) == 0):
                raise DlmError("raster holds an event twice; a neuron spikes at most once a step")
            events = [e[order] for e in events]
        for name, event in zip(_ARRAYS, events, strict=True):
            event = event.astype(np.uint32)
            event.flags.writeable = False
            object.__setattr__(self, name, event)

    @classmethod
    def from_dense(cls, spikes: NDArray, dt: float = 1e-3) -> SpikeRaster:
        """From a (sample, step, neuron) array of zeros and ones."""
        spikes = np.asarray(spikes)
        if spikes.ndim != 3 or (spikes.dtype != bool and not np.all((spikes == 0) | (spikes == 1))):
            raise DlmError(f"a dense raster is (sample, step, neuron) of 0 and 1; got shape {spikes.shape}")
        sample, step, neuron = (places.astype(np.uint32) for places in np.nonzero(spikes))
        n_samples, n_steps, n_neurons = spikes.shape
        return cls(sample, step, neuron, n_samples, n_steps, n_neurons, dt)

    def dense(self) -> NDArray[np.bool_]:
        """As a Boolean (sample, step, neuron) array."""
        spikes = np.zeros((self.n_samples, self.n_steps, self.n_neurons), dtype=bool)
        spikes[self.sample, self.step, self.neuron] = True
        return spikes

    def counts(self) -> NDArray[np.int64]:
        """Spikes of each neuron in each sample, (sample, neuron)."""
        flat = self.sample.astype(np.int64) * self.n_neurons + self.neuron
        return np.bincount(flat, minlength=self.n_samples * self.n_neurons).reshape(self.n_samples, self.n_neurons)

    def samples(self, chosen: slice) -> SpikeRaster:
        """The raster of a range of samples, numbered from 0."""
        start, stop, stride = chosen.indices(self.n_samples)
        if stride != 1:
            raise DlmError("samples are taken as a range without stride")
        keep = (self.sample >= start) & (self.sample < stop)
        return replace(
            self,
            sample=self.sample[keep] - np.uint32(start),
            step=self.step[keep],
            neuron=self.neuron[keep],
            n_samples=max(stop - start, 0),
        )

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
        extent = (self.n_samples, self.n_steps, self.n_neurons)
        return extent == (other.n_samples, other.n_steps, other.n_neurons) and all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in _ARRAYS
        )

    __hash__ = None  # type: ignore[assignment]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a compressed npz: uint32 ``sample``, ``step``, ``neuron``; int64 ``n_samples``, ``n_steps``,
        ``n_neurons``; float64 ``dt``. Written aside, then renamed."""
        numbers = {name: np.asarray(getattr(self, name)) for name in _NUMBERS}
        with writing(Path(path)) as file:
            np.savez_compressed(file, **{name: getattr(self, name) for name in _ARRAYS}, **numbers)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> SpikeRaster:
        """Read what ``save`` wrote.

        Raises:
            MissingError: no such file.
            DlmError: a truncated file, or one that is not a raster.
        """
        path = Path(path)
        if not path.is_file():
            raise MissingError(f"no raster at {path}; run the simulation that writes it")
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = [stored[name] for name in _ARRAYS]
                numbers = [stored[name].item() for name in _NUMBERS]
            return cls(*arrays, *numbers)
        except Exception as error:
            # What a damaged archive makes zipfile, zlib and NumPy raise has no common name.
            reason = " ".join(str(error).split())
            raise DlmError(f"{path} is not a complete raster ({reason}); write it again") from error
