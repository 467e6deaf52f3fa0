"""Populations of one value each spike as the network that they come from does; the learner's columns are such a one."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import dlm_snn as dlm
from dlm_snn import (
    Conv2d,
    Dense,
    DlmError,
    Input,
    IntegerLI,
    IntegerLIF,
    IntegerNetwork,
    IntegerProjection,
    Sparse,
    UnsupportedError,
    run,
)
from dlm_snn.continual.course import setting_of, taught
from dlm_snn.learning import make_columns
from dlm_snn.tasks.parts import DataConfig, split
from dlm_snn.tasks.protocols import protocol
from dlm_snn.tasks.sequences import TaskSequence
from experiments.chips import frozen_columns
from experiments.harness.cells import cells
from experiments.recipes import continual_p2
from hardware import chip, obstacles, place
from hardware.stock import as_stock, joined, stock_parts

N = 5
STEPS = 12


def each(rng: np.random.Generator, *values: int) -> Any:
    """One value, or one a neuron."""
    return int(rng.choice(values)) if rng.random() < 0.4 else rng.choice(values, N)


def drawn(seed: int) -> tuple[IntegerNetwork, dict[str, NDArray]]:
    """x -> a -> b -> c with loops and skips, of two or three values of a parameter each."""
    rng = np.random.default_rng(seed)
    populations: dict[str, Any] = {"x": Input((N,))}
    for name in "abc":
        fields: dict[str, Any] = {"du": each(rng, -1, 1000, 4095), "dv": each(rng, 0, 400)}
        if rng.random() < 0.3:
            fields["bias_mant"] = each(rng, -200, 0, 200)
        if name == "c" and rng.random() < 0.3:
            populations[name] = IntegerLI((N,), **fields)
        else:
            populations[name] = IntegerLIF((N,), v_threshold=each(rng, 40, 90, 200), **fields)
    loops = [edge for edge in ("a->a", "b->a", "x->b", "a->c", "b->b") if rng.random() < 0.5]
    projections = []
    for edge in ["x->a", "a->b", "b->c", *loops]:
        pre, post = edge.split("->")
        weight = 2 * rng.integers(-30, 60, (N, N)) * (rng.random((N, N)) < 0.6)
        connection: Any = Sparse.from_dense(weight) if rng.random() < 0.4 and np.any(weight) else Dense(weight)
        delay = rng.integers(1, 4, connection.weight.shape) if rng.random() < 0.3 else int(rng.integers(1, 3))
        exponent = -1 if pre == "x" else int(rng.choice([0, 1]))
        projections.append(IntegerProjection(pre, post, connection, delay, exponent))
    return IntegerNetwork(populations, projections), {"x": rng.random((2, STEPS, N)) < 0.4}


@pytest.mark.filterwarnings("ignore:.*left their 24 bits")
@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_the_spikes_of_stock_populations_are_those_of_the_network(seed: int) -> None:
    network, stimulus = drawn(seed)
    stock, parts = as_stock(network), stock_parts(network)
    assert all(np.ndim(getattr(n, f)) == 0 for n in stock.neurons.values() for f in ("du", "dv", "v_threshold"))
    assert {name: part.population for name, part in parts.items()}.keys() == stock.populations.keys()
    whole, cut = (run(n, stimulus, STEPS, record=("s", "v"), backend="reference") for n in (network, stock))
    again = joined(cut.rasters, parts)
    for name in network.neurons:
        assert again[name] == whole.rasters[name]
        for key, part in parts.items():
            if part.population == name:
                np.testing.assert_array_equal(cut.v[key], whole.v[name][:, :, part.neurons])


def split_in_two(exponent: int, weight: list[int], **fields: Any) -> IntegerNetwork:
    """Two neurons of two thresholds, onto one."""
    populations = {
        "x": Input((2,)),
        "a": IntegerLIF((2,), dv=0, v_threshold=np.array([10, 20]), **fields),
        "b": IntegerLIF((1,), dv=0, v_threshold=3),
    }
    projections = [
        IntegerProjection("x", "a", Dense(np.diag([30, 30]))),
        IntegerProjection("a", "b", Dense(np.array([weight])), weight_exp=exponent),
    ]
    return IntegerNetwork(populations, projections)


def test_a_sum_that_is_floored_is_not_cut_into_two() -> None:
    with pytest.raises(
        UnsupportedError, match=r"'a->b', which floors its sums \(weight_exp = -2\), from 'a' in 2 parts"
    ):
        as_stock(split_in_two(-2, [2, 2]))
    for exponent, weight in ((-2, [4, 8]), (-2, [2, 0]), (0, [2, 2])):
        assert list(as_stock(split_in_two(exponent, weight)).populations) == ["x", "a_0", "a_1", "b"]


@pytest.mark.parametrize("where", ["a", "x"])
def test_odd_weights_of_a_convolution_are_not_cut(where: str) -> None:
    """A list of synapses of both signs takes even weights alone."""
    kernel = Conv2d(np.array([[[[1, 3, -7]]]]), (1, 1, 6))
    threshold = {"x": 3, "a": 3, where: np.arange({"x": 6, "a": 4}[where]) // 3}
    populations = {
        "in": Input((1, 1, 6)),
        "x": IntegerLIF((1, 1, 6), dv=0, v_threshold=threshold["x"]),
        "a": IntegerLIF(kernel.post_shape, dv=0, v_threshold=threshold["a"]),
    }
    odd, even = (
        IntegerNetwork(
            populations,
            [IntegerProjection("in", "x", Dense(4 * np.eye(6, dtype=int))), IntegerProjection("x", "a", convolution)],
        )
        for convolution in (kernel, kernel.with_weight(2 * kernel.weight))
    )
    with pytest.raises(UnsupportedError, match=rf"odd weights .* 'x->a', with '{where}' in 2 parts.*; even weights$"):
        as_stock(odd)
    assert len(as_stock(even).populations) == 4


def test_a_competition_is_refused_by_name() -> None:
    network = split_in_two(0, [2, 2], winners=1)
    with pytest.raises(UnsupportedError, match=r"the competition of 'a' \(1 of 2 may spike\)"):
        as_stock(network)


def test_a_network_of_one_value_each_stays_as_it_is() -> None:
    kernel = Conv2d(np.full((2, 1, 2, 2), 10), (1, 3, 3))
    populations = {"x": Input((1, 3, 3)), "a": IntegerLIF((2, 2, 2), dv=np.full(8, 7), v_threshold=3, bias_mant=1)}
    made = as_stock(IntegerNetwork(populations, [IntegerProjection("x", "a", kernel)]))
    assert made.digest() == as_stock(made).digest()
    assert (made.neurons["a"].shape, made.neurons["a"].dv) == ((2, 2, 2), 7)
    assert made.projections[0].connection is kernel


def test_a_part_that_only_a_longer_way_reaches_keeps_its_window() -> None:
    """The second neuron of b gets nothing but by delay 3; its window begins with the first one's all the same."""
    populations = {"x": Input((1,)), "b": IntegerLIF((2,), dv=0, v_threshold=np.array([1, 2]))}
    delays = np.array([[1], [3]])
    network = IntegerNetwork(populations, [IntegerProjection("x", "b", Dense(np.array([[4], [4]])), delays)])
    made = as_stock(network)
    assert [made.depth[f"b_{i}"] for i in (0, 1)] == [1, 1]
    stimulus = {"x": np.eye(6)[None, :, :1].astype(bool)}
    rasters = joined(run(made, stimulus, 6).rasters, stock_parts(network))
    assert rasters["b"] == run(network, stimulus, 6).rasters["b"]
    assert rasters["b"].step.tolist() == [0, 2]


