"""Networks as NIR graphs."""

from __future__ import annotations

import json
import os
from io import BytesIO
from pathlib import Path
from typing import Any

import nir
import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.chain import Chain
from dlm_snn.connections.connection import Connection, Sparse
from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.dense import Dense
from dlm_snn.connections.pool2d import Pool2d
from dlm_snn.description import describe
from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.exchange.guarded import hdf5
from dlm_snn.exchange.guarded.hdf5 import hdf5_file
from dlm_snn.exchange.nir import folding
from dlm_snn.exchange.nir.timing import layered
from dlm_snn.files.atomic import writing
from dlm_snn.networks.known import check_known
from dlm_snn.networks.network import Input, IntegerNetwork, Network, Projection
from dlm_snn.neurons.models import spikes

NOTE = "dlm_snn"
"""Metadata of the graph: what NIR has no place for, as JSON."""
FORMAT = 2
NIR = hdf5_file("a NIR file", lambda file: NOTE in file["node/metadata"])
DENSE_LIMIT = 2**28
"""Entries of a matrix, beyond which a sparse connection is not written as one."""
_TARGET = "NIR"


def write_nir(
    network: Network | IntegerNetwork,
    path: str | os.PathLike[str] | None = None,
    dt: float = 1e-3,
    replace: bool = False,
) -> nir.NIRGraph:
    """A network as a NIR graph of the standard nodes, and its file.

    tau = dt/dv, r = 1 and weight / dv (LIF); tau_mem = dt/dv, r = 1/dv, tau_syn = dt/du, w_in = 1/du (CubaLIF, du < 1);
    r = 1/dt (IF, dv = 0); LI, CubaLI, I likewise for populations that never spike. Where weights cannot hold it (a pool
    before the neurons, a convolution before neurons of several dv), r = 1/dv for LIF too. Lags beyond one step around a
    loop become Delay nodes, biases and the constant Input ``one`` the bias of an Affine or Conv2d. The exact decays,
    delays and weights and the form of each connection stand in the graph's metadata, so that ``read_nir`` gives the
    digest back; a reader that does not know them gets the same rasters with decays and weights within a rounding.

    Args:
        network: of floats.
        path: of the file; None: only the graph is returned.
        dt: seconds a step.
        replace: a NIR file of that name gives way, if we wrote it.

    Raises:
        UnsupportedError: what NIR cannot say, by name: reset by subtraction, competition, a refractory time, a period,
            a bias beside a filtered current, a delay for each synapse, held states (du = 0, or dv = 0 with du < 1).
        DlmError: the file exists and must not be replaced, or cannot be written.
    """
    if isinstance(network, IntegerNetwork):
        raise UnsupportedError(_TARGET, "integer networks", "write the network of floats, or a .net file")
    check_known(network, _TARGET)
    if not 0 < dt < np.inf:
        raise DlmError(f"dt = {dt!r} is not a number of seconds above 0")
    graph = graph_of(network, dt)
    if path is not None:
        held = BytesIO()
        nir.write(held, graph)  # type: ignore[arg-type]
        with writing(Path(path), NIR, replace) as file:
            file.write(hdf5.sealed(held.getvalue()))
    return graph


def graph_of(network: Network, dt: float, form: int = FORMAT) -> nir.NIRGraph:
    """``write_nir`` without a file, in the form of a file's ``FORMAT``: 1 had r = 1/dv for every LIF."""
    return _Writer(network, dt, form).graph()


