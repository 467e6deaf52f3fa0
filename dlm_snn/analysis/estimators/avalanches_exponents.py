"""Avalanche exponents with intervals, and the crackling relation between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.estimators.avalanches_cut import Avalanches
from dlm_snn.analysis.estimators.avalanches_tail import FEWEST, Tail, best_exponent, tail_of
from dlm_snn.analysis.finding import Control, Finding
from dlm_snn.errors import DlmError, how_many
from dlm_snn.values import check_generator

DRAWS = 100
PARTS = 10
"""Avalanches longer than this part of a sample are cut by its ends too often."""
HOW = "maximum likelihood of a discrete power law, profile interval"
GAMMA = "weighted least squares of ln <size | duration> on ln duration, interval of avalanches drawn again"


@dataclass(frozen=True)
class Exponents:
    """What avalanches follow.

    Attributes:
        size, duration: exponents tau and alpha of P(size) ~ size^-tau and P(duration) ~ duration^-alpha.
        growth: gamma of <size | duration> ~ duration^gamma.
        crackling: (alpha - 1) / (tau - 1) - gamma, 0 where the three belong together.
        tails: the fits of size and duration.
    """

    size: Finding
    duration: Finding
    growth: Finding
    crackling: Finding
    tails: tuple[Tail, Tail]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The rows of a table."""
        return self.size, self.duration, self.growth, self.crackling


