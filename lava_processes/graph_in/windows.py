"""Lava's steps against our windows: when each population's window opens, and what a run begins with.

On Lava's clock all Processes compute from step 1 on. A window of ours opens from rest at the population's depth. A
population that rests until then loses nothing. One with a bias, or with u or v of its own at the start, does not rest:
its window must open at Lava's step 1. For that an Input gets one more step of delay in all of its projections, and a
synapse of weight 0 and delay 1 (an *anchor*) joins it to such a population, whose depth so is 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.connection import Sparse
from dlm_snn.errors import DlmError
from dlm_snn.networks.network import Input, IntegerNetwork, IntegerProjection, Network, Projection
from dlm_snn.neurons.models import MODELS
from dlm_snn.runs.recording import RunState, kind_of
from lava_processes.graph import NEVER
from lava_processes.graph_in.cells import Cells
from lava_processes.graph_in.stock import Arithmetic
from lava_processes.graph_in.walk import refuse


@dataclass(frozen=True, eq=False)
class Edge:
    """A projection as it is in the graph.

    Attributes:
        pre, post: populations.
        connection: between them.
        delay: Lava's steps from the event to its arrival, 0 where a RingBuffer reaches neurons without a connection.
        form: of an IntegerProjection.
    """

    pre: str
    post: str
    connection: Any
    delay: Any
    form: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Settled:
    """A network whose windows are those of the graph.

    Attributes:
        network: Network or IntegerNetwork.
        first: population -> Lava's step in which its window's first step lies.
        state: what a run of one sample begins with; None: at rest.
        before: population that does not rest before its window, which wipes it -> "u" and "v" of Lava's steps until
            then, (step, neuron).
    """

    network: Network | IntegerNetwork
    first: Mapping[str, int]
    state: RunState | None
    before: Mapping[str, Mapping[str, NDArray]]


def settle(
    inputs: Mapping[str, Input], cells: Mapping[str, Cells], edges: Sequence[Edge], arithmetic: Arithmetic
) -> Settled:
    """Give every population its window.

    Raises:
        UnsupportedError: LIFResets whose resets fit no common phase.
        DlmError: what a network of ours does not hold.
    """
    reset = [name for name, part in cells.items() if part.interval is not None]
    for anchored in (set[str](), set(reset)) if inputs else (set[str](),):
        late = int(bool(anchored) or any(np.any(np.asarray(edge.delay) == 0) for edge in edges))
        while True:
            network = _network(inputs, cells, edges, arithmetic, anchored, late)
            first = {name: network.depth[name] + 1 - late for name in cells}
            awake = {name for name, part in cells.items() if not _fits(part, first[name])} - anchored
            if not awake:
                break
            anchored, late = anchored | awake, 1
        done = _common_phase(cells, first)
        if done is not None:
            network = _with_periods(network, cells, first)
            restless = {name: part for name, part in cells.items() if first[name] > 1 and not part.resting}
            before = {
                name: dict(zip("uv", _alone(part, first[name])[1:], strict=True)) for name, part in restless.items()
            }
            return Settled(network, first, _state(network, cells, first, done), before)
    return refuse(
        f"{' and '.join(repr(name) for name in reset)}, LIFResets that no common step resets as Lava does",
        "give them intervals and offsets that fit (offset = depth + 1, one interval)",
    )


def _network(
    inputs: Mapping[str, Input],
    cells: Mapping[str, Cells],
    edges: Sequence[Edge],
    arithmetic: Arithmetic,
    anchored: Iterable[str],
    late: int,
) -> Network | IntegerNetwork:
    """The network with the projections of its Inputs delayed by ``late`` steps more, and with anchors."""
    populations = {**inputs, **{name: part.neuron for name, part in cells.items()}}
    kind: Any = Projection if arithmetic == "float" else IntegerProjection
    projections = [
        kind(edge.pre, edge.post, edge.connection, edge.delay + late * (edge.pre in inputs), **edge.form)
        for edge in edges
    ]
    source = next(iter(inputs), "")
    weight = np.zeros(1, np.float64 if arithmetic == "float" else np.int64)
    for name in cells:
        if name in anchored:
            nothing = Sparse((populations[name].n, populations[source].n), np.zeros(1, int), np.zeros(1, int), weight)
            projections.append(kind(source, name, nothing))
    whole: Any = Network if arithmetic == "float" else IntegerNetwork
    return whole(populations, projections)


def _fits(part: Cells, first: int) -> bool:
    """Whether nothing of a population is lost that begins at rest in a step of Lava."""
    if first == 1 or part.resting:
        return True
    return first > 1 and part.wiped(first) and not _alone(part, first)[0].any()


def _alone(part: Cells, first: int) -> tuple[NDArray, NDArray, NDArray]:
    """s, u and v of a population that nothing reaches in Lava's steps before ``first``, (step, neuron)."""
    model = MODELS[type(part.neuron)]
    rest = model.rest(1, part.neuron.n)
    state = rest._replace(u=part.u[None], v=part.v[None])
    rows = []
    for t in range(1, first):
        outcome = model.step(part.neuron, rest if part.wiped(t) else state, np.zeros_like(rest.u))
        state = outcome[0] if isinstance(outcome[0], type(rest)) else outcome
        rows.append((state.s[0], state.u[0], state.v[0]))
    s, u, v = (np.array(column) for column in zip(*rows, strict=True))
    return s, u, v


