"""NIR graphs: ours there and back, others' against a direct Euler evaluation, and what has no equal by name."""

from __future__ import annotations

import json
import os
import warnings
from itertools import pairwise
from pathlib import Path

import h5py
import nir
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import dlm_snn as dlm
from dlm_snn.errors import LossWarning
from dlm_snn.exchange.netx.reader import read_net
from dlm_snn.exchange.nir.reader import read_nir
from dlm_snn.exchange.nir.writer import NOTE, graph_of, write_nir
from dlm_snn.tasks.encoding import pixels_to_spikes
from tests.nir_graphs import DT, agrees, cuba, euler, filled, graph, inp, lif, out, weights

pytestmark = pytest.mark.filterwarnings("ignore:.*taken to reset to zero:dlm_snn.errors.LossWarning")
DATA = Path(os.environ.get("DLM_DATA", "nowhere"))
TRAINED = DATA / "netx" / "mnist" / "network.net"


def test_feed_forward_is_balanced():
    g = graph(
        {
            "in": inp(5),
            "w1": nir.Affine(weights(8, 5), weights(8, seed=3)),
            "a": lif(8),
            "w2": nir.Linear(weights(3, 8)),
            "b": cuba(3),
            "o": out(3),
        },
        [("in", "w1"), ("w1", "a"), ("a", "w2"), ("w2", "b"), ("b", "o")],
    )
    network = agrees(g, ["in", "w1", "a", "w2", "b"])
    assert network.unbalanced == []
    assert network.populations["a"].dv == DT / 0.01
    assert network.populations["b"].du == DT / 0.004
    assert np.array_equal(network.populations["a"].bias, weights(8, seed=3) * (DT / 0.01))


def test_a_skip_and_parallel_ways_are_balanced():
    g = graph(
        {
            "in": inp(4),
            "wa": nir.Linear(weights(6, 4)),
            "a": lif(6),
            "wb": nir.Linear(weights(5, 6)),
            "b": lif(5),
            "skip": nir.Linear(weights(5, 4, seed=4)),
            "back": nir.Linear(weights(5, 6, seed=5)),
            "d": nir.Delay(filled(2 * DT, 6)),
            "if": nir.IF(r=filled(600, 5), v_threshold=filled(2, 5)),
        },
        [
            ("in", "wa"),
            ("wa", "a"),
            ("a", "wb"),
            ("wb", "b"),
            ("in", "skip"),
            ("skip", "b"),
            ("a", "d"),
            ("d", "back"),
            ("back", "b"),
            ("b", "if"),
        ],
    )
    network = agrees(g, ["in", "wa", "a", "wb", "skip", "d", "back", "b", "if"])
    assert {p.name: p.delay for p in network.projections if p.name != "a->b"} == {"in->a": 1, "in->b": 2, "b->if": 1}
    assert sorted(p.delay for p in network.projections if p.name == "a->b") == [1, 3]


def test_recurrence_and_loops_within_a_depth_take_a_step():
    g = graph(
        {
            "in": inp(4),
            "wa": nir.Linear(weights(5, 4)),
            "wb": nir.Linear(weights(5, 4, seed=2)),
            "a": lif(5),
            "b": cuba(5),
            "rec": nir.Linear(weights(5, 5, seed=3, scale=1)),
            "ab": nir.Linear(weights(5, 5, seed=4, scale=1)),
            "ba": nir.Linear(-weights(5, 5, seed=5, scale=1)),
        },
        [
            ("in", "wa"),
            ("in", "wb"),
            ("wa", "a"),
            ("wb", "b"),
            ("a", "rec"),
            ("rec", "a"),
            ("a", "ab"),
            ("ab", "b"),
            ("b", "ba"),
            ("ba", "a"),
        ],
    )
    back = {("a", "rec"), ("a", "ab"), ("b", "ba")}
    network = agrees(g, ["in", "wa", "wb", "rec", "ab", "ba", "a", "b"], back)
    assert {p.name: network.lags(p) for p in network.projections if "in" not in p.name} == {
        "a->a": (1,),
        "a->b": (1,),
        "b->a": (1,),
    }


def feedback(delay=None):
    nodes = {
        "in": inp(4),
        "wa": nir.Linear(weights(5, 4)),
        "a": lif(5),
        "wb": nir.Linear(weights(6, 5)),
        "b": lif(6),
        "fb": nir.Linear(-weights(5, 6, seed=3, scale=1)),
    }
    edges = [("in", "wa"), ("wa", "a"), ("a", "wb"), ("wb", "b"), ("b", "fb"), ("fb", "a")]
    if delay is not None:
        nodes["d"] = nir.Delay(filled(delay * DT, 6))
        edges = [*edges[:-2], ("b", "d"), ("d", "fb"), ("fb", "a")]
    return graph(nodes, edges)


def test_feedback_over_layers_is_refused_or_told():
    with pytest.raises(
        dlm.UnsupportedError, match=r"the edge from 'b' back to 'a', 1 layers, in one step; ask for extra_s.* 1 more"
    ):
        read_nir(feedback(), DT)
    with pytest.warns(LossWarning, match="the edge from 'b' back to 'a' takes 1 step more"):
        network = read_nir(feedback(), DT, extra_steps=True)
    assert network.lags(next(p for p in network.projections if p.name == "b->a")) == (2,)
    network = agrees(feedback(1), ["in", "wa", "a", "wb", "b", "d", "fb"], {("fb", "a")})
    assert network.lags(next(p for p in network.projections if p.name == "b->a")) == (2,)


