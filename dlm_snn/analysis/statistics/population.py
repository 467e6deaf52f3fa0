"""What a table of neurons says of their population: one finding per figure, with its sample and interval."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.finding import Control, Finding
from dlm_snn.analysis.statistics.confidence import TAIL, mean_interval
from dlm_snn.analysis.statistics.first_order import SpikeTable
from dlm_snn.errors import how_many
from dlm_snn.runs.metrics import wilson_95

ENOUGH = 10
"""Intervals, pairs or windows that a neuron needs before its figure goes into a mean: a CV of fewer is biased low by
several percent."""
FEW = 5
"""Neurons from which on their scatter gives an interval: Student's t of 3 is 4.3."""
SKEWED = 1.0
"""Skewness up to which a mean over few neurons is taken as normal: a sample of 10 normal values has .6 by chance."""
FEWEST_OF_A_MEDIAN = 6
"""Neurons that an interval of a median takes: all six lie on one side of it with chance 2 / 64 < .05."""
COCHRAN = 25
"""Times the squared skewness: neurons that Student's interval of a skewed mean needs. Cochran, Sampling Techniques,
3rd ed. (1977), section 2.15."""


def population_summary(table: SpikeTable) -> tuple[Finding, ...]:
    """Rate, median rate, silent neurons, irregularity, Fano factor and latency of a population.

    Intervals are over neurons (Student's; of the median by order statistics, see ``_median``; of the silent ones
    Wilson's), and take these as independent. The control is ``by_chance``: neurons of the same rates that spike in each
    step by chance alone.

    Args:
        table: of ``spike_table``.

    Returns:
        A finding per figure; "not resolved" where fewer than 5 neurons have at least 10 intervals, pairs or windows,
        where the interval reaches below 0, or where the skewness g of the rates of n neurons is above 1 and n < 25 g^2:
        their mean hangs on a few of them, and Student's interval lies too low. The rate of a single neuron is its own,
        without an interval.
    """
    rate = _mean("rate", table.rate, "spikes", table.spikes, 0, "Hz", "spikes / time, mean over neurons")
    chance = by_chance(table.rate * table.dt)
    windows = np.where(table.spikes > 0, table.windows, 0)
    counted = f"variance / mean of counts in {1e3 * table.window:g} ms"
    return (
        replace(rate, doubts=rate.doubts or _too_skewed(table.rate)),
        _median("median rate", table.rate, table.spikes),
        _silent(table),
        _mean("CV of intervals", table.cv, "intervals", table.intervals, ENOUGH, "", "std / mean", chance.cv),
        _mean("CV2", table.cv2, "pairs", table.pairs, ENOUGH, "", "mean 2 |x - y| / (x + y)", chance.cv2),
        _mean("LV", table.lv, "pairs", table.pairs, ENOUGH, "", "mean 3 ((x - y) / (x + y))^2", chance.lv),
        _mean("Fano factor", table.fano, "windows", windows, ENOUGH, "", counted, chance.fano),
        _mean("first spike", table.latency_ms, "samples", table.samples_with_spike, 1, "ms", "mean over both"),
    )


def _silent(table: SpikeTable) -> Finding:
    n, name, how = table.spikes.size, "silent neurons", "share of neurons without a spike, Wilson's interval"
    if not n or not table.n_samples * table.seconds:
        doubt = f"{n} neurons in {table.n_samples} samples of {table.seconds:g} s: nothing could spike"
        return Finding(name, None, estimator=how, size={"neurons": n}, doubts=(doubt,))
    silent = int(np.count_nonzero(table.spikes == 0)) / n
    return Finding(name, silent, wilson_95(silent, n), estimator=how, size={"neurons": n})


class Chance(NamedTuple):
    """What spikes by chance give, each an array like that of the probabilities."""

    cv: NDArray[np.float64]
    cv2: NDArray[np.float64]
    lv: NDArray[np.float64]
    fano: NDArray[np.float64]


