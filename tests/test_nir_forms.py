"""Graphs of the form that other frameworks' exporters write: each comes in, says what was assumed, and spikes as a
direct Euler evaluation of its nodes does.

What each writes: norse 1.1.0, norse/torch/utils/export_nir.py; sinabs 3.1.3, sinabs/nir.py; rockpool 3.1.0,
rockpool/nn/modules/torch/nir.py; snntorch 1.0.0, snntorch/export_nir.py; spikingjelly 2.0.0,
activation_based/nir_exchange/to_nir.py; all by nirtorch, float32.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import h5py
import nir
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dlm_snn as dlm
from dlm_snn.errors import LossWarning
from dlm_snn.exchange.nir.parts import Source
from dlm_snn.exchange.nir.reader import import_nir, read_nir
from tests.nir_graphs import DT, agrees, cuba, euler, filled, graph, inp, lif, out, weights

pytestmark = pytest.mark.filterwarnings("ignore:.*taken to reset to zero:dlm_snn.errors.LossWarning")


def narrow(*shape, value=None, seed=0, scale=3.0):
    """Numbers of float32: drawn, or one value."""
    if value is not None:
        return np.full(shape, value, np.float32)
    return (np.random.default_rng(seed).normal(0.1, 1, shape) * scale).astype(np.float32)


def affine(n, n_in, seed=0, scale=3.0):
    return nir.Affine(narrow(n, n_in, seed=seed, scale=scale), narrow(n, seed=seed + 9, scale=0.1))


class Form(NamedTuple):
    """A graph as somebody writes it: its nodes in their order, one after another; and how it is read."""

    nodes: dict
    dt: float
    reset: str = "zero"
    shape: tuple = ()
    given: tuple | None = None
    told: tuple = ()
    edges: tuple = ()
    back: tuple = ()

    def graph(self):
        names = list(self.nodes)
        edges = list(self.edges) or list(pairwise(names))
        return graph(self.nodes, edges)


def norse_lif(scale):
    """LIFBoxCell(): tau = dt / tau_mem_inv with dt = 1e-3, which is dt tau; parameters without an axis."""
    one = narrow(value=1.0)
    return nir.LIF(tau=narrow(value=1e-3 / 100), r=one, v_leak=0 * one, v_threshold=one * scale)


def norse_cuba():
    """LIFCell()."""
    one = narrow(value=1.0)
    tau_syn, tau_mem = narrow(value=1e-3 / 200), narrow(value=1e-3 / 100)
    return nir.CubaLIF(tau_syn=tau_syn, tau_mem=tau_mem, r=one, v_leak=0 * one, v_threshold=one)


def rockpool_lif(n):
    """LIFTorch: tau 20 ms, and r = tau exp(-dt / tau) / dt; w_in is left at 1."""
    tau = narrow(n, value=0.02)
    each = {"v_leak": narrow(n, value=0), "v_threshold": narrow(n, value=1)}
    return nir.CubaLIF(tau_syn=tau, tau_mem=tau, r=tau * np.exp(-DT / tau) / np.float32(DT), **each)


def snntorch_lif(n, beta, alpha=None):
    """Leaky and Synaptic: time constants of dt = 1e-4, so that every factor is 1."""
    beta, threshold = narrow(*n, value=beta), narrow(*n, value=1)
    tau = np.float32(1e-4) / (1 - beta)
    common = {"r": tau / np.float32(1e-4), "v_leak": 0 * beta, "v_threshold": threshold, "v_reset": 0 * threshold}
    if alpha is None:
        return nir.LIF(tau=tau, **common)
    tau_syn = np.float32(1e-4) / (1 - narrow(*n, value=alpha))
    return nir.CubaLIF(tau_syn=tau_syn, tau_mem=tau, w_in=tau_syn / np.float32(1e-4), **common)


def spikingjelly_lif(n, tau, decay_input=True, v_reset=0.0):
    """LIFNode: v_leak is its v_reset; numbers of float64."""
    leak = filled(v_reset, n)
    return nir.LIF(
        tau=filled(tau * 1e-4, n),
        r=filled(1 if decay_input else tau, n),
        v_leak=leak,
        v_threshold=filled(1, n),
        v_reset=leak,
    )


FORMS = {
    "norse LIFBoxCell": Form(
        {
            "input": inp(1, 20),
            "0": affine(30, 20),
            "1": norse_lif(1),
            "2": affine(10, 30, 1),
            "3": norse_lif(1),
            "output": out(1, 10),
        },
        dt=1e-6,
        shape=(20,),
        told=(
            "input: shape (20,), without its leading axes of 1; the file says (1, 20)",
            "1: one value of each parameter, for all 30 neurons",
            "3: one value of each parameter, for all 10 neurons",
        ),
    ),
    "norse LIFCell": Form(
        {"input": inp(1, 20), "0": affine(30, 20, scale=9.0), "1": norse_cuba(), "output": out(1, 30)},
        dt=1e-6,
        shape=(20,),
        told=("input: shape (20,)", "1: one value"),
    ),
    "norse IAFCell": Form(
        {
            "input": inp(1, 20),
            "0": affine(30, 20, scale=1.0),
            "1": nir.IF(narrow(value=1), narrow(value=1)),
            "output": out(1, 30),
        },
        dt=1.0,
        shape=(20,),
        told=("input: shape (20,)", "1: one value"),
    ),
    "sinabs LIF and IAF": Form(
        {
            **{"input": inp(50, 20), "0": affine(30, 20)},
            "1": nir.LIF(
                tau=narrow(value=20.0), r=narrow(value=1), v_leak=narrow(value=0), v_threshold=narrow(value=1)
            ),
            **{
                "2": affine(10, 30, 1, 0.5),
                "3": nir.IF(narrow(10, value=1), narrow(10, value=1)),
                "output": out(50, 10),
            },
        },
        dt=1.0,
        reset="subtract",
        shape=(20,),
        given=(20,),
        told=("input: shape (20,), as given; the file says (50, 20)", "1: one value"),
    ),
    "sinabs images": Form(
        {
            "input": inp(1, 2, 9, 8),
            "0": nir.Conv2d((9, 8), narrow(3, 2, 3, 3, scale=0.5), (1, 1), (0, 0), (1, 1), 1, narrow(3, value=0.1)),
            "1": nir.IF(narrow(3, 7, 6, value=1), narrow(3, 7, 6, value=1)),
            "2": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
            "3": nir.Conv2d(
                (3, 3), narrow(4, 3, 2, 2, seed=2, scale=1.5), (1, 1), (0, 0), (1, 1), 1, narrow(4, value=0)
            ),
            "4": nir.LIF(
                tau=narrow(value=20.0), r=narrow(value=1), v_leak=narrow(value=0), v_threshold=narrow(value=1)
            ),
            "5": nir.Flatten({"input": np.array([4, 2, 2])}, 0, -1),
            "6": affine(10, 16, 1, 2.0),
            "7": nir.LIF(
                tau=narrow(1, value=5.0),
                r=narrow(1, value=1),
                v_leak=narrow(1, value=0),
                v_threshold=narrow(1, value=1),
            ),
            "output": out(10),
        },
        dt=1.0,
        reset="subtract",
        shape=(2, 9, 8),
        told=("input: shape (2, 9, 8), without", "4: one value of each parameter, for all 16", "7: one value"),
    ),
    "rockpool LIFTorch": Form(
        {
            **{
                "input": inp(1, 20),
                "0_LinearTorch": nir.Linear(narrow(30, 20, scale=9.0)),
                "1_LIFTorch": rockpool_lif(30),
            },
            **{
                "2_LinearTorch": nir.Linear(narrow(10, 30, seed=1, scale=9.0)),
                "3_LIFTorch": rockpool_lif(10),
                "output": out(1, 10),
            },
        },
        dt=DT,
        reset="subtract",
        shape=(20,),
        told=("input: shape (20,)",),
    ),
    "snnTorch Leaky and Synaptic": Form(
        {
            **{"input": inp(20), "0": affine(30, 20), "1": snntorch_lif((30,), 0.9), "2": affine(10, 30, 1)},
            **{"3": snntorch_lif((), 0.8, 0.5), "output": out(10)},
        },
        dt=1e-4,
        reset="subtract",
        shape=(20,),
        told=("3: one value of each parameter, for all 10",),
    ),
    "nirtorch, a loop by dotted names": Form(
        {
            **{"input": inp(12), "fc1": affine(8, 12, scale=0.5), "lif1.w_rec": affine(8, 8, 3, 0.3)},
            **{
                "lif1.lif": snntorch_lif((8,), 0.75, 0.5),
                "fc2": affine(7, 8, 1),
                "lif2": snntorch_lif((7,), 0.5, 0.25),
                "output": out(7),
            },
        },
        dt=1e-4,
        shape=(12,),
        edges=(
            *(("input", "fc1"), ("fc1", "lif1.lif"), ("lif1.lif", "lif1.w_rec"), ("lif1.w_rec", "lif1.lif")),
            *(("lif1.lif", "fc2"), ("fc2", "lif2"), ("lif2", "output")),
        ),
        back=(("lif1.lif", "lif1.w_rec"),),
    ),
    "spikingjelly LIFNode and IFNode": Form(
        {
            **{"input_1": inp(1, 20), "_0": affine(30, 20), "_1": spikingjelly_lif(30, 2.0), "_2": affine(10, 30, 1)},
            **{"_3": nir.IF(filled(1e4, 10), filled(3, 10), filled(0, 10)), "_4": affine(9, 10, 2)},
            **{"_5": spikingjelly_lif(9, 3.0, False, -0.25), "output": out(1, 9)},
        },
        dt=1e-4,
        shape=(20,),
        told=("input_1: shape (20,)",),
    ),
    "spikingjelly images": Form(
        {
            "input_1": inp(1, 2, 8, 8),
            "_0": nir.Conv2d((8, 8), narrow(3, 2, 3, 3), (1, 1), (1, 1), (1, 1), 1, narrow(3, value=0)),
            "_1": spikingjelly_lif((3, 8, 8), 2.0),
            "_2": nir.AvgPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
            "_3": nir.Flatten({"input": np.array([3, 4, 4])}, 0, -1),
            "_4": nir.Linear(narrow(10, 48, seed=1)),
            "_5": spikingjelly_lif(10, 2.0),
            "output": out(1, 10),
        },
        dt=1e-4,
        shape=(2, 8, 8),
        told=("input_1: shape (2, 8, 8)",),
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_comes_in_and_spikes_as_its_nodes_do(name, tmp_path):
    form = FORMS[name]
    g = form.graph()
    path = tmp_path / "theirs.nir"
    nir.write(path, g, compression=None)
    options = {"reset": form.reset} | ({"input_shape": form.given} if form.given else {})
    order = [n for n in form.nodes if n != "output"]
    data = next(iter(form.nodes))
    agrees(g, order, form.back, dt=form.dt, shapes={data: form.shape}, read=path, **options)
    found = import_nir(path, form.dt, reset=form.reset, source=Source(form.given))
    assert found.network.digest() == read_nir(g, form.dt, **options).digest()
    notes = found.notes()
    assert all(any(note.startswith(line) for note in notes) for line in form.told), notes
    assert sum("reset '" in note for note in notes) == len(found.network.neurons)
    assert sum("shape (" in note or "one value" in note for note in notes) == len(form.told)


def test_a_file_of_an_early_nir_and_a_loop_of_one_value_in_a_graph_of_its_own(tmp_path):
    """nir 0.2 stored no input_shape of a convolution; nested graphs are checked by nir 1.0.8 for equal shapes."""
    form, path = FORMS["sinabs images"], tmp_path / "a.nir"
    nir.write(path, form.graph(), compression=None)
    whole = read_nir(path, form.dt)
    with h5py.File(path, "a") as file:
        for name in "03":
            del file[f"node/nodes/{name}/input_shape"]
    assert read_nir(path, form.dt).digest() == whole.digest()
    rnn = {"input": inp(5), "lif": norse_lif(1), "w_rec": nir.Linear(weights(5, 5)), "output": out(5)}
    inner = graph(rnn, [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")])
    outer = {"in": inp(1, 4), "w": nir.Linear(weights(5, 4)), "rnn": inner, "out": out(1, 5)}
    nir.write(path, graph(outer, list(pairwise(outer))), compression=None)
    assert read_nir(path, 1e-6).populations["rnn_lif"].shape == (5,)


# What a graph leaves open


@st.composite
def drawn_graphs(draw):
    """Two layers of any kind of neurons with any v_leak, v_reset and r, loops, a skip, float32 or float64."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from((np.float32, np.float64)))

    def layer(n):
        one = draw(st.booleans())

        def each(low, high):
            return (
                np.full((), generator.uniform(low, high), kind) if one else generator.uniform(low, high, n).astype(kind)
            )

        v_threshold = each(0.5, 1.5)
        v_leak = v_threshold + each(-2, 0.2 if draw(st.integers(0, 3)) == 0 else 0)
        v_reset = draw(st.sampled_from((v_leak, 0 * v_leak, v_threshold - each(0.1, 2))))
        times = {"tau": each(0.001, 0.03)}
        make = draw(st.sampled_from((nir.LIF, nir.CubaLIF, nir.IF)))
        if make is nir.IF:
            return nir.IF(each(50, 300), v_threshold, v_threshold - each(0.1, 2))
        if make is nir.CubaLIF:
            times = {"tau_syn": each(0.001, 0.01), "tau_mem": each(0.001, 0.03), "w_in": each(0.5, 2)}
        return make(**times, r=each(0.5, 5), v_leak=v_leak, v_threshold=v_threshold, v_reset=v_reset)

    def way(n, n_in, scale=1.0):
        weight = (generator.normal(0.1, 1, (n, n_in)) * scale).astype(kind)
        return (
            nir.Affine(weight, generator.normal(0, 0.3, n).astype(kind)) if draw(st.booleans()) else nir.Linear(weight)
        )

    nodes = {
        "in": inp(1, 6),
        "w": way(5, 6),
        "loop": way(5, 5, 0.3),
        "a": layer(5),
        "x": way(4, 5, 2.0),
        "skip": way(4, 6),
    }
    edges = [("in", "w"), ("w", "a"), ("a", "x"), ("x", "b"), ("in", "skip"), ("skip", "b")]
    nodes["b"] = layer(4)
    edges += [("a", "loop"), ("loop", "a")] if draw(st.booleans()) else []
    kept = {end for edge in edges for end in edge}
    return graph({name: node for name, node in nodes.items() if name in kept}, edges)


