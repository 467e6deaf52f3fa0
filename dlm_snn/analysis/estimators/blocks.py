"""The interval of a mean of values that depend on their neighbors: by blocks of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.finding import LEVEL

BLOCKS = 40
"""Of a series: enough for a variance, few enough to be longer than what neighbors share."""
GROUPS = 8
"""Of neighboring blocks, whose means are compared where a drift is looked for."""
DRIFTS = 1e-3
"""Chance at which a series that does not drift is said to."""
ORDERS = 1000
"""Random orders of labels, of which none has as few runs where labels come in blocks: p < .001."""
CLUSTERS = 8
"""Fewest clusters whose spread tells an error."""
NORMAL = 1.96
"""Standard deviations to each side that hold 95 % of a normal distribution."""
DRAWS = (40, 200)
"""Fewest and most surrogates."""
WORK = 5e6
"""Values of all surrogates together, about."""


@dataclass(frozen=True)
class Spread:
    """How sure the mean of a series is.

    Attributes:
        error: standard error of the mean.
        half: half the width of its 95 % interval.
        independent: how many independent values would be as sure; at most as many as there are.
    """

    error: float
    half: float
    independent: float


def spread_of_mean(values: NDArray[np.float64], n_blocks: int = BLOCKS) -> Spread:
    """The error of the mean of series, by the means of blocks and Student's t.

    Sequences are independent of one another: where there are at least as many as blocks, each is a block, else each is
    cut into blocks of equal length.

    Args:
        values: (sequence, step); values that are all independent: (n, 1).
        n_blocks: about how many blocks.
    """
    sequences, steps = values.shape
    per_sequence = 1 if sequences >= n_blocks else min(-(-n_blocks // max(sequences, 1)), steps)
    length = steps // max(per_sequence, 1)
    blocks = values[:, : length * per_sequence].reshape(sequences * per_sequence, length)
    if length == 0 or len(blocks) < 2:
        return Spread(np.inf, np.inf, 0.0)
    error = float(blocks.mean(1).std(ddof=1) / np.sqrt(len(blocks)))
    variance = float(values.var(ddof=1))
    independent = values.size if error == 0 else min(variance / error**2, values.size)
    return Spread(error, student(len(blocks) - 1) * error, float(independent))


def drifts(values: NDArray[Any]) -> bool:
    """Whether a series changes slowly, beyond what its neighboring blocks let expect: analysis of variance, p < .001.

    40 blocks of each sequence stand in 8 groups of 5 that follow one another; the groups' means are compared with the
    spread inside groups. False for series of fewer than 80 steps.

    Args:
        values: (sequence, step).
    """
    from scipy.special import fdtrc

    inside = BLOCKS // GROUPS
    length = values.shape[1] // BLOCKS
    if length < 2:
        return False
    cut = values[:, : length * BLOCKS].astype(np.float64).reshape(-1, GROUPS, inside, length).mean(axis=3)
    means = cut.mean(axis=2)
    freedom = len(cut) * (GROUPS - 1), len(cut) * GROUPS * (inside - 1)
    between = inside * ((means - means.mean(axis=1, keepdims=True)) ** 2).sum() / freedom[0]
    within = ((cut - means[:, :, None]) ** 2).sum() / freedom[1]
    if within == 0:
        return bool(between > 0)
    return bool(fdtrc(*freedom, between / within) < DRIFTS)


def in_blocks(labels: NDArray[np.int64], rng: np.random.Generator) -> bool:
    """Whether fewer neighbors differ than in each of 1,000 random orders: Wald and Wolfowitz's runs of equal labels.

    By permutation, since the runs of a rare label are not normal.

    Source: Wald and Wolfowitz, Ann. Math. Statist. 11, 147 (1940).
    """
    runs = np.count_nonzero(np.diff(labels))
    return all(np.count_nonzero(np.diff(rng.permutation(labels))) > runs for _ in range(ORDERS))


def student(freedom: int) -> float:
    """How many standard errors the 95 % interval reaches to each side, by Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + LEVEL) / 2))


def middle(values: NDArray[np.float64]) -> tuple[float, float]:
    """Between which two values 95 % of them lie."""
    low, high = np.quantile(values, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return float(low), float(high)


def draws(n: int) -> int:
    """How many surrogates of n values are drawn: 200, fewer of long recordings, 40 at least."""
    return int(np.clip(WORK / max(n, 1), *DRAWS))


def spread_of_ratio(below: NDArray[Any], above: NDArray[Any], cluster: NDArray[np.int64]) -> tuple[float, float]:
    """sum above / sum below over observations, and half the width of its 95 % interval.

    Observations of one cluster may depend on each other; with fewer clusters than 8, all count as independent.
    The error is that of the sums of above - ratio * below (linearized).

    Args:
        below, above: (observation,).
        cluster: the number of each one's cluster.
    """
    ratio = float(above.sum() / below.sum())
    left = above - ratio * below
    _, member = np.unique(cluster, return_inverse=True)
    sums = np.bincount(member, left) if member.max() + 1 >= CLUSTERS else left
    if len(sums) < 2:
        return ratio, np.inf
    error = np.sqrt(len(sums) / (len(sums) - 1) * (sums**2).sum()) / below.sum()
    return ratio, student(len(sums) - 1) * float(error)
