"""HDF5 files of unknown origin: opened, and their datasets read, without trusting what they declare.

The HDF5 library can loop or end the process in a damaged file. One that is not ours, by the checksum at its end, is
gone through in a child process first: what ends that child is refused.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.exchange.guarded.apart import answer, read_apart
from dlm_snn.files.layouts import FileKind
from dlm_snn.files.reading import opened as opened_file
from dlm_snn.files.reading import regular_file

COMPRESSION = 1100
"""Deflate packs at most 1032 bytes into one (zlib's technical notes); a dataset that declares more holds nothing."""
_SEAL = re.compile(rb"\ndlm-snn crc32 ([0-9a-f]{8})\n")
_SEAL_BYTES = 24
_SMALL = 2**20
"""Bytes of a dataset that is read wherever it lies."""
_READ = 2**16


def sealed(content: bytes) -> bytes:
    """The bytes of a file with a checksum behind them: HDF5 does not look there, and drops it on any change."""
    return content + _line(zlib.crc32(content))


def seal(path: Path) -> None:
    """``sealed`` for a file that lies there already."""
    checksum = 0
    with path.open("r+b") as file:
        while block := file.read(_READ):
            checksum = zlib.crc32(block, checksum)
        file.write(_line(checksum))


def _line(checksum: int) -> bytes:
    return f"\ndlm-snn crc32 {checksum:08x}\n".encode()


def _is_ours(path: Path) -> bool:
    """Whether a file is what ``sealed`` made.

    Raises:
        DlmError: it was changed since.
    """
    with opened_file(path) as file:
        rest = os.fstat(file.fileno()).st_size - _SEAL_BYTES
        if rest < 0:
            return False
        file.seek(rest)
        found = _SEAL.fullmatch(file.read())
        if found is None:
            return False
        file.seek(0)
        checksum = 0
        while rest:
            block = file.read(min(_READ, rest))
            checksum, rest = zlib.crc32(block, checksum), rest - len(block)
    if f"{checksum:08x}".encode() != found[1]:
        raise DlmError(f"{path} was changed since it was written, its checksum differs; write it again")
    return True


def hdf5_file(name: str, is_ours: Callable[[h5py.File], bool]) -> FileKind:
    """HDF5 files that bear a mark of ours."""

    def is_one(path: Path) -> bool:
        try:
            with opened(path, name) as file:
                return is_ours(file)
        except (KeyError, RuntimeError, ValueError):
            return False

    return FileKind(name, is_one)


@contextmanager
def opened(path: Path, meaning: str, spikes_only: bool = False) -> Iterator[h5py.File]:
    """A file for reading.

    Args:
        path: the file.
        meaning: what it should be, for the message.
        spikes_only: of what is large only the columns of tables with spike times will be read, and no waveforms.

    Raises:
        MissingError: no such file.
        DlmError: not an HDF5 file, or a damaged one, also where the damage shows while it is read.
    """
    regular_file(path, f"no file {path}; give a {meaning}")
    if not _is_ours(path):
        read_apart(f"dlm_snn.exchange.guarded.hdf5:{'walk_spikes' if spikes_only else 'walk'}", path, meaning)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise DlmError(f"{path} is not a readable HDF5 file ({_short(error)}); write it again") from error
    with file:
        try:
            yield file
        except (KeyError, OSError, RuntimeError) as error:
            # What h5py raises where a header, a link or a tree inside is damaged.
            raise DlmError(f"{path} is damaged ({_short(error)}); write it again") from error


def array(file: Path, group: h5py.Group, key: str) -> NDArray | None:
    """A dataset of numbers or text as an array; None where it is not there.

    Raises:
        DlmError: a group instead of a dataset, a shape that the file cannot hold, or damaged data; names the dataset.
    """
    if key not in group:
        return None
    check_size(file, group, key)
    try:
        return np.asarray(group[key][()])
    except (OSError, ValueError, TypeError) as error:
        raise DlmError(f"{_where(file, group, key)} is damaged ({_short(error)}); write it again") from error


def check_size(file: Path, group: h5py.Group, key: str) -> None:
    """Look at what a dataset declares, before memory is taken for it.

    Raises:
        DlmError: a group instead of a dataset, or a shape that the file cannot hold.
    """
    dataset = group[key]
    if not isinstance(dataset, h5py.Dataset):
        raise DlmError(f"{_where(file, group, key)} is a group, expected an array")
    try:
        declared, stored = dataset.nbytes, dataset.id.get_storage_size()
    except (ValueError, TypeError) as error:
        raise DlmError(f"{_where(file, group, key)} is damaged ({_short(error)}); write it again") from error
    if declared > COMPRESSION * stored:
        where = _where(file, group, key)
        raise DlmError(
            f"{where} declares the shape {dataset.shape}, {declared} bytes, but holds {stored} bytes; write it again"
        )


def check_sizes(file: Path, group: h5py.Group) -> None:
    """``check_size`` of every dataset in a group and in the groups within."""
    for key, item in group.items():
        if isinstance(item, h5py.Dataset):
            check_size(file, group, key)
        elif isinstance(item, h5py.Group):
            check_sizes(file, item)


def _where(file: Path, group: h5py.Group, key: str) -> str:
    return f"{file}: {group.name.rstrip('/')}/{key}"


def text(file: Path, group: h5py.Group, key: str) -> str | None:
    """A string, also one in an array of one; None where it is not there."""
    value = array(file, group, key)
    if value is None:
        return None
    item: Any = value.reshape(-1)[0] if value.size == 1 else None
    if isinstance(item, bytes):
        item = item.decode("ascii", "replace")
    if not isinstance(item, str):
        raise DlmError(f"{file}: {group.name}/{key} is not one text")
    return item


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120]


