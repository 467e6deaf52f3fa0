"""Real data, verified by checksum: whatever file it came from, the content is the published one or is refused."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.files.packed import read_npz
from dlm_snn.tasks.download import MNIST, locate
from dlm_snn.tasks.idx import read_idx
from dlm_snn.values import as_array

ARRAYS = ("x_train", "y_train", "x_test", "y_test")

# SHA-256 of each array as unsigned bytes in C order, as published.
_DIGITS_SHA256 = {
    "x_train": "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3",
    "y_train": "8ba4f891220f5e4c9c819638d1602d74b83618f167043c6da52a2a247841ddf0",
}
_MNIST_SHA256 = {
    "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}
_MNIST_VALUES = 70_000 * 28 * 28
_FETCH = "delete it and run 'dlm-snn fetch mnist'"


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples of integer features with a class each.

    Attributes:
        name: of the dataset.
        x_train, x_test: (sample, feature) uint8, 0..scale; a real value is the integer over ``scale``.
        y_train, y_test: (sample,) int64 classes; the test arrays are empty where the set is one pool.
        shape: of one sample, (channel, row, column) or (n,); the features are its C-order flattening.
        graded_bits: bits of a feature.
        scale: the integer that stands for 1.0.
        n_classes: classes are 0..n_classes-1.
        checksum: SHA-256 over the bytes of the four arrays in turn, labels as unsigned bytes; computed where not given.

    Raises:
        DlmError: arrays that do not fit together, of another type, or with values out of range.
    """

    name: str
    x_train: NDArray[np.uint8]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.uint8]
    y_test: NDArray[np.int64]
    shape: tuple[int, ...]
    graded_bits: int
    scale: int
    n_classes: int
    checksum: str = ""

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            self._check(part, getattr(self, f"x_{part}"), getattr(self, f"y_{part}"))
        for name in ARRAYS:
            getattr(self, name).flags.writeable = False
        if not self.checksum:
            content = hashlib.sha256()
            for name in ARRAYS:
                content.update(getattr(self, name).astype(np.uint8, copy=False).tobytes())
            object.__setattr__(self, "checksum", content.hexdigest())

    def _check(self, part: str, x: NDArray, y: NDArray) -> None:
        features = math.prod(self.shape)
        if x.dtype != np.uint8 or y.dtype != np.int64:
            raise DlmError(f"{self.name} {part}: {x.dtype} features and {y.dtype} labels; uint8 and int64 are wanted")
        if x.shape != (len(y), features) or y.ndim != 1:
            raise DlmError(f"{self.name} {part}: features {x.shape}, labels {y.shape}; {features} features a label")
        if y.size and not (y.min() >= 0 and y.max() < self.n_classes and x.max() <= self.scale):
            raise DlmError(
                f"{self.name} {part}: labels {y.min()}..{y.max()} and features up to {x.max()}; "
                f"0..{self.n_classes - 1} and at most {self.scale} are wanted"
            )


def digits(data_dir: str | os.PathLike[str] | None = None) -> Dataset:
    """The 1797 scans of 8x8 digits that come with scikit-learn, as one pool: the test arrays are empty.

    Args:
        data_dir: not used; every dataset takes it.

    Raises:
        DlmError: the installed scikit-learn has other digits.
    """
    import sklearn
    from sklearn.datasets import load_digits

    pool = load_digits()
    none = np.zeros((0, pool.data.shape[1]))
    arrays = {"x_train": pool.data, "y_train": pool.target, "x_test": none, "y_test": none[:, 0]}
    raw = {name: array.astype(np.uint8) for name, array in arrays.items()}
    source = dict.fromkeys(_DIGITS_SHA256, f"scikit-learn {sklearn.__version__}")
    _verify(raw, _DIGITS_SHA256, source, "install another scikit-learn")
    return _dataset("digits", raw, shape=(1, 8, 8), graded_bits=5, scale=16)


def mnist(data_dir: str | os.PathLike[str] | None = None) -> Dataset:
    """MNIST: 60,000 and 10,000 scans of 28x28 digits.

    Args:
        data_dir: the folder with ``mnist.npz`` or the four IDX files (raw or ``.gz``); without it $DLM_DATA,
            then the cache that ``dlm-snn fetch mnist`` fills.

    Raises:
        MissingError: it is not there; says where it was looked for.
        DlmError: a truncated or altered file.
    """
    files = locate(MNIST, data_dir)
    if len(files) == 1:
        # Whole numbers of any size are the published ones, if their values are.
        raw = read_npz(files[0], ARRAYS, 8 * (_MNIST_VALUES + 2**20), _FETCH, what="is truncated or altered")
        sources = dict.fromkeys(ARRAYS, str(files[0]))
    else:
        raw = {name: read_idx(path, _MNIST_VALUES) for name, path in zip(ARRAYS, files, strict=True)}
        sources = {name: str(path) for name, path in zip(ARRAYS, files, strict=True)}
    _verify(raw, _MNIST_SHA256, sources, _FETCH)
    return _dataset("mnist", raw, shape=(1, 28, 28), graded_bits=8, scale=255)


def stratified_split(
    labels: NDArray, share: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split a pool so that both parts hold the classes in the pool's proportions.

    The test part has round(share * n) samples; each class gives share * count of them, rounded by the
    largest remainder (equal remainders: the lower class first).

    Args:
        labels: (sample,) integers.
        share: of the samples that go to the test part, between 0 and 1.
        rng: draws which ones.

    Returns:
        the indices of the training and of the test part, each in ascending order.

    Raises:
        DlmError: a share outside 0..1, or labels that are not a flat array of integers.
    """
    labels = as_array(labels, "labels")
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DlmError(f"labels of shape {labels.shape} and type {labels.dtype}; a flat array of integers is wanted")
    if not 0 < share < 1:
        raise DlmError(f"a test share of {share}; it lies between 0 and 1")
    classes, counts = np.unique(labels, return_counts=True)
    quota = share * counts
    taken = np.floor(quota).astype(np.int64)
    left_over = round(share * labels.size) - int(taken.sum())
    taken[np.argsort(taken - quota, kind="stable")[:left_over]] += 1
    chosen = np.zeros(labels.size, dtype=bool)
    for one, number in zip(classes, taken, strict=True):
        chosen[rng.permutation(np.flatnonzero(labels == one))[:number]] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def _verify(raw: Mapping[str, NDArray], expected: Mapping[str, str], sources: Mapping[str, str], remedy: str) -> None:
    """Refuse an array that is not the published one, by its bytes."""
    for name, digest in expected.items():
        array = raw[name]
        if array.dtype.kind not in "iu":
            raise DlmError(f"{sources[name]}: {name} holds {array.dtype}, whole numbers are wanted; {remedy}")
        found = hashlib.sha256(array.astype(np.uint8, copy=False).tobytes()).hexdigest()
        if found != digest:
            raise DlmError(
                f"{sources[name]} is truncated or altered: {name} {array.shape} has SHA-256 {found[:12]}, "
                f"expected {digest[:12]}; {remedy}"
            )


def _dataset(name: str, raw: Mapping[str, NDArray], shape: tuple[int, ...], graded_bits: int, scale: int) -> Dataset:
    features = {part: raw[f"x_{part}"].reshape(-1, math.prod(shape)) for part in ("train", "test")}
    return Dataset(
        name=name,
        x_train=features["train"].astype(np.uint8),
        y_train=raw["y_train"].astype(np.int64),
        x_test=features["test"].astype(np.uint8),
        y_test=raw["y_test"].astype(np.int64),
        shape=shape,
        graded_bits=graded_bits,
        scale=scale,
        n_classes=10,
    )
