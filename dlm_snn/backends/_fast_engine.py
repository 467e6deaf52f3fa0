"""The state of a running network, and one step of each population: what the fast simulator and the fused Lava
Process share."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.backends import _fast_compiled, _fast_plain
from dlm_snn.backends._fast_plan import Link, plan_of
from dlm_snn.networks.network import Input, IntegerNetwork, Network
from dlm_snn.neurons import integer_lif, lif
from dlm_snn.neurons.checks import reset_due
from dlm_snn.neurons.integer_lif import Overflow
from dlm_snn.runs.recording import RunState

PRODUCT_COST = {4: (0.03, 0.11), 8: (0.06, 0.11)}
"""Bytes of a number -> nanoseconds a term of a matrix product takes: in large products, and for one sample alone, where
the matrix is read from memory; measured by benchmarks/costs.py."""


class Sent:
    """What a population sent in one step.

    Attributes:
        s: spikes, uint8 (sample, neuron); unused by graded Inputs.
        index, begin: the events; see ``_fast_compiled``.
        values: of graded Inputs, (sample, neuron); None: binary.
    """

    def __init__(self, n_samples: int, n: int, graded: bool) -> None:
        self.values: NDArray | None = np.zeros((n_samples, n)) if graded else None
        self.s = np.zeros((0, 0) if graded else (n_samples, n), dtype=np.uint8)
        # One place more than there can be events: the loop that fills it writes before it knows.
        self.index = np.zeros(self.s.size + 1, dtype=np.int32)
        self.begin = np.zeros(n_samples + 1, dtype=np.int64)

    def put(self, values: NDArray, loops: ModuleType) -> None:
        """Take over the values of a step."""
        if self.values is not None:
            self.values = values
        else:
            self.s[...] = values
            loops.extract(self.s, self.index, self.begin)

    def array(self) -> NDArray:
        """The values, (sample, neuron)."""
        return self.s if self.values is None else self.values


@dataclass(eq=False)
class CellState:
    """u, v and, for float neurons that need them, the last spikes and the refractory counters; (sample, neuron)."""

    u: NDArray
    v: NDArray
    s: NDArray
    waiting: NDArray

    def rest(self) -> None:
        """Back to the state before the first step."""
        for part in (self.u, self.v, self.s, self.waiting):
            part[...] = 0


class Engine:
    """A network with its state, advanced population by population.

    Args:
        network: float or integer.
        n_samples: the batch.
        state: to go on from; None: rest.
        machine: keep what is sent for as many steps as a clocked machine needs, where a population of depth d is d
            steps behind the Inputs; False: as window time needs.
        compiled: loops compiled by numba; False: the same in plain NumPy.
    """

    def __init__(
        self,
        network: Network | IntegerNetwork,
        n_samples: int,
        state: RunState | None = None,
        machine: bool = False,
        compiled: bool = True,
    ) -> None:
        self.network = network
        self.loops: ModuleType = _fast_compiled if compiled else _fast_plain
        self.plan = plan_of(network)
        self.n_samples = n_samples
        self.done = state.step if state else 0
        self.integer = isinstance(network, IntegerNetwork)
        self.overflow = dict.fromkeys(network.neurons, Overflow(0, 0))
        self.states = {name: self._state(name, state) for name in network.neurons}
        self._slots = {name: self._ring(name, machine) for name in network.populations}
        self._constant: dict[str, NDArray] = {}
        self._products: dict[int, NDArray] = {}
        self._drives: dict[str, NDArray] = {}
        if state:
            self._resume(state)

    def _state(self, name: str, state: RunState | None) -> CellState:
        neuron = self.network.neurons[name]
        shape = self.n_samples, neuron.n
        if self.integer:
            kept = CellState(np.zeros(shape, np.int32), np.zeros(shape, np.int32), *(np.zeros((0, 0), int),) * 2)
        else:
            last = np.zeros(shape, dtype=np.uint8)
            kept = CellState(np.zeros(shape), np.zeros(shape), last, np.zeros(shape, dtype=np.int64))
        if state:
            given = state.neurons[name]
            kept.u[...], kept.v[...] = given.u, given.v
            if not self.integer:
                kept.s[...], kept.waiting[...] = given.s, given.refractory
        return kept

    def _ring(self, name: str, machine: bool) -> list[Sent]:
        population = self.network.populations[name]
        graded = isinstance(population, Input) and population.graded_bits is not None
        leaving = [link for links in self.plan.links.values() for link in links if link.pre == name]
        memory = max((link.delay if machine else link.lag for link in leaving), default=0)
        return [Sent(self.n_samples, population.n, graded) for _ in range(memory + 1)]

    def _resume(self, state: RunState) -> None:
        """Put what was in flight where the steps -memory .. -1 are kept."""
        for name, values in state.flight.items():
            for back in range(1, values.shape[1] + 1):
                self.sent(name, -back).put(values[:, -back], self.loops)

    def sent(self, name: str, step: int) -> Sent:
        """What a population sent in a step of its window that is not forgotten yet."""
        ring = self._slots[name]
        return ring[step % len(ring)]

    def put(self, name: str, step: int, values: NDArray, constant: bool = False) -> None:
        """The values of an Input in a step of its window, (sample, neuron).

        Args:
            name: of the Input.
            step: counted from the beginning of this run.
            values: real values or integers, as ``stimulus.prepare`` gives them.
            constant: the same in every step from 0 on: their products are computed once.
        """
        if constant and step > 0:
            if len(self._slots[name]) > 1:
                self.sent(name, step).put(self._constant[name], self.loops)
            return
        self.sent(name, step).put(values, self.loops)
        if constant:
            self._constant[name] = values

    def compute(self, name: str, step: int) -> Sent:
        """One step of a neuron population, whose Inputs and earlier populations have their step."""
        cell, state = self.plan.cells[name], self.states[name]
        if reset_due(cell.neuron.period, self.done + step):
            state.rest()
        sent = self.sent(name, step)
        counted = self.loops.step(cell, state, self._drive(name, step), sent)
        if counted is not None:
            self.overflow[name] = self.overflow[name] + counted
        return sent

    def _drive(self, name: str, step: int) -> NDArray:
        """The sum over all synapses, (sample, neuron), float64 or int32; int64 where 32 bits may not hold it."""
        links = self.plan.links[name]
        held = [link for link in links if link.pre in self._constant and step >= link.lag]
        if name not in self._drives:
            shape = self.n_samples, self.network.populations[name].n
            whole = np.int64 if name in self.plan.wide else np.int32
            self._drives[name] = np.zeros(shape, dtype=whole if self.integer else np.float64)
        drive = self._drives[name]
        if len(links) == len(held) == 1:
            return self._product(held[0])
        drive.fill(0)
        for link in links:
            if link in held:
                drive += self._product(link)
            else:
                self._add(link, self.sent(link.pre, step - link.lag), drive)
        return drive

    def _product(self, link: Link) -> NDArray:
        """What the constant values of an Input drive through a link."""
        if id(link) not in self._products:
            product = link.shifted(link.product(self._constant[link.pre]))
            self._products[id(link)] = product.astype(self._drives[link.post].dtype, copy=False)
        return self._products[id(link)]

    def _add(self, link: Link, sent: Sent, drive: NDArray) -> None:
        """Add what one step's events drive through a link, by the cheaper way."""
        if self._by_product(link, sent):
            drive += link.shifted(link.product(sent.array()))
            return
        if link.weight_exp == 0 and not link.wide:
            self._add_events(link, sent, drive)
            return
        sums = np.zeros(drive.shape, dtype=np.int64 if link.wide else drive.dtype)
        self._add_events(link, sent, sums)
        drive += link.shifted(sums)

    def _by_product(self, link: Link, sent: Sent) -> bool:
        if not link.dense:
            return False
        if sent.values is not None:
            return True
        large, alone = PRODUCT_COST[link.matrix.itemsize]
        product = self.n_samples * link.connection.n_pre * max(large, alone / max(self.n_samples, 1))
        return int(sent.begin[-1]) * self.loops.EVENT_COST[self.integer] > product

    def _add_events(self, link: Link, sent: Sent, sums: NDArray) -> None:
        if link.dense:
            self.loops.add_rows(sums, link.columns, sent.index, sent.begin)
        elif sent.values is None:
            self.loops.add_synapses(sums, *link.synapses, sent.index, sent.begin)
        else:
            self.loops.add_values(sums, *link.synapses, sent.values)

    def state(self, steps: int) -> RunState:
        """Where the run stands after some steps, as every backend hands it on."""
        return RunState(
            step=self.done + steps,
            neurons={name: self._handed_on(name, steps) for name in self.states},
            flight={
                name: self._flight(name, memory, steps)
                for name in self.network.populations
                if (memory := self.network.memory(name))
            },
        )

    def _handed_on(self, name: str, steps: int) -> Any:
        state = self.states[name]
        s = self.sent(name, steps - 1).s.astype(bool)
        if self.integer:
            return integer_lif.State(state.u.astype(np.int64), state.v.astype(np.int64), s)
        return lif.State(state.u.copy(), state.v.copy(), s, state.waiting.copy())

    def _flight(self, name: str, memory: int, steps: int) -> NDArray:
        dtype = np.int64 if self.integer else np.float64
        return np.stack([self.sent(name, steps - memory + i).array().astype(dtype) for i in range(memory)], axis=1)
