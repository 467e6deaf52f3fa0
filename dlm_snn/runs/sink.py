"""Where a long run puts what it records, piece by piece."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from dlm_snn.errors import DlmError
from dlm_snn.files.atomic import check, writing_folder
from dlm_snn.files.layouts import LISTED, LISTING, FolderKind, list_files
from dlm_snn.files.names import file_of
from dlm_snn.networks.extent import check_memory
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.raster_files import EXTENTS, FOLDER, META, NPY, RasterPieces
from dlm_snn.runs.recording import Recording, WhatToRecord, checked_record, kind_of
from dlm_snn.values import is_whole

CHUNK = 1000
"""Steps of a piece where the stimulus does not say."""
PIECES = FolderKind(
    "a folder of rasters and traces",
    {f"*{FOLDER}/{META}": EXTENTS, f"*{FOLDER}/*.npy": NPY, "*.u.npy": NPY, "*.v.npy": NPY, LISTING: LISTED[1]},
    LISTED,
    listed=True,
)


@runtime_checkable
class Sink(Protocol):
    """Takes the pieces of a run.

    Attributes:
        record: what the pieces should hold, as for ``run``.
        chunk: steps of a piece, where the stimulus is given whole.
    """

    record: WhatToRecord
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
        folder: of the run.
        record, chunk: see Sink.
        replace: a folder of such rasters and traces gives way.

    Raises:
        DlmError: the folder exists or cannot be written.
    """

    def __init__(
        self, folder: str | os.PathLike[str], record: WhatToRecord = ("s",), chunk: int = CHUNK, replace: bool = False
    ) -> None:
        if not is_whole(chunk) or chunk < 1:
            raise DlmError(f"chunk = {chunk!r} is not a number of steps >= 1")
        self.record = record
        self.chunk = chunk
        self._folder, self._replace = Path(folder), replace
        check(self._folder, PIECES, replace)

    def open(self, network: Network | IntegerNetwork, n_samples: int, n_steps: int) -> None:
        """Make files of their final size, aside."""
        chosen = checked_record(self.record, network)
        dtype = kind_of(network)
        with ExitStack() as stack:
            self._aside = stack.enter_context(writing_folder(self._folder, PIECES, self._replace))
            aside = self._aside
            self._traces = {
                (key, name): _trace(
                    file_of(aside, name, f".{key}.npy"), dtype, (n_samples, n_steps, network.populations[name].n)
                )
                for key in ("u", "v")
                for name in chosen.get(key, ())
            }
            self._rasters = {
                name: RasterPieces(_made(file_of(aside, name, FOLDER)), n_samples, n_steps, population.n)
                for name, population in network.neurons.items()
                if name in chosen.get("s", ())
            }
            self._writing = stack.pop_all()

    def write(self, piece: Recording, step: int) -> None:
        """Append the events, fill in the traces."""
        for (key, name), rows in self._traces.items():
            rows[:, step : step + piece.n_steps] = getattr(piece, key)[name]
        for name, pieces in self._rasters.items():
            pieces.append(piece.rasters[name], step)

    def close(self, whole: bool) -> None:
        """Sort the events and give the folder its name; or remove all."""
        for pieces in self._rasters.values():
            pieces.close()
        if not whole:
            self._traces.clear()
            self._writing.__exit__(_Broken, _Broken(), None)
            return
        with self._writing:
            for rows in self._traces.values():
                rows.flush()
            self._traces.clear()
            for pieces in self._rasters.values():
                pieces.finish()
            list_files(self._aside)


class _Broken(Exception):
    """The run ended before its last piece."""


def _trace(path: Path, dtype: Any, shape: tuple[int, ...]) -> np.memmap:
    """A file of zeros, mapped into memory; its room is taken at once, since a full disk would end the process later."""
    rows = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, max(path.stat().st_size, 1))
    return rows


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


class MemorySink:
    """Collects the pieces of a run in memory; the sink of a run whose stimulus comes in chunks.

    Args:
        record: see Sink.
    """

    chunk = CHUNK

    def __init__(self, record: WhatToRecord) -> None:
        self.record = record
        self.pieces: list[Recording] = []

    def open(self, network: Network | IntegerNetwork, n_samples: int, n_steps: int) -> None:
        """Raise where the whole run's traces do not fit."""
        check_memory(network, n_samples, n_steps, checked_record(self.record, network))

    def write(self, piece: Recording, step: int) -> None:
        """Keep it."""
        self.pieces.append(piece)

    def close(self, whole: bool) -> None:
        """Nothing to end."""

    def joined(self, n_steps: int) -> dict[str, Any]:
        """Rasters, u and v of the whole run."""
        first = self.pieces[0]
        rasters = {
            name: SpikeRaster.concatenate([piece.rasters[name] for piece in self.pieces], "step")
            for name in first.rasters
        }
        traces = {
            key: {
                name: np.concatenate([getattr(p, key)[name] for p in self.pieces], axis=1)
                for name in getattr(first, key)
            }
            for key in ("u", "v")
        }
        return {"rasters": rasters, **traces}