class _Writer:
    def __init__(self, network: Network, dt: float, form: int) -> None:
        self.network, self.dt, self.form = network, dt, form
        self.folded = {name for name in network.neurons if form > 1 and folding.foldable(network, name)}
        self.constant = [n for n, p in network.inputs.items() if p.constant]
        self.nodes: dict[str, Any] = {}
        self.edges: list[tuple[str, str]] = []
        self.loops: list[tuple[str, str]] = []
        self.wires: list[list[list[str]]] = []

    def graph(self) -> nir.NIRGraph:
        """Nodes, edges and notes."""
        network = self.network
        for name, population in network.populations.items():
            if name in network.neurons:
                self.nodes[name] = _neuron(name, population, self.dt, name in self.folded)
            elif name not in self.constant:
                self.nodes[name] = nir.Input({"input": np.array(population.shape)})
        biases = {name: self._bias(name) for name in network.neurons}
        for name in self.folded:
            own = biases[name]
            biases[name] = None if own is None else own / np.asarray(network.neurons[name].dv)
        carriers = {name: self._carrier(name, bias) for name, bias in biases.items() if bias is not None}
        sources = [name for name in network.inputs if name not in self.constant]
        added = [(sources[0], name) for name, carrier in carriers.items() if carrier is None and sources]
        pairs = [(p.pre, p.post) for p in network.projections if p.pre not in self.constant]
        known = [name for name in network.populations if name not in self.constant]
        _, self.back = layered(known, sources, [*pairs, *added])
        for projection in network.projections:
            carried = biases[projection.post] if carriers.get(projection.post) is projection else None
            self.wires.append([] if projection.pre in self.constant else self._wire(projection, carried))
        for name, carrier in carriers.items():
            if carrier is None:
                self._only_bias(sources, name, biases[name])
        for name in self._ends():
            end = self._unused(f"{name}_out")
            self.nodes[end] = nir.Output({"output": np.array(network.populations[name].shape)})
            self.edges.append((name, end))
        # nirtorch walks edges in their order, and ends with a loop that it meets last.
        edges = [*self.loops, *(edge for edge in self.edges if edge not in self.loops)]
        return nir.NIRGraph(self.nodes, edges, metadata={NOTE: self._note()}, type_check=False)

    def _bias(self, name: str) -> NDArray[np.float64] | None:
        """What is added in every step, (n,); None: nothing."""
        neuron = self.network.neurons[name]
        parts = [p.connection.sparse().dense()[:, 0] for p in self.network.into(name) if p.pre in self.constant]
        if np.any(neuron.bias):
            if np.any(np.asarray(neuron.du) != 1):
                raise UnsupportedError(
                    _TARGET, f"LIF.bias of '{name}' beside a filtered current", "give it through an aligned Input"
                )
            parts.append(np.broadcast_to(neuron.bias, (neuron.n,)))
        return np.sum(parts, axis=0) if parts else None

    def _carrier(self, name: str, bias: NDArray) -> Projection | None:
        """A projection whose last node can hold the bias; None: an Affine of its own."""
        for projection in self.network.into(name):
            if projection.pre in self.constant or np.any(self._lag(projection)):
                continue
            last = _parts(projection.connection)[-1]
            if isinstance(last, (Dense, Sparse)):
                return projection
            if isinstance(last, Conv2d) and np.all(_by_channel(bias, last) == _by_channel(bias, last)[:, :1]):
                return projection
        return None

    def _lag(self, projection: Projection) -> Any:
        """Steps of window time, one number or one a synapse."""
        network = self.network
        if network.inputs.get(projection.pre, Input((1,))).aligned:
            return 0
        return projection.delay - network.depth[projection.post] + network.depth[projection.pre]

    def _wire(self, projection: Projection, bias: NDArray | None) -> list[list[str]]:
        """The nodes of a projection and their edges; names of the nodes of each part."""
        pre, post = projection.pre, projection.post
        base = f"{pre}_to_{post}"
        late = self._lag(projection) - int((pre, post) in self.back)
        if np.any(np.asarray(late) < 0):
            raise UnsupportedError(_TARGET, f"{projection.name}, a loop without a step", "add 1 to its delay")
        shape = self.network.populations[pre].shape
        before, after = _late(projection, late)
        at, known = pre, len(self.edges)
        if np.any(before):
            at = self._add(f"{base}_delay", _delay(before, shape, self.dt), at)
        named = []
        parts = _parts(projection.connection)
        for place, part in enumerate(parts):
            if len(shape) == 3 and isinstance(part, (Dense, Sparse)):
                flat = nir.Flatten({"input": np.array(shape)}, start_dim=0, end_dim=-1)
                at = self._add(f"{base}_flat", flat, at)
            own = bias if place == len(parts) - 1 else None
            names = []
            if post in self.folded and place == len(parts) - 1:
                part = folding.divided(part, self.network.neurons[post].dv)
            for node in _stateless(projection.name, part, shape, own):
                at = self._add(base, node, at)
                names.append(at)
            named.append(names)
            shape = part.post_shape
        if np.any(after):
            at = self._add(f"{base}_delay", _delay(after, self.network.populations[post].shape, self.dt), at)
        self.edges.append((at, post))
        if (pre, post) in self.back:
            self.loops += self.edges[known:]
        return named

    def _add(self, name: str, node: Any, behind: str) -> str:
        name = self._unused(name)
        self.nodes[name] = node
        self.edges.append((behind, name))
        return name

    def _unused(self, name: str) -> str:
        taken = self.nodes.keys() | self.network.populations.keys()
        candidates = [name, *(f"{name}_{i}" for i in range(2, len(taken) + 3))]
        return next(candidate for candidate in candidates if candidate not in taken)

    def _only_bias(self, sources: list[str], name: str, bias: NDArray | None) -> None:
        """An Affine of zeros that adds the bias to neurons whose connections cannot."""
        if not sources or bias is None:
            raise UnsupportedError(_TARGET, f"the bias of '{name}' in a network without data Inputs", "add an Input")
        shape = self.network.populations[sources[0]].shape
        at = sources[0]
        if len(shape) == 3:
            at = self._add(f"{name}_bias_flat", nir.Flatten({"input": np.array(shape)}, start_dim=0, end_dim=-1), at)
        zeros = np.zeros((bias.size, int(np.prod(shape))))
        self.edges.append((self._add(f"{name}_bias", nir.Affine(zeros, np.array(bias)), at), name))

    def _ends(self) -> list[str]:
        """The populations that send to no other; at least one."""
        sending = {p.pre for p in self.network.projections if p.pre != p.post}
        neurons = [name for name in self.network.order if name in self.network.neurons]
        return [name for name in neurons if name not in sending] or neurons[-1:]

    def _note(self) -> str:
        network = self.network
        tree, arrays = describe(network)
        kept = {key: value.tolist() for key, value in arrays.items() if key.startswith("populations.")}
        for i, (projection, names) in enumerate(zip(network.projections, self.wires, strict=True)):
            key = f"projections.{i}.delay"
            if key in arrays:
                before, after = _late(projection, np.asarray(projection.delay))
                kept[key] = [np.ravel(before).tolist(), np.ravel(after).tolist()]
            for own, part in _weights(f"projections.{i}.connection", projection.connection):
                if not names or isinstance(part, Pool2d):
                    kept[f"{own}.weight"] = part.weight.tolist()
        note = {"format": self.form, "dt": self.dt, "tree": tree, "values": kept, "nodes": self.wires}
        if self.form > 1:
            note["folded"] = {
                str(i): folding.digits(folding.last_of(p.connection), network.neurons[p.post].dv)
                for i, p in enumerate(network.projections)
                if p.post in self.folded and self.wires[i]
            }
        return json.dumps({**note, "digest": network.digest()})


