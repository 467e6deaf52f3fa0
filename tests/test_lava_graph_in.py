"""Graphs of stock Lava processes as networks of ours: against their own run, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lava")

from lava_processes import from_lava  # isort: skip  (first, it lets Lava be imported)
from lava.magma.core.learning.learning_rule import Loihi2FLearningRule
from lava.magma.core.run_configs import Loihi1SimCfg, Loihi2HwCfg, Loihi2SimCfg
from lava.proc.conv.process import Conv
from lava.proc.dense.models import PyDenseModelBitAcc
from lava.proc.dense.process import DelayDense, Dense, LearningDense
from lava.proc.io.sink import Read
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.io.source import RingBuffer
from lava.proc.lif.models import PyLifResetModelFloat
from lava.proc.lif.process import LIF, LIFRefractory, LIFReset, TernaryLIF
from lava.proc.monitor.process import Monitor

import dlm_snn as dlm
from dlm_snn.runs.stimulus import prepare
from lava_processes import build
from tests.lava_graphs_in import GRAPHS, Parts
from tests.nets import FLOAT, INTEGER, make

pytestmark = pytest.mark.xdist_group("lava_graph_in")
ROOT = Path(__file__).parents[1]
FLOATS, FIXED = (Loihi2SimCfg(select_tag=tag) for tag in ("floating_pt", "fixed_pt"))


def differences(target: str, *which: str) -> dict:
    """What the graphs' own run differs in, in an interpreter of its own."""
    words = [sys.executable, "-m", "tests.lava_graphs_in", target, *which]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module", params=["float", "fixed"])
def report(request):
    """All graphs, in one run of Lava for each arithmetic."""
    return differences(request.param, *GRAPHS)


@pytest.mark.parametrize("graph", GRAPHS)
def test_spikes_u_and_v_are_those_of_the_graphs_own_run(report, graph):
    for name, found in report[graph].items():
        assert found["fast"] == found["reference"] == [0, 0, 0], name
        assert 0.01 < found["rate"] < 0.4, name


@pytest.mark.long
@pytest.mark.parametrize("first", [0, 20])
@pytest.mark.parametrize("target", ["float", "fixed"])
def test_drawn_graphs_are_what_their_own_runs_are(target, first):
    found = differences(target, "drawn", str(first), str(first + 20))
    assert not [name for name, parts in found.items() for p in parts.values() if any(p["fast"] + p["reference"])]
    assert np.mean([part["rate"] > 0.01 for parts in found.values() for part in parts.values()]) > 0.7


UNLIKE = {
    *("image", "graded_steps", "convolution", "noise", "thermal_ring", "constant_one", "apart", "skip"),
    *("read_out_filtered", "int_pixels", "int_noise", "int_wrap", "int_saturation", "int_convolution"),
    *("int_odd_convolution", "int_thermal_ring"),
}
"""Cases of whose network a graph does not tell all (scale and width of Inputs, images, aligned Inputs), or tells it in
another order."""
NO_GRAPH = {"early_bias", "relayed_bias", "int_early_bias"}


@pytest.mark.parametrize("stock_delays", [True, False])
@pytest.mark.parametrize("case", [case for case in (*FLOAT, *INTEGER) if case not in NO_GRAPH])
def test_graphs_of_our_own_come_back(case, stock_delays):
    network, stimulus, n_steps = make(case)
    graph = build(network, "fixed" if case in INTEGER else "float", stock_delays=stock_delays)
    whole = {name: fed.whole()[:1] for name, fed in prepare(network, stimulus, n_steps)[0].items()}
    sources = {name: RingBuffer(data=values[0].T.copy()) for name, values in whole.items()}
    for name, ports in graph.in_ports.items():
        sources[name].s_out.connect(ports)
    names = {source: name for name, source in sources.items()}
    taken = from_lava(list(graph.neurons.values()), Loihi2SimCfg(select_tag=graph.tag), names)
    assert taken.first == {name: network.depth[name] + 1 for name in network.neurons}
    assert taken.state is None
    runs = [(network, whole), (taken.network, taken.stimulus(n_steps))]
    here, there = (dlm.run(*fed, n_steps, record=("s", "u", "v"), backend="fast") for fed in runs)
    assert here.rasters == there.rasters
    for kind in ("u", "v"):
        np.testing.assert_equal(getattr(here, kind), getattr(there, kind))
    assert (taken.network.digest() == network.digest()) == (case not in UNLIKE)