def test_images():
    g = graph(
        {
            "in": inp(2, 7, 6),
            "c": nir.Conv2d(None, weights(4, 1, 3, 2), (2, 1), (1, 0), (1, 1), 2, weights(4, seed=2)),
            "a": lif((4, 4, 5)),
            "p": nir.AvgPool2d(np.array([2, 2]), np.array([2, 1]), np.array([0, 0])),
            "s": nir.Scale(filled(3, (4, 2, 4))),
            "f": nir.Flatten({"input": None}, 0, -1),
            "w": nir.Affine(weights(3, 32, scale=1) - 0.3, weights(3, seed=5)),
            "b": cuba(3),
            "q": nir.SumPool2d(np.array([4, 5]), np.array([4, 5]), np.array([0, 0])),
            "e": lif((4, 1, 1), r=0.3),
        },
        [("in", "c"), ("c", "a"), ("a", "p"), ("p", "s"), ("s", "f"), ("f", "w"), ("w", "b"), ("a", "q"), ("q", "e")],
    )
    network = agrees(g, ["in", "c", "a", "p", "s", "f", "w", "b", "q", "e"])
    assert network.populations["a"].shape == (4, 4, 5)


@pytest.mark.parametrize("padding", ["same", "valid", 2])
def test_a_row_of_places(padding):
    g = graph(
        {
            "in": inp(2, 9),
            "c": nir.Conv1d(9, weights(3, 2, 3), 1, padding, 1, 1, weights(3, seed=1)),
            "a": lif((3, {"same": 9, "valid": 7, 2: 11}[padding])),
        },
        [("in", "c"), ("c", "a")],
    )
    assert agrees(g, ["in", "c", "a"]).populations["a"].shape[1] == 1


def test_delays_of_several_values():
    first, second = np.arange(4.0) * DT, np.array([0, 3, 1, 0, 2.0]) * DT
    g = graph(
        {
            "in": inp(4),
            "d": nir.Delay(first),
            "w": nir.Linear(weights(5, 4)),
            "e": nir.Delay(second),
            "a": lif(5),
            "rec": nir.Linear(weights(5, 5, seed=2, scale=1)),
            "h": nir.Delay(filled(3 * DT, 5)),
        },
        [("in", "d"), ("d", "w"), ("w", "e"), ("e", "a"), ("a", "h"), ("h", "rec"), ("rec", "a")],
    )
    network = agrees(g, ["in", "d", "w", "e", "h", "rec", "a"], {("a", "h")})
    assert np.array_equal(network.projections[0].delay, 1 + np.rint(second / DT)[:, None] + np.rint(first / DT))


def test_delays_one_after_another_add_up():
    g = graph(
        {
            **{"in": inp(4), "w": nir.Linear(weights(5, 4)), "a": lif(5), "x": nir.Linear(weights(3, 5)), "b": cuba(3)},
            **{
                "d": nir.Delay(filled(2 * DT, 5)),
                "e": nir.Delay(filled(3 * DT, 5)),
                "y": nir.Linear(weights(3, 5, seed=2)),
            },
        },
        [("in", "w"), ("w", "a"), ("a", "x"), ("x", "b"), ("a", "d"), ("d", "e"), ("e", "y"), ("y", "b")],
    )
    network = agrees(g, ["in", "w", "a", "x", "d", "e", "y", "b"])
    assert sorted(p.delay for p in network.projections if p.post == "b") == [1, 6]


def test_a_delay_on_all_ways_moves_the_window():
    g = graph(
        {
            "in": inp(4),
            "d": nir.Delay(filled(5 * DT, 4)),
            "w": nir.Linear(weights(5, 4)),
            "a": lif(5),
            "x": nir.Linear(weights(3, 5)),
            "b": cuba(3, r=3.0),
        },
        [("in", "d"), ("d", "w"), ("w", "a"), ("a", "x"), ("x", "b")],
    )
    agrees(g, ["in", "d", "w", "a", "x", "b"], shift={"a": 5, "b": 5})
    g.nodes["w"] = nir.Affine(weights(5, 4), filled(1, 5))
    with pytest.raises(dlm.UnsupportedError, match=r"node 'a' with a bias, 5 steps behind Delays on all its ways"):
        read_nir(g, DT)


def test_a_leak_is_shifted_away():
    g = graph(
        {
            "in": inp(4),
            "w": nir.Linear(weights(5, 4)),
            "a": lif(5, leak=-2.0, threshold=-1.0),
            "x": nir.Linear(weights(3, 5)),
            "b": cuba(3, leak=0.25, r=2.0, w_in=1.5),
        },
        [("in", "w"), ("w", "a"), ("a", "x"), ("x", "b")],
    )
    network = agrees(g, ["in", "w", "a", "x", "b"])
    assert (network.populations["a"].v_threshold, network.populations["b"].v_threshold) == (1.0, 0.75)


