"""A row of results of a continual run: one learner with its options, in one protocol, with one seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.continual.figures import checked_matrix, continual_figures
from dlm_snn.files.json_objects import WHOLE, as_json, from_json
from dlm_snn.files.reading import REMEDY
from dlm_snn.learning.learner import Declaration

Matrix = tuple[tuple[float | None, ...], ...]
"""An accuracy matrix (task, task) as rows; None where it says nothing."""


@dataclass(frozen=True)
class Told:
    """What a learner was told: where tasks begin, and the task of a test sample."""

    boundary: bool
    label_at_test: bool


@dataclass(frozen=True)
class RowFigures:
    """What was measured.

    Attributes:
        matrix: R, see ``figures``.
        acc, forgetting, bwt, la: see ``figures.ContinualFigures``; None where the matrix does not say.
        seconds: of training and of tests.
        unanswered: share of the last tests without a class; rows of before lack it.
    """

    matrix: Matrix
    acc: float | None
    forgetting: float | None
    bwt: float | None
    la: float | None
    unanswered: float | None = field(default=None, kw_only=True)
    seconds: Mapping[str, float]

    @classmethod
    def of(cls, matrix: ArrayLike, unanswered: float, seconds: Mapping[str, float]) -> RowFigures:
        """The figures of an accuracy matrix.

        Raises:
            DlmError: see ``figures.checked_matrix``.
        """
        of = continual_figures(matrix)
        return cls(
            tuple(tuple(map(_known, line)) for line in checked_matrix(matrix).tolist()),
            acc=_known(of.acc),
            forgetting=_known(of.forgetting),
            bwt=_known(of.bwt),
            la=_known(of.la),
            unanswered=unanswered,
            seconds={stage: round(value, 3) for stage, value in seconds.items()},
        )

    @property
    def r(self) -> NDArray[np.float64]:
        """The matrix as an array, NaN where it says nothing."""
        return np.array(self.matrix, dtype=float)

    @property
    def minutes(self) -> float:
        """Of training and tests together."""
        return sum(self.seconds.values()) / 60


@dataclass(frozen=True)
class ContinualRow:
    """One row.

    Attributes:
        protocol: full name.
        variant: what the table called it.
        learner, options, seed: which; see docs/continual.md on the options.
        validation: held-out training data took the place of the test set.
        joint: row i of R comes from a fresh learner that saw tasks 0..i shuffled together.
        config: what decides the figures, hashed.
        date, commit, machine, versions: where it comes from; rows of before lack the versions.
        declaration: what the learner uses.
        told: what it was told.
        beyond_protocol: of that, what others in this protocol are not told.
        figures: what was measured.
        info: what the learner says of itself.
        extra: keys of another version, see ``json_objects``.
    """

    protocol: str
    variant: str
    learner: str
    options: Mapping[str, Any]
    seed: int
    validation: bool
    joint: bool
    config: str
    date: str
    commit: str | None
    machine: str
    versions: Mapping[str, str] | None = field(default=None, kw_only=True)
    declaration: Declaration = field(metadata=WHOLE)
    told: Told
    beyond_protocol: tuple[str, ...]
    figures: RowFigures
    info: Mapping[str, Any]
    extra: Mapping[str, Any] = field(default_factory=dict, kw_only=True)

    @classmethod
    def from_json(cls, content: Mapping[str, Any], where: object = "a row", remedy: str = REMEDY) -> ContinualRow:
        """The row that plain data hold, see ``json_objects.from_json``.

        Raises:
            DlmError: a key is missing or its value of another kind.
        """
        return from_json(cls, content, where, remedy)

    def to_json(self) -> dict[str, Any]:
        """The row as plain data."""
        found: dict[str, Any] = as_json(self)
        return found


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