def chain(weights=None, sent=None, run_cfg=FLOATS, neurons=LIF, connection=Dense, given=None, **parameters):
    """RingBuffer -> connection -> neurons."""
    source = RingBuffer(data=np.ones((2, 3), int) if sent is None else sent)
    between = connection(weights=np.ones((3, 2), int) if weights is None else weights, **(given or {}))
    cells = neurons(shape=(3,), **parameters)
    source.s_out.connect(between.s_in)
    between.a_out.connect(cells.a_in)
    return cells, run_cfg


def test_names_windows_and_stimulus_are_those_of_the_graph():
    cells, config = chain(sent=np.arange(6).reshape(2, 3), name="my cells", vth=3, dv=0.5)
    taken = from_lava(cells, config)
    assert taken.first == {"my_cells": 2}
    assert taken.places["my_cells"][:2] == ("my cells", (3,))
    assert taken.state is None
    np.testing.assert_array_equal(taken.stimulus(4)["input1"][0], [[0, 1], [1, 1], [1, 1], [0, 1]])
    given = from_lava(cells, config, names={cells: "cells"})
    assert set(given.network.populations) == {"input1", "cells"}
    assert given.network.populations["cells"].v_threshold == 3
    text = repr(taken)
    assert "my_cells 2" in text
    assert "(3, 2)" in text


def test_what_a_population_does_before_its_reset_is_told():
    resets = {"reset_interval": 50, "reset_offset": 2}
    cells, config = chain(run_cfg=FIXED, neurons=LIFReset, u=2**20, bias_mant=3, vth=2**16, name="cells", **resets)
    taken = from_lava(cells, config)
    recording = taken.run(4, record=("u", "v"))
    decayed = 2**20 * 4095 // 4096
    assert taken.first == {"cells": 2}
    assert taken.clocked(recording, "cells", "u")[0, 0].tolist() == [decayed] * 3
    assert taken.clocked(recording, "cells", "v")[0, :2].tolist() == [[decayed + 3] * 3, [131] * 3]


def test_what_only_looks_on_is_left_out():
    cells, config = chain(name="cells", vth=3)
    alone = from_lava(cells, config).network
    watched, _ = chain(name="cells", vth=3)
    aside, sinks = Dense(weights=np.ones((4, 3))), [Sink(shape=(n,), buffer=2) for n in (3, 4, 2)]
    between = watched.a_in.in_connections[0].process
    other = RingBuffer(data=np.ones((2, 3)))
    for port, into in (
        (watched.s_out, sinks[0].a_in),
        (watched.s_out, aside.s_in),
        (aside.a_out, sinks[1].a_in),
        (between.s_in.in_connections[0], sinks[2].a_in),
        (other.s_out, sinks[2].a_in),
    ):
        port.connect(into)
    Monitor().probe(watched.v, 3)
    Read(buffer=3).connect_var(watched.u)
    assert from_lava(sinks[1], Loihi1SimCfg()).network.digest() == alone.digest()


def test_a_read_out_sends_nothing():
    cells, config = chain(name="cells", vth=np.inf)
    dense, behind = Dense(weights=np.ones((2, 3))), LIF(shape=(2,), name="behind", bias_mant=1)
    cells.s_out.connect(dense.s_in)
    dense.a_out.connect(behind.a_in)
    network = from_lava(cells, config).network
    assert isinstance(network.populations["cells"], dlm.LI)
    assert not any(p.pre == "cells" for p in network.projections)


