"""Entropies and conditional information from counts, in nats: what mutual information and transfer entropy share.

I(X; Y | Z) = H(X, Z) + H(Y, Z) - H(Z) - H(X, Y, Z) = <ln p(x, y, z) p(z) / (p(x, z) p(y, z))>. From few observations
the plug-in estimate is far too large, by about (|X| - 1)(|Y| - 1)|Z| / 2N. Two corrections are offered, and no estimate
is believed below 6 observations per cell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.analysis.estimators.blocks import NORMAL, Spread, draws, middle, spread_of_mean
from dlm_snn.analysis.finding import LEVEL, Control, Finding
from dlm_snn.errors import DlmError, how_many
from dlm_snn.values import as_integers

Method = Literal["grassberger", "miller-madow", "plug-in"]
METHODS = ("grassberger", "miller-madow", "plug-in")
PER_CELL = 6
"""Observations per cell of the table of values below which no correction is enough: with 10 classes and Poisson counts
of means .5 to 8, I = .479 nats, Grassberger's estimate is .524 +- .05 from 200 observations, .483 +- .02 from 1,000."""
ONCE_MORE = 1.0
"""Count added to every cell when the spread is computed: Laplace's rule of succession. A pair that was never seen may
be as frequent as once in the whole recording; without it the spread of a channel that made no error yet is 0."""
MOST_CELLS = 2**20
"""Of a table; beyond it no recording is long enough."""

Codes = NDArray[np.int64]


def entropy(counts: ArrayLike, method: Method = "grassberger") -> float:
    """Entropy of what was counted, nats.

    Args:
        counts: how often each value was seen, in any shape; zeros count for nothing.
        method: "plug-in": -sum p ln p. "miller-madow": + (K - 1) / 2N, with K values seen. "grassberger":
            ln N - sum n G(n) / N, G(n) = psi(n) + (-1)^n (psi((n + 1) / 2) - psi(n / 2)) / 2.

    Raises:
        DlmError: nothing was counted; another method.

    Source: Miller (1955); Grassberger, arXiv:physics/0307138 (2003).
    """
    if method not in METHODS:
        raise DlmError(f"method = {method!r} is none of {', '.join(METHODS)}")
    seen = as_integers(counts, "counts", 0, 2**53).ravel()
    seen = seen[seen > 0]
    total = int(seen.sum())
    if not total:
        raise DlmError("counts are all 0; an entropy needs at least one observation")
    if method == "grassberger":
        return float(np.log(total) - (seen * _g(seen)).sum() / total)
    plain = float(np.log(total) - (seen * np.log(seen)).sum() / total)
    return plain + (len(seen) - 1) / (2 * total) if method == "miller-madow" else plain


