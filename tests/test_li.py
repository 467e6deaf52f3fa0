"""Read-outs without spikes: what a leaky integrator computes, how it is stored, and what a network refuses of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dlm_snn import (
    LI,
    LIF,
    Dense,
    DlmError,
    Input,
    IntegerLI,
    IntegerLIF,
    IntegerNetwork,
    IntegerProjection,
    Network,
    Projection,
    UnsupportedError,
    compare,
    load,
    run,
    save,
    write_net,
)
from dlm_snn.neurons.integer_lif import ALIGNMENT, STATE_LIMIT

EVENTS = np.random.default_rng(5).integers(0, 2, (3, 40, 4))
GOLDEN = {
    "float": "3f2a946e81944d4a4837291fe092ce13e24efa6cae4416ac4937b5e9b8a26f19",
    "integer": "28279a8013b10becf57d40c8069b4eb739359c35da9772f55d0ca40c0b7ed836",
}


def floats(neuron: LI | LIF) -> Network:
    weight = np.arange(-6, 6).reshape(3, 4) / 64
    return Network({"x": Input((4,)), "out": neuron}, [Projection("x", "out", Dense(weight))])


def integers(neuron: IntegerLI | IntegerLIF, weight_exp: int = 0) -> IntegerNetwork:
    weight = 20 * np.arange(-6, 6).reshape(3, 4)
    projection = IntegerProjection("x", "out", Dense(weight), weight_exp=weight_exp)
    return IntegerNetwork({"x": Input((4,)), "out": neuron}, [projection])


FLOAT = {"du": np.array([0.25, 0.5, 1.0]), "dv": np.array([0.0, 0.125, 1.0]), "bias": np.array([0.5, 0.0, -0.25])}
INTEGER = {"du": np.array([-1, 1023, 4095]), "dv": np.array([0, 512, 4095]), "bias_mant": np.array([3, 0, -5])}
NETWORKS = {
    "float": (floats(LI((3,), **FLOAT)), floats(LIF((3,), v_threshold=1e9, **FLOAT))),
    "integer": (
        integers(IntegerLI((3,), bias_exp=4, **INTEGER)),
        integers(IntegerLIF((3,), v_threshold=2**17 - 1, bias_exp=4, **INTEGER)),
    ),
}


@pytest.mark.parametrize("dv", [0.01, 0.5, 1.0])
def test_step_response(dv):
    """v_t = a (1 - (1-dv)^t) / dv, however high."""
    network = Network({"x": Input((1,)), "out": LI((1,), dv=dv)}, [Projection("x", "out", Dense([[1e6]]))])
    recording = run(network, {"x": np.ones((1, 1), int)}, 60, record=("s", "v"))
    t = np.arange(1, 61)
    np.testing.assert_allclose(recording.v["out"][0, :, 0], 1e6 * (1 - (1 - dv) ** t) / dv, rtol=1e-12)
    assert len(recording.rasters["out"]) == 0


@pytest.mark.parametrize("arithmetic", NETWORKS)
@pytest.mark.parametrize("period", [None, 7])
def test_u_and_v_are_those_of_a_lif_that_is_never_pushed_over_its_threshold(arithmetic, period):
    ours, theirs = (
        run(
            replace(net, populations={**net.populations, "out": replace(net.populations["out"], period=period)}),
            {"x": EVENTS},
            40,
            ("s", "u", "v"),
        )
        for net in NETWORKS[arithmetic]
    )
    assert len(theirs.rasters["out"]) == 0
    assert np.ptp(ours.v["out"]) > 0
    for key in ("u", "v"):
        np.testing.assert_array_equal(getattr(ours, key)["out"], getattr(theirs, key)["out"])
    assert ours.rasters == theirs.rasters


def test_integers_do_not_spike_at_the_end_of_their_range():
    """v rests at 2^23 - 1, where a LIF of the highest threshold, 2^17 - 1, spikes."""
    drive = {"x": np.ones((1, 50, 4), int)}
    parameters = {"dv": 0, "du": -1}
    ours, theirs = (
        run(integers(neuron, weight_exp=7), drive, 50, ("s", "v"))
        for neuron in (IntegerLI((3,), **parameters), IntegerLIF((3,), v_threshold=2**17 - 1, **parameters))
    )
    assert ours.v["out"].max() == STATE_LIMIT - 1
    assert len(ours.rasters["out"]) == 0
    assert len(theirs.rasters["out"]) > 0
    assert IntegerLI.v_threshold << ALIGNMENT == STATE_LIMIT


@pytest.mark.parametrize("arithmetic", NETWORKS)
def test_files_give_it_back(arithmetic, tmp_path):
    network = NETWORKS[arithmetic][0]
    again = load(save(network, tmp_path / "net"))
    assert type(again.populations["out"]) is type(network.populations["out"])
    assert again.digest() == network.digest() == GOLDEN[arithmetic]
    assert "Infinity" not in (tmp_path / "net.json").read_text()


def test_repr_names_what_was_given():
    assert repr(LI((3,), dv=0.5, bias=0.25)) == "LI(shape=(3,), dv=0.5, bias=0.25)"
    assert repr(IntegerLI((3,), dv=5, period=9)) == "IntegerLI(shape=(3,), dv=5, period=9)"


@pytest.mark.parametrize("part", [LI, IntegerLI])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"dv": -1}, r"dv = -1\.\.-1 lies outside"),
        ({"dv": 1, "du": 5000}, "du = 5000..5000 lies outside"),
        ({"dv": [1, 1]}, "dv has 2 values for 3 neurons"),
        ({"dv": 1, "period": 0}, "period = 0 is not a number of steps"),
        ({"dv": float("nan")}, "dv holds NaN"),
    ],
)
def test_what_lies_outside_its_range_is_refused(part, given, message):
    with pytest.raises(DlmError, match=message):
        part((3,), **given)


@pytest.mark.parametrize("arithmetic", NETWORKS)
@pytest.mark.parametrize("post", ["out", "next"])
def test_a_projection_that_could_carry_nothing_is_refused(arithmetic, post):
    network, other = NETWORKS[arithmetic]
    populations = {**network.populations, "next": other.populations["out"]}
    back = replace(network.projections[0], pre="out", post=post, connection=Dense(np.zeros((3, 3), int)))
    with pytest.raises(DlmError, match=rf"out->{post}: 'out' \((Integer)?LI\) never spikes and sends nothing"):
        replace(network, populations=populations, projections=(*network.projections, back))


@pytest.mark.parametrize(("arithmetic", "other"), [("float", IntegerLI((3,), dv=1)), ("integer", LI((3,), dv=1))])
def test_arithmetics_do_not_mix(arithmetic, other):
    network = NETWORKS[arithmetic][0]
    with pytest.raises(DlmError, match=r"population 'out' is a (Integer)?LI, not an Input or (Integer)?LIF"):
        replace(network, populations={**network.populations, "out": other})


def test_a_comparison_without_the_v_of_a_read_out_would_be_empty():
    network = NETWORKS["float"][0]
    first = run(network, {"x": EVENTS}, 40, ("s",))
    with pytest.raises(DlmError, match="no v of 'out', which never spikes, in a recording; record 'v'"):
        compare(first, first)


def test_comparison_holds_v_against_its_own_size():
    """A threshold that is infinite is no scale: with it, everything would be equal."""
    network = NETWORKS["float"][0]
    first = run(network, {"x": EVENTS}, 40, ("s", "u", "v"))
    v = first.v["out"].copy()
    v[1, 20, 2] += 1e-6
    told = compare(first, replace(first, v={"out": v}))
    assert not told.equal
    assert (told.divergence.sample, told.divergence.step, told.divergence.neuron) == (1, 20, 2)
    assert compare(first, run(network, {"x": EVENTS}, 40, ("s", "u", "v"))).equal


@pytest.mark.parametrize(("arithmetic", "target"), [("float", "float"), ("integer", "fixed")])
def test_in_lava_it_is_a_stock_neuron(arithmetic, target):
    """So that it goes where Lava's own LIFReset goes; its threshold lies above every v."""
    pytest.importorskip("lava")
    from lava_processes import build  # isort: skip - it mends Lava for this Python

    from lava.proc.lif.process import LIFReset

    graph = build(NETWORKS[arithmetic][0], target)
    assert type(graph.neurons["out"]) is LIFReset
    assert graph.neurons["out"].vth.init == (np.inf if target == "float" else 2**17)


def test_a_net_file_holds_none_that_leaks(tmp_path):
    with pytest.raises(UnsupportedError, match=r"a \.net file cannot do the leak of 'out', which never spikes"):
        write_net(NETWORKS["integer"][0], tmp_path / "net.net")