def test_other_data_come_in_the_form_of_the_ring_buffer():
    conv = Conv(weight=np.ones((2, 2, 2, 1)), input_shape=(3, 4, 1))
    source, cells = RingBuffer(data=np.zeros((3, 4, 1, 5))), LIF(shape=(2, 3, 2), name="cells", du=1, dv=1, vth=2)
    source.s_out.connect(conv.s_in)
    conv.a_out.connect(cells.a_in)
    taken = from_lava(source, FLOATS)
    assert taken.network.populations["cells"].shape == (2, 2, 3)
    image = (np.random.default_rng(0).random((3, 4, 1, 6)) < 0.6).astype(int)
    recording = dlm.run(taken.network, {"input1": taken.encode("input1", image)}, 6, record=("s", "v"))
    sums = sum(image[i : i + 2, j : j + 3, 0] for i in range(2) for j in range(2))
    np.testing.assert_array_equal(taken.clocked(recording, "cells")[0, 1:, :, :, 0], np.moveaxis(sums > 2, -1, 0))
    assert not taken.clocked(recording, "cells")[0, 0].any()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda t, r: t.stimulus(0), "n_steps = 0"),
        (lambda t, r: t.encode("inputs", [[0]]), "no Input 'inputs'; did you mean 'input1'"),
        (lambda t, r: t.encode("input1", np.zeros((3, 5))), "are for 3 neurons, not 2"),
        (lambda t, r: t.clocked(r, "input1"), "no population 'input1' of neurons"),
        (lambda t, r: t.clocked(r, "lif1", "v"), "'v' of 'lif1' was not recorded"),
        (lambda t, r: t.clocked(r, "lif1", "x"), "kind = 'x' is none of"),
    ],
)
def test_what_does_not_fit_the_network_is_told(wrong, said):
    taken = from_lava(*chain())
    with pytest.raises(dlm.DlmError, match=said):
        wrong(taken, taken.run(5))


def test_ranges_of_message_bits_and_biases_are_kept():
    cells, config = chain(sent=np.arange(6).reshape(2, 3), run_cfg=FIXED, given={"num_message_bits": 8})
    network = from_lava(cells, config).network
    assert network.populations["input1"].graded_bits == 8
    cells, config = chain(run_cfg=FIXED, bias_mant=np.array([64, 128, -64]), bias_exp=np.array([7, 6, -2]))
    neuron = from_lava(cells, config).network.populations["lif1"]
    np.testing.assert_array_equal(neuron.bias, [8192, 8192, -16])
    cells, config = chain(sent=np.array([[0.5, -3.25], [1, 2]]), given={"num_message_bits": 1})
    given = from_lava(cells, config)
    np.testing.assert_array_equal(given.run(2, record=("u",), backend="reference").u["lif1"][0], [[1.5] * 3])


def test_a_threshold_out_of_reach_is_a_read_out():
    assert isinstance(from_lava(*chain(vth=np.inf)).network.populations["lif1"], dlm.LI)
    assert isinstance(from_lava(*chain(run_cfg=FIXED, vth=2**17)).network.populations["lif1"], dlm.IntegerLI)


def two_sources():
    cells, config = chain()
    RingBuffer(data=np.ones((2, 3))).s_out.connect(cells.a_in.in_connections[0].process.s_in)
    return cells, config


def no_source():
    dense, cells = Dense(weights=np.ones((3, 2))), LIF(shape=(3,))
    dense.a_out.connect(cells.a_in)
    return cells, FLOATS


def onto_a_connection():
    first, second, cells = Dense(weights=np.ones((2, 2))), Dense(weights=np.ones((3, 2))), LIF(shape=(3,))
    RingBuffer(data=np.ones((2, 3))).s_out.connect(first.s_in)
    first.a_out.connect(second.s_in)
    second.a_out.connect(cells.a_in)
    return cells, FLOATS


def onto_neurons():
    cells, behind = LIF(shape=(3,)), LIF(shape=(3,))
    cells.s_out.connect(behind.a_in)
    return cells, FLOATS


def concatenated():
    parts = [RingBuffer(data=np.ones((2, 3))).s_out for _ in range(2)]
    cells = LIF(shape=(4,))
    parts[0].concat_with(parts[1], axis=0).connect(cells.a_in)
    return cells, FLOATS


def twice():
    source, cells = RingBuffer(data=np.ones((3, 3))), LIF(shape=(3,))
    source.s_out.connect(cells.a_in)
    source.s_out.reshape((3,)).connect(cells.a_in)
    return cells, FLOATS


def from_outside():
    cells, config = chain()
    cells.a_in.flag_external_pipe()
    return cells, config


def compiled():
    cells, config = chain()
    cells.compile(config)
    return cells, config


def with_kernel(weight, **given):
    conv, cells = Conv(weight=weight, input_shape=(2, 2, 1)), LIF(shape=(2, 2, 1))
    RingBuffer(data=np.ones((2, 2, 1, 3), int)).s_out.connect(conv.s_in)
    conv.a_out.connect(cells.a_in)
    return cells, FIXED


def two_resets():
    cells, config = chain(neurons=LIFReset, reset_interval=4, reset_offset=1, name="one")
    loop, other = Dense(weights=np.ones((3, 3))), LIFReset(shape=(3,), reset_interval=4, reset_offset=3, name="other")
    cells.s_out.connect(loop.s_in)
    loop.a_out.connect(other.a_in)
    return cells, config


