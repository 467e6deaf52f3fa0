"""Which neurons of an integer network can spike, whatever its samples are: interval arithmetic over u and v.

Every operation of the neurons is monotone (decays truncate toward zero, sums are floored), so the ends of an interval
are mapped by the very arithmetic of a step. What may wrap is unknown from then on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlm_snn.networks.network import Input, IntegerNetwork
from dlm_snn.neurons.integer_lif import ALIGNMENT, DECAY_UNITY, STATE_LIMIT, Integers, decay
from dlm_snn.neurons.models import spikes

UNKNOWN = 2**31
"""u of a neuron that may have wrapped: 32 bits hold it."""


class EffortError(Exception):
    """A sweep that would take longer than it may."""


class Interval(NamedTuple):
    """The smallest and the largest value that there can be, (neuron,)."""

    low: Integers
    high: Integers


class Reach(NamedTuple):
    """Where u and v of a population can be at the end of a step.

    Attributes:
        u, v: after a spike too.
        spiking: which neurons may spike, (neuron,).
        excess: by how much v may pass the threshold, in units of a sum of weights; 0 where it cannot.
        wraps: whether u may leave its 24 bits.
    """

    u: Interval
    v: Interval
    spiking: NDArray[np.bool_]
    excess: int
    wraps: bool


def at_rest(n: int) -> Reach:
    """u = v = 0, known."""
    nothing = Interval(np.zeros(n, np.int64), np.zeros(n, np.int64))
    return Reach(nothing, nothing, np.zeros(n, bool), 0, False)


def advanced(neuron: Any, before: Reach, drive: Interval) -> Reach:
    """One step of an IntegerLIF or IntegerLI: see ``integer_lif.step``."""
    low, high = (decay(u, neuron.du + 1) + (a << ALIGNMENT) for u, a in zip(before.u, drive, strict=True))
    ends = [decay(v, neuron.dv) + u + neuron.bias for v, u in zip(before.v, (low, high), strict=True)]
    threshold = np.broadcast_to(np.asarray(neuron.v_threshold) << ALIGNMENT, neuron.n)
    excess = max(0, -(int(np.min(threshold - ends[1])) >> ALIGNMENT)) if spikes(neuron) else 0
    wild = (low <= -STATE_LIMIT) | (high > STATE_LIMIT)
    top = STATE_LIMIT - 1
    v_low, v_high = (np.clip(np.where(wild, end, v), -top, top) for end, v in zip((-top, top), ends, strict=True))
    spiking = (v_high > threshold) & spikes(neuron)
    if neuron.winners is None:
        v_high = np.where(spiking, np.maximum(np.minimum(v_high, threshold), 0), v_high)
    u = Interval(np.where(wild, -UNKNOWN, low), np.where(wild, UNKNOWN, high))
    v = Interval(np.where(spiking, np.minimum(v_low, 0), v_low), v_high)
    return Reach(u, v, spiking, excess, bool(np.any(wild)))


@dataclass(eq=False)
class Sweep:
    """Step by step through a stretch of window time, from rest, for every sample that there could be.

    Attributes:
        network: of IntegerLIF and IntegerLI.
        begin: population -> the first step that it computes.
        resets: population -> it is set to rest before every so many-th step.
        fed: Inputs may carry anything in the steps 0..fed - 1, and nothing in others.
        in_flight: whether everybody may have spiked in every step before its first.
        silence: population -> strength of the inhibition that it gets in a step in which it may spike otherwise.
        open: steps before this one get no inhibition.
        effort: synapses that may be summed, each time that they are; beyond, ``run`` raises an EffortError.
        last: population -> the last step in which a neuron of it may spike; found.
        events: population -> the steps in which it gets the inhibition; found.
        lacking: population -> the strength that some step asks for, and the first such step; found.
        wrapped: population -> the step in which its u may have left its 24 bits, the last time that it did; found.
    """

    network: IntegerNetwork
    begin: Mapping[str, int]
    resets: Mapping[str, int]
    fed: int
    in_flight: bool
    silence: Mapping[str, int]
    open: int = 0
    effort: float = np.inf
    last: dict[str, int] = field(default_factory=dict)
    events: dict[str, list[int]] = field(default_factory=dict)
    lacking: dict[str, tuple[int, int]] = field(default_factory=dict)
    wrapped: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._sent: dict[tuple[str, int], Interval] = {}
        self._reach: dict[str, Reach | None] = dict.fromkeys(self.network.neurons)
        self._known: dict[tuple[int, int], tuple[Interval, Interval]] = {}

    def run(self, stop: int) -> None:
        """Go through all steps before ``stop``."""
        for t in range(min(self.begin.values()), stop):
            for name, neuron in self.network.neurons.items():
                if t >= self.begin[name]:
                    self._step(name, neuron, t)

    def _step(self, name: str, neuron: Any, t: int) -> None:
        before = None if t % self.resets[name] == 0 else self._reach[name]
        drive = self._drive(name, t)
        if before is None and drive is None and not np.any(neuron.bias):
            self._reach[name] = None
            return
        before = before or at_rest(neuron.n)
        drive = drive or Interval(*np.zeros((2, neuron.n), np.int64))
        reach = advanced(neuron, before, drive)
        if t >= self.open and name in self.silence and np.any(reach.spiking):
            self.events.setdefault(name, []).append(t)
            if reach.excess > self.lacking.get(name, (0, t))[0]:
                self.lacking[name] = reach.excess, t
            reach = advanced(neuron, before, Interval(*(a - self.silence[name] for a in drive)))
        self._reach[name] = reach
        if reach.wraps and not before.wraps:
            self.wrapped[name] = t
        if np.any(reach.spiking):
            self.last[name] = t
            self._sent[name, t] = Interval(np.zeros(neuron.n, np.int64), reach.spiking.astype(np.int64))

    def _drive(self, name: str, t: int) -> Interval | None:
        """The sums that may arrive; None where nothing does."""
        total: Interval | None = None
        for _, sums in self._arriving(name, t):
            total = sums if total is None else Interval(total.low + sums.low, total.high + sums.high)
        return total

    def _arriving(self, name: str, t: int) -> Iterator[tuple[int, Interval]]:
        """(position of a projection, sums that may arrive by a part of it), where anything may."""
        for position, projection in enumerate(self.network.projections):
            if projection.post != name:
                continue
            for part, lag in enumerate(self.network.lags(projection)):
                sent = self._at(projection.pre, t - lag)
                if sent is not None:
                    yield position, self._sums(position, part, sent)

    def shares(self, name: str, t: int) -> dict[int, NDArray[np.float64]]:
        """What each projection may have brought into u by step t, in sums of weights, without our inhibition.

        Returns:
            Position of a projection -> (2, neuron), smallest and largest, where anything came since the last reset.
        """
        keep = (DECAY_UNITY - np.asarray(self.network.neurons[name].du) - 1) / DECAY_UNITY
        found: dict[int, NDArray[np.float64]] = {}
        for step in range(max(self.begin[name], t - t % self.resets[name]), t + 1):
            found = {position: keep * ends for position, ends in found.items()}
            for position, sums in self._arriving(name, step):
                found[position] = found.get(position, 0.0) + np.stack(sums)
        return found

    def _at(self, name: str, t: int) -> Interval | None:
        """What a population may send in a step; None: nothing."""
        population = self.network.populations[name]
        if isinstance(population, Input):
            ends = population.bounds
            return Interval(*(np.full(population.n, end) for end in ends)) if 0 <= t < self.fed else None
        if t < self.begin[name]:
            anything = Interval(np.zeros(population.n, np.int64), np.ones(population.n, np.int64))
            return anything if self.in_flight else None
        return self._sent.get((name, t))

    def _sums(self, position: int, part: int, sent: Interval) -> Interval:
        """Bounds of a part's sums: positive weights take one end, negative ones the other."""
        known = self._known.get((position, part))
        if known is not None and all(map(np.array_equal, known[0], sent)):
            return known[1]
        self.effort -= self.network.projections[position].parts[part][1].weight.size
        if self.effort < 0:
            raise EffortError
        halves = self._halves[position][part]
        low, high = (
            sum(half.apply(x[None])[0].astype(np.int64) for half, x in zip(halves, ends, strict=True) if np.any(x))
            + np.zeros(halves[0].n_post, np.int64)
            for ends in ((sent.low, sent.high), (sent.high, sent.low))
        )
        exponent = self.network.projections[position].weight_exp
        sums = Interval(*(a << exponent if exponent > 0 else a >> -exponent for a in (low, high)))
        self._known[position, part] = sent, sums
        return sums

    @cached_property
    def _halves(self) -> list[list[tuple[Any, Any]]]:
        """Of every projection and part the connection's positive and its negative weights."""
        return [
            [(c.with_weight(np.maximum(c.weight, 0)), c.with_weight(np.minimum(c.weight, 0))) for _, c in p.parts]
            for p in self.network.projections
        ]