def test_a_nested_graph_is_put_in_place():
    inner = graph(
        {"input": inp(5), "rec": nir.Linear(weights(5, 5, scale=1)), "lif": lif(5), "output": out(5)},
        [("input", "lif"), ("lif", "rec"), ("rec", "lif"), ("lif", "output")],
    )
    nested = graph(
        {"in": inp(4), "w": nir.Linear(weights(5, 4)), "0": inner, "o": out(5)}, [("in", "w"), ("w", "0"), ("0", "o")]
    )
    flat = graph(
        {"in": inp(4), "w": nir.Linear(weights(5, 4)), "n0_lif": lif(5), "rec": nir.Linear(weights(5, 5, scale=1))},
        [("in", "w"), ("w", "n0_lif"), ("n0_lif", "rec"), ("rec", "n0_lif")],
    )
    assert read_nir(nested, DT).digest() == read_nir(flat, DT).digest()


def test_a_file_of_others(tmp_path):
    g = graph(
        {"in": inp(4), "0": nir.Affine(weights(5, 4).astype(np.float32), filled(0, 5)), "1": lif(5), "o": out(5)},
        [("in", "0"), ("0", "1"), ("1", "o")],
    )
    nir.write(tmp_path / "a.nir", g)
    assert read_nir(tmp_path / "a.nir", DT).digest() == read_nir(g, DT).digest()
    with pytest.raises(dlm.DlmError, match=r"a.nir: a NIR graph has no steps; give dt"):
        read_nir(tmp_path / "a.nir")


def test_the_neuron_of_the_loihi_trace():
    """Norse's neuron of the NIR paper, in the file that it exported: its published trace has our spikes."""
    folder = Path(os.environ.get("DLM_DATA") or "missing") / "loihi2-trace"
    if not folder.is_dir():
        pytest.skip("needs loihi2-trace/ in the folder that $DLM_DATA names")
    network = read_nir(folder / "lif_norse.nir", 1e-4)
    stimulus, _, spikes = np.loadtxt(folder / "lif_norse.csv", delimiter=",").T
    recording = dlm.run(
        network, {"input": dlm.SpikeRaster.from_dense(stimulus.astype(bool)[None, :, None])}, len(stimulus), ("s", "v")
    )
    (name,) = network.neurons
    assert np.array_equal(recording.rasters[name].dense().ravel(), spikes.astype(bool))


# What a graph does not tell


def plain(node, n_in=4):
    return graph({"in": inp(n_in), "w": nir.Linear(weights(4, n_in)), "a": node}, [("in", "w"), ("w", "a")])


@pytest.mark.filterwarnings("error::dlm_snn.errors.LossWarning")
def test_the_reset_is_told_or_given():
    g = plain(lif(4))
    with pytest.warns(LossWarning, match=r"the graph: its neurons are taken to reset to zero: .*; give reset"):
        assumed = read_nir(g, DT)
    assert assumed.digest() == read_nir(g, DT, reset="zero").digest()
    assert read_nir(g, DT, reset="subtract").populations["a"].reset == "subtract"
    with pytest.raises(dlm.DlmError, match="reset = 'none' is neither 'zero' nor 'subtract'"):
        read_nir(g, DT, reset="none")
    ours = write_nir(small())
    assert read_nir(ours).digest() == read_nir(ours, reset="zero").digest()
    with pytest.raises(dlm.DlmError, match="it was written with reset 'zero', not 'subtract'; leave reset out"):
        read_nir(ours, reset="subtract")


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.sampled_from((0.0, 0.5)), st.sampled_from((np.float64, np.float32)))
def test_a_graph_as_snntorch_writes_it_spikes_as_its_network(seed, alpha, kind):
    """Leaky and Synaptic that subtract, written as snntorch 1.0.0, export_nir.py, does: dt = 1e-4, v_reset 0."""
    torch, snn = pytest.importorskip("torch"), pytest.importorskip("snntorch")
    generator = np.random.default_rng(seed)
    weight = generator.normal(0.2, 0.5, (5, 6))
    linear = torch.nn.Linear(6, 5, bias=False).double()
    linear.weight.data = torch.tensor(weight)
    beta = torch.tensor(generator.integers(4, 8, 5) / 8)
    options = {"beta": beta, "threshold": torch.ones(5).double(), "init_hidden": True}
    layer = snn.Synaptic(alpha=torch.full((5,), alpha).double(), **options) if alpha else snn.Leaky(**options)
    tau, each = (1e-4 / (1 - beta.numpy())).astype(kind), np.ones(5, kind)
    common = {"r": tau / kind(1e-4), "v_leak": 0 * each, "v_threshold": each, "v_reset": 0 * each}
    node = nir.LIF(tau=tau, **common)
    if alpha:
        tau_syn = (1e-4 / (1 - alpha) * each).astype(kind)
        node = nir.CubaLIF(tau_syn=tau_syn, tau_mem=tau, w_in=tau_syn / kind(1e-4), **common)
    g = graph({"in": inp(6), "w": nir.Linear(weight), "a": node}, [("in", "w"), ("w", "a")])
    spikes = dlm.SpikeRaster.from_dense(generator.random((2, 40, 6)) < 0.5)
    ours = dlm.run(read_nir(g, 1e-4, reset="subtract"), {"in": spikes}, 40)
    theirs = dlm.run(dlm.from_snntorch(torch.nn.Sequential(linear, layer)), {"pixels": spikes}, 40)
    snn.SpikingNeuron.instances.remove(layer)
    assert len(ours.rasters["a"]) > 20
    assert ours.rasters["a"] == theirs.rasters["output"]