def avalanche_exponents(found: Avalanches, *, rng: np.random.Generator, cap: float = np.inf) -> Exponents:
    """Exponents of size and duration, and whether they crackle.

    Durations are fitted up to a tenth of a sample, sizes up to the median of avalanches of that duration, or up to
    ``cap``: the longer ones are cut off, and without an upper end their lack looks like a steeper law. Mean-field
    values of a critical branching process are tau = 3/2, alpha = 2, gamma = 2.
    Source: Sethna, Dahmen and Myers 2001, Nature 410, 242; Friedman et al. 2012, PRL 108, 208102.

    Args:
        found: the avalanches.
        rng: of avalanches that are drawn again.
        cap: largest size that what made the avalanches lets through.

    Raises:
        DlmError: a cap that is no size.
    """
    check_generator(rng)
    _check(cap)
    counted = {"avalanches": len(found), "cut at the ends": found.cut}
    if len(found) < 2 or np.ptp(found.size) == 0:
        return _none(found, counted)
    longest = max(found.n_bins // PARTS, 2)
    inside = found.duration <= longest
    size, duration = found.size[inside], found.duration[inside]
    ends = min(cap, _largest(found, longest)), longest
    tails = tail_of(found.size, xmax=ends[0], rng=rng), tail_of(duration, xmax=ends[1], rng=rng)
    growth = _growth(size, duration, tails[1].xmin)
    again = np.array([_again(found, tails, longest, rng) for _ in range(DRAWS)]).T
    crackling = _relation(tails[0].alpha, tails[1].alpha) - growth
    return Exponents(
        _exponent("avalanche size exponent tau", tails[0], counted),
        _exponent("avalanche duration exponent alpha", tails[1], counted),
        _growing(growth, again[0], tails[1].n, counted),
        Finding(
            "crackling relation (alpha - 1) / (tau - 1) - gamma",
            crackling,
            _around(crackling, again[1]),
            "",
            "from the three above; 0 at criticality, interval of avalanches drawn again",
            counted,
            (),
            tuple(_some(tails[0].doubts, tails[1].doubts)),
        ),
        tails,
    )


def _growing(growth: float, again: NDArray[np.float64], n: int, counted: dict[str, int]) -> Finding:
    name, size = "growth of size with duration gamma", {**counted, "in the tail": n}
    return Finding(name, growth, _around(growth, again), "", GAMMA, size, (), _too_few(n))


def _check(cap: object) -> None:
    """Raise unless a cap is a size."""
    if not isinstance(cap, (int, float, np.number)) or not cap >= 1:
        raise DlmError(f"cap = {cap!r} is no size of an avalanche; give spikes from 1 on, or numpy.inf for no cap")


def _some(*doubts: list[str]) -> list[str]:
    names = ("size", "duration")
    return [f"{name}: {doubt}" for name, each in zip(names, doubts, strict=True) for doubt in each]


def _largest(found: Avalanches, longest: int) -> float:
    """The median size of avalanches about as long as the longest that are seen whole; none: no upper end."""
    near = found.size[(found.duration > longest / 2) & (found.duration <= longest)]
    return float(np.median(near)) if near.size >= 5 else np.inf


def _growth(size: NDArray[np.int64], duration: NDArray[np.int64], shortest: int) -> float:
    """gamma over durations from the one on at which the power law of durations begins."""
    kept = duration >= shortest
    if np.unique(duration[kept]).size < 2:
        return np.nan
    counts = np.bincount(duration[kept])
    used = np.flatnonzero(counts)
    means = np.bincount(duration[kept], weights=size[kept])[used] / counts[used]
    x, y, weight = np.log(used), np.log(means), counts[used]
    x = x - np.average(x, weights=weight)
    return float(np.sum(weight * x * y) / np.sum(weight * x**2))


def _relation(tau: float, alpha: float) -> float:
    return (alpha - 1) / (tau - 1) if tau > 1 else np.nan


def _again(found: Avalanches, tails: tuple[Tail, Tail], longest: int, rng: np.random.Generator) -> tuple[float, float]:
    """gamma and the crackling relation of avalanches drawn with replacement, between the same ends."""
    chosen = rng.integers(0, len(found), len(found))
    size, duration = found.size[chosen], found.duration[chosen]
    growth = _growth(size[duration <= longest], duration[duration <= longest], tails[1].xmin)
    tau, alpha = (_alpha(values, tail) for values, tail in zip((size, duration), tails, strict=True))
    return growth, _relation(tau, alpha) - growth


def _alpha(values: NDArray[np.int64], tail: Tail) -> float:
    kept = values[(values >= tail.xmin) & (values <= tail.xmax)]
    return best_exponent(float(np.log(kept).mean()), tail.xmin, tail.xmax) if kept.size else np.nan


def _around(value: float, drawn: NDArray[np.float64]) -> tuple[float, float]:
    half = 1.98 * float(np.nanstd(drawn, ddof=1)) if np.isfinite(drawn).sum() > 2 else np.nan
    return value - half, value + half


def _too_few(n: int) -> tuple[str, ...]:
    return () if n >= FEWEST else (f"too few: {how_many(n, 'avalanches')}, at least {FEWEST} are needed",)


def _exponent(name: str, tail: Tail, counted: dict[str, int]) -> Finding:
    size = {**counted, "in the tail": tail.n}
    between = f"between {tail.xmin} and {int(min(tail.xmax, tail.largest))}; {HOW}"
    controls = tuple(
        Control(f"log likelihood ratio over {other} (p = {p:.2g})", ratio) for other, (ratio, p) in tail.ratios.items()
    )
    if tail.fit is not None:
        controls += (Control("draws from the power law that lie as far from it, their share", tail.fit),)
    return Finding(name, tail.alpha, tail.interval, "", between, size, controls, tuple(tail.doubts))


def _none(found: Avalanches, counted: dict[str, int]) -> Exponents:
    why = f"{how_many(len(found), 'whole avalanches')}, of one size; {found.silent:.0%} of the bins are silent"
    if found.silent == 0:
        why = f"no silent bin at a threshold of {found.threshold:g} spikes: it never ends; give a threshold"
    names = ("avalanche size exponent tau", "avalanche duration exponent alpha", "growth of size with duration gamma")
    rows = [Finding(name, None, None, "", HOW, counted, (), (why,)) for name in names]
    relation = Finding("crackling relation (alpha - 1) / (tau - 1) - gamma", None, None, "", HOW, counted, (), (why,))
    nothing = Tail(np.nan, (np.nan, np.nan), 1, np.inf, len(found), 1, {})
    return Exponents(rows[0], rows[1], rows[2], relation, (nothing, nothing))
