"""Rasters on disk: ``NAME.npz`` at rest, ``NAME.raster/`` mapped into memory and written piece by piece."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.files.atomic import writing, writing_folder
from dlm_snn.files.layouts import FolderKind, binary_file, json_file, npz_file
from dlm_snn.files.packed import check_size, npy_head, read_npy, read_npz, write_npz
from dlm_snn.files.reading import SEAL, one_line, opened, read_json, regular_file, sealed, settled, unsealed
from dlm_snn.runs.events import EVENT, in_order
from dlm_snn.runs.raster import BLOCK, EXTENT, SpikeRaster, trusted
from dlm_snn.values import slices

FOLDER = ".raster"
"""What the name of the folder form ends in."""
NUMBERS = (*EXTENT, "dt")
DEPTH = "depth"
"""Fifth number, where it is not 0."""
PARTS = "parts"
"""Key in ``meta.json`` under which the checksum of each array's file stands; ``crc32`` is over the rest of it."""
COPY = 2**20
"""Events copied together."""
META = "meta.json"
_READ = 2**16
"""Bytes looked at together."""
_TYPE = np.dtype("<u4")
_INCOMPLETE = "is not a complete raster"
RASTER = npz_file("a raster", lambda names: names - {DEPTH} == {*EVENT, *NUMBERS})
NPY = binary_file("an array", np.lib.format.MAGIC_PREFIX)
EXTENTS = json_file("a raster", *NUMBERS)
RASTER_FOLDER = FolderKind("a raster", {META: EXTENTS, **{f"{name}.npy": NPY for name in EVENT}}, (META, EXTENTS))


def save(raster: SpikeRaster, path: str | os.PathLike[str], replace: bool = False) -> None:
    """Write a compressed npz: uint32 ``sample``, ``step``, ``neuron``; int64 ``n_samples``, ``n_steps``, ``n_neurons``;
    float64 ``dt``; int64 ``depth`` where it is not 0. Written aside, then renamed.

    A path that ends in ``.raster`` becomes a folder of ``sample.npy``, ``step.npy``, ``neuron.npy`` (uint32) and
    ``meta.json`` (the numbers, and checksums that ``load`` looks at) instead.

    Args:
        raster: to be written.
        path: of the file or folder.
        replace: a raster of that name gives way.

    Raises:
        DlmError: the path exists and must not be replaced, or cannot be written.
    """
    path = Path(path)
    numbers = {name: getattr(raster, name) for name in NUMBERS} | _deep(raster.depth)
    if path.suffix == FOLDER:
        with writing_folder(path, RASTER_FOLDER, replace) as folder:
            for name in EVENT:
                with (folder / f"{name}.npy").open("wb") as part:
                    part.write(_header(len(raster)))
                    _append(part, getattr(raster, name))
            _write_numbers(folder, numbers)
        return
    with writing(path, RASTER, replace) as file:
        write_npz(file, {**{name: getattr(raster, name) for name in EVENT}, **numbers})


def load(path: str | os.PathLike[str]) -> SpikeRaster:
    """Read what ``save`` or a RasterWriter wrote; the arrays of a folder stay on disk, mapped into memory.

    Raises:
        MissingError: no such file or folder.
        DlmError: truncated, or not a raster; events out of order or outside, with the first of them.
    """
    path = Path(path)
    folder = path.is_dir()
    regular_file(path / META if folder else path, f"no raster at {path}; give one that is there")
    try:
        if folder:
            return settled(path, _load_folder)
        stored = read_npz(path, [*EVENT, *NUMBERS], what=_INCOMPLETE, more=[DEPTH])
        sample, step, neuron = (stored.pop(name) for name in EVENT)
        return SpikeRaster(sample, step, neuron, **{name: number.item() for name, number in stored.items()})
    except Exception as error:
        # What stands in a damaged file makes NumPy raise what has no common name.
        told = one_line(error, 400)
        raise DlmError(told if _INCOMPLETE in told else f"{path} {_INCOMPLETE} ({told}); write it again") from error


def _load_folder(path: Path) -> SpikeRaster:
    numbers, checksums = _numbers(path)
    none = np.zeros(0, dtype=np.uint32)
    extent = SpikeRaster(none, none, none, **numbers)
    if _is_whole(path, extent, checksums):
        return _mapped(path, extent)
    sample, step, neuron = (_array(path / f"{name}.npy") for name in EVENT)
    return SpikeRaster(sample, step, neuron, **numbers)


def _numbers(folder: Path) -> tuple[dict[str, Any], Mapping[str, str] | None]:
    """The numbers, and the checksums of the three arrays, which older folders do not have."""
    held = read_json(folder / META)
    if odd := sorted(held.keys() - {*NUMBERS, DEPTH, PARTS, SEAL}):
        raise DlmError(f"{META} has the key '{odd[0]}', which no raster has")
    if (PARTS in held) != (SEAL in held):
        raise DlmError(f"{META} has '{PARTS}' or '{SEAL}', not both")
    if lacking := [name for name in NUMBERS if name not in held]:
        raise DlmError(f"{META} lacks '{lacking[0]}'")
    meta = unsealed(held, META, f"delete '{PARTS}' and '{SEAL}' in it to read it as it stands")
    return {name: meta[name] for name in (*NUMBERS, DEPTH) if name in meta}, meta.get(PARTS)


def _array(path: Path) -> NDArray:
    """An array that is no flat uint32 one in order, and so is read whole."""
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        check_size(size, path)
        return read_npy(file, size)