def test_time_constants_of_float32_are_those_of_float64():
    """float32(1e-4) lies below 1e-4: dt / tau is 1 + 5e-8."""
    for dt in (1e-4, 1e-3, 2.5e-4, 7e-5):
        for node in (lif(4, tau=dt), cuba(4, tau_syn=dt, tau_mem=dt)):
            rough = plain(type(node)(**{key: np.float32(getattr(node, key)) for key in fields_of(node)}))
            found, exact = (read_nir(g, dt).populations["a"] for g in (rough, plain(node)))
            assert (found.du, found.dv) == (exact.du, exact.dv) == (1.0, 1.0)
    with pytest.raises(dlm.UnsupportedError, match="below dt"):
        read_nir(plain(lif(4, tau=DT * (1 - 1e-6))), DT)


def fields_of(node):
    return [
        key
        for key in ("tau", "tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in")
        if hasattr(node, key)
    ]


@pytest.mark.filterwarnings("error::dlm_snn.errors.LossWarning")
def test_a_dt_that_is_hardly_the_writers_is_told():
    """An IF of sinabs (r = 1, dt = 1) in steps of a millisecond; snnTorch's (dt = 1e-4) likewise."""
    sinabs = plain(nir.IF(r=filled(1, 4), v_threshold=filled(1, 4)))
    snntorch = plain(lif(4, tau=2e-3, r=20.0))
    slow = plain(lif(4, tau=20.0))
    for g, dt, message in (
        (
            sinabs,
            1e-3,
            r"node 'a' \(IF\): its input is multiplied by 0.001; is dt = 0.001 s the one that it was written",
        ),
        (snntorch, 1e-3, r"node 'a' \(LIF\): its input is multiplied by 10; is dt"),
        (slow, 1e-3, r"node 'a' \(LIF\): its dv is 5e-05; is dt"),
        (plain(cuba(4, tau_syn=20.0)), 1e-3, r"node 'a' \(CubaLIF\): its du is 5e-05; is dt"),
    ):
        with pytest.warns(LossWarning, match=message):
            read_nir(g, dt, reset="subtract")
    for g, dt in ((sinabs, 1.0), (snntorch, 1e-4), (slow, 1.0), (plain(lif(4)), 1e-3), (plain(cuba(4)), 1e-4)):
        read_nir(g, dt, reset="subtract")


# There and back


@st.composite
def networks(draw):
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def each(n, low, high):
        return float(generator.uniform(low, high)) if draw(st.booleans()) else generator.uniform(low, high, n)

    image = draw(st.booleans())
    shape = (2, 5, 4) if image else (5,)
    graded = draw(st.sampled_from(({}, {"graded_bits": 5, "scale": 16.0})))
    populations = {"x": dlm.Input(shape, **graded)}
    projections = []

    def neuron(shape):
        n = int(np.prod(shape))
        kind = draw(st.sampled_from(("lif", "if", "cuba")))
        bias = {"bias": each(n, -0.1, 0.3)} if kind != "cuba" and draw(st.booleans()) else {}
        du = each(n, 0.1, 0.9) if kind == "cuba" else 1.0
        dv = 0.0 if kind == "if" else each(n, 0.05, 0.6)
        return dlm.LIF(shape, du=du, dv=dv, v_threshold=each(n, 0.5, 1.5), **bias)

    def connect(pre, post, scale=1.0):
        n_pre, n_post = populations[pre].n, populations[post].n
        form = draw(st.sampled_from(("dense", "sparse", "chain")))
        dense = generator.normal(0.2, scale, (n_post, n_pre))
        if form == "dense":
            return dlm.Dense(dense)
        if form == "sparse":
            return dlm.Sparse.from_dense(np.where(generator.random(dense.shape) < 0.6, dense, 0) + 0.0)
        return dlm.Chain(
            (dlm.Dense(generator.normal(0, 1, (3, n_pre))), dlm.Dense(generator.normal(0, scale, (n_post, 3))))
        )

    def late(connection, least):
        if isinstance(connection, (dlm.Dense, dlm.Sparse)) and draw(st.integers(0, 3)) == 0:
            own = least + generator.integers(0, 3, connection.n_post)
            if draw(st.booleans()) or not isinstance(connection, dlm.Dense):
                return own
            return np.broadcast_to(least + generator.integers(0, 3, connection.n_pre), connection.weight.shape)
        return least + draw(st.sampled_from((0, 0, 0, 2)))

    depth = {"x": 0}
    if image:
        maps = draw(
            st.sampled_from(
                (
                    dlm.Conv2d(generator.normal(0.2, 1, (3, 2, 3, 2)), shape, (1, 2), (1, 1)),
                    dlm.Conv2d(generator.normal(0.2, 1, (4, 1, 2, 2)), shape, 1, 0, (2, 1), groups=2),
                    dlm.Pool2d(shape, 2, weight=1.0),
                    dlm.Pool2d(shape, (2, 3), 1),
                    dlm.Chain(
                        (
                            dlm.Conv2d(generator.normal(0.2, 1, (3, 2, 2, 2)), shape),
                            dlm.Pool2d((3, 4, 3), 2, 1, weight=0.7),
                        )
                    ),
                )
            )
        )
        populations["c"] = neuron(maps.post_shape)
        projections.append(dlm.Projection("x", "c", maps))
        depth["c"] = 1
    for name in "abd"[: draw(st.integers(1, 3))]:
        pre = draw(st.sampled_from(list(populations)))
        populations[name] = neuron((draw(st.integers(2, 5)),))
        connection = connect(pre, name)
        projections.append(dlm.Projection(pre, name, connection))
        depth[name] = depth[pre] + 1
    names = [n for n in populations if n != "x"]
    for _ in range(draw(st.integers(0, 3))):
        pre, post = draw(st.sampled_from(names)), draw(st.sampled_from(names))
        if draw(st.booleans()):
            pre = "x"
        connection = connect(pre, post, 0.4)
        projections.append(
            dlm.Projection(
                pre, post, connection, late(connection, max(1, depth[post] - depth[pre] + (depth[pre] >= depth[post])))
            )
        )
    if draw(st.booleans()):
        filtered = [n for n in names if np.all(np.asarray(populations[n].du) < 1)]
        if filtered:
            populations["one"] = dlm.Input((1,), graded_bits=1, aligned=True)
            constants = {post: generator.normal(0.1, 0.1, (populations[post].n, 1)) for post in filtered}
            projections += [dlm.Projection("one", post, dlm.Dense(own)) for post, own in constants.items()]
    return dlm.Network(populations, projections)