@pytest.mark.filterwarnings("ignore::dlm_snn.errors.LossWarning")
@settings(max_examples=25)
@given(drawn_graphs(), st.integers(0, 2**32 - 1))
def test_whatever_is_taken_spikes_as_its_nodes_do(g, seed):
    own = [node for node in g.nodes.values() if np.any(getattr(node, "v_leak", -9) > getattr(node, "v_threshold", 9))]
    if any(np.any(node.v_reset > node.v_threshold) for node in own):
        with pytest.raises(dlm.DlmError, match="it would fire on its own"):
            read_nir(g, DT, reset="zero")
        return
    network = read_nir(g, DT, reset="zero")
    x = np.random.default_rng(seed).random((40, 6)) < 0.4
    direct = euler(g, {"in": x}, 40, list(g.nodes), {("a", "loop")})
    ours = dlm.run(network, {"in": dlm.SpikeRaster.from_dense(x[None])}, 40).rasters
    for name in "ab":
        assert np.array_equal(ours[name].dense()[0], direct[name]), name


@pytest.mark.parametrize("axes", [(), (1,)])
def test_parameters_of_one_value_are_those_of_every_neuron(axes):
    def made(*axes):
        node = cuba(1) if axes == (5,) else None
        names = ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in")
        values = {key: np.full(axes, float(getattr(cuba(1), key)[0])) for key in names}
        return node or nir.CubaLIF(**values)

    nodes = {"in": inp(6), "w": nir.Linear(weights(5, 6)), "rec": nir.Linear(weights(5, 5, seed=2, scale=0.3))}
    edges = [("in", "w"), ("w", "a"), ("a", "rec"), ("rec", "a")]
    whole = {**nodes, "a": cuba(5)}
    assert (
        read_nir(graph({**nodes, "a": made(*axes)}, edges), DT).digest() == read_nir(graph(whole, edges), DT).digest()
    )
    agrees(graph(whole, edges), ["in", "w", "rec", "a"], {("a", "rec")})
    mixed = lif(5, tau=0.01)
    mixed.r, mixed.v_leak = np.array(1.0), np.zeros(1)
    assert (
        read_nir(graph({**nodes, "a": mixed}, edges), DT).digest()
        == read_nir(graph({**nodes, "a": lif(5)}, edges), DT).digest()
    )


