"""The sweep over temperature and size: its order parameter, its seeds, its rows."""

from __future__ import annotations

import numpy as np
import pytest

from dlm_snn.errors import DlmError
from dlm_snn.tasks.parts import Split, split
from experiments.harness.rows import OURS, read_rows
from experiments.recipes import temperature
from experiments.recipes.table import variant_config
from experiments.road import sweep
from experiments.road.repeat import key


def test_a_tie_counts_as_the_chance_of_guessing_right():
    counts = np.array([[3, 1, 0], [2, 2, 0], [0, 0, 0], [0, 5, 5]])
    assert sweep.guessed(counts, np.array([0, 1, 2, 0])) == pytest.approx([1, 1 / 2, 1 / 3, 0])


def test_every_variant_has_its_size_and_its_temperature():
    assert len(temperature.VARIANTS) == len(temperature.SIZES) * len(temperature.TEMPERATURES)
    config = variant_config("temperature", "64-0.01")
    assert config.network.hidden == (64,)
    assert config.dynamics is not None
    assert (config.dynamics.temperature, config.dynamics.alpha, config.dynamics.dissipation) == (0.01, 0.0, "none")


def test_seeds_change_the_weights_and_the_noise_and_not_the_hold_out():
    config = sweep.seeded(temperature.CONFIG, 5)
    assert config.dynamics is not None
    assert (config.network.seed, config.training.seed, config.dynamics.seed) == (5, 5, 5)
    assert config.data.split_seed == temperature.CONFIG.data.split_seed


def test_cold_weights_learn_and_hot_ones_guess():
    """A tenth of the data and of the training: far above chance at the lowest T, at chance at the highest."""
    order = {}
    for variant in ("64-0.0003", "64-0.1"):
        config = sweep.seeded(variant_config("temperature", variant), 0)
        config = config.model_copy(update={"training": config.training.model_copy(update={"epochs": 4})})
        data = split(config.data)
        part = Split(data.dataset, data.x_train[:600], data.y_train[:600], data.x_test, data.y_test)
        order[variant] = sweep.measured(config, part)["order"]
    assert order["64-0.0003"] > 0.3
    assert abs(order["64-0.1"]) < 0.15


def test_a_row_that_exists_is_not_run_again(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "measured", lambda config, _: {"order": config.dynamics.temperature})
    path = tmp_path / "temperature.jsonl"
    told: list[str] = []
    ask = ("temperature", ["16-0.01", "64-0.01"], range(2), None, path, lambda stage, *_: told.append(stage))
    rows = sweep.sweep(*ask)
    assert told == ["16-0.01 0", "64-0.01 0", "16-0.01 1", "64-0.01 1"]
    assert len({row["config"] for row in rows}) == 4
    before = path.read_bytes()
    assert sweep.sweep(*ask) == rows
    assert len(told) == 4
    assert path.read_bytes() == before


def test_a_variant_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DlmError, match="no variant '17-1'"):
        sweep.sweep("temperature", ["17-1"], [0], None, tmp_path / "rows.jsonl", lambda *_: None)


def test_a_sweep_is_checked_as_a_whole():
    """Rows of a smooth fall of independent units: what a table and a verdict make of them."""
    rng = np.random.default_rng(9)
    rows = []
    for size in temperature.SIZES:
        for i, t in enumerate(temperature.TEMPERATURES):
            for order in rng.binomial(16 * size, 1 / (1 + np.exp(2 * i - 5)), 60) / (16 * size):
                figures = {"order": order, "accuracy": 0.1 + 0.9 * order, "test_samples": 10**6}
                rows.append({"variant": f"{size}-{t:g}", "figures": figures})
    found = sweep.checked(rows, temperature.SIZES, temperature.TEMPERATURES)
    assert found.verdict == "crossover"
    assert sweep.floor([{"order": 0.5, "accuracy": 0.55, "test_samples": 100}]) == pytest.approx(
        0.55 * 0.45 / 100 / 0.81
    )
    heading, *lines = sweep.table(found, rows)
    assert len(lines) == len(temperature.VARIANTS)
    assert heading == ("neurons", "T", "accuracy %", "N Var|m|", "U")
    assert [f"{line[0]}-{line[1]}" for line in lines] == list(temperature.VARIANTS)


def test_the_committed_rows_belong_to_the_recipe():
    rows = read_rows(OURS / "temperature.jsonl")
    assert len(rows) == len(temperature.SEEDS) * len(temperature.VARIANTS)
    for row in rows:
        assert row["config"] == key(sweep.seeded(variant_config("temperature", row["variant"]), row["seed"]))
    assert len({row["config"] for row in rows}) == len(rows)