def stimuli(network, seed, n_steps=30):
    generator = np.random.default_rng(seed)
    source = network.populations["x"]
    if source.graded_bits:
        given = {"x": generator.integers(0, 17, (2, n_steps, source.n)).astype(np.uint8)}
    else:
        given = {"x": dlm.SpikeRaster.from_dense(generator.random((2, n_steps, source.n)) < 0.4)}
    if "one" in network.populations:
        given["one"] = np.ones((2, n_steps, 1), dtype=np.uint8)
    return given


@pytest.mark.skipif(
    not (DATA / "mnist.npz").is_file() or not TRAINED.is_file(),
    reason="needs netx/ and mnist.npz in the folder that $DLM_DATA names",
)
@pytest.mark.parametrize("noted", [True, False])
def test_a_trained_network_there_and_back(tmp_path, noted):
    """lava-dl's published MNIST network (784-128-64-10), its integers as floats.

    The threshold lies a quarter higher: sums of integers meet a whole one exactly, where a rounding decides.
    """
    integers = read_net(TRAINED)
    populations = {
        name: dlm.LIF(p.shape, du=(p.du + 1) / 4096, dv=p.dv / 4096, v_threshold=p.v_threshold + 0.25)
        for name, p in integers.neurons.items()
    }
    network = dlm.Network(
        {**integers.inputs, **populations},
        [
            dlm.Projection(p.pre, p.post, dlm.Dense(p.connection.weight * 2.0**p.weight_exp))
            for p in integers.projections
        ],
    )
    path = tmp_path / "a.nir"
    written = write_nir(network, path, DT)
    if not noted:
        del written.metadata[NOTE]
    again = read_nir(path) if noted else read_nir(written, DT)
    if noted:
        assert again.digest() == network.digest()
    for name, neuron in network.neurons.items():
        assert again.neurons[name].dv == pytest.approx(neuron.dv, rel=2**-52, abs=0)
    with np.load(DATA / "mnist.npz") as stored:
        spikes = pixels_to_spikes(stored["x_test"][:20], 32)
    runs = [dlm.run(net, {"input": spikes}, 32, record=("s", "u", "v"), backend="fast") for net in (network, again)]
    assert len(runs[0].rasters["layer2"]) > 500
    assert all(raster == runs[1].rasters[name] for name, raster in runs[0].rasters.items())


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(networks(), st.integers(0, 2**32 - 1))
def test_there_and_back_is_the_same_network(tmp_path_factory, network, seed):
    """Digest and raster of our own files; without the notes the same rasters from the standard nodes."""
    try:
        written = write_nir(network, dt=2e-3)
    except dlm.UnsupportedError as error:
        assume("a loop without a step" not in str(error))
        raise
    assert read_nir(written).digest() == network.digest()
    path = tmp_path_factory.mktemp("nir") / "a.nir"
    write_nir(network, path, dt=2e-3)
    again = read_nir(path)
    assert again.digest() == network.digest()
    del written.metadata[NOTE]
    with warnings.catch_warnings():
        warnings.simplefilter("error", LossWarning)
        plain = read_nir(written, 2e-3, reset="zero")
    given = stimuli(network, seed)
    ours = dlm.run(network, given, 30)
    assert dlm.compare(ours, dlm.run(again, given, 30)).equal
    source = network.populations["x"]
    real = {"x": given["x"] / source.scale if source.graded_bits else given["x"]}
    if source.graded_bits:
        plain = dlm.Network(
            {**plain.populations, "x": dlm.Input(source.shape, graded_bits=5, scale=16.0)}, plain.projections
        )
        real = {"x": given["x"]}
    if "one" in plain.populations:
        real["one"] = np.ones((2, 30, 1), dtype=np.uint8)
    theirs = dlm.run(plain, real, 30)
    for name in network.neurons:
        a, b = ours.rasters[name].dense(), theirs.rasters[name].dense()
        for mine, other in zip(a, b, strict=True):
            # One rounding in the decays or weights may decide a spike that lies on the threshold.
            assert np.mean(mine != other) < 0.02
        old, new = network.neurons[name], plain.neurons[name]
        for decay in ("du", "dv"):
            pair = np.broadcast_to(getattr(old, decay), (old.n,)), np.broadcast_to(getattr(new, decay), (old.n,))
            assert np.all(np.abs(pair[0] - pair[1]) <= np.spacing(pair[0]))


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(networks())
def test_files_of_the_first_form_come_back(network):
    """Their LIF had r = 1/dv."""
    try:
        first, second = (graph_of(network, 2e-3, form) for form in (1, 2))
    except dlm.UnsupportedError as error:
        assume("a loop without a step" not in str(error))
        raise
    assert read_nir(first).digest() == read_nir(second).digest() == network.digest()
    for name, node in second.nodes.items():
        if isinstance(node, nir.LIF):
            pooled = any(isinstance(p.connection, (dlm.Pool2d, dlm.Chain)) for p in network.into(name))
            assert pooled or network.populations[name].shape != (network.populations[name].n,) or np.all(node.r == 1)


