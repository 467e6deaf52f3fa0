"""A network prepared for the fast simulator: its synapses by presynaptic neuron, its parameters as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.chain import Chain
from dlm_snn.connections.connection import Connection, Sparse
from dlm_snn.connections.dense import Dense
from dlm_snn.networks.network import Input, IntegerNetwork, Network
from dlm_snn.neurons.integer_lif import ALIGNMENT, DECAY_UNITY, STATE_LIMIT
from dlm_snn.neurons.models import is_integer

FLOAT32_EXACT = 2**24
"""Integers up to here, and sums of them, are exact in float32."""
INT32_EXACT = 2**31
"""Integers below this, and their negatives, fit 32 bits."""
SPARSE_BELOW = 0.25
"""Part of a matrix that a delay may leave, below which its synapses are kept as a list."""


@dataclass(frozen=True, eq=False)
class Link:
    """The synapses of one projection that share a delay.

    Attributes:
        pre, post: names of populations.
        delay, lag: in steps of the machine and of window time.
        connection: Dense or Sparse, or the form that the projection has.
        weight_exp: how far the sum is shifted, 0 in float networks.
        peak: largest magnitude that an event may carry; None: any.
    """

    pre: str
    post: str
    delay: int
    lag: int
    connection: Connection
    weight_exp: int
    peak: float | None

    @property
    def integer(self) -> bool:
        """Whether its weights are integers."""
        return self.connection.integer

    @cached_property
    def dense(self) -> bool:
        """Whether its synapses are kept as a matrix."""
        return isinstance(self.connection, Dense)

    @cached_property
    def bound(self) -> float:
        """Largest magnitude of a sum before the shift."""
        if self.peak is None:
            return np.inf
        return float(self.connection.absolute_sums().max()) * self.peak

    @cached_property
    def wide(self) -> bool:
        """Whether a sum may need more than 32 bits."""
        return self.integer and self.bound >= INT32_EXACT

    @cached_property
    def columns(self) -> NDArray:
        """(pre, post), one row for each event to add: int16 or float64."""
        return np.ascontiguousarray(self.connection.weight.T, dtype=np.int16 if self.integer else np.float64)

    @cached_property
    def matrix(self) -> NDArray:
        """(pre, post) for products: float32 where all sums are exact in it, else float64."""
        narrow = self.integer and self.bound < FLOAT32_EXACT
        return np.ascontiguousarray(self.connection.weight.T, dtype=np.float32 if narrow else np.float64)

    @cached_property
    def synapses(self) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray]:
        """start (pre + 1), post and weight (int16 or float64): synapses start[j]..start[j+1] leave neuron j."""
        listed = self.connection.sparse()
        order = np.argsort(listed.pre, kind="stable")
        start = np.zeros(listed.n_pre + 1, dtype=np.int64)
        np.cumsum(np.bincount(listed.pre, minlength=listed.n_pre), out=start[1:])
        weight = listed.weight[order].astype(np.int16 if self.integer else np.float64)
        return start, listed.post[order], weight

    def product(self, values: NDArray) -> NDArray:
        """The sums of values (sample, pre), each of them counted: float, before the shift."""
        if self.dense:
            return values.astype(self.matrix.dtype, copy=False) @ self.matrix
        return self.connection.apply(values)

    def shifted(self, sums: NDArray) -> NDArray:
        """Sums times 2^weight_exp, floored: what reaches the neurons, float64, int32 or, where it is wide, int64."""
        if not self.integer:
            return sums
        whole: Any = sums.astype(np.int64 if self.wide else np.int32, copy=False)
        if self.weight_exp > 0:
            return whole.astype(np.int64) << self.weight_exp
        return whole >> -self.weight_exp if self.weight_exp < 0 else whole


@dataclass(frozen=True, eq=False)
class PlannedPopulation:
    """The parameters of a population as arrays (n,), in the arithmetic of the simulator.

    Attributes:
        neuron: the LIF, LI, IntegerLIF or IntegerLI.
        keep_u, keep_v: what a step leaves of u and v: shares, or 4096ths.
        v_threshold, bias: in the units of v.
    """

    neuron: Any
    keep_u: NDArray
    keep_v: NDArray
    v_threshold: NDArray
    bias: NDArray

    @classmethod
    def of(cls, neuron: Any) -> PlannedPopulation:
        """From float neurons (float64) or integer ones (int32)."""
        integer = is_integer(neuron)
        values = (
            (DECAY_UNITY - 1 - neuron.du, DECAY_UNITY - neuron.dv, neuron.v_threshold * 2**ALIGNMENT, neuron.bias)
            if integer
            else (1 - neuron.du, 1 - neuron.dv, neuron.v_threshold, neuron.bias)
        )
        dtype = np.int32 if integer else np.float64
        return cls(neuron, *(np.ascontiguousarray(np.broadcast_to(value, neuron.n), dtype=dtype) for value in values))

    @property
    def n(self) -> int:
        """Number of neurons."""
        return self.neuron.n


@dataclass(frozen=True, eq=False)
class Plan:
    """What the simulator needs of a network besides its graph.

    Attributes:
        links: neuron population -> the links that reach it.
        cells: neuron population -> its parameters.
    """

    links: Mapping[str, tuple[Link, ...]]
    cells: Mapping[str, PlannedPopulation]

    @cached_property
    def wide(self) -> frozenset[str]:
        """Integer populations whose u or v may need more than 32 bits on the way: their steps are taken in 64."""
        return frozenset(
            name
            for name, cell in self.cells.items()
            if is_integer(cell.neuron) and _reach(cell, self.links[name]) >= INT32_EXACT
        )


def _reach(cell: PlannedPopulation, links: tuple[Link, ...]) -> float:
    """Largest magnitude that the sum to u, or to v, could have in any step from rest, before it is wrapped."""
    drive = 2.0**ALIGNMENT * sum(link.bound * 2.0**link.weight_exp + 1 for link in links)
    kept = float(cell.keep_u.max(initial=0)) / DECAY_UNITY
    # A wrap takes two ranges off, once: what a drive has beyond them stays, and adds up over the steps.
    beyond = max(drive - 2 * STATE_LIMIT, 0.0)
    with np.errstate(divide="ignore"):
        u = max(STATE_LIMIT, float(np.divide(beyond, 1 - kept)) if beyond else 0.0)
    return max(kept * u + drive, u + STATE_LIMIT + float(np.abs(cell.bias).max(initial=0)))


_PLANS: WeakKeyDictionary[Network | IntegerNetwork, Plan] = WeakKeyDictionary()


def plan_of(network: Network | IntegerNetwork) -> Plan:
    """The plan of a network; made once, kept as long as the network is."""
    plan = _PLANS.get(network)
    if plan is None:
        plan = _PLANS[network] = Plan(
            links={name: tuple(_links(network, name)) for name in network.neurons},
            cells={name: PlannedPopulation.of(neuron) for name, neuron in network.neurons.items()},
        )
    return plan


def _links(network: Network | IntegerNetwork, name: str) -> Iterator[Link]:
    for p in network.into(name):
        pre = network.populations[p.pre]
        peak = _peak(pre, isinstance(network, IntegerNetwork))
        for (delay, part), lag in zip(p.parts, network.lags(p), strict=True):
            delay = network.depth[name] if isinstance(pre, Input) and pre.aligned else delay
            yield Link(p.pre, name, delay, lag, _suited(part), getattr(p, "weight_exp", 0), peak)


def _peak(pre: Any, integer: bool) -> float | None:
    """Largest magnitude of an event; real values of a graded Input have none."""
    if not isinstance(pre, Input) or pre.graded_bits is None:
        return 1.0
    return float(max(abs(bound) for bound in pre.bounds)) if integer else None


def _suited(connection: Connection) -> Connection:
    """A chain multiplied out; a matrix of few synapses as their list."""
    if isinstance(connection, Chain):
        connection = connection.merged()
    if isinstance(connection, Dense) and np.count_nonzero(connection.weight) < SPARSE_BELOW * connection.weight.size:
        return Sparse.from_dense(connection.weight)
    return connection
