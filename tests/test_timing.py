"""Depths by hand, lags by law, and window time against a simulator of the machine's clock."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlm_snn import LIF, Dense, Input, Network, Projection, run
from dlm_snn.networks.timing import depths
from dlm_snn.neurons import integer_lif, lif
from dlm_snn.neurons.integer_lif import IntegerLIF
from dlm_snn.runs.stimulus import prepare
from tests.nets import FLOAT, INTEGER, make


def net(edges, inputs=("in",), aligned=()):
    """A network of single neurons from (pre, post, delay)."""
    names = dict.fromkeys([*inputs, *aligned, *(end for pre, post, _ in edges for end in (pre, post))])
    populations = {
        name: Input((1,), aligned=name in aligned) if name in (*inputs, *aligned) else LIF((1,), dv=0.1)
        for name in names
    }
    return Network(populations, [Projection(pre, post, Dense(np.ones((1, 1))), d) for pre, post, d in edges])


def depth_of(edges, **kwargs):
    network = net(edges, **kwargs)
    return {name: network.depth[name] for name in network.neurons}


def lags_of(edges, **kwargs):
    network = net(edges, **kwargs)
    return [network.lags(p)[0] for p in network.projections]


@pytest.mark.parametrize(
    ("edges", "depth", "lags"),
    [
        pytest.param([("in", "a", 1), ("a", "b", 1), ("b", "c", 1)], {"a": 1, "b": 2, "c": 3}, [0, 0, 0], id="chain"),
        pytest.param([("in", "a", 3), ("a", "b", 2)], {"a": 3, "b": 5}, [0, 0], id="slow chain"),
        pytest.param(
            [("in", "a", 1), ("a", "b", 1), ("in", "b", 1)], {"a": 1, "b": 1}, [0, 1, 0], id="skip is the shorter path"
        ),
        pytest.param(
            [("in", "a", 1), ("a", "b", 1), ("in", "b", 5)], {"a": 1, "b": 2}, [0, 0, 3], id="skip is the longer path"
        ),
        pytest.param([("in", "a", 1), ("a", "a", 1), ("a", "a", 4)], {"a": 1}, [0, 1, 4], id="recurrence"),
        pytest.param(
            [("in", "a", 2), ("a", "b", 1), ("b", "a", 3)], {"a": 2, "b": 3}, [0, 0, 4], id="feedback over two"
        ),
        pytest.param(
            [("in", "a", 9), ("in", "b", 1), ("b", "a", 2)], {"a": 3, "b": 1}, [6, 0, 0], id="detour is faster"
        ),
        pytest.param([("in", "a", 1), ("pace", "a", 1)], {"a": 1, "pace": 0}, [0, 0], id="not reached"),
        pytest.param([("in", "a", 1), ("pace", "a", 3)], {"a": 1, "pace": 0}, [0, 2], id="not reached, slow"),
        pytest.param(
            [("in", "a", 4), ("far", "near", 1), ("near", "a", 1)],
            {"a": 4, "near": 3, "far": 2},
            [0, 0, 0],
            id="chain that is not reached",
        ),
        pytest.param(
            [("in", "a", 4), ("x", "y", 1), ("y", "x", 1), ("y", "a", 1)],
            {"a": 4, "x": 2, "y": 3},
            [0, 0, 2, 0],
            id="loop that is not reached",
        ),
        pytest.param(
            [("in", "a", 6), ("in", "b", 2), ("pace", "a", 1), ("pace", "b", 1)],
            {"a": 6, "b": 2, "pace": 5},
            [0, 0, 0, 4],
            id="latest target decides",
        ),
        pytest.param([("x", "y", 2), ("y", "x", 1)], {"x": 0, "y": 0}, [2, 1], id="loop by itself"),
        pytest.param(
            [("in", "a", 1), ("a", "sink", 1), ("idle", "idle", 2)], {"a": 1, "sink": 2, "idle": 0}, [0, 0, 2]
        ),
    ],
)
def test_depths_by_hand(edges, depth, lags):
    assert depth_of(edges) == depth
    assert lags_of(edges) == lags


def test_nearest_of_two_inputs_decides():
    edges = [("left", "a", 5), ("right", "a", 2)]
    assert depth_of(edges, inputs=("left", "right")) == {"a": 2}
    assert lags_of(edges, inputs=("left", "right")) == [3, 0]


def test_aligned_inputs_give_no_depth_and_lag_nothing():
    edges = [("in", "a", 1), ("a", "b", 3), ("one", "a", 1), ("one", "b", 1), ("one", "free", 7), ("free", "b", 1)]
    assert depth_of(edges, aligned=("one",)) == {"a": 1, "b": 4, "free": 3}
    assert lags_of(edges, aligned=("one",)) == [0, 0, 0, 0, 0, 0]
    # Behind an aligned Input alone: its connection takes a step on a machine too.
    assert depth_of([("one", "free", 1)], aligned=("one",)) == {"free": 1}


def test_fastest_synapse_gives_the_depth():
    delay = np.array([[3, 2], [5, 4]])
    network = Network(
        {"in": Input((2,)), "a": LIF((2,), dv=0.1)}, [Projection("in", "a", Dense(np.ones((2, 2))), delay=delay)]
    )
    assert network.depth["a"] == 2
    assert [d for d, _ in network.projections[0].parts] == [2, 3, 4, 5]
    assert network.lags(network.projections[0]) == (0, 1, 2, 3)
    assert network.memory("in") == 3
    assert network.unbalanced == ["in->a"]


def test_parts_of_a_projection_add_up_to_it():
    rng = np.random.default_rng(3)
    projection = Projection("a", "b", Dense(rng.random((4, 5))), delay=rng.integers(1, 4, (4, 5)))
    np.testing.assert_array_equal(sum(c.weight for _, c in projection.parts), projection.connection.weight)
    for delay, part in projection.parts:
        np.testing.assert_array_equal(part.weight != 0, projection.delay == delay)


NAMES = ("in", "one", "a", "b", "c", "d", "e")


@st.composite
def graphs(draw):
    pre, post = st.sampled_from(NAMES), st.sampled_from(NAMES[2:])
    edges = draw(st.lists(st.tuples(pre, post, st.integers(1, 6)), min_size=1, max_size=14))
    return [("in", "a", draw(st.integers(1, 3))), *edges]


@given(graphs())
def test_depths_obey_their_definition(edges):
    """Reached: the least depth(pre) + delay. Not reached: the least that makes no lag of its own negative."""
    depth = depths(NAMES, ["in"], ["one"], edges)
    reached = {"in"}
    while more := {post for pre, post, _ in edges if pre in reached} - reached:
        reached |= more
    for name in NAMES[2:]:
        if name in reached:
            expected = min(depth[pre] + d for pre, post, d in edges if post == name and pre in reached)
        else:
            least = int(any(pre == "one" and post == name for pre, post, _ in edges))
            expected = max([least, *(depth[post] - d for pre, post, d in edges if pre == name)])
        assert depth[name] == expected


@given(graphs())
def test_no_lag_is_negative_and_loops_add_up_to_their_delays(edges):
    network = net(edges, aligned=("one",))
    lag = {(p.pre, p.post, p.delay): network.lags(p)[0] for p in network.projections}
    assert min(lag.values()) >= 0
    for loop in loops(edges):
        assert sum(lag[edge] for edge in loop) == sum(delay for _, _, delay in loop)


@given(graphs())
def test_what_arrives_in_the_same_step_was_computed_before(edges):
    network = net(edges, aligned=("one",))
    place = {name: i for i, name in enumerate(network.order)}
    assert all(place[p.pre] < place[p.post] for p in network.projections if network.lags(p)[0] == 0)


def loops(edges):
    """Every way round without passing a population twice."""
    after = defaultdict(list)
    for edge in set(edges):
        if edge[0] != edge[1]:
            after[edge[0]].append(edge)

    def walk(path):
        for edge in after[path[-1][1]]:
            if edge[1] == path[0][0]:
                yield [*path, edge]
            elif edge[1] not in {pre for pre, _, _ in path} and edge[1] > path[0][0]:
                yield from walk([*path, edge])

    for edge in set(edges):
        if edge[0] == edge[1]:
            yield [edge]
        elif edge[1] > edge[0]:
            yield from walk([edge])


def test_the_loops_of_a_small_graph_are_found():
    edges = [("a", "b", 1), ("b", "a", 2), ("b", "c", 1), ("c", "a", 1), ("c", "c", 3), ("in", "a", 1)]
    found = {frozenset(loop) for loop in loops(edges)}
    assert found == {frozenset(edges[:2]), frozenset([edges[0], *edges[2:4]]), frozenset([edges[4]])}


def machine_clock(network, stimulus, n_steps):
    """Rasters, step by step of one global clock: an event sent at T arrives at T + delay, and nothing else is known.

    A population is at rest until its window opens and its events are noted until it closes.
    """
    stimuli, n_samples = prepare(network, stimulus, n_steps)
    integer = any(isinstance(neuron, IntegerLIF) for neuron in network.neurons.values())
    model = integer_lif if integer else lif
    arriving = defaultdict(lambda: 0)  # (step of the clock, population) -> drive
    states = {name: model.rest(n_samples, neuron.n) for name, neuron in network.neurons.items()}
    spikes = {name: np.zeros((n_samples, n_steps, neuron.n), bool) for name, neuron in network.neurons.items()}
    for clock in range(n_steps + max(network.depth.values())):
        sent = {}
        for name, population in network.populations.items():
            step = clock - network.depth[name]
            if not 0 <= step < n_steps:
                continue
            if name in stimuli:
                sent[name] = stimuli[name].at(step)
                continue
            drive = np.zeros((n_samples, population.n), int if integer else float) + arriving[clock, name]
            for p in network.into(name):
                if p.pre in stimuli and network.populations[p.pre].aligned:
                    drive = drive + p.sums(p.connection, stimuli[p.pre].at(step))
            if population.period and step % population.period == 0:
                states[name] = model.rest(n_samples, population.n)
            stepped = model.step(population, states[name], drive)
            states[name] = stepped[0] if integer else stepped
            spikes[name][:, step] = states[name].s
            sent[name] = states[name].s.astype(drive.dtype)
        for p in network.projections:
            if p.pre in sent and not getattr(network.populations[p.pre], "aligned", False):
                for delay, part in p.parts:
                    arriving[clock + delay, p.post] = arriving[clock + delay, p.post] + p.sums(part, sent[p.pre])
    return spikes


@pytest.mark.parametrize("case", [*FLOAT, *INTEGER])
def test_window_time_is_the_machine_clock(case):
    network, stimulus, n_steps = make(case)
    expected = machine_clock(network, stimulus, n_steps)
    rasters = run(network, stimulus, n_steps).rasters
    for name in network.neurons:
        np.testing.assert_array_equal(rasters[name].dense(), expected[name])