def test_a_reader_that_takes_r_for_one_gets_the_same_spikes():
    """norse's from_nir leaves r out, whatever the file says."""
    generator = np.random.default_rng(4)
    dv = generator.uniform(0.1, 0.5, 8)
    kernel, dense = weights(3, 2, 2, 2), weights(8, 60, scale=0.4) - 0.1
    network = dlm.Network(
        {"x": dlm.Input((2, 6, 5)), "a": dlm.LIF((3, 5, 4), dv=0.3), "b": dlm.LIF((8,), dv=dv, bias=0.05)},
        [
            dlm.Projection("x", "a", dlm.Conv2d(kernel, (2, 6, 5))),
            dlm.Projection("a", "b", dlm.Dense(dense)),
            dlm.Projection("b", "b", dlm.Sparse.from_dense(-0.3 * np.eye(8))),
        ],
    )
    written = write_nir(network)
    assert all(np.all(written.nodes[name].r == 1) for name in "ab")
    assert np.array_equal(written.nodes["x_to_a"].weight, kernel / 0.3)
    assert np.array_equal(written.nodes["a_to_b"].weight, dense / dv[:, None])
    assert read_nir(written).digest() == network.digest()
    order = ["x", "x_to_a", "a", "a_to_b_flat", "a_to_b", "b_to_b", "b"]
    x = generator.random((60, 2, 6, 5)) < 0.4
    direct = euler(written, {"x": x}, 60, order, {("b", "b_to_b")})
    ours = dlm.run(network, {"x": dlm.SpikeRaster.from_dense(x.reshape(1, 60, -1))}, 60)
    for name in "ab":
        assert 0.05 < direct[name].mean() < 0.9
        assert np.array_equal(ours.rasters[name].dense()[0], direct[name])


@pytest.mark.parametrize(
    ("connection", "dv", "folded"),
    [
        (dlm.Dense(np.array([[1e300, -0.0], [5e-324, 1.0]])), 0.1, False),
        (dlm.Dense(np.array([[1e200, -0.0], [1e-200, 1 / 3]])), 1e-30, True),
        (dlm.Pool2d((2, 2, 2), 2), 0.1, False),
        (dlm.Conv2d(np.ones((2, 2, 1, 1)) / 3, (2, 1, 1)), np.array([0.1, 0.3]), True),
        (dlm.Conv2d(np.ones((1, 2, 1, 1)) / 3, (2, 1, 2)), np.array([0.1, 0.3]), False),
    ],
)
def test_weights_that_cannot_hold_a_factor_are_left_alone(connection, dv, folded):
    shapes = [s if len(s) == 3 else (int(np.prod(s)),) for s in (connection.pre_shape, connection.post_shape)]
    populations = {"x": dlm.Input(shapes[0]), "a": dlm.LIF(shapes[1], dv=dv)}
    network = dlm.Network(populations, [dlm.Projection("x", "a", connection)])
    written = write_nir(network)
    assert np.all(written.nodes["a"].r == 1) == folded
    assert read_nir(written).digest() == network.digest()


def test_digits_that_do_not_fit_are_refused():
    written = write_nir(small(dv=0.3))
    note = json.loads(written.metadata[NOTE])
    for digits in ("44", "4444 ", "44449", "444é", "\x00444"):
        note["folded"]["0"] = digits
        written.metadata[NOTE] = json.dumps(note)
        with pytest.raises(dlm.DlmError, match=r"do not fit|altered since it was written"):
            read_nir(written)


def small(**options):
    weight = dlm.Dense(np.ones((2, 2)))
    return dlm.Network(
        {"x": dlm.Input((2,)), "a": dlm.LIF((2,), **{"dv": 0.2, **options})}, [dlm.Projection("x", "a", weight)]
    )


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (small(reset="subtract"), "NIR cannot do reset by subtraction of 'a'"),
        (small(winners=1), "NIR cannot do the competition of 'a'"),
        (small(refractory=2), "NIR cannot do the refractory time of 'a'"),
        (small(period=8), "NIR cannot do the period of 'a'"),
        (small(du=0.5, bias=0.1), "NIR cannot do LIF.bias of 'a' beside a filtered current"),
        (small(du=0.0), "NIR cannot do 'a' with du = 0"),
        (small(du=0.5, dv=0.0), "NIR cannot do 'a' with dv = 0 beside"),
        (small(dv=np.array([0.0, 0.1])), "NIR cannot do 'a' with dv = 0 beside"),
    ],
)
def test_what_nir_cannot_say_is_refused_and_nothing_written(tmp_path, network, message):
    with pytest.raises(dlm.UnsupportedError, match=message):
        write_nir(network, tmp_path / "a.nir")
    assert list(tmp_path.iterdir()) == []


