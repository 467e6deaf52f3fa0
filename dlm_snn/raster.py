"""The spikes of one population, as integer events."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlm_snn.atomic import writing, writing_folder
from dlm_snn.errors import DlmError, MissingError

EVENT = ("sample", "step", "neuron")
"""The arrays of a raster, in the order in which events are sorted."""
BLOCK = 2**18
"""Events looked at together."""
FOLDER = ".raster"
"""What the name of the folder form ends in."""
_NUMBERS = ("n_samples", "n_steps", "n_neurons", "dt")


@dataclass(frozen=True, eq=False)
class SpikeRaster:
    """Binary events of one population over samples and steps of its window.

    Attributes:
        sample, step, neuron: uint32 arrays, one entry an event, sorted by sample, then step, then neuron; not
            copied where they are that already.
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
        events = [np.asarray(getattr(self, name)) for name in EVENT]
        if len({e.shape for e in events}) != 1 or events[0].ndim != 1:
            raise DlmError(f"raster arrays have shapes {[e.shape for e in events]}; they must be flat and equally long")
        for name, event, extent in zip(EVENT, events, (self.n_samples, self.n_steps, self.n_neurons), strict=True):
            if event.size and (event.dtype.kind not in "iu" or event.min() < 0 or event.max() >= extent):
                raise DlmError(f"raster {name} holds {event.min()}..{event.max()}, outside 0..{extent - 1}")
        if not self._in_order(*events):
            order = np.argsort(self._places(*events), kind="stable")
            events = [e[order] for e in events]
            if not self._in_order(*events):
                raise DlmError("raster holds an event twice; a neuron spikes at most once a step")
        for name, event in zip(EVENT, events, strict=True):
            # A view, so that the giver's own array stays writable.
            event = event.astype(np.uint32, copy=False).view()
            event.flags.writeable = False
            object.__setattr__(self, name, event)

    def _places(self, sample: NDArray, step: NDArray, neuron: NDArray) -> NDArray[np.int64]:
        """Each event as one number that grows with sample, then step, then neuron."""
        return (sample.astype(np.int64) * self.n_steps + step) * self.n_neurons + neuron

    def _in_order(self, *events: NDArray) -> bool:
        """Whether events are sorted and no two equal; block by block, since there may be many."""
        last = -1
        for start in range(0, events[0].size, BLOCK):
            places = self._places(*(e[start : start + BLOCK] for e in events))
            if places[0] <= last or np.any(places[1:] <= places[:-1]):
                return False
            last = int(places[-1])
        return True

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
        keep = slice(*np.searchsorted(self.sample, (start, max(start, stop))))
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
            np.array_equal(getattr(self, name), getattr(other, name)) for name in EVENT
        )

    __hash__ = None  # type: ignore[assignment]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a compressed npz: uint32 ``sample``, ``step``, ``neuron``; int64 ``n_samples``, ``n_steps``,
        ``n_neurons``; float64 ``dt``. Written aside, then renamed.

        A path that ends in ``.raster`` becomes a folder of ``sample.npy``, ``step.npy``, ``neuron.npy`` and
        ``meta.json`` instead, which can be mapped into memory.
        """
        path = Path(path)
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        if path.suffix == FOLDER:
            with writing_folder(path, replace=True) as folder:
                for name in EVENT:
                    np.save(folder / f"{name}.npy", getattr(self, name))
                (folder / "meta.json").write_text(json.dumps(numbers) + "\n")
            return
        with writing(path) as file:
            np.savez_compressed(file, **{name: getattr(self, name) for name in EVENT}, **numbers)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> SpikeRaster:
        """Read what ``save`` or a sink wrote; the arrays of a folder stay on disk, mapped into memory.

        Raises:
            MissingError: no such file or folder.
            DlmError: truncated, or not a raster.
        """
        path = Path(path)
        if not (path / "meta.json" if path.is_dir() and path.suffix != FOLDER else path).exists():
            raise MissingError(f"no raster at {path}; run the simulation that writes it")
        try:
            if path.is_dir():
                arrays = [np.load(path / f"{name}.npy", mmap_mode="r") for name in EVENT]
                stored = json.loads((path / "meta.json").read_text())
                numbers = [stored[name] for name in _NUMBERS]
            else:
                with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                    arrays = [stored[name] for name in EVENT]
                    numbers = [stored[name].item() for name in _NUMBERS]
            return cls(*arrays, *numbers)
        except Exception as error:
            # What a damaged archive makes zipfile, zlib and NumPy raise has no common name.
            reason = " ".join(str(error).split())
            raise DlmError(f"{path} is not a complete raster ({reason}); write it again") from error
