"""The committed results belong to the configurations that the experiments have, and are not run again."""

from __future__ import annotations

import json
import re
from argparse import Namespace
from pathlib import Path

import pytest

from dlm_snn.config import dump_config
from dlm_snn.continual.figures import continual_figures
from dlm_snn.errors import DlmError
from experiments.harness.cells import Entry, cells
from experiments.harness.rows import CONTINUAL_ROW, read_rows
from experiments.harness.stream import RESULTS as STREAM
from experiments.harness.stream import StreamCell
from experiments.recipes.config import RunConfig
from experiments.recipes.table import EXPERIMENTS, chosen_config, variant_config
from experiments.road import repeat, road

RESULTS = Path(__file__).resolve().parent.parent / "experiments" / "results"


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_repetition_has_its_row(name):
    rows = read_rows(RESULTS / f"{name}.jsonl")
    for variant in EXPERIMENTS[name].VARIANTS:
        for seed in EXPERIMENTS[name].SEEDS:
            wanted = repeat.key(repeat.with_seed(variant_config(name, variant), seed))
            assert [(r["variant"], r["seed"]) for r in rows if r["config"] == wanted] == [(variant, seed)]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_row_that_exists_is_not_run_again(name, monkeypatch):
    def refuse(*_):
        raise AssertionError("a finished row was run again")

    monkeypatch.setattr(repeat, "repetition", refuse)
    module = EXPERIMENTS[name]
    rows = repeat.repeat(name, module.VARIANTS, module.SEEDS, None, RESULTS / f"{name}.jsonl", lambda *_: None)
    assert len(rows) == len(module.VARIANTS) * len(module.SEEDS)
    heading, *lines = repeat.table(rows)
    assert [line[0] for line in lines] == list(module.VARIANTS)
    assert all(len(line) == len(heading) for line in lines)


def test_pairs_are_taken_seed_by_seed():
    def row(variant: str, seed: int, accuracy: float, rate: float) -> dict:
        figures = {"float": accuracy, "integer": accuracy, "hidden_rate": rate}
        return {"variant": variant, "seed": seed, "figures": figures}

    rows = [row("a", s, 0.9 + 0.01 * s, 0.1) for s in range(3)] + [
        row("b", s, 0.91 + 0.01 * s, 0.075) for s in range(3)
    ]
    heading, line = repeat.paired([*rows, row("c", 0, 0.5, 0.1)])
    assert heading[0] == "against a"
    assert line == ("b", "3", "+1.00 ± 0.00", "+1.00 ± 0.00", "-25.0 ± 0.0 %")


def test_rows_of_two_configurations_under_one_name_are_two_lines():
    def row(seed: int, accuracy: float, settings: str) -> dict:
        figures = {"float": accuracy, "integer": accuracy, "hidden_rate": 0.1, "wraps": 0, "saturations": 0}
        figures |= {"spikes": 1.0, "synaptic_operations": 2}
        return {"variant": "a", "seed": seed, "settings": settings, "figures": figures}

    rows = [row(s, 0.5 + 0.01 * s, "old") for s in range(3)] + [row(s, 0.9 + 0.01 * s, "new") for s in range(2)]
    _, old, new = repeat.table(rows)
    assert (old[:3], new[:2]) == (("a (old)", "3", "51.00 ± 2.48"), ("a (new)", "2"))
    _, line = repeat.paired(rows)
    assert line[:3] == ("a (new)", "2", "+40.00 ± 0.00")


def test_one_configuration_under_two_names_is_two_lines_with_the_same_rows(tmp_path, monkeypatch):
    monkeypatch.setitem(EXPERIMENTS["digits"].VARIANTS, "same", EXPERIMENTS["digits"].VARIANTS["kwta"])
    figures = {"float": 0.5, "integer": 0.5, "wraps": 0, "saturations": 0, "spikes": 1.0, "synaptic_operations": 2}
    monkeypatch.setattr(repeat, "repetition", lambda *_: figures)
    names = ["kwta", "same", "kwta"]
    rows = repeat.repeat("digits", names, [0, 1], None, tmp_path / "digits.jsonl", lambda *_: None)
    assert len(read_rows(tmp_path / "digits.jsonl")) == 2
    assert [line[:2] for line in repeat.table(rows)[1:]] == [("kwta", "2"), ("same", "2")]


