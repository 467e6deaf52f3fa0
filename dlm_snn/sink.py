"""Where a long run puts what it records, piece by piece."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.network import IntegerNetwork, Network
from dlm_snn.raster import EVENT, SpikeRaster
from dlm_snn.recording import Record, Recording, checked_record

CHUNK = 1000
"""Steps of a piece where the stimulus does not say."""


@runtime_checkable
class Sink(Protocol):
    """Takes the pieces of a run.

    Attributes:
        record: what the pieces should hold, as for ``run``.
        chunk: steps of a piece, where the stimulus is given whole.
    """

    record: Record
    chunk: int

    def open(self, network: Network | IntegerNetwork, n_samples: int, n_steps: int) -> None:
        """Before the first piece."""

    def write(self, piece: Recording, step: int) -> None:
        """All samples from a step on, ``piece.n_steps`` of them; pieces come one after another."""

    def close(self, whole: bool) -> None:
        """After the last piece, or after an error (``whole`` false): then nothing may remain."""


class FolderSink:
    """Writes rasters as ``NAME.raster`` folders and traces as ``NAME.u.npy``, ``NAME.v.npy``, in constant memory.

    A raster is read by ``SpikeRaster.load``, a trace (sample, step, neuron) by ``numpy.load``. All take their names
    when the run is complete.

    Args:
        folder: must not exist.
        record, chunk: see Sink.

    Raises:
        DlmError: the folder exists or cannot be written.
    """

    def __init__(self, folder: str | os.PathLike[str], record: Record = ("s",), chunk: int = CHUNK) -> None:
        if chunk < 1:
            raise DlmError(f"chunk = {chunk} is not a number of steps >= 1")
        self.record = record
        self.chunk = chunk
        self._folder = Path(folder)

    def open(self, network: Network | IntegerNetwork, n_samples: int, n_steps: int) -> None:
        """Make files of their final size, aside."""
        if self._folder.exists():
            raise DlmError(f"{self._folder} exists; choose another folder")
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            self._aside = Path(tempfile.mkdtemp(dir=self._folder.parent, prefix=f".{self._folder.name}."))
        except OSError as error:
            raise DlmError(f"cannot write {self._folder} ({error.strerror}); choose a folder that is yours") from error
        chosen = checked_record(self.record, network)
        dtype = np.int64 if isinstance(network, IntegerNetwork) else np.float64
        self._traces = {
            (key, name): np.lib.format.open_memmap(
                self._aside / f"{name}.{key}.npy",
                mode="w+",
                dtype=dtype,
                shape=(n_samples, n_steps, network.populations[name].n),
            )
            for key in ("u", "v")
            for name in chosen.get(key, ())
        }
        self._rasters = {
            name: _RasterPieces(self._aside / f"{name}.raster", n_samples, n_steps, network.populations[name].n)
            for name in chosen.get("s", ())
        }

    def write(self, piece: Recording, step: int) -> None:
        """Append the events, fill in the traces."""
        for (key, name), rows in self._traces.items():
            rows[:, step : step + piece.n_steps] = getattr(piece, key)[name]
        for name, pieces in self._rasters.items():
            pieces.append(piece.rasters[name], step)

    def close(self, whole: bool) -> None:
        """Sort the events and give the folder its name; or remove all."""
        for pieces in self._rasters.values():
            pieces.end()
        if not whole:
            self._traces.clear()
            shutil.rmtree(self._aside, ignore_errors=True)
            return
        for rows in self._traces.values():
            rows.flush()
        self._traces.clear()
        for pieces in self._rasters.values():
            pieces.finish()
        self._aside.chmod(0o755)
        os.replace(self._aside, self._folder)


class _RasterPieces:
    """The events of one population: pieces of steps, each sorted by sample, put in order at the end."""

    def __init__(self, folder: Path, n_samples: int, n_steps: int, n_neurons: int) -> None:
        folder.mkdir()
        self._folder = folder
        self._extent = {"n_samples": n_samples, "n_steps": n_steps, "n_neurons": n_neurons}
        self._starts: list[NDArray[np.int64]] = []
        self._dt = SpikeRaster.dt
        self._files = {name: (folder / f"{name}.part").open("wb") for name in EVENT}

    def append(self, raster: SpikeRaster, step: int) -> None:
        written = self._starts[-1][-1] if self._starts else 0
        edges = np.arange(self._extent["n_samples"] + 1)
        self._starts.append(written + np.searchsorted(raster.sample, edges))
        self._dt = raster.dt
        for name, file in self._files.items():
            events = getattr(raster, name)
            file.write((events + np.uint32(step) if name == "step" else events).tobytes())

    def end(self) -> None:
        for file in self._files.values():
            file.close()

    def finish(self) -> None:
        total = int(self._starts[-1][-1]) if self._starts else 0
        for name in EVENT:
            part = self._folder / f"{name}.part"
            ordered = np.lib.format.open_memmap(
                self._folder / f"{name}.npy", mode="w+", dtype=np.uint32, shape=(total,)
            )
            if total:
                self._put_in_order(np.memmap(part, dtype=np.uint32, mode="r"), ordered)
            ordered.flush()
            part.unlink()
        (self._folder / "meta.json").write_text(json.dumps({**self._extent, "dt": self._dt}) + "\n")

    def _put_in_order(self, pieces: NDArray[np.uint32], ordered: NDArray[np.uint32]) -> None:
        """Sample after sample, each from all pieces."""
        place = 0
        for sample in range(self._extent["n_samples"]):
            for starts in self._starts:
                first, last = starts[sample], starts[sample + 1]
                ordered[place : place + last - first] = pieces[first:last]
                place += last - first


class Memory:
    """Collects the pieces of a run in memory; the sink of a run whose stimulus comes in chunks.

    Args:
        record: see Sink.
    """

    chunk = CHUNK

    def __init__(self, record: Record) -> None:
        self.record = record
        self.pieces: list[Recording] = []

    def open(self, network: Network | IntegerNetwork, n_samples: int, n_steps: int) -> None:
        """Nothing to prepare."""

    def write(self, piece: Recording, step: int) -> None:
        """Keep it."""
        self.pieces.append(piece)

    def close(self, whole: bool) -> None:
        """Nothing to end."""

    def joined(self, n_steps: int) -> dict[str, Any]:
        """Rasters, u and v of the whole run."""
        first = self.pieces[0]
        rasters = {name: self._raster(name, n_steps) for name in first.rasters}
        traces = {
            key: {
                name: np.concatenate([getattr(p, key)[name] for p in self.pieces], axis=1)
                for name in getattr(first, key)
            }
            for key in ("u", "v")
        }
        return {"rasters": rasters, **traces}

    def _trace(self, key: str, name: str) -> NDArray:
        return np.concatenate([getattr(piece, key)[name] for piece in self.pieces], axis=1)

    def _raster(self, name: str, n_steps: int) -> SpikeRaster:
        rasters = [piece.rasters[name] for piece in self.pieces]
        begin = np.cumsum([0, *(raster.n_steps for raster in rasters[:-1])]).astype(np.uint32)
        steps = [raster.step + start for raster, start in zip(rasters, begin, strict=True)]
        sample, neuron = (np.concatenate([getattr(r, key) for r in rasters]) for key in ("sample", "neuron"))
        last = rasters[-1]
        return SpikeRaster(sample, np.concatenate(steps), neuron, last.n_samples, n_steps, last.n_neurons, last.dt)
