"""Files that unpack to more than they are: gzip, zip, npz, and the npy arrays inside.

What a file declares is held against what it holds and what the memory has free, before any is taken.
"""

from __future__ import annotations

import gzip
import os
from ast import literal_eval
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from math import prod
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.files.free_memory import free_memory
from dlm_snn.files.reading import REMEDY, opened, refused

DEFLATED = 1032
"""Deflate packs at most so many bytes into one (zlib's technical notes): who declares more holds nothing."""
BLOCK = 2**20
_ENCRYPTED = 0x1
"""Flag of a zip's member."""
_HEAD_LIMIT = 10_000
"""Bytes of the head of an npy file."""


def unpacked(path: str | os.PathLike[str], limit: int, missing: str | None = None) -> bytes:
    """The content of a gzip file.

    Raises:
        MissingError, DlmError: as ``opened``; damaged, or more than ``limit`` bytes.
    """
    with opened(path, missing) as packed, refused(path), gzip.GzipFile(fileobj=packed) as file:
        content = file.read(limit + 1)
        if len(content) > limit:
            raise DlmError(f"{path} unpacks to more than the {limit} bytes that are wanted; take another file")
        return content


@contextmanager
def opened_zip(
    path: str | os.PathLike[str], remedy: str = REMEDY, missing: str | None = None, what: str = "is damaged"
) -> Iterator[ZipFile]:
    """A zip archive, open for reading; what its reading raises inside the block is one line."""
    with opened(path, missing) as file, refused(path, remedy, what), ZipFile(file) as archive:
        yield archive


def write_npz(file: IO[bytes], arrays: Mapping[str, Any]) -> None:
    """Write arrays as ``numpy.savez_compressed`` does, which leaves its archive open where the disk is full."""
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def read_member(archive: ZipFile, name: str, limit: int) -> bytes:
    """The bytes of one file of an archive.

    Raises:
        DlmError, KeyError, others: see ``refused``, in whose block this stands.
    """
    info = _looked_at(archive.getinfo(name))
    if info.file_size > limit:
        raise ValueError(f"{name} declares {info.file_size} bytes, at most {limit} are wanted")
    return archive.read(info)


def _looked_at(info: ZipInfo) -> ZipInfo:
    """A member whose declared size can be true."""
    if info.flag_bits & _ENCRYPTED or info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise ValueError(f"{info.filename} is packed in another way than deflated")
    if info.file_size > DEFLATED * (info.compress_size + 1):
        raise ValueError(f"{info.filename} declares {info.file_size} bytes in {info.compress_size} packed ones")
    return info


def read_npz(
    path: str | os.PathLike[str],
    names: Sequence[str] | None = None,
    limit: int | None = None,
    remedy: str = REMEDY,
    missing: str | None = None,
    what: str = "is damaged",
    more: Sequence[str] = (),
) -> dict[str, NDArray]:
    """Arrays of numbers or text in an npz file; never objects.

    Args:
        path: of the file.
        names: of the arrays; all by default.
        limit: bytes of all arrays together; what the memory has free by default.
        remedy, missing, what: for the messages.
        more: arrays that may be there.

    Raises:
        MissingError, DlmError: as ``opened``; damaged, an array that is not there, more than fits.
    """
    with opened_zip(path, remedy, missing, what) as archive:
        held = {name.removesuffix(".npy"): name for name in archive.namelist()}
        wanted = list(held) if names is None else list(names)
        absent = next((name for name in wanted if name not in held), None)
        if absent is not None:
            raise ValueError(f"it has {listed(held)}, but no array '{absent}'; wanted: {', '.join(wanted)}")
        wanted += [name for name in more if name in held and name not in wanted]
        size = sum(_looked_at(archive.getinfo(held[name])).file_size for name in wanted)
        check_size(size, path, limit)
        return {name: _array(archive, held[name]) for name in wanted}


def npz_names(path: str | os.PathLike[str]) -> list[str]:
    """What the arrays of an npz file are called.

    Raises:
        MissingError, DlmError: as ``opened``; damaged.
    """
    with opened_zip(path) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist()]