def test_rows_are_appended_and_a_damaged_line_is_named(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(repeat, "repetition", lambda config, *_: done.append(config) or {"float": 0.5})
    results = tmp_path / "digits.jsonl"
    repeat.repeat("digits", ["kwta"], [0], None, results, lambda *_: None)
    repeat.repeat("digits", ["kwta"], [0, 1], None, results, lambda *_: None)
    assert [json.loads(line)["seed"] for line in results.read_text().splitlines()] == [0, 1]
    assert [config.network.seed for config in done] == [0, 1]
    results.write_text(results.read_text() + "{half a line\n")
    with pytest.raises(DlmError, match="line 3 is no row of JSON"):
        read_rows(results)


def test_the_key_sees_what_decides_the_figures_and_nothing_else():
    base = RunConfig()
    moved = base.model_copy(update={"data": base.data.model_copy(update={"data_dir": Path("/somewhere")})})
    trained = base.model_copy(update={"training": base.training.model_copy(update={"epochs": 99})})
    assert repeat.key(base) == repeat.key(moved) != repeat.key(trained)


def asked(**options) -> RunConfig:
    given = {"dataset": None, "variant": None, "dynamics": None, "config": None, "set": [], "data_dir": None}
    return chosen_config(Namespace(**{**given, **options}))


def test_a_run_learns_by_the_dlms_dynamics_unless_told_otherwise(tmp_path):
    assert asked().dynamics.measure
    assert asked(dataset="mnist").dynamics.temperature == 1e-6
    assert asked(dynamics="plain") == variant_config("digits").model_copy(update={"dynamics": None})
    assert asked(set=["dynamics.temperature=0.5"]).dynamics.temperature == 0.5
    assert asked(variant="plain").network.winners is None
    assert asked(variant="plain").dynamics is not None
    file = tmp_path / "config.yaml"
    file.write_text(dump_config(asked(dynamics="plain")))
    assert asked(config=file).dynamics is None
    assert asked(config=file, dynamics="dlm").dynamics is not None
    file.write_text(dump_config(asked()))
    assert asked(config=file) == asked()
    with pytest.raises(
        DlmError, match=r"--set dynamics\.measure=true: plain training is by AdamW and has no such term"
    ):
        asked(dynamics="plain", set=["dynamics.measure=true"])
    layered = asked(set=["dynamics.layers.pixels->hidden.temperature=1e-5"])
    assert layered.dynamics.layers["pixels->hidden"].temperature == 1e-5
    assert repeat.key(layered) != repeat.key(asked())
    with pytest.raises(DlmError, match=r"--set: dynamics\.friction = 0: .*greater than 0"):
        asked(set=["dynamics.friction=0"])


HERE = r": it changes nothing here, since "
IDLE = [
    (
        ["training.learning_rate=0.1"],
        "the weights move by the DLM's dynamics; take --dynamics plain, or set dynamics.step",
    ),
    (["training.weight_decay=0.0"], "the weights move by the DLM's dynamics.* dynamics.dissipation_rate"),
    (["training.schedule=constant"], "the weights move by the DLM's dynamics.* dynamics.warmup"),
    (["training={learning_rate: 0.1, schedule: constant}"], "the weights move"),
    (["dynamics.thermostat=annealed", "dynamics.temperature=0"], "dynamics.temperature is 0"),
    (["dynamics.current_as=drift", "dynamics.friction=null"], "dynamics.friction is null"),
    (["dynamics.form=hebbian", "dynamics.alpha=0"], "dynamics.alpha is 0"),
    (["dynamics.function=tanh", "dynamics.alpha=0"], "dynamics.alpha is 0"),
    (["dynamics.current_as=drift", "dynamics.form=hebbian"], "the current of form 'hebbian' is always a force"),
    (["dynamics.dissipation_rate=0.1", "dynamics.dissipation=none"], "dynamics.dissipation is 'none'"),
    (["dynamics.dissipates=all", "dynamics.dissipation=none"], "dynamics.dissipation is 'none'"),
    (["dynamics.dissipates=all", "dynamics.dissipation_rate=0"], "dynamics.dissipation_rate is 0"),
    (["dynamics.seed=3", "dynamics.temperature=0", "dynamics.alpha=0"], "nothing is drawn"),
    (["network.groups=2", "network.winners=null"], "network.winners is null"),
    (["network.inhibition.neurons=8", "network.winners=null"], "network.inhibition.kind is 'lateral'"),
]


@pytest.mark.parametrize(("texts", "reason"), IDLE)
def test_a_value_that_changes_nothing_under_the_chosen_dynamics_is_refused(texts, reason):
    with pytest.raises(DlmError, match=rf"--set {re.escape(texts[0])}{HERE}{reason}"):
        asked(set=texts)


def test_values_that_change_something_are_taken():
    assert asked(dynamics="plain", set=["training.learning_rate=0.1"]).training.learning_rate == 0.1
    assert asked(dynamics="plain", set=["dynamics=null"]).dynamics is None
    layered = [
        "dynamics.thermostat=annealed",
        "dynamics.temperature=0",
        "dynamics.layers.pixels->hidden.temperature=1e-5",
    ]
    assert asked(set=layered).dynamics.thermostat == "annealed"
    assert (
        asked(set=["dynamics.alpha=0", "dynamics.dissipation_rate=0", "dynamics.dissipation=none"]).dynamics.alpha == 0
    )
    assert asked(set=["training={learning_rate: 0.1, epochs: 3}"]).training.epochs == 3
    assert asked(set=["network.groups=2"]).network.groups == 2
    for text in ("dynamics={alpha: 0.1}", "dynamics.alpha=0.1"):
        with pytest.raises(DlmError, match="plain training is by AdamW and has no such term"):
            asked(dynamics="plain", set=[text])


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("simulation.float_backends=[]", "float_backends = []: should have at least 1 item, not 0"),
        ("simulation.integer_backends=[]", "integer_backends = []: should have at least 1 item, not 0"),
        ("network.inhibition.kind=lateral", "inhibition stands in the place of winners; set network.winners to null"),
        ("network.inhibition.weight=0.1", "network.inhibition.weight = 0.1: should be less than 0"),
        ("training.activity.strength=1", "key 'training.activity.target' is missing"),
        ("network.hidden=[0]", r"hidden.0 = 0: should be greater than or equal to 1"),
    ],
)
def test_what_cannot_be_run_is_refused_before_the_training(words, line):
    with pytest.raises(DlmError, match=re.escape(line)):
        asked(set=[words])


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["float_backends=[reference,lava-fixed]"], "lava-fixed cannot do a float Network; quantize it"),
        (["float_backends=[fast]", "integer_backends=[reference,snntorch]"], "snnTorch cannot do integer networks"),
        (["float_backends=[fast]", "integer_backends=[nope]"], "no backend 'nope'"),
    ],
)
def test_simulators_that_cannot_are_told_before_the_training(words, line, tmp_path, monkeypatch):
    monkeypatch.setattr(road, "train_network", lambda *_: pytest.fail("trained"))
    config = asked(dataset="clusters", set=[f"simulation.{word}" for word in words])
    with pytest.raises(DlmError, match=line):
        road.run_road(config, tmp_path, "", lambda *_: None)
    assert not list(tmp_path.iterdir())