@pytest.fixture(scope="module")
def small() -> frozen_columns.Frozen:
    """A few columns that learned digits."""
    data = split(DataConfig(dataset="digits", split_seed=0))
    data = replace(data, x_test=data.x_test[:40], y_test=data.y_test[:40])
    tasks = TaskSequence(protocol("digits"), data, 0)
    learner = make_columns(setting_of(tasks), np.random.default_rng(0), form="plain", evidence=6, neurons=100)
    for _ in taught(learner, tasks, samples=20):
        pass
    return frozen_columns.Frozen(learner, as_stock(learner.freeze()), tasks, 1.0)


def test_the_learners_columns_are_stock_populations_that_a_chip_takes(small) -> None:
    learner, stock, x = small.learner, small.network, small.tasks.data.x_test[:6]
    assert [name for name in stock.populations if name.startswith("counters")] == [f"counters_{i}" for i in range(4)]
    assert obstacles(learner.freeze())
    assert obstacles(stock) == ()
    assert place(stock, chip("loihi2")).fits
    recording = dlm.run(stock, learner.stimulus(x), learner.n_steps, backend="fast")
    assert np.array_equal(dlm.read_out(recording.rasters["output"]), learner.predict(x))


def test_a_row_of_the_frozen_columns(small, monkeypatch) -> None:
    monkeypatch.setattr(frozen_columns, "WINDOWS", 4)
    (cell,) = cells({"any": continual_p2.CELLS[frozen_columns.LINE]}, [0])
    row = frozen_columns.row_of(cell, small)
    right = np.mean([frozen_columns.answers(small, small.tasks.data.x_test) == small.tasks.data.y_test])
    assert (row.images, row.accuracy) == (40, round(float(right), 6))
    assert 0.4 < row.acc == row.learner_acc
    assert (row.differing_answers, row.differing_spikes, row.obstacles) == (0, 0, [])
    assert (row.windows, row.n_steps, row.period, row.silenced) == (4, 125, 256, [])
    assert row.spikes > 1000
    assert frozen_columns.ROWS.load(frozen_columns.ROWS.dump(row), "here", "") == row
    with pytest.raises(DlmError, match="'cores' is \"4\", where a whole number is wanted"):
        frozen_columns.ROWS.load({**frozen_columns.ROWS.dump(row), "cores": "4"}, "here", "")


def test_what_is_saved_is_the_network_and_what_it_is_fed(small, tmp_path) -> None:
    command = frozen_columns.save(small, tmp_path / "made", samples=3)
    assert f"{tmp_path}/made/network.json --stimulus {tmp_path}/made/stimulus.npz --steps 125 --samples 3" in command
    network = dlm.load(tmp_path / "made" / "network.json")
    assert network.digest() == small.network.digest()
    with np.load(tmp_path / "made" / "stimulus.npz") as stimulus:
        found = dlm.read_out(dlm.run(network, dict(stimulus), 125, backend="fast").rasters["output"])
    assert np.array_equal(found, frozen_columns.answers(small, small.tasks.data.x_test[:3]))


def test_a_seed_that_has_its_row_is_not_run_again(tmp_path, monkeypatch, capsys) -> None:
    shutil.copy(frozen_columns.RESULTS, tmp_path)
    results = tmp_path / frozen_columns.RESULTS.name
    monkeypatch.setattr(frozen_columns, "RESULTS", results)
    monkeypatch.setattr(frozen_columns, "frozen", None)
    frozen_columns.main([])
    assert capsys.readouterr().out.strip() == frozen_columns.table(results)
    with pytest.raises(TypeError, match="'NoneType' object is not callable"):
        frozen_columns.main(["--seeds", str(frozen_columns.SEEDS + 1)])
