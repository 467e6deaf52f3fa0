"""CIFAR-10 and CIFAR-100: the published batches, or CIFAR-10 as a zip of JPEG images."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, MissingError
from dlm_snn.files.reading import read_bytes
from dlm_snn.tasks.cifar_files import CLASSES, JPEG_ARCHIVE, read_jpegs, read_python
from dlm_snn.tasks.datasets import Dataset
from dlm_snn.tasks.download import places

SHAPE = (3, 32, 32)
PIXELS = 3 * 32 * 32
Part = tuple[NDArray[np.uint8], NDArray[np.int64]]


@dataclass(frozen=True)
class BinarySet:
    """Files of fixed records: some label bytes, then the pixels (channel, row, column).

    Attributes:
        train, test: names of the files.
        records: in a file.
        label_bytes: before the pixels; the last of them is the class (CIFAR-100: coarse, fine).
        n_classes: classes are 0..n_classes-1, equally many of each in either part.

    Source: the description that comes with the files, https://www.cs.toronto.edu/~kriz/cifar.html.
    """

    train: tuple[str, ...]
    test: tuple[str, ...]
    records: tuple[int, int]
    label_bytes: int
    n_classes: int

    def read(self, folder: Path) -> tuple[Part, Part]:
        """Training and test part.

        Raises:
            DlmError: a file of another size, or classes that do not come equally often.
        """
        return self._part(folder, self.train, self.records[0]), self._part(folder, self.test, self.records[1])

    def _part(self, folder: Path, names: Sequence[str], records: int) -> Part:
        rows = np.concatenate([self._file(folder / name, records) for name in names])
        y = rows[:, self.label_bytes - 1].astype(np.int64)
        counts = np.bincount(y, minlength=self.n_classes)
        if len(counts) > self.n_classes or len(set(counts.tolist())) > 1:
            raise DlmError(
                f"{folder / names[0]}: {counts.min()} to {counts.max()} samples a class in {len(counts)} classes; "
                f"{len(y) // self.n_classes} in {self.n_classes} are wanted; fetch the set anew"
            )
        return rows[:, self.label_bytes :], y

    def _file(self, path: Path, records: int) -> NDArray[np.uint8]:
        width, size = self.label_bytes + PIXELS, os.path.getsize(path)
        if size != records * width:
            raise DlmError(f"{path} has {size} bytes, expected {records * width}; it is truncated: fetch it anew")
        return np.frombuffer(read_bytes(path, size), dtype=np.uint8).reshape(records, width)


CIFAR10 = BinarySet(tuple(f"data_batch_{i}.bin" for i in range(1, 6)), ("test_batch.bin",), (10000, 10000), 1, 10)
CIFAR100 = BinarySet(("train.bin",), ("test.bin",), (50000, 10000), 2, 100)


def cifar10(data_dir: str | os.PathLike[str] | None = None) -> Dataset:
    """CIFAR-10: 50,000 and 10,000 color images of 32x32; as JPEG where the published batches are not found.

    The JPEG form is lossy, and decoders may differ by a level: its name is "cifar10-jpeg" and its checksum is over the
    archive's files, not over the pixels.

    Args:
        data_dir: a folder with ``data_batch_1.bin`` .. ``test_batch.bin`` (or the Python batches), itself or in its
            folder ``cifar-10-batches-bin`` (``-py``), or with ``cifar10-jpeg.zip``; without it $DLM_DATA, then the
            cache.

    Raises:
        MissingError: it is not there; says where it was looked for.
        DlmError: a truncated or altered file.
    """
    python = tuple(name.removesuffix(".bin") for name in CIFAR10.train + CIFAR10.test)
    for folder in places(data_dir).values():
        if found := _folder(folder, ("cifar-10-batches-bin", "cifar10"), CIFAR10.train + CIFAR10.test):
            return _dataset("cifar10", CIFAR10.n_classes, *CIFAR10.read(found))
        if found := _folder(folder, ("cifar-10-batches-py", "cifar10"), python):
            return _dataset("cifar10", CIFAR10.n_classes, *read_python(found))
        if found := _folder(folder, ("cifar10",), (JPEG_ARCHIVE,)):
            train, test, checksum = read_jpegs(found / JPEG_ARCHIVE)
            return _dataset("cifar10-jpeg", len(CLASSES), train, test, checksum)
    raise _missing("cifar10", f"cifar-10-batches-bin, cifar-10-batches-py or {JPEG_ARCHIVE}", data_dir)


def cifar100(data_dir: str | os.PathLike[str] | None = None) -> Dataset:
    """CIFAR-100 with its 100 fine labels: 50,000 and 10,000 color images of 32x32.

    Args:
        data_dir: a folder with ``train.bin`` and ``test.bin``, itself or in its folder ``cifar-100-binary``; without it
            $DLM_DATA, then the cache.

    Raises:
        MissingError: it is not there; says where it was looked for.
        DlmError: a truncated or altered file.
    """
    for folder in places(data_dir).values():
        if found := _folder(folder, ("cifar-100-binary", "cifar100"), CIFAR100.train + CIFAR100.test):
            return _dataset("cifar100", CIFAR100.n_classes, *CIFAR100.read(found))
    raise _missing("cifar100", "train.bin and test.bin of cifar-100-binary", data_dir)


def _folder(folder: Path, inside: Sequence[str], names: Sequence[str]) -> Path | None:
    """Where all of the files lie: the folder itself or one inside."""
    choices = (folder, *(folder / name for name in inside))
    return next((place for place in choices if all(os.path.isfile(place / name) for name in names)), None)


def _missing(name: str, wanted: str, data_dir: str | os.PathLike[str] | None) -> MissingError:
    where = ", ".join(f"{folder} ({source})" for source, folder in places(data_dir).items())
    return MissingError(f"no {name} in {where}; wanted: {wanted}; name the folder that has it with --data-dir")


def _dataset(name: str, n_classes: int, train: Part, test: Part, checksum: str = "") -> Dataset:
    (x_train, y_train), (x_test, y_test) = ((np.ascontiguousarray(x), y) for x, y in (train, test))
    return Dataset(name, x_train, y_train, x_test, y_test, SHAPE, 8, 255, n_classes, checksum)