def test_a_convolution_gives_one_value_the_shape_of_its_image():
    one = lif(())
    conv = nir.Conv2d((6, 5), weights(3, 2, 2, 2), 1, 0, 1, 1, filled(0, 3))
    nodes = {"in": inp(1, 1, 2, 6, 5), "c": conv, "a": one, "p": nir.SumPool2d(*(np.array([n, n]) for n in (2, 2, 0)))}
    edges = [("in", "c"), ("c", "a"), ("a", "p"), ("p", "b")]
    network = agrees(
        graph({**nodes, "b": lif((1, 3, 2, 2))}, edges), ["in", "c", "a", "p", "b"], shapes={"in": (2, 6, 5)}
    )
    assert [p.shape for p in network.populations.values()] == [(2, 6, 5), (3, 5, 4), (3, 2, 2)]


@pytest.mark.filterwarnings("ignore::dlm_snn.errors.LossWarning")
@settings(max_examples=60)
@given(st.data())
def test_what_exporters_leave_open_changes_nothing(data):
    """A chain as it should be stored, and with axes of 1 before, with one value for equal ones, in a loop too."""
    draw = data.draw
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    image = draw(st.booleans())
    stored = [(2, 5, 4) if image else (6,)]
    whole, loose = {"in": inp(*stored[0])}, {"in": inp(*[1] * draw(st.integers(1, 3)), *stored[0])}

    def add(name, shape):
        kind = draw(st.sampled_from(("lif", "cuba", "if")))
        keys = {"lif": ("tau", "r", "v_leak"), "cuba": ("tau_syn", "tau_mem", "r", "v_leak", "w_in"), "if": ("r",)}[
            kind
        ]
        axes = draw(st.sampled_from(((), (1,), (1, *shape))))
        equal = axes in ((), (1,))
        values = {key: generator.uniform(0.01, 0.02, (1,) if equal else shape) for key in (*keys, "v_threshold")}
        values["v_reset"] = values.get("v_leak", 0 * values["v_threshold"])
        values["v_threshold"] = values["v_threshold"] + 1
        make = {"lif": nir.LIF, "cuba": nir.CubaLIF, "if": nir.IF}[kind]
        whole[name] = make(**{key: np.broadcast_to(value, shape) for key, value in values.items()})
        loose[name] = make(
            **{key: np.broadcast_to(value, axes) if not equal else value.reshape(axes) for key, value in values.items()}
        )

    if draw(st.booleans()):
        add("zero", stored[0])
    if image:
        kernel = nir.Conv2d((5, 4), generator.normal(0, 1, (3, 2, 2, 2)), 1, 0, 1, 1, np.zeros(3))
        pool = nir.SumPool2d(*(np.array([n, n]) for n in (2, 1, 0)))
        flat = nir.Flatten({"input": np.array([3, 3, 2])}, 0, -1)
        for nodes in (whole, loose):
            nodes["c"] = kernel
        add("one", (3, 4, 3))
        for nodes in (whole, loose):
            nodes |= {"p": pool, "f": flat}
    n_in = 18 if image else 6
    for nodes in (whole, loose):
        nodes["w"] = nir.Linear(generator.normal(0, 1, (5, n_in))) if nodes is whole else whole["w"]
    add("two", (5,))
    loop = nir.Linear(generator.normal(0, 1, (5, 5)))
    edges = [*pairwise(whole), ("two", "rec"), ("rec", "two")]
    first, second = (read_nir(graph({**nodes, "rec": loop}, edges), DT, reset="zero") for nodes in (whole, loose))
    assert first.digest() == second.digest()


