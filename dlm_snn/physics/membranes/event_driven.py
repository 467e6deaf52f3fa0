"""Membranes event by event, for use as a library: events alone touch a neuron, its leak is in closed form.

Between events v(t) = v (1 - dv)^(t - t0), and the energy that leaked is v^2 (1 - (1 - dv)^(2 (t - t0))) / 2. That is
the clocked step up to rounding, for neurons without current memory (du = 1) and without a bias; all others need the
clocked simulators, and so do integers, whose truncated decay has no closed form.

A neuron may also have to be looked at without an event: one that stays above threshold (losers of a competition), or
that spiked a step ago and is reset by subtraction. These looks are counted apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import UnsupportedError
from dlm_snn.networks.known import check_known
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.neurons.competition import winning
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.recording import Recording, WhatToRecord, checked_record
from dlm_snn.runs.stimulus import prepare


@dataclass
class EventCounts:
    """What a run cost and where its energy went.

    Attributes:
        received: synaptic events that reached neurons (one a synapse).
        updates: neurons brought up to date because events reached them.
        looks: neurons brought up to date without an event.
        injected, leak, reset: energy of all neurons together (v^2 / 2), in closed form between events.
        stored: energy at the end.
    """

    received: int = 0
    updates: int = 0
    looks: int = 0
    injected: float = 0.0
    leak: float = 0.0
    reset: float = 0.0
    stored: float = 0.0


def simulate_events(
    network: Network, stimulus: Mapping[str, Any], n_steps: int, record: WhatToRecord = ("s",)
) -> tuple[Recording, EventCounts]:
    """Run a network from rest, event by event.

    Args:
        network: float neurons with du = 1 and no bias.
        stimulus, n_steps, record: as in ``dlm_snn.run``; recording u or v takes time for every neuron and step.

    Returns:
        The Recording, equal to the clocked one up to rounding, and the counts.

    Raises:
        UnsupportedError: a neuron that has no closed form between events, by name.
    """
    _check(network)
    chosen = checked_record(record, network)
    fed, n_samples = prepare(network, stimulus, n_steps)
    counts = EventCounts()
    found: dict[str, dict[str, NDArray]] = {
        key: {
            name: np.zeros((n_samples, n_steps, network.neurons[name].n), bool if key == "s" else float)
            for name in names
        }
        for key, names in chosen.items()
    }
    wires = {name: [w for p in network.into(name) for w in _wires(network, p)] for name in network.neurons}
    for sample in range(n_samples):
        cells = {name: _Population(neuron, counts) for name, neuron in network.neurons.items()}
        events: dict[str, list[tuple[NDArray, NDArray]]] = {name: [] for name in network.populations}
        for t in range(n_steps):
            for name in network.order:
                if name in fed:
                    values = fed[name].at(t)[sample]
                    places = np.flatnonzero(values)
                    events[name].append((places, values[places]))
                    continue
                drive = _arriving(wires[name], events, t, counts)
                fired = cells[name].step(t, *drive)
                events[name].append((fired, np.ones(len(fired))))
                for key, arrays in found.items():
                    if name in arrays:
                        arrays[name][sample, t] = cells[name].dense(key, t, fired, *drive)
        for cell in cells.values():
            cell.finish(n_steps)
    rasters = {name: SpikeRaster.from_dense(dense) for name, dense in found.get("s", {}).items()}
    return Recording(network, n_samples, n_steps, rasters, found.get("u", {}), found.get("v", {})), counts


def _check(network: Network | IntegerNetwork) -> None:
    remedy = "run the clocked simulators, such as backend='fast'"
    if isinstance(network, IntegerNetwork):
        raise UnsupportedError("event-driven", "integers: a truncated decay has no closed form", remedy)
    check_known(network, "the event-driven simulator")
    for name, neuron in network.neurons.items():
        if np.any(np.asarray(neuron.du) != 1):
            raise UnsupportedError("event-driven", f"the current memory of '{name}' (du < 1)", remedy)
        if np.any(np.asarray(neuron.bias) != 0):
            raise UnsupportedError("event-driven", f"the bias of '{name}'", remedy)


@dataclass(frozen=True)
class _Wire:
    """The synapses of one projection and delay, by presynaptic neuron."""

    pre: str
    lag: int
    starts: NDArray
    post: NDArray
    weight: NDArray


def _wires(network: Network, projection: Any) -> list[_Wire]:
    found = []
    for delay, connection in projection.parts:
        synapses = connection.sparse()
        order = np.argsort(synapses.pre, kind="stable")
        starts = np.searchsorted(synapses.pre[order], np.arange(connection.n_pre + 1))
        lag = network.lag(projection, delay)
        found.append(_Wire(projection.pre, lag, starts, synapses.post[order], synapses.weight[order].astype(float)))
    return found


def _arriving(
    wires: list[_Wire], events: Mapping[str, list[tuple[NDArray, NDArray]]], t: int, counts: EventCounts
) -> tuple[NDArray, NDArray]:
    """Neurons that events reach in this step, in order, and what reaches each."""
    posts, values = [], []
    for wire in wires:
        if t < wire.lag:
            continue
        places, carried = events[wire.pre][t - wire.lag]
        first, lengths = wire.starts[places], wire.starts[places + 1] - wire.starts[places]
        total = int(lengths.sum())
        if total == 0:
            continue
        offsets = np.repeat(first - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
        synapse = offsets + np.arange(total)
        posts.append(wire.post[synapse])
        values.append(wire.weight[synapse] * np.repeat(carried, lengths))
        counts.received += total
    if not posts:
        return np.empty(0, dtype=np.int64), np.empty(0)
    touched, where = np.unique(np.concatenate(posts), return_inverse=True)
    return touched, np.bincount(where.ravel(), np.concatenate(values), len(touched))


class _Population:
    """The neurons of one population in one sample: v as it was when each was last touched."""

    def __init__(self, neuron: Any, counts: EventCounts) -> None:
        self.neuron, self.counts = neuron, counts
        self.keep = np.broadcast_to(1 - np.asarray(neuron.dv, float), (neuron.n,))
        self.threshold = np.broadcast_to(np.asarray(neuron.v_threshold, float), (neuron.n,))
        self.v, self.last = np.zeros(neuron.n), np.full(neuron.n, -1)
        self.free = np.zeros(neuron.n, dtype=int)
        self.fired = np.zeros(neuron.n, dtype=bool)
        self.hot = np.empty(0, dtype=np.int64)

    def step(self, t: int, touched: NDArray, drive: NDArray) -> NDArray:
        """Bring the touched neurons to step t; the indices of those that spike."""
        if self.neuron.period and t % self.neuron.period == 0:
            self._reset_all(t)
        looked = np.setdiff1d(self.hot, touched, assume_unique=True)
        if not len(touched) and not len(looked):
            return looked
        places = np.concatenate([touched, looked])
        arrived = np.concatenate([drive, np.zeros(len(looked))])
        self.counts.updates += len(touched)
        self.counts.looks += len(looked)
        v = self._decayed(places, t)
        if self.neuron.reset == "subtract":
            lowered = v - self.threshold[places] * self.fired[places]
            self.counts.reset += float(((v - lowered) * (v + lowered)).sum() / 2)
            v = lowered
            self.fired[places] = False
        lifted = v + arrived
        self.counts.injected += float((arrived * (v + arrived / 2)).sum())
        if self.neuron.refractory:
            held = t < self.free[places]
            self.counts.reset += float((lifted[held] ** 2).sum() / 2)
            lifted = np.where(held, 0.0, lifted)
        self.v[places], self.last[places] = lifted, t
        return self._spikes(t, places, lifted)

    def _decayed(self, places: NDArray, t: int) -> NDArray:
        old = self.v[places]
        v = old * self.keep[places] ** (t - self.last[places])
        self.counts.leak += float(((old - v) * (old + v)).sum() / 2)
        return v

    def _spikes(self, t: int, places: NDArray, lifted: NDArray) -> NDArray:
        neuron = self.neuron
        above = np.sort(places[lifted > self.threshold[places]])
        if neuron.winners is not None and len(above):
            over = np.full(neuron.n, -np.inf)
            over[above] = self.v[above] - self.threshold[above]
            fired = np.flatnonzero(winning(over, neuron.winners, neuron.groups))
        else:
            fired = above
        if neuron.reset == "zero":
            self.counts.reset += float((self.v[fired] ** 2).sum() / 2)
            self.v[fired] = 0.0
            if neuron.refractory:
                self.free[fired] = t + 1 + neuron.refractory
            self.hot = np.setdiff1d(above, fired, assume_unique=True)
        else:
            self.fired[fired] = True
            self.hot = above
        return fired

    def _reset_all(self, t: int) -> None:
        everyone = np.arange(self.neuron.n)
        before = self._decayed(everyone, t - 1) if t else self.v
        self.counts.reset += float((before**2).sum() / 2)
        self.v[:], self.last[:], self.free[:], self.fired[:] = 0.0, t - 1, 0, False
        self.hot = self.hot[:0]

    def dense(self, key: str, t: int, fired: NDArray, touched: NDArray, drive: NDArray) -> NDArray:
        """s, u or v of every neuron at the end of step t."""
        values = np.zeros(self.neuron.n)
        if key == "s":
            values[fired] = 1
        elif key == "u":
            values[touched] = drive
        else:
            values = self.v * self.keep ** (t - self.last)
        return values

    def finish(self, n_steps: int) -> None:
        """Leak until the end."""
        everyone = np.arange(self.neuron.n)
        self.counts.stored += float((self._decayed(everyone, n_steps - 1) ** 2).sum() / 2)