def _weights(key: str, connection: Connection) -> list[tuple[str, Connection]]:
    """The key of each part of a connection, as ``describe`` names it."""
    if isinstance(connection, Chain):
        return [(f"{key}.parts.{k}", part) for k, part in enumerate(connection.parts)]
    return [(key, connection)]


def _parts(connection: Connection) -> tuple[Connection, ...]:
    return tuple(connection.parts) if isinstance(connection, Chain) else (connection,)


def _by_channel(bias: NDArray, connection: Conv2d) -> NDArray:
    return bias.reshape(len(connection.weight), -1)


def _late(projection: Projection, late: Any) -> tuple[Any, Any]:
    """Steps before and behind the connection: one for all or one a presynaptic neuron; 0 or one a postsynaptic."""
    late = np.asarray(late)
    if late.ndim == 0:
        return int(late), 0
    connection = projection.connection
    if isinstance(connection, Sparse):
        matrix = np.full(connection.shape, -1)
        matrix[connection.post, connection.pre] = late
    else:
        matrix = late
    held = np.ma.masked_less(matrix, 0)
    for axis in (1, 0):
        low, high = held.min(axis), held.max(axis)
        if np.all(np.ma.filled(low == high, True)):
            values = np.ma.filled(low, held.min())
            return (0, values) if axis == 1 else (values, 0)
    raise UnsupportedError(
        _TARGET, f"a delay for each synapse of {projection.name}", "give one delay, or one a neuron on either side"
    )


