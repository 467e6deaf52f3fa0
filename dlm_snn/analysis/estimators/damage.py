"""Damage spreading: whether one spike more or less dies out in a network, or changes everything.

Twins run on the same stimulus and the same noise, and one spike is flipped in one of them: a neuron sends one that it
did not have, or loses one. d_t is the number of neurons that spike in one twin only. Its slope,
sum d_{t+1} / sum d_t while d is small, is below 1 where damage heals (ordered) and above 1 where it spreads (chaotic).
Gradients through surrogates say nothing about this: they are no derivatives of a spiking network.

Source: Derrida and Pomeau, Europhys. Lett. 1, 45 (1986).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.estimators.blocks import spread_of_ratio
from dlm_snn.analysis.finding import Control, Finding
from dlm_snn.backends._fast_engine import Engine
from dlm_snn.errors import DlmError, how_many, nearest
from dlm_snn.networks.known import check_known
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.neurons.models import spikes
from dlm_snn.runs.recording import RunState
from dlm_snn.runs.stimulus import Stimulus, prepare
from dlm_snn.values import check_generator, is_whole

MOMENTS = 8
"""Steps at which spikes are flipped, spread over the run."""
HORIZON = 50
"""Steps for which twins are followed, at most half of the run."""
SMALL = 0.25
"""Damage counts for the slope while its mean is below this share of the distance of unrelated twins."""
ROOM = 2.0
"""Times that damage must be able to grow and still be small: of a smaller rise chance makes many."""
WIDEST = 0.5
"""Length of an interval, in shares of the distance of unrelated twins, above which it tells nothing; as for m."""
FEWEST = 20
"""Flips from which a slope is believed."""
UNFLIPPED = 16
"""Twins without a flip, the control."""


@dataclass(frozen=True, eq=False)
class Damage:
    """What flipped spikes did.

    Attributes:
        distance: neurons that differ between twins, (flip, step), from the step of the flip on.
        sample: of each flip.
        unrelated: the distance of twins that have nothing in common but their rates, 2 sum r (1 - r).
        unflipped: the largest distance between twins without a flip; 0, or the simulator is not exact.
        neurons: of the network.
    """

    distance: NDArray[np.int64]
    sample: NDArray[np.int64]
    unrelated: float
    unflipped: int
    neurons: int

    @property
    def slope(self) -> Finding:
        """sum d_{t+1} / sum d_t while damage is small, with its interval over flips or samples.

        Membranes remember a flip that no spike shows, so that a twin with little damage now may have more later. Flips
        are therefore not dropped one by one as they grow: all count up to the step at which their mean is no longer
        small. Between the first and the last step that count, the mean rises where the slope is above 1.
        """
        counts = self._counted
        now, after = ((self.distance[:, part] * counts).sum(1) for part in (slice(None, -1), slice(1, None)))
        return self._finding("damage slope", now, after, "per step", self._against)

    @property
    def _counted(self) -> NDArray[np.bool_]:
        """The steps that count for the slope, (flip, step) or (step,)."""
        if not self.unrelated:
            # Beside silence nothing tells small from large; a lone spike meets no other one.
            return np.asarray(np.logical_and.accumulate(self.distance[:, :-1] <= 1, axis=1))
        mean = self.distance.mean(0)
        limit = SMALL * self.unrelated if self._room else np.inf
        return np.asarray(np.logical_and.accumulate(mean[:-1] <= limit))

    @property
    def _room(self) -> bool:
        """Whether damage can grow before it is no longer small."""
        return SMALL * self.unrelated >= ROOM * self.distance[:, 0].mean()

    def _against(self, ratio: float, half: float) -> list[str]:
        """Why a slope does not tell ordered from chaotic."""
        if abs(ratio - 1) <= half:
            return [f"{ratio:.3g} +- {half:.2g}: neither ordered nor chaotic"]
        first, second, last = self.distance.mean(0)[[0, 1, -1]]
        course = f"damage goes from {first:.3g} neurons to {second:.3g} in a step and to {last:.3g} in the end"
        if ratio > 1:
            if self.unrelated and not self._room:
                told = f"unrelated twins differ in {self.unrelated:.3g} neurons, {first:.3g} differ at the flip"
                return [f"no room to grow: {told}; take more neurons or more spikes"]
            return [] if last > first else [f"{course}: it does not stay, against a slope of {ratio:.3g}"]
        healed = last <= second and (last <= SMALL * self.unrelated if self.unrelated else last <= first)
        return [] if healed else [f"{course} ({self.unrelated:.3g} between unrelated twins): it does not heal"]

    @property
    def left(self) -> Finding:
        """Damage at the end, as a share of the distance of unrelated twins."""
        steps = self.distance.shape[1] - 1
        name = f"damage after {how_many(steps, 'steps')}"
        below = np.full(len(self.distance), self.unrelated)
        return self._finding(name, below, self.distance[:, -1], "of unrelated", self._too_few)

    def _too_few(self, ratio: float, half: float) -> list[str]:
        """Why a share of the distance of unrelated twins says nothing."""
        doubts = []
        if self.unrelated < 1:
            doubts.append(f"unrelated twins differ in {self.unrelated:.2g} neurons, less than one")
        if min(ratio, half) + half > WIDEST:
            doubts.append(f"too wide: {ratio:.3g} +- {half:.2g} of unrelated, at most {WIDEST:g} is told")
        return doubts

    def findings(self) -> list[Finding]:
        """Both."""
        return [self.slope, self.left]

    def _finding(
        self,
        name: str,
        below: NDArray,
        above: NDArray,
        unit: str,
        against: Callable[[float, float], list[str]],
    ) -> Finding:
        size = {"flips": len(self.distance), "samples": len(np.unique(self.sample)), "neurons": self.neurons}
        told = "twins with one spike flipped, same stimulus and noise"
        if unit == "per step":
            told += "; ordered: below 1, damage dies out; chaotic: above 1, it spreads"
        control = (Control("twins without a flip", float(self.unflipped)),)
        if not below.sum():
            why = "unrelated twins would not differ: each neuron is silent throughout, or spikes in every step"
            return Finding(name, None, None, unit, told, size, control, (why,))
        ratio, half = spread_of_ratio(below, above, self.sample)
        doubts = (
            [] if len(self.distance) >= FEWEST else [f"{how_many(len(self.distance), 'flips')}; {FEWEST} are needed"]
        )
        if self.unflipped:
            doubts.append("twins without a flip differ: the simulator's rounding shows")
        doubts += against(ratio, half)
        if unit == "per step" and not doubts:
            name = f"{name} ({'ordered' if ratio < 1 else 'chaotic'})"
        return Finding(name, ratio, (max(ratio - half, 0), ratio + half), unit, told, size, control, tuple(doubts))


def damage_spreading(
    network: Network | IntegerNetwork,
    stimulus: Mapping[str, Any],
    n_steps: int,
    rng: np.random.Generator,
    n_flips: int = 200,
    populations: Sequence[str] | None = None,
    horizon: int | None = None,
) -> Damage:
    """Flip spikes, one in each twin, and follow how many neurons differ.

    A flip is one spike more or less on its way to all its synapses, in the step in which it is sent; the neuron's own u
    and v stay as they are.

    Args:
        network: of floats or integers, of neurons that the fast simulator knows.
        stimulus, n_steps: as for ``run``; noise is part of the stimulus, so that twins share it.
        rng: which spikes are flipped: neurons at random, in samples at random, at 8 steps of the run.
        n_flips: how many, one a twin.
        populations: whose spikes are flipped; None: of all that spike.
        horizon: steps for which twins are followed; None: 50, at most half of the run.

    Returns:
        The distances; ``slope`` and ``left`` say what they mean.

    Raises:
        DlmError: a stimulus that does not fit, an unknown population, a run that is too short for the horizon.
    """
    check_generator(rng)
    check_known(network, "fast")
    stimuli, n_samples = prepare(network, stimulus, n_steps)
    able = [name for name, neuron in network.neurons.items() if spikes(neuron)]
    for name in populations or ():
        if name not in able:
            raise DlmError(f"no spiking population '{name}' to flip spikes in; {nearest(name, able)}")
    ahead = min(HORIZON, n_steps // 2) if horizon is None else horizon
    for what, value, most in (("horizon", ahead, n_steps - 1), ("n_flips", n_flips, 10**6)):
        if not is_whole(value) or not 1 <= value <= most:
            raise DlmError(f"{what} = {value!r} is not a whole number in 1..{most} for a run of {n_steps} steps")
    if not n_samples:
        raise DlmError("the stimulus has 0 samples; damage needs at least one")
    return _Twins(network, stimuli, list(populations or able), ahead).spread(n_samples, n_steps, n_flips, rng)


class _Twins:
    def __init__(
        self,
        network: Network | IntegerNetwork,
        stimuli: Mapping[str, Stimulus],
        populations: Sequence[str],
        horizon: int,
    ) -> None:
        self.network, self.stimuli, self.horizon = network, stimuli, horizon
        self.able = [name for name, neuron in network.neurons.items() if spikes(neuron)]
        # Flips are drawn among all neurons of these populations alike.
        self.owner = np.concatenate([np.full(network.neurons[name].n, self.able.index(name)) for name in populations])
        self.member = np.concatenate([np.arange(network.neurons[name].n) for name in populations])

    def spread(self, n_samples: int, n_steps: int, n_flips: int, rng: np.random.Generator) -> Damage:
        """Run everybody to each moment, and twins from there on."""
        moments = np.unique(np.linspace(n_steps // 4, n_steps - self.horizon - 1, MOMENTS).astype(int).clip(0))
        shares = np.array_split(rng.integers(0, n_samples, n_flips), len(moments))
        engine = Engine(self.network, n_samples)
        found, rates, unflipped, done = [], np.zeros(0), 0, 0
        everybody = np.arange(n_samples)
        for moment, sample in zip(moments, shares, strict=True):
            for step in range(done, int(moment)):
                self._advance(engine, step, step, everybody)
            done = int(moment)
            if len(sample):
                state = engine.state(done) if done else None
                distance, seen = self._follow(state, done, sample, rng.integers(0, len(self.owner), len(sample)))
                unflipped = max(unflipped, int(distance[len(sample) :].max(initial=0)))
                found.append(distance[: len(sample)])
                rates = seen if not rates.size else rates + seen
        rate = rates / max(len(found), 1)
        neurons = sum(self.network.neurons[name].n for name in self.able)
        return Damage(
            np.concatenate(found), np.concatenate(shares), float(2 * (rate * (1 - rate)).sum()), unflipped, neurons
        )

    def _advance(self, engine: Engine, step: int, own: int, samples: NDArray, flip: Any = None) -> list[NDArray]:
        """One step of the network; the spikes of each population that has some."""
        sent = []
        for name in self.network.order:
            if name in self.stimuli:
                engine.put(name, own, self.stimuli[name].at(step)[samples])
                continue
            out = engine.compute(name, own)
            if flip is not None and name in self.able:
                flip(self.able.index(name), out, engine.loops)
            if name in self.able:
                sent.append(out.s)
        return sent

    def _follow(
        self, state: RunState | None, moment: int, sample: NDArray, chosen: NDArray
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Distances (flip, step), those of twins without a flip last; and the rate of every neuron."""
        n = len(sample)
        rows = np.concatenate([sample, sample, sample[:UNFLIPPED]])
        engine = Engine(self.network, len(rows), None if state is None else _rows_of(state, rows))

        def flip(population: int, out: Any, loops: Any) -> None:
            mine = np.flatnonzero(self.owner[chosen] == population)
            values = out.s.copy()
            values[n + mine, self.member[chosen[mine]]] ^= 1
            out.put(values, loops)

        distance = np.zeros((len(rows) - n, self.horizon + 1), dtype=np.int64)
        first = np.concatenate([np.arange(n), np.arange(len(rows) - 2 * n)])
        total: Any = 0
        for t in range(self.horizon + 1):
            sent = self._advance(engine, moment + t, t, rows, flip if t == 0 else None)
            for s in sent:
                distance[:, t] += np.count_nonzero(s[first] != s[n:], axis=1)
            total = total + np.concatenate([s[:n].mean(0) for s in sent])
        return distance, np.asarray(total / (self.horizon + 1))


def _rows_of(state: RunState, rows: NDArray) -> RunState:
    """The state of some samples, each as often as it is named."""
    neurons = {name: type(s)(*(values[rows] for values in s)) for name, s in state.neurons.items()}
    return RunState(state.step, neurons, {name: values[rows] for name, values in state.flight.items()})
