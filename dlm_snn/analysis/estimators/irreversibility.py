"""Time's arrow in spikes: a lower bound of the entropy production, with its interval and surrogates without an arrow.

sigma = sum over transitions i -> j between words of p_ij ln(p_ij / p_ji), nats per step; see
``physics.membranes.irreversibility`` for the estimate and its alarms. The interval is that of the mean of
ln(p_ij / p_ji) + 1 - p_ji / p_ij over transitions, to which the estimate is linear, by blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.analysis.estimators.blocks import draws, middle, spread_of_mean
from dlm_snn.analysis.estimators.information import shifted
from dlm_snn.analysis.estimators.pools import liveliest
from dlm_snn.analysis.finding import Control, Finding
from dlm_snn.analysis.taking import raster_of
from dlm_snn.errors import DlmError, how_many
from dlm_snn.files.free_memory import check_room
from dlm_snn.physics.membranes.irreversibility import (
    BIAS_FACTOR,
    ONE_WAY_LIMIT,
    Irreversibility,
    from_counts,
    spikes_of_few,
    transitions,
    words,
)
from dlm_snn.values import as_integers, check_generator, is_whole

PSEUDO_COUNT = 0.5
"""Added to both directions of every pair of words that was seen."""
POOL = 3
"""Neurons of a word."""
NAME = "irreversibility"
TABLES = 8
"""Tables of all pairs of states that are held at once: counts, their mean, surrogates and what they are made of."""

Counts = NDArray[np.float64]


def irreversibility(
    raster: Any, rng: np.random.Generator, neurons: ArrayLike | None = None, name: str = NAME
) -> Finding:
    """Entropy production of the words of a few neurons, nats per step: a lower bound of that of the network.

    Args:
        raster: a SpikeRaster, or what ``raster_of`` takes.
        rng: of the surrogates, in which each neuron's spikes are shifted in time by an amount of its own: the arrow
            between neurons is gone, each neuron is as before.
        neurons: 1 to 4 indices; None: the 3 whose spikes vary most.
        name: of the finding.

    Returns:
        The finding. It is not resolved where transitions were never seen backwards (the most irreversible ones, of
        which no finite recording tells how irreversible), where it is not ten times the bias, or where surrogates
        give as much. One neuron alone has 0 by construction.

    Raises:
        DlmError: see ``raster_of``; too many neurons.
    """
    check_generator(rng)
    whole = raster_of(raster)
    spikes = spikes_of_few(whole, liveliest(whole, POOL) if neurons is None else neurons)
    n_states = 1 << spikes.shape[-1]

    def surrogate() -> Counts:
        turned = [shifted(spikes[..., i], rng) for i in range(spikes.shape[-1])]
        return transitions(words(np.stack(turned, -1)), n_states)

    told = f"words of {how_many(spikes.shape[-1], 'neurons')}"
    if n_states == 2:
        why = "does not apply: needs two neurons or more, one neuron has 0 by construction"
        return Finding(name, None, None, "nats per step", "words of one neuron", doubts=(why,))
    return _finding(words(spikes), n_states, name, told, "shifted in time", surrogate)


def irreversibility_of_states(
    states: ArrayLike, rng: np.random.Generator, n_states: int | None = None, name: str = NAME
) -> Finding:
    """Entropy production of sequences of states, nats per step.

    Args:
        states: (step,) or (sequence, step), whole numbers from 0.
        rng: of the surrogates: as many transitions, drawn with the same pairs and no arrow, (p_ij + p_ji) / 2.
        n_states: how many there are; None: one more than the largest.
        name: of the finding.

    Raises:
        DlmError: values that are no states, another shape, or more of them than the memory has room for.
    """
    check_generator(rng)
    if n_states is not None and not (is_whole(n_states) and n_states > 0):
        raise DlmError(
            f"n_states = {n_states!r} is not a whole number of states, 1 or more; leave it out to count them"
        )
    given = np.atleast_2d(as_integers(states, "states", 0, 2**20 if n_states is None else n_states - 1))
    if given.ndim > 2:
        raise DlmError(f"states have shape {given.shape}; give (step,) or (sequence, step)")
    told = f"{int(given.max(initial=1)) + 1 if n_states is None else n_states} states"
    # States that never occur add nothing; their pairs would fill the memory.
    seen, number = np.unique(given, return_inverse=True)
    given, n = number.reshape(given.shape), max(len(seen), 2)
    check_room(TABLES * 8 * n**2, f"transitions between {n} different states, in {TABLES} tables,")
    counts = transitions(given, n)
    even = ((counts + counts.T) / 2 / max(counts.sum(), 1)).ravel()
    total = int(counts.sum())

    def surrogate() -> Counts:
        return rng.multinomial(total, even / max(even.sum(), 1)).reshape(n, n).astype(np.float64)

    return _finding(given, n, name, told, "no arrow", surrogate)


def _finding(
    states: NDArray[np.int64],
    n_states: int,
    name: str,
    told: str,
    control: str,
    surrogate: Callable[[], Counts],
) -> Finding:
    counts = transitions(states, n_states)
    found = from_counts(counts, PSEUDO_COUNT)
    size = {"transitions": found.transitions, "sequences": len(states)}
    estimator = f"{told}, pseudo-count {PSEUDO_COUNT}, blocks"
    if not (counts * ~np.eye(n_states, dtype=bool)).any():
        why = "one word only, in all steps" if found.transitions else "no word follows another"
        return Finding(name, None, None, "nats per step", estimator, size, doubts=(why,))
    nulls = np.array([from_counts(surrogate(), PSEUDO_COUNT).sigma for _ in range(draws(states.size))])
    null = middle(nulls)
    half = spread_of_mean(_linear(counts)[states[:, :-1], states[:, 1:]]).half
    interval = (max(found.sigma - half, 0.0), found.sigma + half)
    controls = (Control(control, float(nulls.mean()), null),)
    doubts = tuple(_doubts(found, half, null, control))
    return Finding(name, found.sigma, interval, "nats per step", estimator, size, controls, doubts)


def _linear(counts: Counts) -> Counts:
    """ln(p_ij / p_ji) + 1 - p_ji / p_ij, 0 on the diagonal."""
    filled = counts + PSEUDO_COUNT * (counts + counts.T > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = filled / filled.T
        terms = np.log(ratio) + 1 - 1 / ratio
    return np.where(np.isfinite(terms), terms, 0.0)


def _doubts(found: Irreversibility, half: float, null: tuple[float, float], control: str) -> list[str]:
    doubts = [] if found.sigma > half else ["the interval reaches 0"]
    if found.one_way >= ONE_WAY_LIMIT:
        doubts.append(f"{found.one_way:.2%} of the transitions were never seen backwards; {ONE_WAY_LIMIT:.1%} at most")
    if found.sigma <= BIAS_FACTOR * found.bias:
        doubts.append(f"{found.sigma:.2g} is not {BIAS_FACTOR:g} times the bias, {found.bias:.2g}")
    if found.sigma <= null[1]:
        doubts.append(f"no more than the control '{control}' gives")
    return doubts
