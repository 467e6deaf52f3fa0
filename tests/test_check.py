"""``dlm-snn check``: what keeps a network off a chip, each thing with its value, its limit and the smallest change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.cli import main
from hardware.changes import changes
from hardware.chips import Chip, Figure, all_chips
from hardware.limits import compared
from hardware.subset import doubts, obstacles


def network(neuron: Any = None, **projection: Any) -> dlm.IntegerNetwork:
    neuron = dlm.IntegerLIF((6,), dv=10, v_threshold=100) if neuron is None else neuron
    weight = 2 * np.random.default_rng(0).integers(-100, 100, (6, 5))
    form = {"connection": dlm.Dense(weight)} | projection
    return dlm.IntegerNetwork({"x": dlm.Input((5,)), "h": neuron}, [dlm.IntegerProjection("x", "h", **form)])


OBSTACLES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "competition": (
        {"winners": 2, "groups": 2},
        {},
        "'h' has a competition (2 of 3 may spike); a chip has no competition: train with inhibition",
    ),
    "period": ({"period": 25}, {}, "'h' has a period of 25; a chip has periods that are powers of 2: 25 -> 32"),
    "dv of each neuron": (
        {"dv": np.arange(6)},
        {},
        "'h' has 6 values of dv; a chip has one for a population: split it into populations (hardware.as_stock)",
    ),
    "threshold of each neuron": ({"v_threshold": np.array([1, 1, 1, 2, 2, 2])}, {}, "'h' has 2 values of v_threshold"),
    "delay": ({}, {"delay": 63}, "'x->h' has a delay of 63 steps; a chip has at most 62: 63 -> 62"),
}


@pytest.mark.parametrize(("neuron", "projection", "line"), OBSTACLES.values(), ids=OBSTACLES)
def test_every_obstacle_names_where_value_limit_and_change(
    neuron: dict[str, Any], projection: dict[str, Any], line: str
) -> None:
    given = {"dv": 10, "v_threshold": 100} | neuron
    (found,) = obstacles(network(dlm.IntegerLIF((6,), **given), **projection))
    assert str(found).startswith(line)


@pytest.mark.parametrize("neuron", [{}, {"period": 32}, {"bias_mant": np.arange(6)}, {"dv": np.full(6, 3)}])
def test_what_a_chip_does_is_no_obstacle(neuron: dict[str, Any]) -> None:
    net = network(dlm.IntegerLIF((6,), **({"dv": 10, "v_threshold": 100} | neuron)), delay=62)
    assert obstacles(net) == ()
    assert doubts(net) == ()
    assert obstacles(network(dlm.IntegerLI((6,), dv=10))) == ()


def test_what_may_differ_is_told() -> None:
    graded = network()
    graded = replace(graded, populations={**graded.populations, "x": dlm.Input((5,), graded_bits=16)})
    (sums,) = doubts(graded)
    assert "'x->h' can sum up to " in sums
    assert "'x->h' floors its sums (weight_exp = -2)" in doubts(network(weight_exp=-2))
    kernel = dlm.Conv2d(2 * np.ones((1, 1, 2, 2), int), (1, 3, 3))
    image = dlm.IntegerNetwork(
        {"x": dlm.Input((1, 3, 3)), "h": dlm.IntegerLIF((1, 2, 2), dv=1, v_threshold=9)},
        [dlm.IntegerProjection("x", "h", kernel, weight_exp=1)],
    )
    assert any("list of synapses" in one for one in doubts(image))


def test_a_network_is_held_against_the_figures_of_any_chip() -> None:
    def figure(value: int) -> Figure:
        return Figure(value, "published", "a test")

    small = Chip("small", "Small", cores=figure(1), neurons=figure(5), fan_in=figure(4), synapses=figure(29))
    found = compared(network(), small)
    told = {excess.limit: (excess.needs, excess.has) for excess in found.excesses}
    asked = np.count_nonzero(network().projections[0].connection.weight, axis=1)
    assert told == {
        "synapses of one neuron": (int(asked.max()), 4),
        "neurons, with all others": (6, 5),
        **({"synapses on a chip": (int(asked.sum()), 29)} if asked.sum() > 29 else {}),
    }
    assert found.unknown == ("bits of a weight, with its sign", "steps of delay")
    wide = replace(small, neurons=figure(6), fan_in=figure(5), synapses=figure(30), weight_bits=figure(8))
    assert compared(network(), wide).excesses == ()
    assert compared(network(), replace(wide, weight_bits=figure(7))).excesses[0].population == "x->h"
    with pytest.raises(dlm.DlmError, match="give an IntegerNetwork"):
        compared(dlm.Network({"h": dlm.LIF((2,), dv=0.5)}), small)


@pytest.fixture
def stored(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    dlm.save(network(), "integer")
    dlm.save(network(dlm.IntegerLIF((6,), dv=10, v_threshold=100, winners=2)), "winners")
    dlm.save(dlm.IntegerNetwork({"x": dlm.Input((3,))}), "inputs")


@pytest.mark.usefixtures("stored")
def test_check_says_the_verdict_first_and_its_exit_code_is_that(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "integer.json"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "fits on one Intel Loihi 2: 1 of 128 cores"
    assert "windows: 16 steps, a new sample every 16" in told
    assert main(["check", "winners.json"]) == 1
    assert "to change: 'h' has a competition (2 of 6 may spike)" in capsys.readouterr().out
    assert main(["check", "integer.json", "--neurons-per-core", "h=4", "--each-core"]) == 0
    told = capsys.readouterr().out
    assert "2 of 128 cores" in told
    assert [line.split()[:4] for line in told.splitlines() if line[:1] in "01"] == [
        ["0", "h", "1", "4"],
        ["1", "h", "1", "2"],
    ]
    assert main(["check", "integer.json", "--chip", "all"]) == 0
    told = capsys.readouterr().out
    assert all(one.title in told for one in all_chips().values())
    assert "BrainScaleS-2: 'x->h' needs 8 bits of a weight, with its sign; there are 6" in told


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["integer.json", "--samples", "-1"], "--samples -1: at least 0"),
        (["integer.json", "--steps", "0"], "--steps 0: at least 1"),
        (["integer.json", "--dataset", "digit"], "no dataset 'digit'; did you mean 'digits'"),
        (["integer.json", "--picture", "cores.jpg"], "--picture cores.jpg: no picture of the kind 'jpg'"),
        (["integer.json", "--picture", "cores.png", "--chip", "loihi1"], "--picture is for chips with a packing"),
        (["integer.json", "--chip", "loihi3"], "no chip 'loihi3'; did you mean 'loihi2'"),
        (["integer.json", "--neurons-per-core", "h"], "--neurons-per-core 'h' is not POPULATION=N"),
        (["integer.json", "--neurons-per-core", "g=3"], "neurons_per_core names 'g'"),
        (["integer.json", "--neurons-per-core", "h=7"], "neurons_per_core['h'] = 7, of 6 neurons"),
        (["integer.json", *("--neurons-per-core", "h=2") * 2], "--neurons-per-core names 'h' twice"),
        (["inputs.json"], "the network has no neurons to place"),
        (["integer.json", "--packing", "2021"], "Intel Loihi 2 has no packing '2021'"),
        (
            ["integer.json", "--packing", "2023", "--chip", "truenorth"],
            "--packing is for chips with a packing (loihi2), not truenorth",
        ),
        (["nothing.json"], "nothing.json"),
    ],
)
def test_what_cannot_be_checked_is_a_line(words: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *words]) == 2
    told = capsys.readouterr().err
    assert line in told
    assert len(told.splitlines()) == 1


def floats() -> dlm.Network:
    rng = np.random.default_rng(0)
    return dlm.Network(
        {
            "x": dlm.Input((64,), graded_bits=5, scale=16.0),
            "h": dlm.LIF((12,), dv=0.1, reset="subtract"),
            "o": dlm.LIF((10,), dv=0.1, refractory=2),
        },
        [
            dlm.Projection("x", "h", dlm.Dense(rng.normal(0, 0.3, (12, 64)))),
            dlm.Projection("h", "o", dlm.Dense(rng.normal(0, 0.5, (10, 12)))),
        ],
    )


def test_floats_are_laid_out_with_a_chips_neurons_and_each_change_has_its_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    dlm.save(floats(), "floats")
    assert main(["check", "floats", "--dataset", "digits", "--steps", "6", "--samples", "50"]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "floats, laid out as 8-bit integers"
    assert "to change: 'h' reset to zero, not by subtraction" in told
    assert "to change: 'o' refractory for 2 -> 0 steps" in told
    costs = told[told.index("accuracy on 50 test samples of digits, weights as they are:") + 1 :]
    assert [line.partition(":")[0].strip() for line in costs] == [
        "as it is, 6 steps",
        "'h' reset to zero, not by subtraction",
        "'o' refractory for 2 -> 0 steps",
        "steps 6 -> 4",
        "all of these",
        "as 8-bit integers on a chip",
    ]
    assert all(line.endswith("%") for line in costs)


def test_each_change_is_alone_and_all_together_come_last() -> None:
    network = network_of_two()
    found = changes(network, 20)
    assert [change.n_steps for change in found] == [20, 20, 16, 16]
    first, second, steps, together = (change.network for change in found)
    assert (first.neurons["h"].winners, first.neurons["o"].winners) == (None, 1)
    assert (second.neurons["h"].winners, second.neurons["o"].winners) == (2, None)
    assert steps is network
    assert obstacles(together) == ()
    assert len(obstacles(network)) == 2
    assert changes(together, 16) == []


def network_of_two() -> dlm.IntegerNetwork:
    weight = 2 * np.ones((3, 6), int)
    h = dlm.IntegerLIF((6,), dv=10, v_threshold=100, winners=2)
    whole = network(h)
    return dlm.IntegerNetwork(
        {**whole.populations, "o": dlm.IntegerLIF((3,), dv=10, v_threshold=3, winners=1)},
        (*whole.projections, dlm.IntegerProjection("h", "o", dlm.Dense(weight))),
    )


@pytest.mark.usefixtures("stored")
def test_a_picture_of_the_cores(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "integer.json", "--neurons-per-core", "h=2", "--picture", "cores.svg"]) == 0
    assert Path("cores.svg").read_text().count("<path") > 3
    capsys.readouterr()
    assert main(["check", "integer.json", "--picture", "cores.svg"]) == 2
    assert "cores.svg exists" in capsys.readouterr().err


@pytest.mark.usefixtures("stored")
def test_a_network_beyond_a_chip_is_cut_and_the_machine_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    n = 300
    ring = dlm.Sparse((n, n), np.arange(n), np.roll(np.arange(n), 1), np.full(n, 2))
    loop = dlm.IntegerProjection("h", "h", ring, sign_mode="excitatory")
    dlm.save(dlm.IntegerNetwork({"h": dlm.IntegerLIF((n,), dv=10, v_threshold=100)}, [loop]), "ring")
    assert main(["check", "ring", "--neurons-per-core", "h=1"]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("does not fit on one Intel Loihi 2 (cores of 3 chips)")
    (parts,) = [line for line in told if line.startswith("over chips: 3 chips; ")]
    assert (
        parts == "over chips: 3 chips; 3 messages cross between them per sample (3 with cores in the network's order)"
    )
    assert "machines: Kapoho Point has 8 chips (published)" in told