def test_delays_of_single_synapses_and_integers_are_refused():
    network = small()
    late = dlm.Projection("a", "a", dlm.Dense(np.ones((2, 2))), np.array([[1, 2], [3, 1]]))
    with pytest.raises(dlm.UnsupportedError, match="a delay for each synapse of a->a"):
        write_nir(dlm.Network(network.populations, [*network.projections, late]))
    integer, _ = dlm.quantize(network)
    with pytest.raises(dlm.UnsupportedError, match="integer networks"):
        write_nir(integer)


def test_notes_do_not_win_over_what_somebody_changed(tmp_path):
    network = small(v_threshold=1.5)
    written = write_nir(network)
    written.nodes["a"].v_threshold[1] = 2.0
    with pytest.raises(
        dlm.DlmError,
        match=r"v_threshold of node 'a' was altered since it was written; delete the graph's metadata 'dlm_snn'",
    ):
        read_nir(written)
    del written.metadata[NOTE]
    assert np.array_equal(read_nir(written, DT).populations["a"].v_threshold, [1.5, 2.0])
    written = write_nir(network)
    written.edges.append(("a", "x_to_a"))
    with pytest.raises(dlm.DlmError, match="was altered"):
        read_nir(written)
    written = write_nir(network)
    with pytest.raises(dlm.DlmError, match=r"it was written for dt = 0.001 s, not 0.002 s; leave dt out"):
        read_nir(written, 0.002)
    for note, message in (
        ("{", "are damaged"),
        ('{"format": 3}', "have the format 3"),
        ('{"format": true}', "have the format True"),
        ('{"format": 1, "dt": 0.001, "tree": {}}', "do not fit"),
    ):
        with pytest.raises(dlm.DlmError, match=message):
            read_nir(
                graph(written.nodes, written.edges)
                if note is None
                else nir.NIRGraph(written.nodes, written.edges, {NOTE: note}, False)
            )


def one(node, *more, shape=(4,)):
    names = [f"n{i}" for i in range(len(more))]
    chain = ["in", "bad", *names]
    return graph(
        {"in": inp(*shape), "bad": node, **dict(zip(names, more, strict=True))},
        list(pairwise(chain)),
    )


BAD = {
    "threshold node": (one(nir.Threshold(filled(1, 4)), lif(4)), "node 'bad' of type Threshold"),
    "behind the last": (
        graph(
            {"in": inp(4), "a": lif(4), "bad": nir.Linear(np.ones((2, 4))), "o": out(4)},
            [("in", "a"), ("a", "bad"), ("a", "o")],
        ),
        r"node 'bad' \(Linear\) behind the last neurons",
    ),
    "no neuron": (one(nir.Linear(np.ones((2, 4)))), "it has no neurons"),
    "missing node": (graph({"in": inp(4), "a": lif(4)}, [("in", "b")]), r"edge \(in, b\): no node 'b'"),
    "chain": (one(nir.Linear(np.ones((3, 5))), lif(3)), r"node 'bad' \(Linear\) takes 5 values, gets the shape \(4,\)"),
    "size": (one(nir.Linear(np.ones((3, 4))), lif(2)), "gives 3 values, node 'n0' has 2 neurons"),
    "no image": (
        one(nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])), lif(4)),
        r"node 'bad' \(SumPool2d\): needs an image",
    ),
    "no flatten": (
        one(nir.Linear(np.ones((2, 8))), lif(2), shape=(2, 2, 2)),
        r"node 'bad' \(Linear\) behind the shape \(2, 2, 2\); put a Flatten",
    ),
    "NaN": (one(nir.Linear(np.full((3, 4), np.nan)), lif(3)), r"node 'bad' \(Linear\): weight holds 12 NaN"),
    "NaN threshold": (one(lif(4, threshold=np.nan)), r"node 'bad': v_threshold\[0\] = nan is not finite"),
    "short tau": (one(lif(4, tau=1e-4)), "node 'bad' with tau = 0.0001 s, below dt = 0.001 s"),
    "no tau": (one(lif(4, tau=0.0)), "node 'bad': tau = 0 is no time"),
    "below rest": (one(lif(4, leak=2.0)), "node 'bad': v_threshold lies 1 below its rest"),
    "delay": (one(nir.Delay(filled(1.5e-3, 4)), lif(4)), "node 'bad', a delay of 1.5 steps of 0.001 s"),
    "negative delay": (one(nir.Delay(filled(-1e-3, 4)), lif(4)), "node 'bad', a delay of -1 steps"),
    "bias delayed": (
        one(nir.Affine(np.eye(4), filled(1, 4)), nir.Delay(filled(DT, 4)), lif(4)),
        "node 'n0', a Delay behind a bias",
    ),
    "loop of nothing": (
        graph(
            {"in": inp(4), "a": nir.Linear(np.eye(4)), "b": nir.Linear(np.eye(4)), "l": lif(4)},
            [("in", "a"), ("a", "b"), ("b", "a"), ("b", "l")],
        ),
        "the loop .* without a neuron",
    ),
    "uneven padding": (
        one(nir.Conv2d((4, 4), np.ones((1, 1, 2, 2)), 1, "same", 1, 1, filled(0, 1)), lif((1, 4, 4)), shape=(1, 4, 4)),
        "node 'bad' with padding 'same' that is not equal on both sides",
    ),
    "channels": (
        one(nir.Conv2d((4, 4), np.ones((1, 3, 2, 2)), 1, 0, 1, 1, filled(0, 1)), lif((1, 3, 3)), shape=(1, 4, 4)),
        r"node 'bad' \(Conv2d\): weight of shape .* takes 3 input",
    ),
}