def _delay(steps: Any, shape: tuple[int, ...], dt: float) -> nir.Delay:
    return nir.Delay(np.broadcast_to(steps, (int(np.prod(shape)),)).reshape(shape) * dt)


def _neuron(name: str, neuron: Any, dt: float, folded: bool) -> Any:
    for thing, present, remedy in (
        ("reset by subtraction", neuron.reset != "zero", "train with reset='zero'"),
        ("the competition", neuron.winners is not None, "train without winners"),
        ("the refractory time", neuron.refractory, "leave it out"),
        ("the period", neuron.period is not None, "leave it out, and reset in the loop"),
    ):
        if present:
            raise UnsupportedError(_TARGET, f"{thing} of '{name}'", remedy)

    def each(value: Any) -> NDArray[np.float64]:
        return np.array(np.broadcast_to(np.asarray(value, dtype=np.float64), (neuron.n,)).reshape(neuron.shape))

    du, dv, rest = each(neuron.du), each(neuron.dv), each(0.0)
    fires = spikes(neuron)
    common = {"v_threshold": each(neuron.v_threshold), "v_reset": rest} if fires else {}
    if np.all(dv == 0) and np.all(du == 1):
        return (nir.IF if fires else nir.I)(r=each(1 / dt), **common)
    if np.any(dv == 0):
        raise UnsupportedError(_TARGET, f"'{name}' with dv = 0 beside a leak or a filtered current", "give it a leak")
    if np.all(du == 1):
        return (nir.LIF if fires else nir.LI)(tau=dt / dv, r=each(1.0) if folded else 1 / dv, v_leak=rest, **common)
    if np.any(du == 0):
        raise UnsupportedError(_TARGET, f"'{name}' with du = 0, a current that never decays", "give it a decay")
    kind = nir.CubaLIF if fires else nir.CubaLI
    return kind(tau_syn=dt / du, tau_mem=dt / dv, r=1 / dv, v_leak=rest, w_in=1 / du, **common)


def _stateless(name: str, part: Connection, shape: tuple[int, ...], bias: NDArray | None) -> list[Any]:
    """The nodes of one linear map."""
    if isinstance(part, (Dense, Sparse)):
        matrix = part.weight if isinstance(part, Dense) else _dense(name, part)
        return [nir.Linear(np.array(matrix)) if bias is None else nir.Affine(np.array(matrix), np.array(bias))]
    if isinstance(part, Conv2d):
        channels = np.zeros(len(part.weight)) if bias is None else np.array(_by_channel(bias, part)[:, 0])
        image = tuple(part.input_shape[1:])
        return [nir.Conv2d(image, np.array(part.weight), *part.spacing, part.groups, channels)]
    if isinstance(part, Pool2d):
        form = [np.array(getattr(part, field)) for field in ("kernel", "stride", "padding")]
        weight = float(part.weight[0])
        if weight == 1 / np.prod(part.kernel):
            return [nir.AvgPool2d(*form)]
        scale = [] if weight == 1 else [nir.Scale(np.full(part.output_shape, weight))]
        return [nir.SumPool2d(*form), *scale]
    raise UnsupportedError(_TARGET, f"{name}, a {type(part).__name__}", "use Dense, Sparse, Conv2d or Pool2d")


def _dense(name: str, part: Sparse) -> NDArray[np.float64]:
    if part.shape[0] * part.shape[1] > DENSE_LIMIT:
        raise UnsupportedError(_TARGET, f"the sparse {name} of {part.shape}", "NIR has dense matrices only")
    if np.any(part.weight == 0):
        raise UnsupportedError(_TARGET, f"synapses of weight 0 in the sparse {name}", "leave them out")
    return part.dense()
