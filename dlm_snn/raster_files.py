"""Rasters on disk: ``NAME.npz`` at rest, ``NAME.raster/`` mapped into memory and written piece by piece."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.atomic import writing, writing_folder
from dlm_snn.errors import DlmError, MissingError
from dlm_snn.raster import BLOCK, EVENT, EXTENT, SpikeRaster, in_order, trusted

FOLDER = ".raster"
"""What the name of the folder form ends in."""
NUMBERS = (*EXTENT, "dt")
COPY = 2**20
"""Events copied together."""
_TYPE = np.dtype("<u4")


def save(raster: SpikeRaster, path: str | os.PathLike[str]) -> None:
    """Write a compressed npz: uint32 ``sample``, ``step``, ``neuron``; int64 ``n_samples``, ``n_steps``, ``n_neurons``;
    float64 ``dt``. Written aside, then renamed.

    A path that ends in ``.raster`` becomes a folder of ``sample.npy``, ``step.npy``, ``neuron.npy`` (uint32) and
    ``meta.json`` (the four numbers) instead.

    Raises:
        DlmError: the path cannot be written.
    """
    path = Path(path)
    numbers = {name: getattr(raster, name) for name in NUMBERS}
    if path.suffix == FOLDER:
        with writing_folder(path, replace=True) as folder:
            for name in EVENT:
                np.save(folder / f"{name}.npy", getattr(raster, name))
            _write_numbers(folder, numbers)
        return
    with writing(path) as file:
        np.savez_compressed(file, **{name: getattr(raster, name) for name in EVENT}, **numbers)


def load(path: str | os.PathLike[str]) -> SpikeRaster:
    """Read what ``save`` or a RasterWriter wrote; the arrays of a folder stay on disk, mapped into memory.

    Raises:
        MissingError: no such file or folder.
        DlmError: truncated, or not a raster; events out of order or outside, with the first of them.
    """
    path = Path(path)
    if not (path / "meta.json" if path.is_dir() and path.suffix != FOLDER else path).exists():
        raise MissingError(f"no raster at {path}; run the simulation that writes it")
    try:
        if not path.is_dir():
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = [stored[name] for name in EVENT]
                return SpikeRaster(*arrays, *(stored[name].item() for name in NUMBERS))
        stored = json.loads((path / "meta.json").read_text())
        numbers = [stored[name] for name in NUMBERS]
        none = np.zeros(0, dtype=np.uint32)
        checked = SpikeRaster(none, none, none, *numbers)
        if _is_whole(path, numbers[:3]):
            return _mapped(path, checked)
        return SpikeRaster(*(np.load(path / f"{name}.npy") for name in EVENT), *numbers)
    except Exception as error:
        # What a damaged archive makes zipfile, zlib and NumPy raise has no common name.
        reason = " ".join(str(error).split())
        raise DlmError(f"{path} is not a complete raster ({reason}); write it again") from error


def _is_whole(folder: Path, extent: list[int]) -> bool:
    """Whether the folder's events need no sorting: read once through a small buffer, since looking at all of a map
    would take as much memory as the file has."""
    with ExitStack() as stack:
        files = [stack.enter_context((folder / f"{name}.npy").open("rb")) for name in EVENT]
        heads = [_head(file) for file in files]
        if len({size for size, _ in heads}) != 1 or any(dtype != _TYPE for _, dtype in heads):
            return False
        return all(in_order(block, extent) for block in zip(*(_blocks(f, heads[0][0]) for f in files), strict=True))


def _head(file: IO[bytes]) -> tuple[int, np.dtype]:
    """Number and type of the events that follow; the file holds just these."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    held = os.fstat(file.fileno()).st_size - file.tell()
    if len(shape) != 1 or shape[0] * dtype.itemsize != held:
        raise DlmError(f"{Path(file.name).name} holds {held} bytes, its header says {shape} of {dtype}")
    return shape[0], dtype


def _blocks(file: IO[bytes], size: int) -> Iterator[NDArray[np.uint32]]:
    """Events in blocks, each with the last event of the block before, to be compared with its first."""
    buffer = np.zeros(BLOCK + 1, dtype=_TYPE)
    for start in range(0, size, BLOCK):
        held = min(BLOCK, size - start)
        buffer[0] = buffer[BLOCK]
        file.readinto(buffer[1 : held + 1].view(np.uint8).data)  # type: ignore[attr-defined]
        yield buffer[(0 if start else 1) : held + 1]


def _mapped(folder: Path, extent: SpikeRaster) -> SpikeRaster:
    """A raster over the mapped files, whose order was looked at, with the extent of another."""
    events = [np.load(folder / f"{name}.npy", mmap_mode="r").view(np.ndarray) for name in EVENT]
    return trusted(events, {name: getattr(extent, name) for name in EXTENT}, extent.dt)


