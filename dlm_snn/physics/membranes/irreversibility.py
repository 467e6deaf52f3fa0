"""Time's arrow in spikes and membrane paths: entropy production from words and paths.

Words are the joint spikes of a few neurons in a step. sigma = sum_ij p_ij ln(p_ij / p_ji) over transitions i -> j,
nats a step: a lower bound of what produced them, since words are coarse. A transition that is never seen backwards
makes the plug-in estimate drop what is most irreversible, so each pair gets a pseudo-count, and an estimate says itself
whether it is resolved. A membrane's reset is absolutely irreversible and has no finite path entropy: only subthreshold
steps count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.errors import DlmError
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.values import as_floats, as_integers

MOST_NEURONS = 4
"""In a word: more have too many transitions for any recording."""
ONE_WAY_LIMIT = 1e-3
"""Share of transitions never seen backwards above which an estimate is not resolved."""
BIAS_FACTOR = 10.0
"""How far above its null bias an estimate must lie."""


@dataclass(frozen=True)
class Irreversibility:
    """An estimate of sigma and whether to believe it.

    Attributes:
        sigma: nats a step.
        bias: about what the estimate would be without an arrow of time: observed pairs / transitions.
        one_way: share of transitions whose reverse was never seen.
        transitions: how many were counted.
    """

    sigma: float
    bias: float
    one_way: float
    transitions: int

    @property
    def resolved(self) -> bool:
        """Whether few transitions are one-way and the estimate stands out from its bias."""
        return self.one_way < ONE_WAY_LIMIT and self.sigma > BIAS_FACTOR * self.bias

    def __str__(self) -> str:
        verdict = "" if self.resolved else f", not resolved (bias {self.bias:.2g}, one-way {self.one_way:.2%})"
        return f"{self.sigma:.4g} nats a step{verdict}"


def chain_entropy_production(transition: ArrayLike) -> float:
    """sigma of a Markov chain in its steady state, sum_ij pi_i P_ij ln(pi_i P_ij / (pi_j P_ji)), nats a step.

    Args:
        transition: P, (state, state), rows sum to 1. Infinite where a transition has no reverse.

    Raises:
        DlmError: no such matrix.
    """
    p = as_floats(transition, "transition")
    if p.ndim != 2 or p.shape[0] != p.shape[1] or (p < 0).any() or not np.allclose(p.sum(1), 1):
        raise DlmError("P is square, of chances, and the rows of a transition matrix sum to 1; give P[from, to]")
    values, vectors = np.linalg.eig(p.T)
    pi = np.real(vectors[:, np.argmin(np.abs(values - 1))])
    flow = (pi / pi.sum())[:, None] * p
    return _divergence(flow)


def _divergence(flow: NDArray) -> float:
    forward = flow > 0
    with np.errstate(divide="ignore"):
        terms = flow[forward] * np.log(flow[forward] / flow.T[forward])
    return float(terms.sum())


def from_states(states: ArrayLike, n_states: int, pseudo_count: float = 0.5) -> Irreversibility:
    """sigma of sequences of states.

    Args:
        states: (sequence, step) or (step,) integers 0..n_states - 1.
        n_states: how many there are.
        pseudo_count: added to both directions of every pair that was seen; 0 is the plug-in estimate, which leaves out
            one-way transitions.

    Raises:
        DlmError: a state that is none of these.
    """
    return from_counts(transitions(states, n_states), pseudo_count)


def transitions(states: ArrayLike, n_states: int) -> NDArray[np.float64]:
    """How often each state followed each, (from, to); see ``from_states``."""
    sequences = np.atleast_2d(as_integers(states, "states", 0, n_states - 1))
    flat = sequences[:, :-1] * n_states + sequences[:, 1:]
    return np.bincount(flat.ravel(), minlength=n_states**2).reshape(n_states, n_states).astype(np.float64)


def from_counts(counts: NDArray[np.float64], pseudo_count: float = 0.5) -> Irreversibility:
    """sigma of counted transitions (from, to); see ``from_states``."""
    total = counts.sum()
    seen = (counts + counts.T > 0) & ~np.eye(len(counts), dtype=bool)
    one_way = float(counts[seen & (counts.T == 0)].sum() / max(total, 1))
    filled = counts + pseudo_count * seen
    both = filled * ((filled > 0) & (filled.T > 0))
    sigma = _divergence(both / max(filled.sum(), 1)) if total else 0.0
    return Irreversibility(sigma, float(seen.sum() / 2 / max(total, 1)), one_way, int(total))


def from_spikes(raster: SpikeRaster, neurons: ArrayLike, pseudo_count: float = 0.5) -> Irreversibility:
    """sigma of the words of a few neurons.

    Args:
        raster: their population.
        neurons: up to 4 indices.
        pseudo_count: see ``from_states``.

    Raises:
        DlmError: no neurons, or too many for any recording.
    """
    spikes = spikes_of_few(raster, neurons)
    return from_states(words(spikes), 1 << spikes.shape[-1], pseudo_count)


def spikes_of_few(raster: SpikeRaster, neurons: ArrayLike) -> NDArray[np.bool_]:
    """The spikes of a few neurons, (sample, step, neuron).

    Args:
        raster: their population.
        neurons: 1 to 4 different indices, in the order of the bits of a word.

    Raises:
        DlmError: none, or too many for any recording.
    """
    chosen = np.atleast_1d(as_integers(neurons, "neurons", 0, raster.n_neurons - 1))
    if not 1 <= len(chosen) <= MOST_NEURONS:
        raise DlmError(f"{len(chosen)} neurons in a word; give 1 to {MOST_NEURONS}, more cannot be resolved")
    return raster[:, :, chosen].dense()


def words(spikes: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The joint spikes of a few neurons (..., neuron) as whole numbers, the first neuron in the lowest bit."""
    return sum((spikes[..., i].astype(np.int64) << i for i in range(spikes.shape[-1])), np.zeros((), np.int64))


def path_entropy_production(
    v: NDArray, drift: ArrayLike, noise: ArrayLike, counted: NDArray | None = None
) -> NDArray[np.float64]:
    """Path entropy of membranes, sum over steps of (A v) o dv / C at midpoints, nats, (path,).

    Args:
        v: (path, step, neuron).
        drift: A of dv = A v dt + sqrt(2 C) dW, (neuron, neuron): -1/tau and the current between them.
        noise: C, (neuron,): T / tau for a leak of capacitance 1.
        counted: (path, step - 1) where False leaves a step out (with a spike: its reset has no path entropy).
    """
    path = as_floats(v, "v")
    moved, middle = np.diff(path, axis=1), (path[:, 1:] + path[:, :-1]) / 2
    terms = ((middle @ as_floats(drift, "drift").T) * moved / as_floats(noise, "noise")).sum(-1)
    return np.asarray((terms if counted is None else terms * counted).sum(-1))
