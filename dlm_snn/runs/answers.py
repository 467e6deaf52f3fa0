"""What the networks of a run answered on the test set, sample by sample, and the images of a few samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.files.atomic import writing
from dlm_snn.files.layouts import npz_file
from dlm_snn.files.packed import read_npz, write_npz

_LABELS, _SHOWN, _IMAGES, _SCALE, _GIVEN = "labels", "shown", "images", "scale", "given-"
_OWN = {_LABELS, _SHOWN, _IMAGES, _SCALE}
ANSWERS = npz_file("answers", lambda names: _LABELS in names and all(n in _OWN or n.startswith(_GIVEN) for n in names))
IMAGES, WRONG = 12, 8
"""Images that a run keeps, and how many of them at most are of samples that some network gets wrong."""


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers of a run's networks on its test set.

    Attributes:
        labels: (sample,) true classes.
        given: arithmetic -> (sample,) classes, -1 where no output neuron spiked.
        shown: (image,) the samples that images are kept of.
        images: (image, channel, row, column) whole numbers; none where the samples are no images.
        scale: the number of an image that stands for 1.
    """

    labels: NDArray[np.int64]
    given: Mapping[str, NDArray[np.int64]]
    shown: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    images: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 1, 1, 1), np.uint8))
    scale: int = 1

    @property
    def n_classes(self) -> int:
        """So many that every label and answer has its place."""
        return 1 + max((int(of.max(initial=0)) for of in (self.labels, *self.given.values())), default=0)

    def confusion(self, arithmetic: str) -> NDArray[np.int64]:
        """How often a true class got which answer, (class, class + 1); the last column is no answer."""
        n = self.n_classes
        counts = np.zeros((n, n + 1), np.int64)
        np.add.at(counts, (self.labels, np.where(self.given[arithmetic] < 0, n, self.given[arithmetic])), 1)
        return counts


def kept(labels: NDArray, given: Mapping[str, NDArray], x: NDArray, shape: tuple[int, ...], scale: int) -> Answers:
    """The answers of networks, with the images of a few samples: those that some network gets wrong, then one a class.

    Args:
        labels: (sample,) true classes.
        given: arithmetic -> (sample,) classes.
        x: (sample, feature) uint8.
        shape: of a sample; (channel, row, column) is an image.
        scale: the feature that stands for 1.
    """
    chosen = choice(labels, given) if len(shape) == 3 and shape[0] in (1, 3) else np.zeros(0, np.int64)
    images = x[chosen].reshape(-1, *(shape if len(chosen) else (1, 1, 1)))
    return Answers(np.asarray(labels), given, chosen, images, scale)


def choice(labels: NDArray, given: Mapping[str, NDArray]) -> NDArray[np.int64]:
    """The samples to show: the first WRONG that some network gets wrong, then the first right one of each class.

    Args:
        labels: (sample,) true classes.
        given: arithmetic -> (sample,) classes.
    """
    right = np.ones(len(labels), bool)
    for classes in given.values():
        right &= classes == labels
    wrong = np.flatnonzero(~right)[:WRONG]
    _, firsts = np.unique(labels[right], return_index=True)
    return np.concatenate([wrong, np.flatnonzero(right)[firsts][: IMAGES - len(wrong)]])


def write_answers(answers: Answers, path: Path) -> None:
    """Write the answers of a run into a new file: ``labels``, ``given-ARITHMETIC``, ``shown``, ``images``, ``scale``.

    Raises:
        DlmError: it cannot be written.
    """
    classes = {_LABELS: answers.labels, **{_GIVEN + name: of for name, of in answers.given.items()}}
    arrays: dict[str, NDArray] = {name: _small(of) for name, of in classes.items()}
    arrays |= {_SHOWN: answers.shown, _IMAGES: answers.images, _SCALE: np.asarray(answers.scale)}
    with writing(path) as file:
        write_npz(file, arrays)


def _small(classes: NDArray) -> NDArray:
    """In 16 bits where they fit."""
    return classes.astype(np.int16) if classes.max(initial=0) < 2**15 else classes


def read_answers(path: Path, remedy: str) -> Answers | None:
    """The answers of a run; None where it has none, as runs of before.

    Args:
        path: of the file.
        remedy: the end of the message.

    Raises:
        DlmError: a truncated file, or one that holds something else.
    """
    if not path.exists():
        return None
    arrays = read_npz(path, remedy=remedy, what="is not a complete npz file")
    classes = {name: of for name, of in arrays.items() if name == _LABELS or name.startswith(_GIVEN)}
    shown, images, scale = (arrays.get(name) for name in (_SHOWN, _IMAGES, _SCALE))
    if _LABELS not in classes or shown is None or images is None or scale is None:
        raise DlmError(f"{path} lacks one of the arrays {', '.join(sorted(_OWN))}; {remedy}")
    n = len(classes[_LABELS])
    for name, of in classes.items():
        if of.shape != (n,) or of.dtype.kind not in "iu" or of.min(initial=0) < (0 if name == _LABELS else -1):
            raise DlmError(f"{path}: '{name}' is not one class for each of {n} samples; {remedy}")
    fits = shown.ndim == 1 and shown.dtype.kind in "iu" and np.all((shown >= 0) & (shown < n)) and scale.shape == ()
    if not fits or images.ndim != 4 or len(images) != len(shown) or images.dtype != np.uint8 or scale < 1:
        raise DlmError(f"{path}: 'shown' and 'images' are not images of its {n} samples; {remedy}")
    whole = {name: of.astype(np.int64) for name, of in classes.items()}
    given = {name.removeprefix(_GIVEN): of for name, of in whole.items() if name != _LABELS}
    return Answers(whole[_LABELS], given, shown.astype(np.int64), images, int(scale))
