"""Bursts of neurons and silences of populations, for use as a library."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.statistics._bursts_compiled import bursts_of
from dlm_snn.analysis.statistics.steps import steps_of
from dlm_snn.analysis.statistics.trains import Trains, trains_of
from dlm_snn.analysis.taking import raster_of
from dlm_snn.errors import DlmError
from dlm_snn.runs.events import places
from dlm_snn.values import check_generator, is_whole


@dataclass(frozen=True)
class BurstRules:
    """The max-interval method: what makes a burst. Defaults: Cotterill et al. 2016, J. Neurophysiol. 116:306.

    Attributes:
        begins: s, an interval up to it begins a burst.
        goes_on: s, intervals up to it go on with one.
        apart: s, bursts with a shorter gap between are one.
        shortest: s, what is shorter is none.
        fewest: spikes; what has fewer is none.
    """

    begins: float = 0.17
    goes_on: float = 0.3
    apart: float = 0.2
    shortest: float = 0.01
    fewest: int = 3


class Bursts(NamedTuple):
    """One entry per burst, neuron after neuron in the order of time.

    Attributes:
        neuron, sample: (burst,) whose it is, and where.
        start_ms, length_ms: (burst,) its first spike since step 0 of the sample, and from there to the last.
        spikes: (burst,) how many.
        share: (neuron,) of its spikes that lie in bursts; NaN for a silent neuron.
        by_chance: (neuron,) the same, on average, with each spike at a random step of its sample; None without a
            generator. A neuron that bursts has a larger share than this.
    """

    neuron: NDArray[np.int64]
    sample: NDArray[np.int64]
    start_ms: NDArray[np.float64]
    length_ms: NDArray[np.float64]
    spikes: NDArray[np.int64]
    share: NDArray[np.float64]
    by_chance: NDArray[np.float64] | None = None


class Silences(NamedTuple):
    """One entry per stretch of time without a spike of any neuron; also before the first and behind the last.

    Attributes:
        sample: (silence,) where.
        start_ms, length_ms: (silence,) its first silent step since step 0 of the sample, and all of its steps.
        share: of all time that is silent so.
    """

    sample: NDArray[np.int64]
    start_ms: NDArray[np.float64]
    length_ms: NDArray[np.float64]
    share: float


RULES = BurstRules()


def bursts(
    spikes: Any,
    rules: BurstRules = RULES,
    dt: float | None = None,
    rng: np.random.Generator | None = None,
    surrogates: int = 20,
) -> Bursts:
    """Bursts of every neuron by the max-interval method; none goes on from one sample into the next.

    The rules know nothing of the rate: a neuron that fires at random at 10 Hz has most of its spikes in bursts by the
    default ones. The control, with a generator, says which share that is for each neuron.

    Args:
        spikes: whatever ``raster_of`` takes.
        rules: lengths are rounded down to steps of dt.
        dt: see ``raster_of``.
        rng: of the control.
        surrogates: how many trains with spikes at random steps the control has for each neuron.

    Raises:
        DlmError: a rule that is no length from 0 on, fewer than 2 spikes, no surrogate.
    """
    raster = raster_of(spikes, dt)
    limits = _limits(rules, raster.dt)
    trains = trains_of(raster, max(limits) + 1)
    none = np.zeros(0, dtype=np.int64)
    found = [(none, none, none, none)]
    spikes_of = np.diff(trains.starts)
    for neuron in range(raster.n_neurons):
        time = trains.time[trains.starts[neuron] : trains.starts[neuron + 1]]
        first, last = _places(time, limits)
        found.append((np.full(first.size, neuron), time[first], time[last] - time[first], last - first + 1))
    owner, begin, length, count = (np.concatenate(parts) for parts in zip(*found, strict=True))
    inside = np.bincount(owner, count, minlength=raster.n_neurons)
    share = np.divide(inside, spikes_of, out=np.full(inside.shape, np.nan), where=spikes_of > 0)
    chance = None if rng is None else _by_chance(trains, raster.n_steps, limits, rng, surrogates)
    step = 1e3 * raster.dt
    period = max(trains.period, 1)
    return Bursts(owner, begin // period, step * (begin % period), step * length, count, share, chance)


def _places(time: NDArray[np.int64], limits: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the first and of the last spike of each burst of a train."""
    first, last = np.empty((2, time.size // 2 + 1), dtype=np.int64)
    n = bursts_of(time, limits, first, last)
    return first[:n], last[:n]


def _by_chance(
    trains: Trains, n_steps: int, limits: tuple[int, ...], rng: np.random.Generator, surrogates: int
) -> NDArray[np.float64]:
    """The mean share of spikes in bursts of each neuron, with its spikes at random steps of their samples."""
    check_generator(rng)
    if not is_whole(surrogates) or surrogates < 1:
        raise DlmError(f"surrogates = {surrogates!r} is no whole number >= 1")
    shares = np.full(trains.starts.size - 1, np.nan)
    for neuron, (begin, end) in enumerate(pairwise(trains.starts)):
        time = trains.time[begin:end]
        sample = time // trains.period * trains.period
        inside = 0
        for _ in range(surrogates if time.size else 0):
            first, last = _places(np.sort(sample + rng.integers(n_steps, size=time.size)), limits)
            inside += int((last - first + 1).sum())
        shares[neuron] = inside / (surrogates * time.size) if time.size else np.nan
    return shares


def _limits(rules: BurstRules, dt: float) -> tuple[int, int, int, int, int]:
    lengths = []
    for name in ("begins", "goes_on", "apart", "shortest"):
        value = getattr(rules, name)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < np.inf:
            raise DlmError(f"{name} = {value!r} of the burst rules is not a number of seconds from 0 on")
        # A length like 0.3 s lies a hair below its own steps.
        lengths.append(int(value / dt + 1e-6))
    if not is_whole(rules.fewest) or rules.fewest < 2:
        raise DlmError(f"fewest = {rules.fewest!r} of the burst rules is not a whole number of spikes >= 2")
    return lengths[0], lengths[1], lengths[2], lengths[3], int(rules.fewest)


def silences(spikes: Any, longer: float, dt: float | None = None) -> Silences:
    """Stretches of at least ``longer`` in which no neuron fires.

    Args:
        spikes: whatever ``raster_of`` takes.
        longer: s.
        dt: see ``raster_of``.

    Raises:
        DlmError: a length that is no multiple of dt or longer than a sample.
    """
    raster = raster_of(spikes, dt)
    least = steps_of(longer, raster.dt, "longer", raster.n_steps)
    bounds = places(raster.sample, np.arange(raster.n_samples + 1))
    none = np.zeros(0, dtype=np.int64)
    samples, starts, lengths = [none], [none], [none]
    for sample, (first, last) in enumerate(pairwise(bounds)):
        step = raster.step[first:last].astype(np.int64)
        edges = np.concatenate(([-1], step, [raster.n_steps]))
        silent = np.diff(edges) - 1
        kept = np.flatnonzero(silent >= least)
        samples.append(np.full(kept.size, sample))
        starts.append(edges[kept] + 1)
        lengths.append(silent[kept])
    start, length = np.concatenate(starts), np.concatenate(lengths)
    total = raster.n_samples * raster.n_steps
    to_ms = 1e3 * raster.dt
    share = float(length.sum()) / total if total else float("nan")
    return Silences(np.concatenate(samples), to_ms * start, to_ms * length, share)
