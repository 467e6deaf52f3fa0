"""NIR graphs taken apart: populations, and the stateless ways between them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, NamedTuple

import nir
import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.chain import Chain
from dlm_snn.connections.connection import Connection, Sparse
from dlm_snn.connections.dense import Dense
from dlm_snn.errors import DlmError, LossWarning, UnsupportedError, how_many
from dlm_snn.exchange.nir import nodes as nir_nodes
from dlm_snn.exchange.nir.graph import expanded
from dlm_snn.exchange.nir.neurons import Neurons, Reset, doubt, neuron
from dlm_snn.exchange.nir.nodes import TARGET
from dlm_snn.exchange.nir.read_outs import VALUES, check_silent, values_read
from dlm_snn.exchange.nir.shapes import Shapes
from dlm_snn.exchange.nir.timing import layered
from dlm_snn.files.names import identifiers
from dlm_snn.networks.network import Input, Network, Projection
from dlm_snn.neurons.li import LI
from dlm_snn.neurons.lif import LIF

ONE = "one"
"""Name of the constant Input that carries biases into a filtered current."""
PASSED = 20_000
"""Nodes on all ways between neurons, beyond which a graph is taken for a mistake."""
NODES_IN_A_ROW = 200
"""Stateless nodes between two neurons, likewise."""


@dataclass(frozen=True)
class _Path:
    """Stateless nodes from a population to a neuron, in the order in which they are passed."""

    source: str
    nodes: tuple[str, ...]


class Found(NamedTuple):
    """What was read.

    Attributes:
        network: the graph.
        names: node -> its population, where the node's own name is no identifier.
        factors: population -> what its input was multiplied by, one a neuron.
        told: what stands in an unusual place or is not taken as it is stored, a line each.
        doubts: what the graph does not tell and was assumed, or what speaks against it, a line each.
    """

    network: Network
    names: Mapping[str, str]
    factors: Mapping[str, NDArray[np.float64]]
    told: Sequence[str]
    doubts: Sequence[str]


class Source(NamedTuple):
    """What the caller tells of a graph's Inputs, which NIR does not.

    Attributes:
        shape: of the one Input; None: as stored, or without leading axes of 1.
        graded_bits, scale, signed: as of ``Input``.
    """

    shape: tuple[int, ...] | None = None
    graded_bits: int | None = None
    scale: float = 1.0
    signed: bool = False

    def input(self, shape: tuple[int, ...]) -> Input:
        """An Input of that shape."""
        return Input(shape, graded_bits=self.graded_bits, scale=self.scale, signed=self.signed)


class Reader:
    """Takes a graph apart into populations and the stateless paths between them."""

    def __init__(self, graph: nir.NIRGraph, dt: float, extra_steps: bool, reset: Reset, source: Source) -> None:
        self.dt, self.extra_steps, self.reset, self.source = dt, extra_steps, reset, source
        self.passed = 0
        self.doubts: list[str] = []
        self.nodes, edges = expanded(graph)
        for pre, post in edges:
            for end in (pre, post):
                if end not in self.nodes:
                    raise DlmError(f"edge ({pre}, {post}): no node '{end}'")
        self.pre: dict[str, list[str]] = {name: [] for name in self.nodes}
        for pre, post in dict.fromkeys(edges):
            self.pre[post].append(pre)
        known = (*nir_nodes.LINEAR, *nir_nodes.NEURONS, *nir_nodes.PASSING, nir.Delay)
        for name, node in self.nodes.items():
            if not isinstance(node, known):
                raise UnsupportedError(TARGET, f"node '{name}' of type {type(node).__name__}", "leave it out")
        check_silent(self.nodes, edges)
        read_by_v = values_read(self.nodes, edges, dt)
        self.nodes |= read_by_v
        self.inputs = [n for n, node in self.nodes.items() if isinstance(node, nir.Input) and not self.pre[n]]
        self.neurons = [n for n, node in self.nodes.items() if isinstance(node, nir_nodes.NEURONS)]
        self._check_ends(edges)
        self.names = identifiers([*self.inputs, *self.neurons], {ONE})
        self.shapes = Shapes(self.nodes, self.pre, self.inputs, self.neurons, source.shape)
        self.told = [*self.shapes.told, *(f"{name}: {VALUES}" for name in read_by_v)]

    def _check_ends(self, edges: list[tuple[str, str]]) -> None:
        """Every stateless node lies between populations."""
        if not self.neurons:
            raise DlmError("it has no neurons (LIF, CubaLIF, IF, LI, CubaLI, I)")
        leads = set(self.neurons)
        grown = True
        while grown:
            found = {pre for pre, post in edges if post in leads} - leads
            leads |= found
            grown = bool(found)
        for name, node in self.nodes.items():
            if isinstance(node, (*nir_nodes.LINEAR, nir.Delay)) and name not in leads:
                kind = type(node).__name__
                raise UnsupportedError(TARGET, f"node '{name}' ({kind}) behind the last neurons", "leave it out")

    def read(self) -> Found:
        """Populations, projections with delays, and biases."""
        populations: dict[str, Any] = {self.names[n]: self.source.input(self.shapes.sent[n]) for n in self.inputs}
        factors, found, own_back = {}, [], []
        for name in self.neurons:
            read = self._neuron(name)
            populations[self.names[name]], factors[name] = read.population, read.factor
            found += [(path, name) for path in self._paths(name)]
            own_back += [] if read.back is None else _back(self.names[name], read.population, read.back)
        wires = [(path.source, name, *self._connection(path, name, factors[name])) for path, name in found]
        depth, back = layered([*self.inputs, *self.neurons], self.inputs, [(w[0], w[1]) for w in wires])
        projections = [self._projection(*wire, depth, (wire[0], wire[1]) in back) for wire in wires]
        projections += own_back
        constants = {name: self._constant(name) for name in self.neurons}
        biased = {name: factors[name] * c for name, c in constants.items() if c is not None}
        for name, constant in biased.items():
            own = self.names[name]
            populations[own], more = _with_bias(own, populations[own], constant)
            if more is not None:
                populations[ONE] = Input((1,), graded_bits=1, aligned=True)
                projections.append(more)
        network = Network(populations, projections)
        self._check_windows(network, depth, biased)
        changed = {node: own for node, own in self.names.items() if node != own}
        by_name = {self.names[name]: factor for name, factor in factors.items()}
        return Found(network, changed, by_name, self.told, self.doubts)

    def _neuron(self, name: str) -> Neurons:
        """The population of a node; what was assumed for it, or speaks against dt, is noted."""
        node = self.nodes[name]
        read = neuron(name, node, self.shapes.sent[name], self.dt, self.reset)
        against = doubt(node, read.population, read.factor)
        if against is not None:
            against = f"{against}; is dt = {self.dt:g} s the one that it was written for?"
        kind = type(node).__name__
        self.doubts += [f"node '{name}' ({kind}): {line}" for line in (read.assumed, against) if line]
        self.told += [read.told] if read.told else []
        return read

    def _check_windows(self, network: Network, depth: Mapping[str, int], biased: Mapping[str, Any]) -> None:
        """A population behind Delays only integrates nothing before its window: it may have no bias."""
        for name in biased:
            late = network.depth[self.names[name]] - depth[name]
            if late:
                raise UnsupportedError(
                    TARGET, f"node '{name}' with a bias, {late} steps behind Delays on all its ways", "drop the Delay"
                )

    def _paths(self, name: str, behind: tuple[str, ...] = ()) -> Iterator[_Path]:
        """All ways back from a node to populations."""
        for pre in self.pre[name]:
            # Every node passed counts, since ways that end nowhere cost as much.
            self.passed += 1
            if self.passed > PASSED:
                raise DlmError(f"its ways between neurons pass more than {PASSED} nodes; join parallel ones")
            if pre in self.inputs or pre in self.neurons:
                yield _Path(pre, behind)
            elif len(behind) == NODES_IN_A_ROW:
                raise DlmError(f"node '{pre}' lies more than {NODES_IN_A_ROW} nodes before a neuron; join some")
            elif pre in behind:
                raise UnsupportedError(TARGET, f"the loop {' -> '.join((pre, *behind))} without a neuron", "add one")
            else:
                yield from self._paths(pre, (pre, *behind))

    def _connection(self, path: _Path, post: str, factor: NDArray) -> tuple[Connection, Any]:
        """The product of a path, scaled for the neuron behind it; its Delays, one number or one a synapse."""
        shape = self.shapes.sent[path.source]
        n_pre = int(np.prod(shape))
        parts: list[Connection] = []
        before, after, common = None, None, 0
        for name in path.nodes:
            node = self.nodes[name]
            if isinstance(node, nir.Delay):
                own = nir_nodes.steps(name, node, self.dt)
                if np.ptp(own) == 0:
                    common += int(own[0])
                elif not parts:
                    before = own if before is None else before + own
                else:
                    after = own if after is None else after + own
                continue
            shape, part = self.shapes.passed(name, node, shape)
            if part is not None:
                if after is not None:
                    raise UnsupportedError(TARGET, f"node '{name}' behind a Delay of several values", "move the Delay")
                parts.append(part)
        n = prod(self.shapes.sent[post])
        try:
            connection = nir_nodes.joined(parts, n_pre)
            if connection.n_post != n:
                raise DlmError(f"gives {connection.n_post} values, node '{post}' has {n} neurons")
        except DlmError as error:
            raise DlmError(f"the way {' -> '.join((path.source, *path.nodes, post))}: {error}") from error
        connection = nir_nodes.scaled(connection, factor)
        if before is None and after is None:
            return connection, common
        if isinstance(connection, Chain):
            connection = connection.merged()
        if not isinstance(connection, (Dense, Sparse)):
            connection = connection.sparse()
        if (before is not None and before.size != connection.n_pre) or (after is not None and after.size != n):
            raise DlmError(f"a Delay on the way {' -> '.join((path.source, *path.nodes, post))} has another size")
        rows = np.zeros(n, dtype=int) if after is None else after
        columns = np.zeros(connection.n_pre, dtype=int) if before is None else before
        delay = common + rows[:, None] + columns
        return connection, delay if isinstance(connection, Dense) else delay[connection.post, connection.pre]

    def _projection(
        self, source: str, name: str, connection: Connection, late: Any, depth: Mapping[str, int], closes: bool
    ) -> Projection:
        """With the delay that makes a forward edge take no time and a loop's one step, its Delays beside."""
        pre, post = self.names[source], self.names[name]
        delay = late + int(closes) + depth[name] - depth[source]
        extra = 1 - int(np.min(delay))
        if extra > 0:
            edge = f"the edge from '{source}' back to '{name}'"
            if not self.extra_steps:
                layers = depth[source] - depth[name]
                raise UnsupportedError(
                    TARGET, f"{edge}, {layers} layers, in one step", f"ask for extra_steps: it would take {extra} more"
                )
            warnings.warn(f"{edge} takes {how_many(extra, 'steps')} more", LossWarning, stacklevel=6)
            delay = delay + extra
        return Projection(pre, post, connection, delay)

    def _constant(self, name: str, behind: tuple[str, ...] = ()) -> NDArray | None:
        """What biases on the ways to a node add up to, (n,); None: nothing."""
        total = None
        for pre in self.pre[name]:
            if pre in self.inputs or pre in self.neurons:
                continue
            node = self.nodes[pre]
            before = self._constant(pre, (pre, *behind))
            if isinstance(node, nir.Delay):
                if before is not None:
                    raise UnsupportedError(TARGET, f"node '{pre}', a Delay behind a bias", "move the Delay before it")
                continue
            if isinstance(node, nir_nodes.PASSING):
                own = before
            else:
                connection = nir_nodes.linear(pre, node, self.shapes.before(pre, self.pre))
                own = None if before is None else connection.apply(before)
                bias = nir_nodes.bias(node, connection)
                own = bias if own is None else (own if bias is None else own + bias)
            if own is not None:
                total = own if total is None else total + own
        return total


def _with_bias(name: str, neuron: LIF | LI, constant: NDArray) -> tuple[LIF | LI, Projection | None]:
    """Added to v where the current is not filtered, else by synapses from a constant."""
    if np.all(np.asarray(neuron.du) == 1):
        return replace(neuron, bias=nir_nodes.one_or_all(neuron.bias + constant)), None
    return neuron, Projection(ONE, name, Dense(constant[:, None]))


def _back(name: str, neuron: LIF | LI, back: NDArray) -> list[Projection]:
    """Synapses onto a spike's own neuron that stand for a reset to another place than 0.

    A spike leaves v = 0 where it should leave v = back: (1 - dv) back is missing one step later, which a synapse of
    delay 1 adds to u and thereby to v. The current keeps (1 - du) of it, which one of delay 2 takes away.
    """
    weight = (1 - np.asarray(neuron.dv)) * back
    first = Projection(name, name, nir_nodes.diagonal(weight))
    kept = (1 - np.asarray(neuron.du)) * weight
    return [first, Projection(name, name, nir_nodes.diagonal(-kept), 2)] if np.any(kept) else [first]
