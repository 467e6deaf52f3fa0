"""Transition or crossover: how an order parameter falls with temperature in systems of several sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from dlm_snn.analysis.estimators.crossover_curves import (
    Array,
    Crossing,
    Curves,
    Z,
    binder,
    crossing,
    log_susceptibility,
)
from dlm_snn.analysis.finding import NOT_RESOLVED, Control, Finding
from dlm_snn.errors import DlmError
from dlm_snn.values import as_floats

FEWEST = {"sizes": 3, "temperatures": 4, "replicas": 8}
"""With less there is no common crossing of pairs, no peak inside, no variance to speak of."""
LEAST_GROWTH = 0.5
"""gamma / (d nu) of mean field, the smallest of the usual classes (2-D Ising 7/8, 3-D Ising 0.66, first order 1)."""
KNOWN = (Control("crossover", 0.0), Control("mean field", 0.5), Control("2-D Ising", 0.875))
Verdict = Literal["transition", "crossover", "not resolved"]


@dataclass(frozen=True, eq=False)
class Crossover:
    """What the finite sizes say.

    Attributes:
        temperatures: (temperature,), increasing.
        sizes: N, (size,), increasing.
        mean: of the order parameter, (size, temperature).
        log_susceptibility: ln N Var(|m|).
        binder: U = 1 - <m^4> / (3 <m^2>^2).
        growth: exponent of N with which the peak of the susceptibility grows.
        crossing: the temperature where the Binder curves of all pairs of neighboring sizes cross.
        verdict: "transition": the peak grows and the Binder curves cross in one place; "crossover": the peak grows
            slower than at any usual transition; else "not resolved".
        reasons: why the verdict is no other, a line each.
    """

    temperatures: Array
    sizes: Array
    mean: Array
    log_susceptibility: Curves
    binder: Curves
    growth: Finding
    crossing: Finding
    verdict: Verdict
    reasons: tuple[str, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The two figures that the verdict stands on."""
        return self.growth, self.crossing

    def __str__(self) -> str:
        return f"{self.verdict}{': ' if self.reasons else ''}{'; '.join(self.reasons)}"


def finite_size_check(order: ArrayLike, temperatures: ArrayLike, sizes: ArrayLike, floor: ArrayLike = 0.0) -> Crossover:
    """Whether an order parameter falls by a transition or by a crossover; see ``crossover_curves`` for the formulas.

    The exponent of growth is the slope of ln chi at its peak against ln N, by least squares weighted with the errors.

    Args:
        order: m of every replica, (size, temperature, replica); 0 is disorder, such as accuracy less chance.
        temperatures: (temperature,), increasing, the same for all sizes.
        sizes: N, (size,), increasing.
        floor: variance of m that measuring it gives alone, (size, temperature) or a number, such as p (1 - p) / n of
            an accuracy p on n test samples: it does not fall with N and looks like growth.

    Raises:
        DlmError: shapes that do not fit, values that are not finite, or less than FEWEST of something.
    """
    m, t, n = _checked(order, temperatures, sizes)
    chi, u = log_susceptibility(m, n), binder(m)
    lines = [crossing(u, pair, t) for pair in range(len(n) - 1)]
    doubts = _doubts(m, chi)
    told = dict(zip(FEWEST, (len(n), len(t), m.shape[-1]), strict=True))
    growth = _growth(chi, n, told, doubts)
    where = _where(lines, n, told)
    verdict, reasons = _verdict(growth, where, _narrow(chi), _drowned(m, chi, as_floats(floor, "floor")))
    return Crossover(t, n, m.mean(-1), chi, u, growth, where, verdict, (*doubts, *reasons))


def _checked(order: ArrayLike, temperatures: ArrayLike, sizes: ArrayLike) -> tuple[Array, Array, Array]:
    m, t, n = as_floats(order, "order"), as_floats(temperatures, "temperatures"), as_floats(sizes, "sizes")
    if m.ndim != 3 or m.shape[:2] != (n.size, t.size) or n.ndim != 1 or t.ndim != 1:
        raise DlmError(
            f"order has shape {m.shape}; give (size, temperature, replica), here ({n.size}, {t.size}, replica)"
        )
    for name, given in zip(FEWEST, (n.size, t.size, m.shape[2]), strict=True):
        if given < FEWEST[name]:
            raise DlmError(f"{given} {name}; a finite-size check needs at least {FEWEST[name]}")
    for name, axis in (("temperatures", t), ("sizes", n)):
        if not (np.isfinite(axis).all() and (np.diff(axis) > 0).all()):
            raise DlmError(f"{name} are {axis.tolist()}; give finite numbers that increase")
    if not n[0] > 0:
        raise DlmError(f"sizes begin with {n[0]:g}; a size is positive")
    if not np.isfinite(m).all():
        raise DlmError("order has values that are not finite; leave out replicas that diverged, in all cells alike")
    return m, t, n


