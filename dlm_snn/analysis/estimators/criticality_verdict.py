"""Whether an activity is critical: only where branching ratio, exponents and the relation between them agree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dlm_snn.analysis.estimators.avalanches_cut import Avalanches, avalanches_of
from dlm_snn.analysis.estimators.avalanches_exponents import Exponents, avalanche_exponents
from dlm_snn.analysis.estimators.branching import Branching, branching_ratio
from dlm_snn.analysis.estimators.criticality_common import COMMON, beside_common_input
from dlm_snn.analysis.estimators.spectrum_slope import as_series
from dlm_snn.analysis.finding import Finding

NEAR = 0.99
"""Branching ratio from which on a finite window does not tell it from 1: a hundred steps of memory."""
CRITICAL = "critical"
"""How a verdict begins that says so."""
CLOSE = 0.2
"""By which the relation may miss 0 beyond its interval: durations of a finite process follow their law slowly (a
critical branching process of 20,000 avalanches has alpha = 1.83 to 1.9, not 2)."""


@dataclass(frozen=True)
class Criticality:
    """What speaks for criticality, and what follows.

    Attributes:
        verdict: "critical", "subcritical", "not critical", or "not resolved", with the reason; where independent
            spikes with a common rate have the same m and r_1, it says so and is never "critical".
        branching, exponents, avalanches: what it stands on.
    """

    verdict: str
    branching: Branching
    exponents: Exponents
    avalanches: Avalanches

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The rows of a table."""
        return (*self.branching.findings, *self.exponents.findings)


def criticality(
    activity: Any, *, rng: np.random.Generator, width: int = 1, threshold: float = 0.0, cap: float = np.inf
) -> Criticality:
    """Branching ratio, avalanche exponents and the crackling relation of one activity.

    It is called critical where the interval of m reaches .99 or more, no other distribution fits sizes and durations
    better than a power law over a decade, the fits are not poor, the crackling relation holds within its interval and
    0.2, and independent spikes do not have the same m and r_1. These are Poisson numbers with the smoothed activity as
    their mean: a rate that all neurons share, slow and log-normal, passes everything else. A power law alone is not
    criticality: random bins, mixtures of rates and thresholds make some.

    Args:
        activity: (step,) or (sample, step), whole spikes per step.
        rng: of resampling.
        width, threshold: see ``avalanches_of``.
        cap: see ``avalanche_exponents``.

    Raises:
        DlmError: see ``avalanches_of`` and ``avalanche_exponents``.
    """
    found = avalanches_of(activity, width, threshold)
    branching = branching_ratio(activity, rng=rng)
    exponents = avalanche_exponents(found, rng=rng, cap=cap)
    verdict = _verdict(branching.ratio, exponents)
    if branching.ratio.resolved:
        controls, same = beside_common_input(as_series(activity, "activity"), branching, rng)
        ratio = replace(branching.ratio, controls=(*branching.ratio.controls, *controls))
        branching = replace(branching, ratio=ratio)
        verdict = _or_common(verdict) if same else verdict
    return Criticality(verdict, branching, exponents, found)


def _or_common(verdict: str) -> str:
    """The verdict on an activity whose m and r_1 common input gives as well: never that it is critical."""
    return f"not resolved: {COMMON}; else {verdict}" if verdict.startswith(CRITICAL) else f"{verdict}; {COMMON}"


def _verdict(m: Finding, exponents: Exponents) -> str:
    if m.value is None or m.interval is None:
        return f"not resolved: {m.doubts[0] if m.doubts else 'no branching ratio'}"
    low, high = m.interval
    told = f"m = {m.value:.3f} [{low:.3f}, {high:.3f}]"
    if high < NEAR:
        return f"subcritical: {told} stays below {NEAR:g}"
    tails = (exponents.size, exponents.duration)
    broken = [row for row in tails if any(doubt.startswith("no power law") for doubt in row.doubts)]
    if broken:
        return f"not critical: {broken[0].name}: {broken[0].doubts[0]} (and {told})"
    open_rows = [row for row in (*tails, exponents.crackling) if row.value is None]
    if open_rows:
        return f"not resolved: {told}; {open_rows[0].name}: {next(iter(open_rows[0].doubts), 'no value')}"
    ends = exponents.crackling.interval or (np.nan, np.nan)
    if not ends[0] - CLOSE <= 0 <= ends[1] + CLOSE:
        return f"not critical: the crackling relation is off by {exponents.crackling.value:.2f} (and {told})"
    return f"{CRITICAL}: {told}, power laws of size and duration, and the crackling relation agree"