def in_the_buffer():
    cells, config = chain()
    cells.a_in.in_connections[0].process.a_buff.init = 1
    return cells, config


def inside_a_refractory_period():
    cells, config = chain(neurons=LIFRefractory)
    cells.refractory_period_end.init = 5
    return cells, config


def learning():
    rule = Loihi2FLearningRule(dw="2^-2*x1*y0", x1_impulse=1, x1_tau=4)
    return chain(connection=LearningDense, given={"learning_rule": rule})


class OwnLIF(LIF):
    """A user's own."""


REFUSED = {
    "no process": (lambda: (5, FLOATS), "5 is no Lava Process"),
    "no run configuration": (lambda: chain(run_cfg="floating_pt"), r"run_cfg = 'floating_pt' is none of Lava; give"),
    "derived": (lambda: chain(neurons=OwnLIF), "OwnLIF 'Process_.*'; it knows Conv, .* by their exact type"),
    "ternary": (lambda: (TernaryLIF(shape=(3,)), FLOATS), "TernaryLIF 'Process_.*'; its spikes have two signs"),
    "learning": (learning, "LearningDense .*; give Dense the weights"),
    "model of another": (
        lambda: chain(run_cfg=Loihi2SimCfg(exception_proc_model_map={LIF: PyLifResetModelFloat})),
        "LIF 'Process_.*' by the model PyLifResetModelFloat; have the run configuration",
    ),
    "hardware": (lambda: chain(run_cfg=Loihi2HwCfg()), "the Loihi2HwCfg, which is for a chip; give Loihi2SimCfg"),
    "two tags": (
        lambda: chain(run_cfg=Loihi2SimCfg(exception_proc_model_map={Dense: PyDenseModelBitAcc})),
        "floats in LIF .* beside integers in Dense .*; run all",
    ),
    "no model": (
        lambda: chain(neurons=LIFRefractory, run_cfg=FIXED),
        r"LIFRefractory .* with this run configuration \(.*No ProcessModels found with tag.*\); give another",
    ),
    "no such tag": (lambda: chain(run_cfg=Loihi1SimCfg(select_tag="loihi9")), "loihi9.*; give another select_tag"),
    "compiled": (compiled, "which runs or has run.*; read the graph before its first run"),
    "no neurons": (lambda: (Sink(shape=(3,), buffer=2), FLOATS), "has no LIF; connect"),
    "two sources": (two_sources, "s_in has 2 sources; give it exactly one"),
    "no source": (no_source, "s_in has no sources"),
    "onto a connection": (onto_a_connection, "Dense .* straight into Dense .*; put neurons between"),
    "onto neurons": (onto_neurons, "LIF .* straight into LIF .*; put a connection between"),
    "concatenated": (concatenated, "the ConcatPort in front of LIF"),
    "twice": (twice, "reaches twice by one port; connect them once"),
    "from outside": (from_outside, "fed from outside Lava; put the values into a source RingBuffer"),
    "du": (lambda: chain(du=1.5), r"LIF '.*': du = 1.5..1.5 lies outside \[0, 1\]"),
    "dv of 4096": (lambda: chain(run_cfg=FIXED, dv=4096), r"LIF '.*': dv = .* lies outside \[0, 4095\]"),
    "float decay in integers": (lambda: chain(run_cfg=FIXED, du=0.5), "du = 0.5 must be whole"),
    "threshold": (lambda: chain(vth=-1), "v_threshold = .* lies outside"),
    "shape": (lambda: chain(dv=np.zeros(2)), r"values of shape \(2,\) do not spread over \(3,\)"),
    "bias": (lambda: chain(run_cfg=FIXED, bias_mant=4097), "bias_mant = .* lies outside"),
    "wide bias": (lambda: chain(run_cfg=FIXED, bias_mant=70000), "bias_mant holds 70000..70000, beyond Lava's 16 bits"),
    "weight_exp": (lambda: chain(run_cfg=FIXED, given={"weight_exp": 9}), "weight_exp = .* lies outside"),
    "weight bits": (lambda: chain(run_cfg=FIXED, given={"num_weight_bits": 9}), "num_weight_bits = 9 is not in 1..8"),
    "delays": (
        lambda: chain(connection=DelayDense, given={"delays": 5, "max_delay": 3}),
        "delays up to 5 exceed max_delay = 3",
    ),
    "longest delay": (lambda: chain(run_cfg=FIXED, connection=DelayDense, given={"delays": 63}), "delay 64 exceeds 63"),
    "kernel": (lambda: with_kernel(np.full((1, 1, 1, 1), 300)), "weights 300..300 are not"),
    "sums": (
        lambda: chain(np.full((3, 2), 255), np.full((2, 3), 2**23), FIXED, given={"num_message_bits": 24}),
        "sums up to 4278190080 pass Lava's 2147483647",
    ),
    "not finite": (lambda: chain(sent=np.full((2, 3), np.nan)), "RingBuffer '.*': data .* no finite number"),
    "too wide": (
        lambda: chain(sent=np.full((2, 3), 2**25), given={"num_message_bits": 24}),
        "data of magnitude .* needs 26 bits; events carry 24",
    ),
    "resets": (two_resets, "'one' and 'other', LIFResets that no common step resets"),
    "in the buffer": (in_the_buffer, "with something on its way at the start; leave a_buff at 0"),
    "refractory at the start": (inside_a_refractory_period, "begins inside a refractory period"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_known_is_refused_in_one_line(case):
    made, said = REFUSED[case]
    with pytest.raises(dlm.DlmError, match=said) as told:
        from_lava(*made())
    assert "\n" not in str(told.value)


def test_names_that_do_not_fit_are_refused():
    cells, config = chain()
    source = cells.a_in.in_connections[0].process.s_in.in_connections[0].process
    for names, said in (
        ({cells: "my cells"}, "is not an identifier"),
        ({Sink(shape=(3,), buffer=2): "sink"}, "which is no LIF or source RingBuffer"),
        ({cells: "a", source: "a"}, "one name twice: a, a"),
    ):
        with pytest.raises(dlm.DlmError, match=said):
            from_lava(cells, config, names)


def sequence(loop=False, offset=2, interval=5):
    """Four samples of five steps."""
    rng = np.random.default_rng(3)
    resets = {"reset_interval": interval, "reset_offset": offset, "name": "cells"}
    sent, weights = rng.integers(0, 2, (2, 20)), rng.integers(1, 4, (3, 2))
    cells, config = chain(weights, sent, neurons=LIFReset, vth=6, **resets)
    if loop:
        dense = Dense(weights=np.ones((3, 3)))
        cells.s_out.connect(dense.s_in)
        dense.a_out.connect(cells.a_in)
    return from_lava(cells, config)


def test_samples_of_a_graph_run_side_by_side():
    taken = sequence()
    there = taken.run(21, record=("s", "v"))
    here = dlm.run(taken.network, taken.samples(4), 5, record=("s", "v"))
    assert here.rasters["cells"].rate > 0.1
    np.testing.assert_array_equal(here.rasters["cells"].dense(), there.rasters["cells"].dense().reshape(4, 5, 3))
    np.testing.assert_array_equal(here.v["cells"], there.v["cells"].reshape(4, 5, 3))
    for other, said in (
        (sequence(loop=True), "'cells->cells' carries one sample into the next"),
        (sequence(offset=3), r"not cut into samples \(reset every: cells 5\)"),
        (from_lava(*chain(name="cells")), r"not cut into samples \(reset every: cells never\); LIFReset everywhere"),
    ):
        with pytest.raises(dlm.DlmError, match=said):
            other.samples(4)


def test_many_samples_begin_as_the_graph_does():
    taken = from_lava(GRAPHS["currents"](Parts("float", 15))[0], FLOATS)
    fed = {name: np.repeat(values, 3, axis=0) for name, values in taken.stimulus(12).items()}
    many = dlm.run(taken.network, fed, 12, record=("v",), state=taken.start(3), backend="fast")
    for name, v in taken.run(12, record=("v",)).v.items():
        np.testing.assert_array_equal(many.v[name], np.repeat(v, 3, axis=0))
        assert v[0, 0].any() or name == "also"
    assert from_lava(*chain()).start(3) is None


@pytest.mark.parametrize("backend", ["torch", "brian2"])
def test_what_came_in_is_a_network_like_any_other(backend):
    for name in ("feed_forward", "currents"):
        taken = from_lava(GRAPHS[name](Parts("float", 7 + len(name)))[0], FLOATS)
        here, there = (taken.run(20, record=("s", "u", "v"), backend=which) for which in ("fast", backend))
        assert dlm.compare(here, there).equal