class RasterWriter:
    """Writes a ``NAME.raster`` folder in pieces of steps, in constant memory.

    Use it as a context manager; the folder takes its name when the block ends without an error.

    Args:
        path: the folder; must not exist.
        n_samples, n_steps, n_neurons: the extent of the whole.
        dt: seconds a step; that of the pieces by default.

    Raises:
        DlmError: the folder exists or cannot be written, an extent that no raster has.
    """

    def __init__(
        self, path: str | os.PathLike[str], n_samples: int, n_steps: int, n_neurons: int, dt: float | None = None
    ) -> None:
        none = np.zeros(0, dtype=np.uint32)
        self._whole = SpikeRaster(none, none, none, n_samples, n_steps, n_neurons, SpikeRaster.dt if dt is None else dt)
        self._dt = dt
        self._path = Path(path)

    def __enter__(self) -> RasterWriter:
        self._aside = writing_folder(self._path)
        self._pieces = RasterPieces(self._aside.__enter__(), *self._whole.extent, self._whole.dt)
        return self

    def append(self, piece: SpikeRaster, step: int) -> None:
        """All samples from a step on, ``piece.n_steps`` of them; pieces come one after another.

        Raises:
            DlmError: a piece that does not follow the one before, of another extent or another dt.
        """
        if self._dt is not None and piece.dt != self._dt:
            raise DlmError(f"a piece of dt = {piece.dt:g} s for a raster of {self._dt:g} s; give both the same")
        self._pieces.append(piece, step)
        self._dt = piece.dt

    def __exit__(self, *error: Any) -> None:
        try:
            self._pieces.close()
            if error[0] is None:
                self._pieces.finish()
        except BaseException as failed:
            # Ends the block that made the folder, so that it is taken away.
            self._aside.__exit__(type(failed), failed, failed.__traceback__)
            raise
        self._aside.__exit__(*error)


class RasterPieces:
    """The files of a raster that grows: pieces of steps, each sorted by sample, put in order at the end.

    Args:
        folder: exists and is empty.
        n_samples, n_steps, n_neurons, dt: the extent of the whole.
    """

    def __init__(self, folder: Path, n_samples: int, n_steps: int, n_neurons: int, dt: float = SpikeRaster.dt) -> None:
        self._folder = folder
        self._extent = {"n_samples": n_samples, "n_steps": n_steps, "n_neurons": n_neurons}
        self._dt = dt
        self._starts: list[NDArray[np.int64]] = []
        self._step = 0
        self._files = {name: (folder / f"{name}.npy").open("w+b") for name in EVENT}
        for file in self._files.values():
            file.write(_header(0))

    def append(self, raster: SpikeRaster, step: int) -> None:
        """All samples from a step on.

        Raises:
            DlmError: a piece that does not follow the one before, or of another extent.
        """
        given = {"n_samples": raster.n_samples, "n_neurons": raster.n_neurons}
        if any(self._extent[name] != extent for name, extent in given.items()):
            raise DlmError(f"a piece of {given} for a raster of {self._extent}")
        if step < self._step or step + raster.n_steps > self._extent["n_steps"]:
            raise DlmError(
                f"a piece of the steps {step}..{step + raster.n_steps - 1} for a raster that has {self._step} of "
                f"{self._extent['n_steps']}; pieces come one after another"
            )
        self._step = step + raster.n_steps
        written = self._starts[-1][-1] if self._starts else 0
        self._starts.append(written + np.searchsorted(raster.sample, np.arange(raster.n_samples + 1, dtype=np.uint32)))
        self._dt = raster.dt
        for name, file in self._files.items():
            events = getattr(raster, name)
            np.ascontiguousarray(events + np.uint32(step) if name == "step" else events, dtype=_TYPE).tofile(file)

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()

    def finish(self) -> None:
        """Put the events of each sample together, write the headers and ``meta.json``."""
        total = int(self._starts[-1][-1]) if self._starts else 0
        for name in EVENT:
            path = self._folder / f"{name}.npy"
            if self._extent["n_samples"] > 1 and len(self._starts) > 1:
                self._put_in_order(path)
            with path.open("r+b") as file:
                file.write(_header(total))
        _write_numbers(self._folder, {**self._extent, "dt": self._dt})

    def _put_in_order(self, path: Path) -> None:
        """Sample after sample, each from all pieces."""
        part = path.rename(path.with_suffix(".part"))
        offset = len(_header(0))
        with part.open("rb") as pieces, path.open("wb") as ordered:
            ordered.write(_header(0))
            for sample in range(self._extent["n_samples"]):
                for starts in self._starts:
                    _copy(pieces, ordered, offset, int(starts[sample]), int(starts[sample + 1]))
        part.unlink()


def _copy(source: IO[bytes], target: IO[bytes], offset: int, first: int, last: int) -> None:
    source.seek(offset + first * _TYPE.itemsize)
    for start in range(first, last, COPY):
        target.write(source.read((min(start + COPY, last) - start) * _TYPE.itemsize))


def _header(size: int) -> bytes:
    """The head of an npy file of uint32, always equally long so that it can be written again at the end."""
    text = f"{{'descr': '<u4', 'fortran_order': False, 'shape': ({size},), }}".ljust(117) + "\n"
    return np.lib.format.magic(1, 0) + len(text).to_bytes(2, "little") + text.encode()


def _write_numbers(folder: Path, numbers: dict[str, Any]) -> None:
    (folder / "meta.json").write_text(json.dumps(numbers) + "\n")