def ladder(n: int, rungs: str = "ab"):
    """An Input, n times parallel nodes one after another, a neuron: ways multiply."""
    nodes, edges, last = {"in": inp(4)}, [], ["in"]
    for i in range(n):
        now = [f"{rung}{i}" for rung in rungs]
        nodes |= {name: nir.Scale(np.full(4, 0.5)) for name in now}
        edges += [(pre, post) for pre in last for post in now]
        last = now
    return graph({**nodes, "l": lif(4)}, [*edges, *((pre, "l") for pre in last)])


BAD |= {
    "ways without end": (ladder(40), "its ways between neurons pass more than 20000 nodes; join parallel ones"),
    "a long row": (ladder(1500, "a"), "node 'a1299' lies more than 200 nodes before a neuron; join some"),
    "a huge Input": (graph({"in": inp(10**13), "l": lif(4)}, [("in", "l")]), r"node 'in' \(Input\) has the shape \(10"),
    "huge padding": (
        one(nir.Conv2d((4, 4), np.ones((1, 1, 2, 2)), 1, 10**6, 1, 1, filled(1, 1)), lif(4), shape=(1, 4, 4)),
        r"node 'bad' \(Conv2d\) has the shape \(1, 2000003, 2000003\), more than 67108864 values",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_has_no_equal_is_named(tmp_path, name):
    g, message = BAD[name]
    with pytest.raises(dlm.DlmError, match=message) as caught:
        read_nir(g, DT)
    assert "\n" not in str(caught.value)
    nir.write(tmp_path / "bad.nir", g)
    with pytest.raises(dlm.DlmError, match=message) as caught:
        read_nir(tmp_path / "bad.nir", DT)
    assert str(tmp_path / "bad.nir") in str(caught.value)


def test_damage_anywhere_is_refused_or_harmless(tmp_path):
    path = tmp_path / "bad.nir"
    write_nir(small(), path)
    whole = path.read_bytes()
    generator = np.random.default_rng(1)
    refused = []
    for place in generator.integers(0, len(whole), 250):
        damaged = bytearray(whole)
        damaged[place : place + 4] = generator.bytes(4)
        path.write_bytes(damaged)
        try:
            read_nir(path)
        except dlm.DlmError as error:
            refused.append(str(error))
    assert len(refused) > 25
    assert all(str(path) in message and "\n" not in message for message in refused)


def test_huge_metadata_take_no_memory(tmp_path):
    path = tmp_path / "bad.nir"
    nir.write(path, graph({"in": inp(4), "a": lif(4)}, [("in", "a")]))
    with h5py.File(path, "a") as file:
        file.create_dataset("node/metadata/by/x", shape=(10**7, 10**7), dtype="f8", chunks=(10, 10))
    with pytest.raises(dlm.DlmError, match=r"/node/metadata/by/x declares the shape \(10000000, 10000000\)"):
        read_nir(path, DT)


def test_damaged_files_are_named(tmp_path):
    path = tmp_path / "bad.nir"
    for content in (b"", b"text", None):
        if content is None:
            path.unlink()
            write_nir(small(), path)
            content = path.read_bytes()[:3000]
        path.write_bytes(content)
        with pytest.raises(dlm.DlmError, match=r"bad.nir is not a readable HDF5 file"):
            read_nir(path, DT)
    with h5py.File(path, "w") as file:
        file["version"] = "1"
    with pytest.raises(dlm.DlmError, match=r"bad.nir has no group 'node'"):
        read_nir(path, DT)

    def altered(change):
        path.unlink()
        write_nir(small(), path)
        with h5py.File(path, "a") as file:
            change(file["node/nodes"])

    altered(lambda nodes: nodes["a"].__delitem__("tau"))
    with pytest.raises(dlm.DlmError, match=r"bad.nir is not a complete NIR graph"):
        read_nir(path, DT)

    def rename(nodes):
        del nodes["a/type"]
        nodes["a/type"] = "Neuron"

    altered(rename)
    with pytest.raises(
        dlm.DlmError, match=r"node '/node/nodes/a' has the type 'Neuron', which this nir .* does not know"
    ):
        read_nir(path, DT)

    def grow(nodes):
        del nodes["x_to_a/weight"]
        nodes.create_dataset("x_to_a/weight", shape=(10**6, 10**6), dtype="f8", chunks=(10, 10))

    altered(grow)
    with pytest.raises(dlm.DlmError, match=r"x_to_a/weight declares the shape \(1000000, 1000000\), .* holds 0 bytes"):
        read_nir(path, DT)
    with pytest.raises(dlm.DlmError, match=r"no file .*nothing.nir"):
        read_nir(tmp_path / "nothing.nir", DT)
    for dt in (0, -1e-3, np.nan):
        with pytest.raises(dlm.DlmError, match="dt = "):
            read_nir(graph({"in": inp(4), "a": lif(4)}, [("in", "a")]), dt)