def _g(n: Codes) -> NDArray[np.float64]:
    """Grassberger's G by its recursion G(2k + 1) = G(2k) = G(2k - 1) + 2 / (2k - 1), summed: psi(k + 1/2) + ln 2."""
    from scipy.special import digamma

    return np.asarray(digamma(n // 2 + 0.5) + np.log(2))


@dataclass(frozen=True, eq=False)
class Observed:
    """Values of X, Y and Z that were seen together, as codes 0 .. K - 1.

    Attributes:
        x, y, z: (sequence, step).
        sizes: how many values each has.
        method: of the entropies.
    """

    x: Codes
    y: Codes
    z: Codes
    sizes: tuple[int, int, int]
    method: Method = "grassberger"

    def table(self, x: Codes | None = None) -> Codes:
        """How often each triple was seen, (X, Y, Z); with other values of X in their place."""
        n_x, n_y, n_z = self.sizes
        flat = ((self.x if x is None else x) * n_y + self.y) * n_z + self.z
        return np.bincount(flat.ravel(), minlength=n_x * n_y * n_z).reshape(self.sizes)

    def estimate(self, table: Codes) -> float:
        """I(X; Y | Z) of a table, at most H(X | Z), H(Y | Z), ln |X| and ln |Y|."""
        x_z, y_z, z, all_three = (
            entropy(counts, self.method) for counts in (table.sum(1), table.sum(0), table.sum((0, 1)), table)
        )
        return min(x_z + y_z - z - all_three, x_z - z, y_z - z, self.most())

    def most(self) -> float:
        """ln |X| or ln |Y|, whichever is less: no table of these sizes holds more."""
        return float(np.log(min(self.sizes[:2])))

    def parity(self, table: Codes) -> float:
        """G of an even count n lies 1 / n above that of an odd one: half the width of the noise that this makes."""
        if self.method != "grassberger":
            return 0.0
        cells = sum(np.count_nonzero(counts) for counts in (table, table.sum(1), table.sum(0), table.sum((0, 1))))
        return NORMAL * float(np.sqrt(cells)) / (2 * self.x.size)

    def spread(self, table: Codes) -> Spread:
        """How sure the estimate is: that of the mean of ln p(x, y, z) p(z) / (p(x, z) p(y, z))."""
        return spread_of_mean(_terms(table)[self.x, self.y, self.z])

    def unseen(self, table: Codes, independent: float) -> float:
        """What pairs that were seen never or once add to half the width of the interval.

        1.96 sqrt((V(n + 1) - V(n)) / N), V the variance of ln p(x, y, z) p(z) / (p(x, z) p(y, z)) under p, and n + 1
        the counts with one more in each cell whose row and column were seen.
        """
        possible = (table.sum(1) > 0)[:, None] & (table.sum(0) > 0)[None]
        more = _variance(table + np.where(possible, ONCE_MORE, 0.0)) - _variance(table)
        return NORMAL * float(np.sqrt(max(more, 0.0) / max(independent, 1.0)))

    def freedom(self, table: Codes) -> int:
        """(|X| - 1)(|Y| - 1), summed over the values of Z."""
        n_x, n_y = ((table.sum(axis) > 0).sum(0) for axis in (1, 0))
        return int(((n_x - 1).clip(0) * (n_y - 1).clip(0)).sum())


def _terms(table: NDArray) -> NDArray[np.float64]:
    """ln p(x, y, z) p(z) / (p(x, z) p(y, z)), whose mean is the information; without meaning in empty cells."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(table * table.sum((0, 1)) / (table.sum(1)[:, None] * table.sum(0)[None])))


def _variance(table: NDArray) -> float:
    """Of the terms, under the p of their table."""
    seen = table > 0
    p, terms = table[seen] / table.sum(), _terms(table)[seen]
    return float((p * (terms - (p * terms).sum()) ** 2).sum())


def coded(values: Codes) -> tuple[Codes, int]:
    """Values as 0 .. K - 1, and K."""
    kinds, codes = np.unique(values, return_inverse=True)
    return codes.reshape(values.shape), len(kinds)


def conditional(
    observed: Observed, name: str, estimator: str, control: str, scrambled: Callable[[Codes], Codes]
) -> Finding:
    """I(X; Y | Z) as a finding.

    Args:
        observed: the values.
        name, estimator: of the finding.
        control: name of the control.
        scrambled: X -> X without any tie to Y, drawn anew in every call.
    """
    size = {"observations": observed.x.size, "cells": int(np.prod(observed.sizes))}
    constant = [which for which, n in zip("XY", observed.sizes, strict=False) if n < 2]
    if constant or size["cells"] > MOST_CELLS:
        doubt = f"{constant[0]} has one value only" if constant else f"a table of {how_many(size['cells'], 'cells')}"
        return Finding(name, None, None, "nats", estimator, size, doubts=(doubt,))
    table = observed.table()
    estimate, spread = observed.estimate(table), observed.spread(table)
    nulls = [
        observed.estimate(observed.table(scrambled(observed.x))) for _ in range(draws(observed.x.size + size["cells"]))
    ]
    null = middle(np.array(nulls))
    linear = float(np.linalg.norm((spread.half, observed.parity(table), observed.unseen(table, spread.independent))))
    down, up = _around_zero(observed.freedom(table), spread.independent)
    doubts = []
    if spread.independent < PER_CELL * size["cells"]:
        found = f"about {spread.independent:,.0f} independent observations for {how_many(size['cells'], 'cells')}"
        doubts.append(f"{found}; {PER_CELL} each are needed")
    high = min(estimate + float(np.hypot(linear, up)), max(observed.most(), estimate))
    interval = estimate - float(np.hypot(linear, down)), high
    if estimate <= null[1]:
        doubts.append(f"no more than the control '{control}' gives")
    elif interval[0] <= 0:
        doubts.append(f"0 lies in [{interval[0]:.2g}, {interval[1]:.2g}]")
    return Finding(
        name,
        estimate,
        interval,
        "nats",
        estimator,
        size,
        (Control(control, float(np.mean(nulls)), null),),
        tuple(doubts),
    )


def _around_zero(freedom: int, n: float) -> tuple[float, float]:
    """How far an estimate of 0 spreads up and down: it is (chi^2 - freedom) / 2N, without a linear term."""
    from scipy.special import chdtri

    if not freedom:
        return 0.0, 0.0
    above, below = chdtri(freedom, (1 - LEVEL) / 2), chdtri(freedom, (1 + LEVEL) / 2)
    return float(above - freedom) / (2 * n), float(freedom - below) / (2 * n)
