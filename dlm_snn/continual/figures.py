"""Figures of continual learning over the accuracy matrix R: ACC, F, BWT, LA, excess forgetting; pairs by seed.

R[i, j] is the accuracy on the whole test set of task j after learning task i, j <= i; above the diagonal it is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.errors import DlmError
from dlm_snn.files.layouts import text_file
from dlm_snn.runs.metrics import confidence_95

WILCOXON_AT_LEAST = 6
"""Fewer pairs cannot reach p < 0.05 on two sides, whatever they are: 2 / 2^5 > 0.05."""


@dataclass(frozen=True)
class ContinualFigures:
    """What an accuracy matrix of T tasks comes to; forgetting is never shown without the other two.

    Attributes:
        acc: average accuracy, (1/T) sum_j R[T-1, j].
        forgetting: (1/(T-1)) sum_{j<T-1} (max_{i in j..T-2} R[i, j] - R[T-1, j]); below 0 where a task gained.
        bwt: backward transfer, (1/(T-1)) sum_{j<T-1} (R[T-1, j] - R[j, j]).
        la: learning accuracy, (1/T) sum_j R[j, j].

    NaN where the matrix does not say: F and BWT of a single task; all but ACC of a learner that saw all tasks at once.
    Source: Chaudhry et al. 2018 (forgetting), Lopez-Paz and Ranzato 2017 (backward transfer).
    """

    acc: float
    forgetting: float
    bwt: float
    la: float


def checked_matrix(matrix: ArrayLike) -> NDArray[np.float64]:
    """An accuracy matrix as floats, None as NaN.

    Raises:
        DlmError: not square; a value outside 0..1; a value above the diagonal; a gap in the last row.
    """
    r = np.array(matrix, dtype=np.float64)
    if r.ndim != 2 or r.shape[0] != r.shape[1] or not r.size:
        raise DlmError(f"an accuracy matrix of shape {r.shape}; it has a row and a column a task")
    known = r[~np.isnan(r)]
    if ((known < 0) | (known > 1)).any():
        raise DlmError(f"an accuracy matrix with values {known.min():g}..{known.max():g}; accuracies lie in 0..1")
    if not np.isnan(r[np.triu_indices(len(r), 1)]).all():
        raise DlmError("an accuracy matrix with a value above the diagonal, of a task before it was learned")
    if np.isnan(r[-1]).any():
        raise DlmError("an accuracy matrix whose last row has a gap; it holds all tasks after the last one")
    return r


def continual_figures(matrix: ArrayLike) -> ContinualFigures:
    """ACC, F, BWT and LA of an accuracy matrix (task, task).

    Raises:
        DlmError: see ``checked_matrix``.
    """
    r = checked_matrix(matrix)
    diagonal, last = np.diag(r), r[-1]
    la = float(diagonal.mean())
    if len(r) == 1:
        return ContinualFigures(float(last.mean()), float("nan"), float("nan"), la)
    # A gap below the diagonal stays one: max gives NaN where any is NaN.
    best = np.array([r[j:-1, j].max() for j in range(len(r) - 1)])
    return ContinualFigures(
        acc=float(last.mean()),
        forgetting=float(np.mean(best - last[:-1])),
        bwt=float(np.mean(last[:-1] - diagonal[:-1])),
        la=la,
    )


def excess_forgetting(matrix: ArrayLike, joint: ArrayLike) -> float:
    """XF = F(R) - F(J): what a learner forgets beyond what more classes alone cost.

    Args:
        matrix: R, learned task by task.
        joint: J[i, j], the same learner trained from the start on tasks 0..i shuffled together, on task j.

    Raises:
        DlmError: see ``checked_matrix``; or matrices of different numbers of tasks.
    """
    r, j = checked_matrix(matrix), checked_matrix(joint)
    if r.shape != j.shape:
        raise DlmError(f"accuracy matrices of {len(r)} and {len(j)} tasks cannot be compared")
    return continual_figures(r).forgetting - continual_figures(j).forgetting


MATRIX = text_file("an accuracy matrix", begins="after task,")


def matrix_csv(matrix: ArrayLike) -> str:
    """R as CSV: a heading, then one line a learned task; cells above the diagonal are empty.

    Values are written so that they read back equal.
    """
    r = checked_matrix(matrix)
    text = StringIO()
    text.write(",".join(["after task", *(f"task {j}" for j in range(len(r)))]) + "\n")
    for i, row in enumerate(r):
        text.write(",".join([str(i), *("" if np.isnan(value) else repr(float(value)) for value in row)]) + "\n")
    return text.getvalue()


@dataclass(frozen=True)
class Paired:
    """Differences of pairs, seed by seed.

    Attributes:
        n: pairs.
        mean: of the differences.
        half: half-width of its 95 % interval (Student's t); NaN for fewer than two pairs.
        p: of Wilcoxon's signed-rank test, two-sided; None for fewer than WILCOXON_AT_LEAST pairs, or where all
            differences are 0.
    """

    n: int
    mean: float
    half: float
    p: float | None


def paired(values: ArrayLike, baseline: ArrayLike) -> Paired:
    """Values against a baseline's of the same seeds.

    Raises:
        DlmError: not one baseline value a value, or none at all.
    """
    a, b = np.asarray(values, dtype=float), np.asarray(baseline, dtype=float)
    if a.shape != b.shape or a.ndim != 1 or not a.size:
        raise DlmError(f"{a.size} values against {b.size} of the baseline; pairs by seed are wanted")
    differences = a - b
    mean, half = confidence_95(differences)
    p = None
    if len(differences) >= WILCOXON_AT_LEAST and differences.any():
        from scipy.stats import wilcoxon

        p = float(wilcoxon(differences).pvalue)
    return Paired(len(differences), mean, half, p)