def listed(names: Iterable[str]) -> str:
    """The first names of a file, for a message."""
    first = [ascii(name)[1:-1][:20] for name in islice(names, 9)]
    return ", ".join(first[:8]) + (", ..." if len(first) > 8 else "") or "nothing"


def check_size(size: int, where: object, limit: int | None = None) -> None:
    """Raise where a file unpacks to more than there should be, or than the memory has free.

    Raises:
        DlmError: names both numbers.
    """
    if limit is not None and size > limit:
        raise DlmError(f"{where} unpacks to {size} bytes, at most {limit} are wanted; take another file")
    free = free_memory()
    if size > free:
        raise DlmError(f"{where} unpacks to {size / 2**30:.3g} GiB, {free / 2**30:.3g} are free; take a smaller file")


def _array(archive: ZipFile, name: str) -> NDArray:
    info = archive.getinfo(name)
    with archive.open(info) as file:
        array = read_npy(file, info.file_size)
        if file.read(1):
            raise ValueError(f"{name} is longer than its head says")
    return array


def read_array(path: str | os.PathLike[str], missing: str | None = None, records: bool = False) -> NDArray:
    """The array of an npy file.

    Args:
        path: of the file.
        missing: for the message.
        records: fields of numbers with names are taken too.

    Raises:
        MissingError, DlmError: as ``opened``; damaged, or more than fits.
    """
    with opened(path, missing) as file, refused(path):
        size = os.fstat(file.fileno()).st_size
        check_size(size, path)
        return read_npy(file, size, records)


def read_npy(file: IO[bytes], size: int, records: bool = False) -> NDArray:
    """The array of an npy stream of ``size`` bytes.

    Raises:
        ValueError: a damaged head, or one that does not fit the size; others, see ``refused``.
    """
    shape, fortran, dtype, start = npy_head(file, records)
    if start + prod(shape) * dtype.itemsize != size:
        raise ValueError(f"{size - start} bytes, where the head says {shape} of {dtype}")
    array = np.empty(shape[::-1] if fortran else shape, dtype)
    place: Any = memoryview(array.reshape(-1).view(np.uint8).data) if array.size else b""
    for at in range(0, len(place), BLOCK):
        piece = file.read(min(BLOCK, len(place) - at))
        if len(piece) != min(BLOCK, len(place) - at):
            raise ValueError("it ends early")
        place[at : at + len(piece)] = piece
    return array.T if fortran else array


def npy_head(file: IO[bytes], records: bool = False) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    """Shape, whether in Fortran's order, type, and the length of the head of an npy stream.

    Args:
        file: the stream.
        records: fields of numbers with names are taken too.

    Raises:
        ValueError: no such head, or one of objects, or of records.
    """
    magic = file.read(8)
    if magic[:6] != b"\x93NUMPY" or len(magic) != 8 or magic[6] not in (1, 2, 3):
        raise ValueError("no npy array")
    wide = 2 if magic[6] == 1 else 4
    length = int.from_bytes(file.read(wide), "little")
    text = file.read(length) if length <= _HEAD_LIMIT else b""
    if len(text) != length:
        raise ValueError("the head of its array is damaged")
    try:
        head = literal_eval(text.decode("latin1" if magic[6] < 3 else "utf-8").strip())
        shape, fortran, kind = head["shape"], head["fortran_order"], head["descr"]
        dtype = _dtype(kind, records)
    except Exception as error:
        raise ValueError("the head of its array is damaged") from error
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape) or type(fortran) is not bool:
        raise ValueError("the head of its array is damaged")
    if dtype.kind not in ("V" if records and dtype.names else "biufcSU") or not dtype.itemsize:
        raise ValueError(f"an array of {kind!r}, where numbers are wanted")
    return shape, fortran, dtype, 8 + wide + length


def _dtype(kind: Any, records: bool) -> np.dtype:
    """The type that a head names; objects where it is none that is taken."""
    if isinstance(kind, str):
        return np.dtype(kind)
    dtype = np.lib.format.descr_to_dtype(kind) if records and isinstance(kind, list) else np.dtype(object)
    fields = dtype.fields or {}
    return dtype if fields and all(of[0].kind in "biufcSU" for of in fields.values()) else np.dtype(object)
