"""The headline of a continual experiment: which learner is best, or that the seeds do not say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlm_snn.analysis.finding import NOT_RESOLVED
from dlm_snn.continual.figures import Paired, paired
from dlm_snn.continual.standings import UNKNOWN, Standing
from dlm_snn.errors import how_many
from dlm_snn.runs.metrics import plus_minus


def headline(title: str, lines: Sequence[Standing]) -> str:
    """What the experiment shows, in a sentence or two.

    The two learners of the highest mean ACC are compared seed by seed: one is called the best where the 95 % interval
    of their differences (Student's t over the seeds that both have) leaves out 0. Learners that see all tasks at once
    are ceilings, and are compared only among themselves.

    Args:
        title: of the experiment.
        lines: its standings, at least one.
    """
    learning = [line for line in lines if not line.declaration.joint] or list(lines)
    ranked = sorted(learning, key=lambda line: -float(line.acc.mean()))
    best = ranked[0]
    if len(ranked) == 1:
        return f"{title}: {best.variant} ends at {_told(best)}"
    apart = between(best, ranked[1])
    among = " of those that learn task by task" if len(learning) < len(lines) else ""
    second = ranked[1].variant
    if not resolved(apart):
        told = f"{NOT_RESOLVED} whether {best.variant} or {second} is best{among}, {_points(apart)}"
        return f"{title}: {told}. {best.variant} ends at {_told(best)}"
    return f"{title}: {best.variant} is best{among}, {_points(apart)} ahead of {second}. It ends at {_told(best)}"


def between(first: Standing, second: Standing) -> Paired | None:
    """ACC of the first less that of the second, in points, seed by seed; None without a common seed."""
    base = {row.seed: row.figures.acc for row in second.rows}
    pairs = [(row.figures.acc, base[row.seed]) for row in first.rows if row.seed in base]
    if not pairs:
        return None
    values, baseline = 100 * np.array(pairs, dtype=float).T
    return paired(values, baseline)


def resolved(apart: Paired | None) -> bool:
    """Whether the interval of the differences leaves out 0; never with a single seed, which has no interval."""
    return apart is not None and bool(abs(apart.mean) > apart.half)


def _points(apart: Paired | None) -> str:
    if apart is None:
        return "without a seed in common"
    seeds = how_many(apart.n, "common seeds")
    if np.isnan(apart.half):
        return f"{apart.mean:+.2f} points in {seeds}, which gives no interval"
    return f"{plus_minus(apart.mean, apart.half, '+.2f')} points over {seeds}"


def _told(line: Standing) -> str:
    """Final accuracy, forgetting and learning accuracy of one learner."""
    figures = line.figures()
    text = f"ACC {figures['ACC %']} %"
    if figures["F"] != UNKNOWN:
        text += f", F {figures['F']}, LA {figures['LA %']} %"
    return f"{text} over {how_many(int(figures['seeds']), 'seeds')}."