def _is_whole(folder: Path, extent: SpikeRaster, checksums: Mapping[str, str] | None) -> bool:
    """Whether the folder's events need no sorting: read once through a small buffer, since looking at all of a map
    would take as much memory as the file has. What is read is held against the checksums on the way."""
    with ExitStack() as stack:
        arrays = [_Array(stack.enter_context(opened(folder / f"{name}.npy"))) for name in EVENT]
        if len({array.size for array in arrays}) != 1 or any(array.dtype != _TYPE for array in arrays):
            if checksums is not None:
                raise DlmError(f"its arrays hold {', '.join(f'{a.size} of {a.dtype}' for a in arrays)}")
            return False
        ordered = True
        for block in zip(*(array.blocks() for array in arrays), strict=True):
            ordered = ordered and in_order(block, extent.extent)
            if not ordered and checksums is None:
                return False
        for name, array in zip(EVENT, arrays, strict=True):
            if checksums is not None and array.checksum != checksums.get(name):
                raise DlmError(f"{name}.npy was changed since it was written, its checksum differs")
        return ordered


class _Array:
    """The file of one array, read once from its beginning to its end.

    Attributes:
        size, dtype: of the events that it holds.
    """

    def __init__(self, file: IO[bytes]) -> None:
        shape, _, self.dtype, start = npy_head(file)
        held = os.fstat(file.fileno()).st_size - start
        if len(shape) != 1 or shape[0] * self.dtype.itemsize != held:
            raise DlmError(f"{Path(file.name).name} holds {held} bytes, its header says {shape} of {self.dtype}")
        file.seek(0)
        self.size, self._file, self._sum = shape[0], file, zlib.crc32(file.read(start))

    def blocks(self) -> Iterator[NDArray[np.uint32]]:
        """Events in blocks, each with the last event of the block before, to be compared with its first."""
        buffer = np.zeros(BLOCK + 1, dtype=_TYPE)
        for start in range(0, self.size, BLOCK):
            held = min(BLOCK, self.size - start)
            buffer[0] = buffer[BLOCK]
            piece = buffer[1 : held + 1].view(np.uint8).data
            if self._file.readinto(piece) != len(piece):  # type: ignore[attr-defined]
                raise DlmError(f"{Path(self._file.name).name} ends early")
            self._sum = zlib.crc32(piece, self._sum)
            yield buffer[(0 if start else 1) : held + 1]

    @property
    def checksum(self) -> str:
        """Of what was read."""
        return f"{self._sum:08x}"


def _mapped(folder: Path, extent: SpikeRaster) -> SpikeRaster:
    """A raster over the mapped files, whose order was looked at, with the extent of another."""
    events = [np.load(folder / f"{name}.npy", mmap_mode="r").view(np.ndarray) for name in EVENT]
    return trusted(events, {name: getattr(extent, name) for name in EXTENT}, extent.dt, extent.depth)


class RasterWriter:
    """Writes a ``NAME.raster`` folder in pieces of steps, in constant memory.

    Use it as a context manager; the folder takes its name when the block ends without an error.

    Args:
        path: the folder.
        n_samples, n_steps, n_neurons: the extent of the whole.
        dt: seconds a step; that of the pieces by default.
        replace: a raster of that name gives way.

    Raises:
        DlmError: the folder exists or cannot be written, an extent that no raster has.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        n_samples: int,
        n_steps: int,
        n_neurons: int,
        dt: float | None = None,
        replace: bool = False,
    ) -> None:
        none = np.zeros(0, dtype=np.uint32)
        self._whole = SpikeRaster(none, none, none, n_samples, n_steps, n_neurons, SpikeRaster.dt if dt is None else dt)
        self._dt = dt
        self._path, self._replace = Path(path), replace

    def __enter__(self) -> RasterWriter:
        self._aside = writing_folder(self._path, RASTER_FOLDER, self._replace)
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
        self._dt, self._depth = dt, 0
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
        self._dt, self._depth = raster.dt, raster.depth
        for name, file in self._files.items():
            events = getattr(raster, name)
            _append(file, events + np.uint32(step) if name == "step" else events)

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
        _write_numbers(self._folder, {**self._extent, "dt": self._dt, **_deep(self._depth)})

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


def _append(file: IO[bytes], events: NDArray) -> None:
    """Write events to a file; ``ndarray.tofile`` would not say that the disk is full."""
    for part in slices(len(events), COPY):
        file.write(np.ascontiguousarray(events[part], dtype=_TYPE).data)


def _copy(source: IO[bytes], target: IO[bytes], offset: int, first: int, last: int) -> None:
    source.seek(offset + first * _TYPE.itemsize)
    for start in range(first, last, COPY):
        target.write(source.read((min(start + COPY, last) - start) * _TYPE.itemsize))


def _header(size: int) -> bytes:
    """The head of an npy file of uint32, always equally long so that it can be written again at the end."""
    text = f"{{'descr': '<u4', 'fortran_order': False, 'shape': ({size},), }}".ljust(117) + "\n"
    return np.lib.format.magic(1, 0) + len(text).to_bytes(2, "little") + text.encode()


def _deep(depth: int) -> dict[str, int]:
    return {DEPTH: depth} if depth else {}


def _write_numbers(folder: Path, numbers: dict[str, Any]) -> None:
    parts = {name: _checksum(folder / f"{name}.npy") for name in EVENT}
    (folder / META).write_text(json.dumps(sealed({**numbers, PARTS: parts})) + "\n")


def _checksum(path: Path) -> str:
    found = 0
    with path.open("rb") as file:
        while block := file.read(_READ):
            found = zlib.crc32(block, found)
    return f"{found:08x}"