def _common_phase(cells: Mapping[str, Cells], first: Mapping[str, int]) -> int | None:
    """Steps that a run must have behind it for all resets to fall where Lava's fall; None: no number fits."""
    done, every = 0, 1
    for name, part in cells.items():
        if not _periodic(part, first[name]):
            continue
        interval = part.interval or 1
        wanted, common = (first[name] - part.offset) % interval, gcd(every, interval)
        if (wanted - done) % common:
            return None
        steps = (wanted - done) // common * pow(every // common, -1, interval // common)
        done += every * (steps % (interval // common))
        every *= interval // common
    return done


def _periodic(part: Cells, first: int) -> bool:
    """Whether resets fall into a window, other than the one that opens it."""
    if part.interval is None:
        return False
    # A reset that never comes again is none where it opens the window, or comes before it.
    once = part.interval >= NEVER and part.offset <= first
    return not (once and (part.resting or part.offset in (0, first)))


def _with_periods(network: Any, cells: Mapping[str, Cells], first: Mapping[str, int]) -> Any:
    periodic = {name: part.interval for name, part in cells.items() if _periodic(part, first[name])}
    given = {name: replace(network.populations[name], period=interval) for name, interval in periodic.items()}
    return type(network)({**network.populations, **given}, network.projections)


def _state(network: Any, cells: Mapping[str, Cells], first: Mapping[str, int], done: int) -> RunState | None:
    """u and v at the start, and the phase of the resets."""
    held = [name for name, part in cells.items() if (part.u.any() or part.v.any()) and not part.wiped(first[name])]
    if not done and not held:
        return None
    neurons = {}
    for name, part in cells.items():
        neurons[name] = rest = MODELS[type(part.neuron)].rest(1, part.neuron.n)
        if name in held:
            neurons[name] = rest._replace(u=part.u[None], v=part.v[None])
    kind = kind_of(network)
    flight: dict[str, NDArray] = {
        name: np.zeros((1, network.memory(name), part.n), kind)
        for name, part in network.populations.items()
        if network.memory(name)
    }
    return RunState(done, neurons, flight)


def check_sums(edge: Edge, most: int, limit: int, who: str) -> None:
    """Raise where sums of integers leave the width in which Lava adds them.

    Args:
        edge: the projection.
        most: largest magnitude of what arrives.
        limit: what sums stay below.
        who: the connection, for the message.
    """
    largest = int(edge.connection.absolute_sums().max(initial=0)) * most
    if largest >= limit:
        raise DlmError(f"{who}: sums up to {largest} pass Lava's {limit - 1}; lower the weights or the values")