def test_a_seed_reaches_the_noise():
    config = repeat.with_seed(asked(), 7)
    assert config.dynamics.seed == 7
    assert repeat.with_seed(asked(dynamics="plain"), 7).dynamics is None


def test_an_unknown_variant_is_refused_by_name():
    with pytest.raises(DlmError, match=r"digits has no variant 'kwat'; did you mean 'kwta'\?"):
        variant_config("digits", "kwat")


def test_continual_rows_are_those_of_their_cells():
    """Each committed row is found again by protocol, learner, options and seed, in the file of its protocol."""
    files = sorted(RESULTS.glob("continual-*.jsonl"))
    assert files
    for path in files:
        for row in read_rows(path, CONTINUAL_ROW):
            entry = Entry(row.protocol, row.learner, row.options)
            (cell,) = (
                cell
                for cell in cells({row.variant: entry}, [row.seed], row.validation, joint=True)
                if cell.joint == row.joint
            )
            assert cell.file == path.name
            assert cell.key == row.config
            assert row.commit
            assert "+" not in row.commit
            assert continual_figures(row.figures.matrix).acc == pytest.approx(row.figures.acc)


def test_rows_of_streams_are_those_of_their_cells():
    rows = read_rows(RESULTS / STREAM)
    assert rows
    for row in rows:
        assert StreamCell(row["learner"], row["options"], row["order"], row["seed"]).key == row["config"]