def by_chance(probability: NDArray[np.float64]) -> Chance:
    """The figures of neurons that spike in each step with probability p, whatever came before.

    Intervals are geometric. Of two neighbors the sum n has probability (n - 1) p^2 q^(n - 2), q = 1 - p, and the first
    is uniform on 1..n-1; summed over n that gives CV = sqrt(q), LV = 1 - 2 (p + p^2 (ln p + q) / q^2),
    CV2 = 1 - p^2 (q^2 / p + q - artanh q) / q^2, and the Fano factor q. All go to 1 as p goes to 0 (Poisson).
    """
    # The series lose their digits where q vanishes; there both figures are 0 to four digits.
    p = np.clip(probability, 1e-12, 1 - 1e-4)
    q = 1 - p
    share = (p / q) ** 2
    return Chance(
        cv=np.sqrt(1 - probability),
        cv2=1 - share * (q * q / p + q - np.arctanh(q)),
        lv=1 - 2 * (p + share * (np.log(p) + q)),
        fano=1 - probability,
    )


def _mean(
    name: str,
    values: NDArray[np.float64],
    what: str,
    stands_on: NDArray[np.int64],
    enough: int,
    unit: str,
    estimator: str,
    control: NDArray[np.float64] | None = None,
) -> Finding:
    """The mean over neurons that have enough of what their value stands on."""
    used = (stands_on >= enough) & np.isfinite(values)
    n = int(used.sum())
    size = {"neurons": n, what: int(stands_on[used].sum())}
    if not n:
        return Finding(
            name, None, None, unit, estimator, size, doubts=(f"no neuron has {how_many(max(enough, 1), what)}",)
        )
    low, high = mean_interval(values[used])
    # Neurons that are all equal say nothing of how far others lie from them.
    interval = (float(low), float(high)) if low < high else None
    controls = () if control is None else (Control("spikes by chance", float(control[used].mean())),)
    doubts = _too_few(n, enough, interval)
    return Finding(name, float(values[used].mean()), interval, unit, estimator, size, controls, doubts)


def _median(name: str, rates: NDArray[np.float64], spikes: NDArray[np.int64]) -> Finding:
    """The median over neurons, between the k-th lowest and the k-th highest of them.

    k is the largest with 2 P(fewer than k of n fair coins) <= .05, whatever the distribution; it takes 6 neurons.

    Source: Thompson, Ann. Math. Statist. 7, 122 (1936).
    """
    from scipy.special import bdtr

    used = np.isfinite(rates)
    n, how = int(used.sum()), "spikes / time, median over neurons, order statistics"
    size = {"neurons": n, "spikes": int(spikes[used].sum())}
    if not n:
        return Finding(name, None, None, "Hz", how, size, doubts=("no neuron has a rate",))
    k = int(np.count_nonzero(bdtr(np.arange(n // 2), n, 0.5) <= TAIL))
    ordered = np.sort(rates[used])
    interval = (float(ordered[k - 1]), float(ordered[n - k])) if k else None
    doubts = () if k else (f"neurons: {n}; the interval of a median needs {FEWEST_OF_A_MEDIAN}",)
    return Finding(name, float(np.median(ordered)), interval, "Hz", how, size, doubts=doubts)


def _too_skewed(values: NDArray[np.float64]) -> tuple[str, ...]:
    """Whether what lifts a mean is too rare among these neurons for Student's interval: g = <(x - m)^3> / s^3."""
    around = values - values.mean()
    spread = np.sqrt(np.mean(around**2))
    if spread <= 1e-9 * np.abs(values).max():
        return ()
    skewness = float(np.mean((around / spread) ** 3))
    needed = COCHRAN * skewness**2
    if skewness <= SKEWED or len(values) >= needed:
        return ()
    return (
        f"a few of the {len(values)} neurons make the mean: at a skewness of {skewness:.2g}, {needed:.0f} are needed",
    )


def _too_few(n: int, enough: int, interval: tuple[float, float] | None) -> tuple[str, ...]:
    if n == 1:
        return ("one neuron: no interval over neurons",) if enough > 1 else ()
    if n < FEW:
        return (f"{n} neurons are too few; {FEW} are needed",)
    if interval is not None and interval[0] < 0:
        return (f"{n} neurons are too few, so different are they: the interval goes below 0",)
    return ()