def walk(*words: str) -> int:
    """In the child: read all of a file."""
    return answer(lambda path: _walked(path, spikes_only=False), *words)


def walk_spikes(*words: str) -> int:
    """In the child: read what is small, and tables with spike times."""
    return answer(lambda path: _walked(path, spikes_only=True), *words)


class _OutwardLinkError(Exception):
    """A link that leaves the file."""


_FAULTS = (OSError, RuntimeError, KeyError, ValueError, TypeError)
"""What HDF5 refuses here it refuses again where the file is read, with more to say about it."""


@contextmanager
def _let_be() -> Iterator[None]:
    """Go on after a fault, but for one: what cannot be held here would be taken there."""
    try:
        yield
    except _FAULTS as error:
        if "memory allocation" in str(error):
            raise MemoryError(_short(error)) from error


def _walked(path: Path, spikes_only: bool) -> dict[str, NDArray]:
    with _let_be(), h5py.File(path, "r") as file:
        waiting, seen = ["/"], set()
        while waiting:
            name = waiting.pop()
            with _let_be():
                group = file[name]
                _read_attributes(group)
                address = h5py.h5o.get_info(group.id).addr
                if address not in seen:
                    seen.add(address)
                    waiting += [f"{name.rstrip('/')}/{key}" for key in _groups_of(path, group, spikes_only)]
    return {}


def _groups_of(path: Path, group: h5py.Group, spikes_only: bool) -> Iterator[str]:
    """The groups in a group, whose datasets are read on the way."""
    for key in group:
        with _let_be():
            if isinstance(group.get(key, getlink=True), h5py.ExternalLink):
                if not spikes_only:
                    raise _OutwardLinkError(f"{group.name}/{key} is a link into another file")
                continue
            item = group[key]
            _read_attributes(item)
            if isinstance(item, h5py.Group):
                yield key
            elif not spikes_only or item.nbytes <= _SMALL or ("spike_times" in group and len(item.shape or ()) == 1):
                check_size(path, group, key)
                item[()]


def _read_attributes(item: Any) -> None:
    for name in item.attrs:
        with _let_be():
            item.attrs[name]


CHECKSUM = "crc32"
"""Attribute of a file over all of its datasets."""


def checksum(file: h5py.File, *also: str) -> str:
    """Over every dataset by name, type, shape and bytes, and over some texts."""
    found = zlib.crc32("".join(also).encode(errors="surrogateescape"))

    def add(name: str, item: Any) -> None:
        nonlocal found
        if isinstance(item, h5py.Dataset):
            found = zlib.crc32(f"{name}{item.dtype.str}{item.shape}".encode(), found)
            found = zlib.crc32(np.asarray(item[()]).tobytes(), found)

    file.visititems(add)
    return f"{found:08x}"
