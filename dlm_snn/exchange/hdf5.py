"""HDF5 files of unknown origin: opened, and their datasets read, without trusting what they declare."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, MissingError
from dlm_snn.layouts import FileKind

COMPRESSION = 1100
"""Deflate packs at most 1032 bytes into one (zlib's technical notes); a dataset that declares more holds nothing."""


def hdf5_file(name: str, is_ours: Callable[[h5py.File], bool]) -> FileKind:
    """HDF5 files that bear a mark of ours."""

    def is_one(path: Path) -> bool:
        try:
            with h5py.File(path, "r") as file:
                return is_ours(file)
        except (KeyError, RuntimeError, ValueError):
            return False

    return FileKind(name, is_one)


@contextmanager
def opened(path: Path, meaning: str) -> Iterator[h5py.File]:
    """A file for reading.

    Args:
        path: the file.
        meaning: what it should be, for the message.

    Raises:
        MissingError: no such file.
        DlmError: not an HDF5 file, or a damaged one, also where the damage shows while it is read.
    """
    if not path.is_file():
        raise MissingError(f"no file {path}; give a {meaning}")
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