def _doubts(m: Array, chi: Curves) -> tuple[str, ...]:
    """Why there is nothing to tell a transition from a crossover by."""
    found = []
    ends = abs(m[-1, [0, -1]])
    fall = abs(ends[0].mean() - ends[1].mean())
    if fall <= Z * np.sqrt(ends.var(-1, ddof=1).sum() / m.shape[-1]):
        found.append("the order parameter of the largest size does not change over these temperatures")
    if not np.isfinite(chi.value.max(1)).all():
        found.append("at some size no replica differs from another")
    peaks = chi.value.argmax(1)
    if ((peaks == 0) | (peaks == chi.value.shape[1] - 1)).any():
        found.append("a peak of the susceptibility lies at an end of the temperatures; go on beyond it")
    return tuple(found)


def _drowned(m: Array, chi: Curves, floor: Array) -> bool:
    """Whether more than half of the variance at the largest size's peak may be that of measuring."""
    peak = int(chi.value[-1].argmax())
    return bool(np.broadcast_to(floor, chi.value.shape)[-1, peak] > abs(m[-1, peak]).var(ddof=1) / 2)


def _narrow(chi: Curves) -> bool:
    """Whether the largest size's peak is one temperature wide: its top may be missed, and with it the growth."""
    peak = int(chi.value[-1].argmax())
    beside = chi.value[-1, max(peak - 1, 0) : peak + 2]
    return bool(np.sort(beside)[:-1].max() < chi.value[-1, peak] - np.log(2))


def _growth(chi: Curves, sizes: Array, told: dict[str, int], doubts: tuple[str, ...]) -> Finding:
    which = np.arange(len(sizes)), chi.value.argmax(1)
    heights, errors = chi.value[which], chi.error[which]
    name, how = "growth of the susceptibility's peak with size", "slope of ln max N Var|m| against ln N"
    if not np.isfinite(heights).all():
        return Finding(name, None, None, "", how, told, KNOWN, doubts)
    weights = 1 / errors**2
    x = np.log(sizes) - np.average(np.log(sizes), weights=weights)
    spread = (weights * x**2).sum()
    slope, half = float((weights * x * heights).sum() / spread), float(Z / np.sqrt(spread))
    return Finding(name, slope, (slope - half, slope + half), "", how, told, KNOWN, doubts)


def _where(lines: list[Crossing | None], sizes: Array, told: dict[str, int]) -> Finding:
    name, how = "temperature of the Binder crossing", "U of neighboring sizes, common to all pairs"
    found = [line for line in lines if line is not None]
    doubts = tuple(
        f"U of N = {sizes[i]:g} and {sizes[i + 1]:g} do not cross beyond their intervals"
        for i, line in enumerate(lines)
        if line is None
    )
    if doubts:
        return Finding(name, None, None, "", how, told, (), doubts)
    low, high = max(line.low for line in found), min(line.high for line in found)
    if low > high:
        doubts = ("U of different pairs of sizes cross at different temperatures",)
    return Finding(name, float(np.mean([line.estimate for line in found])), (low, high), "", how, told, (), doubts)


def _verdict(growth: Finding, where: Finding, narrow: bool, drowned: bool) -> tuple[Verdict, tuple[str, ...]]:
    if growth.value is None or growth.interval is None:
        return NOT_RESOLVED, ()
    low, high = growth.interval
    grows = f"the peak grows as N^{growth.value:.2g} [{low:.2g}, {high:.2g}]"
    if low > 0 and drowned:
        # A constant variance makes the susceptibility grow as N by itself. What does not grow in spite of it stands.
        return NOT_RESOLVED, (f"{grows}, but half of the variance may be that of measuring; measure on more samples",)
    if low > 0 and where.resolved:
        return "transition", (grows,)
    if high < LEAST_GROWTH and not where.resolved:
        if narrow:
            return NOT_RESOLVED, (f"{grows}, but is one temperature wide; give more temperatures around it",)
        return "crossover", (f"{grows}, less than at a transition ({LEAST_GROWTH} or more)", *where.doubts)
    return NOT_RESOLVED, (grows, *where.doubts)
