"""NIR's neurons that never spike (LI, CubaLI, I) and a last Linear: v as a direct Euler evaluation has it."""

from __future__ import annotations

import warnings
from dataclasses import replace
from itertools import pairwise

import nir
import numpy as np
import pytest

from dlm_snn import LI, DlmError, UnsupportedError, read_nir, read_out, run, write_nir
from dlm_snn.exchange.nir.reader import import_nir
from tests.nets import make

DT, N_STEPS = 1e-3, 40
RNG = np.random.default_rng(3)
WEIGHT, BIAS = RNG.normal(0, 1, (3, 4)), RNG.normal(0, 1, 3)
EVENTS = RNG.integers(0, 2, (2, N_STEPS, 4))


def each(low, high):
    return RNG.uniform(low, high, 3)


NODES = {
    "LI": nir.LI(tau=each(0.002, 0.05), r=each(0.5, 9), v_leak=np.zeros(3)),
    "LI from a v_leak": nir.LI(tau=each(0.002, 0.05), r=each(0.5, 9), v_leak=np.full(3, -65.0)),
    "LI of one value": nir.LI(tau=np.array([0.02]), r=np.array([20.0]), v_leak=np.zeros(1)),
    "CubaLI": nir.CubaLI(
        tau_syn=each(0.002, 0.02), tau_mem=each(0.002, 0.05), r=each(0.5, 9), v_leak=np.zeros(3), w_in=each(0.5, 4)
    ),
    "I": nir.I(r=each(100, 1000)),
}


def ending(node, *more):
    """An Input, an Affine, and what follows, one after another."""
    nodes = {"x": nir.Input({"input": np.array([4])}), "fc": nir.Affine(WEIGHT, BIAS), "read": node}
    nodes |= {f"more{i}": part for i, part in enumerate(more)}
    nodes["out"] = nir.Output({"output": np.array([3])})
    names = list(nodes)
    return nir.NIRGraph(nodes, list(pairwise(names)), type_check=False)


def euler(node):
    """tau_syn dI = -I + w_in S; tau dv = v_leak - v + R I, the current first; v starts at v_leak."""
    leak = getattr(node, "v_leak", 0.0)
    current, v, found = np.zeros((2, 3)), np.zeros((2, 3)) + leak, []
    for t in range(N_STEPS):
        arriving = EVENTS[:, t] @ WEIGHT.T + BIAS
        current = arriving
        if isinstance(node, nir.CubaLI):
            held = arriving if not found else found[-1][1]
            held = np.zeros((2, 3)) if not found else held
            current = held + DT / node.tau_syn * (node.w_in * arriving - held)
        if isinstance(node, nir.I):
            v = v + DT * node.r * current
        else:
            tau = node.tau_mem if isinstance(node, nir.CubaLI) else node.tau
            v = v + DT / tau * (leak - v + node.r * current)
        found.append((v, current))
    return np.stack([v for v, _ in found], axis=1)


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("name", NODES)
def test_v_is_that_of_a_direct_evaluation(name):
    node = NODES[name]
    read = import_nir(ending(node), DT, reset="zero")
    assert type(read.network.populations["read"]) is LI
    leak = np.ravel(getattr(node, "v_leak", np.zeros(1)))[0]
    v = run(read.network, {"x": EVENTS}, N_STEPS, ("v",)).v["read"]
    expected = euler(node)
    np.testing.assert_allclose(v + leak, expected, rtol=1e-11, atol=1e-11 * np.abs(expected).max())
    assert np.ptp(expected) > 1
    assert any(note.startswith("read: never spikes, du = ") for note in read.notes())
    assert ("read: v is counted from its v_leak = -65" in read.notes()) == (leak != 0)


def test_what_linear_nodes_make_of_the_last_spikes_is_read_as_v():
    """A last Linear of snnTorch, norse or sinabs: in each step v is its output, bias and all."""
    lif = nir.LIF(np.full(3, 0.004), np.full(3, 4.0), np.zeros(3), np.ones(3), np.zeros(3))
    second = nir.Affine(RNG.normal(0, 1, (3, 3)), RNG.normal(0, 1, 3))
    read = import_nir(ending(lif, second, nir.Scale(np.array([1.0, 2.0, 3.0]))), DT, reset="zero")
    network = read.network
    assert list(network.neurons) == ["read", "out"]
    assert "out: what reaches it in a step is the v of neurons that never spike (dv = 1)" in read.notes()
    recording = run(network, {"x": EVENTS}, N_STEPS, ("s", "v"))
    spikes = recording.rasters["read"].dense()
    assert 0.05 < spikes.mean() < 0.95
    expected = (spikes @ second.weight.T + second.bias) * [1, 2, 3]
    np.testing.assert_allclose(recording.v["out"], expected, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(read_out(recording, "mean"), expected.sum(axis=1).argmax(axis=1))


@pytest.mark.parametrize("case", ["read_out", "read_out_filtered"])
def test_what_is_written_comes_back_and_tells_the_same_without_our_notes(case, tmp_path):
    network, stimulus, n_steps = make(case)
    first, *_ = network.neurons
    # No sum meets this threshold, of which a rounding would make another spike.
    populations = {**network.populations, first: replace(network.populations[first], v_threshold=1.0037)}
    if case == "read_out_filtered":
        populations["output"] = LI((5,), dv=0.125, du=network.populations["output"].du)
    network = replace(network, populations=populations)
    graph = write_nir(network, tmp_path / "net.nir")
    kinds = {name: type(graph.nodes[name]).__name__ for name in network.neurons}
    assert set(kinds.values()) == {"LIF", "LI", "I"} if case == "read_out" else {"LIF", "CubaLI"}
    assert read_nir(tmp_path / "net.nir").digest() == network.digest()
    graph.metadata.clear()
    again = read_nir(graph, 1e-3, reset="zero")
    expected = run(network, stimulus, n_steps, ("v",)).v
    found = run(again, {name: fed for name, fed in stimulus.items() if name in again.inputs}, n_steps, ("v",)).v
    for name, v in expected.items():
        np.testing.assert_allclose(found[name], v, rtol=1e-9, atol=1e-9)


def test_a_period_of_a_read_out_has_no_place_in_nir():
    with pytest.raises(UnsupportedError, match="NIR cannot do the period of 'output'"):
        write_nir(make("read_out_filtered")[0])


LIF_BEHIND = nir.LIF(np.full(3, 0.01), np.ones(3), np.zeros(3), np.ones(3), np.zeros(3))


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (ending(NODES["LI"], LIF_BEHIND), r"node 'read' \(LI\), whose v reaches node 'more0'; end with it"),
        (ending(NODES["I"], nir.Linear(np.eye(3))), r"node 'read' \(I\), whose v reaches node 'more0'"),
        (
            ending(nir.LI(np.full(3, 0.01), np.ones(3), np.array([0.0, 1.0, 2.0]))),
            r"node 'read' \(LI\) with v_leak = 0..2, from which its v is counted; give all its neurons one v_leak",
        ),
        (ending(nir.CubaLI(np.full(3, 1e-4), np.ones(3), np.ones(3), np.zeros(3))), "tau_syn = 0.0001 s, below dt"),
        (ending(nir.LI(np.ones(3), np.full(3, np.inf), np.zeros(3))), r"node 'read': r\[0\] = inf is not finite"),
    ],
)
def test_what_has_no_equal_is_refused(graph, message):
    with pytest.raises(DlmError, match=message):
        read_nir(graph, DT, reset="zero")
