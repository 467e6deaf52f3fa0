"""The test samples on the page: images with true and given class, and which classes are taken for which."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from dlm_snn.analysis.plots.answer_plot import confusion_matrix
from dlm_snn.errors import how_many
from dlm_snn.report.wording import number, percent
from dlm_snn.runs.answers import Answers
from dlm_snn.runs.metrics import wilson_95

LARGEST = 20
"""Classes of a matrix that can be read; of more, the most frequent confusions tell."""
CONFUSIONS = 5
_NOTHING: Any = {"Software": None}
"""Metadata of a PNG, so that the same image gives the same bytes."""


@dataclass(frozen=True)
class Sample:
    """One image.

    Attributes:
        svg: the image with its alternative text.
        truth: its class.
        answers: what each network is called, the class that it gave, and whether that is right.
    """

    svg: Markup
    truth: int
    answers: list[tuple[str, str, bool]]


@dataclass(frozen=True)
class Confusion:
    """How often the classes got which answers, in one network.

    Attributes:
        network: what it is called.
        answers: headings of the columns.
        rows: of each true class the cells: count, share of the class, and whether it is the right answer.
        told: accuracy with its interval, and the most frequent confusions.
    """

    network: str
    answers: list[str]
    rows: list[list[tuple[int, float, bool]]]
    told: str


def samples(of: Answers | None, labels: Mapping[str, str]) -> list[Sample]:
    """The images that the run kept, those that some network gets wrong first."""
    if of is None:
        return []
    found = []
    for image, sample in zip(of.images, of.shown.tolist(), strict=True):
        truth = int(of.labels[sample])
        given = {name: int(classes[sample]) for name, classes in of.given.items()}
        told = [(labels.get(name, name), _answer(k), k == truth) for name, k in given.items()]
        if len(told) > 1 and len(set(given.values())) == 1:
            told = [("both" if len(told) == 2 else "all", *told[0][1:])]
        alt = f"Test sample {sample} of class {truth}; " + ", ".join(f"{name} {answer}" for name, answer, _ in told)
        found.append(Sample(_svg(image, of.scale, f"{alt}."), truth, told))
    return found


def _answer(given: int) -> str:
    return "no answer" if given < 0 else str(given)


def _svg(image: NDArray[np.uint8], scale: int, alt: str) -> Markup:
    """An image (channel, row, column): white is 1, every pixel a square."""
    from matplotlib.image import imsave

    shades = np.clip(image.astype(float) * 255 / scale, 0, 255).astype(np.uint8)
    file = BytesIO()
    imsave(file, np.broadcast_to(shades, (3, *image.shape[1:])).transpose(1, 2, 0), format="png", metadata=_NOTHING)
    rows, columns = image.shape[1:]
    size = Markup('width="{}" height="{}"').format(columns, rows)
    content = Markup('<image {} href="data:image/png;base64,{}"/>').format(size, b64encode(file.getvalue()).decode())
    return Markup('<svg role="img" aria-label="{}" viewBox="0 0 {} {}">{}</svg>').format(alt, columns, rows, content)


def confusions(of: Answers | None, labels: Mapping[str, str]) -> list[Confusion]:
    """A confusion matrix for each network; without its cells where there are too many classes."""
    if of is None or not len(of.labels):
        return []
    found = []
    for name, given in of.given.items():
        counts = confusion_matrix(given, of.labels, of.n_classes)
        silent = bool(counts[:, -1].any())
        drawn = counts if silent else counts[:, :-1]
        heads = [str(k) for k in range(len(counts))] + (["none"] if silent else [])
        rows = [_row(line, truth) for truth, line in enumerate(drawn)] if len(counts) <= LARGEST else []
        found.append(Confusion(labels.get(name, name), heads, rows, _told(counts)))
    return found


def _row(line: NDArray[np.int64], truth: int) -> list[tuple[int, float, bool]]:
    whole = max(int(line.sum()), 1)
    return [(int(count), round(int(count) / whole, 3), k == truth) for k, count in enumerate(line)]


def _told(counts: NDArray[np.int64]) -> str:
    n, right = int(counts.sum()), int(np.trace(counts[:, :-1]))
    low, high = wilson_95(right / n, n)
    wrong = [(int(c), i, j) for (i, j), c in np.ndenumerate(counts) if c and i != j]
    text = (
        f"{number(right)} of {number(n)} right, {percent(right / n)}; 95 % interval {100 * low:.1f} to {percent(high)}."
    )
    if not wrong:
        return text
    first = sorted(wrong, key=lambda of: (-of[0], of[1:]))[:CONFUSIONS]
    told = ", ".join(f"{i} → {_answer(-1 if j == len(counts) else j)} ({c})" for c, i, j in first)
    return f"{text} Most frequent confusions, true → given: {told}."


def sentence(of: Answers, labels: Mapping[str, str]) -> str:
    """On how many samples the networks' answers differ; empty of one network alone."""
    if len(of.given) != 2:
        return ""
    (first, one), (second, other) = of.given.items()
    differ = int(np.count_nonzero(one != other))
    return (
        f"The {labels.get(first, first)} and the {labels.get(second, second)} network give the same class to "
        f"{number(len(of.labels) - differ)} of {how_many(len(of.labels), 'test samples')}."
    )