SHAPES = {
    "steps of images": (
        (50, 2, 3),
        None,
        r"what follows takes \(2, 3\); .*give input_shape=\(2, 3\) \(--input-shape 2,3\)",
    ),
    "steps before": (
        (50, 6),
        None,
        r"node 'in' \(Input\) has the shape \(50, 6\), what follows takes \(6,\); .* give ",
    ),
    "the remedy": ((50, 6), None, r"give input_shape=\(6,\) \(--input-shape 6\)"),
    "samples and steps": ((3, 50, 6), None, r"has the shape \(3, 50, 6\), what follows takes \(6,\)"),
    "nothing fits": ((1, 7), None, r"node 'w' \(Linear\) behind the shape \(1, 1, 7\)"),
    "given wrong": ((50, 6), (7,), r"node 'w' \(Linear\) takes 6 values, gets the shape \(7,\)"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_that_nothing_takes_is_refused_with_the_one_that_is(name):
    stored, taken, message = SHAPES[name]
    first = nir.Conv1d(3, weights(5, 2, 3), 1, 0, 1, 1, filled(0, 5)) if "images" in name else nir.Linear(weights(5, 6))
    g = graph({"in": inp(*stored), "w": first, "a": lif(5)}, [("in", "w"), ("w", "a")])
    with pytest.raises(dlm.DlmError, match=message) as caught:
        read_nir(g, DT, input_shape=taken)
    assert "\n" not in str(caught.value)


def test_a_shape_for_several_inputs_or_for_a_file_of_ours_is_refused():
    nodes = {"x": inp(6), "y": inp(6), "a": lif(6)}
    with pytest.raises(dlm.DlmError, match="input_shape is for one Input, it has x, y; leave input_shape out"):
        read_nir(graph(nodes, [("x", "a"), ("y", "a")]), DT, input_shape=(6,))
    network = dlm.Network(
        {"x": dlm.Input((6,)), "a": dlm.LIF((6,), dv=0.5)}, [dlm.Projection("x", "a", dlm.Dense(np.eye(6)))]
    )
    for options in ({"input_shape": (6,)}, {"graded_bits": 4}, {"scale": 2.0}, {"signed": True}):
        with pytest.raises(
            dlm.DlmError, match="it tells its Inputs; leave input_shape, graded_bits, scale and signed out"
        ):
            read_nir(dlm.write_nir(network), **options)


@pytest.mark.parametrize(
    ("options", "values", "kind"),
    [
        ({"graded_bits": 4}, 16, (4, 1.0, False)),
        ({"graded_bits": 8, "scale": 255.0}, 256, (8, 255.0, False)),
        ({"graded_bits": 6, "scale": 8.0, "signed": True}, 32, (6, 8.0, True)),
    ],
)
def test_counts_and_real_values_enter_as_integers(options, values, kind):
    scale = 0.3 if options.get("scale", 1) == 1 else 3.0
    g = graph(
        {"in": inp(6), "w": nir.Affine(weights(5, 6, scale=scale), weights(5, seed=4)), "a": cuba(5), "b": lif(5)},
        [("in", "w"), ("w", "a"), ("w", "b")],
    )
    network = agrees(g, ["in", "w", "a", "b"], values=values, low=0.01, **options)
    source = network.populations["in"]
    assert (source.graded_bits, source.scale, source.signed) == kind


def test_a_scale_without_bits_is_refused():
    g = graph({"in": inp(6), "w": nir.Linear(weights(5, 6)), "a": lif(5)}, [("in", "w"), ("w", "a")])
    with pytest.raises(dlm.DlmError, match="the graph: signed and scale belong to a graded Input; give graded_bits"):
        read_nir(g, DT, scale=255.0)
    with pytest.raises(dlm.DlmError, match=r"the graph: graded_bits = 99 is not in 1..24"):
        read_nir(g, DT, graded_bits=99)


# Where a spike leaves v


def resetting(node, seed=0, scale=3.0, **more):
    nodes = {
        "in": inp(6),
        "w": nir.Affine(weights(5, 6, seed=seed, scale=scale), weights(5, seed=3)),
        "a": node,
        **more,
    }
    return graph(nodes, [("in", "w"), ("w", "a"), *((("a", "rec"), ("rec", "a")) if more else ())])


RESETS = {
    "in millivolts": (
        nir.LIF(filled(0.01, 5), filled(6, 5), filled(-65, 5), filled(-50, 5), filled(-70, 5)),
        r"v_reset = -70 and v_leak = -65: v starts at v_leak",
    ),
    "above its rest": (
        nir.LIF(filled(0.01, 5), filled(1, 5), filled(0, 5), filled(1, 5), filled(0.2, 5)),
        "v_reset = 0.2 and v_leak = 0: v starts at v_leak",
    ),
    "one a neuron": (
        nir.LIF(filled(0.01, 5), filled(1, 5), np.arange(5) / 9, filled(1, 5), -np.arange(5) / 3),
        r"v_reset = -1.33333..-?0 and v_leak = 0..0.444444: v starts at v_leak",
    ),
    "a filtered current": (
        nir.CubaLIF(filled(0.004, 5), filled(0.01, 5), filled(3, 5), filled(0.1, 5), filled(1, 5), filled(-0.5, 5)),
        "v starts at v_leak",
    ),
    "fires on its own": (
        nir.LIF(filled(0.01, 5), filled(0.2, 5), filled(1.2, 5), filled(1, 5), filled(0, 5)),
        r"v_reset = 0 and v_leak = 1.2, above its threshold: v starts at v_reset",
    ),
    "fires on its own, filtered": (
        nir.CubaLIF(filled(0.004, 5), filled(0.01, 5), filled(0.2, 5), filled(1.2, 5), filled(1, 5), filled(-0.1, 5)),
        "v starts at v_reset",
    ),
    "some fire on their own": (
        nir.LIF(filled(0.01, 5), filled(0.5, 5), np.linspace(0, 1.2, 5), filled(1, 5), filled(-0.3, 5)),
        "v starts at v_reset",
    ),
    "IF": (nir.IF(filled(100, 5), filled(1, 5), filled(-0.5, 5)), "v starts at v_reset = -0.5"),
}


@pytest.mark.filterwarnings("default:.*v starts at:dlm_snn.errors.LossWarning")
@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("name", RESETS)
def test_a_reset_beside_the_rest_is_exact_and_told(name, loop):
    node, message = RESETS[name]
    more = {"rec": nir.Linear(weights(5, 5, seed=5, scale=0.5))} if loop else {}
    g = resetting(node, **more)
    with pytest.warns(LossWarning, match=rf"the graph: node 'a' .*{message}.*, which NIR does not tell"):
        agrees(g, ["in", "w", *more, "a"], {("a", "rec")} if loop else (), n_steps=200, low=0.01, reset="zero")


def test_two_neurons_of_which_one_fires_on_its_own():
    """As NIR's paper has them: v_leak = 1.2 above the threshold of 1, and nothing on the Input."""
    one, wide = filled(1, 1), nir.Linear(np.ones((1, 1)))
    first = nir.LIF(0.01 * one, one, 1.2 * one, one)
    nodes = {
        "in": inp(1),
        "linear1": wide,
        "lif1": first,
        "linear2": nir.Linear(np.full((1, 1), 3000.0)),
        "lif2": nir.LIF(0.01 * one, one, 0 * one, 20 * one),
    }
    g = graph(nodes, list(pairwise(nodes)))
    with pytest.warns(LossWarning, match="node 'lif1' .*above its threshold: v starts at v_reset"):
        network = read_nir(g, 1e-4, reset="zero")
    assert network.populations["lif1"].bias == pytest.approx(0.012)
    spikes = dlm.run(network, {"in": np.zeros((1, 2000, 1), int)}, 2000).rasters
    direct = dict.fromkeys(("lif1", "lif2"), 0.0)
    times = {name: [] for name in direct}
    for t in range(2000):
        x = 0.0
        for name, leak, threshold, gain in (("lif1", 1.2, 1.0, 3000.0), ("lif2", 0.0, 20.0, 0.0)):
            direct[name] += 1e-4 / 0.01 * (leak - direct[name] + x)
            fired = direct[name] > threshold
            x = gain * fired
            if fired:
                direct[name] = 0.0
                times[name].append(t)
    assert len(times["lif1"]) == 11
    assert all(spikes[name].step.tolist() == steps for name, steps in times.items())


def test_resets_without_an_equal_are_refused():
    node = RESETS["above its rest"][0]
    with pytest.raises(
        dlm.UnsupportedError, match=r"v_reset = 0.2 and v_leak = 0 beside reset='subtract'; give reset='zero'"
    ):
        read_nir(resetting(node), DT, reset="subtract")
    held = nir.LIF(filled(0.01, 5), filled(1, 5), filled(0, 5), filled(1, 5), filled(1.5, 5))
    held.v_leak = filled(1.2, 5)
    with pytest.raises(dlm.DlmError, match=r"node 'a': v_threshold lies 0.5 below its rest; it would fire on its own"):
        read_nir(resetting(held), DT, reset="zero")


def test_a_refractory_time_in_the_metadata_is_kept(tmp_path):
    g = resetting(lif(5))
    g.nodes["a"].metadata["refractory_time"] = 0.003
    nir.write(tmp_path / "a.nir", g)
    found = import_nir(tmp_path / "a.nir", DT, reset="zero")
    assert found.network.populations["a"].refractory == 3
    assert "a: refractory for 3 steps, as its metadata say" in found.notes()
    x = np.random.default_rng(2).random((50, 6)) < 0.4
    spikes = dlm.run(found.network, {"in": dlm.SpikeRaster.from_dense(x[None])}, 50).rasters["a"].dense()[0]
    v, wait = np.zeros(5), np.zeros(5, int)
    for t in range(50):
        v = v + DT / 0.01 * (g.nodes["w"].weight @ x[t] + g.nodes["w"].bias - v)
        v = np.where(wait > 0, 0, v)
        s = v > 1
        wait = np.where(s, 3, np.maximum(wait - 1, 0))
        v = np.where(s, 0, v)
        assert np.array_equal(spikes[t], s), t
    assert 0.05 < spikes.mean() <= 0.25
    for time, options, message in (
        (0.0025, {}, "a refractory_time of 2.5 steps of 0.001 s; give one whole number of steps"),
        (np.array([0.001, 0.002, 0, 0, 0]), {}, "a refractory_time of 0..2 steps"),
        (-0.001, {}, "its metadata 'refractory_time' = -0.001 is no time in seconds"),
        ("soon", {}, "its metadata 'refractory_time' = 'soon' is no time"),
        (0.003, {"reset": "subtract"}, "with a refractory_time beside a reset by subtraction; leave one of them out"),
    ):
        g.nodes["a"].metadata["refractory_time"] = time
        with pytest.raises(dlm.DlmError, match=message):
            read_nir(g, DT, **options)
    other = RESETS["above its rest"][0]
    other.metadata["refractory_time"] = 0.003
    with pytest.raises(dlm.DlmError, match="a refractory_time beside v_reset other than v_leak"):
        read_nir(resetting(other), DT)
    del other.metadata["refractory_time"]
