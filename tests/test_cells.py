"""One cell: what a learner is told, in which order, and what the row says of it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import fields, replace

import numpy as np
import pytest

from dlm_snn import plugins
from dlm_snn.continual.course import CHUNK
from dlm_snn.continual.row import ContinualRow, RowFigures, Told
from dlm_snn.errors import DlmError
from dlm_snn.learning.learner import Declaration
from dlm_snn.tasks.clusters import clusters
from dlm_snn.tasks.protocols import PROTOCOLS, Protocol
from experiments.harness.cells import Cell, Entry, cells, expected_minutes
from experiments.harness.continual import run_cell
from experiments.harness.rows import plain
from tests.continual_rows import made_row


class Spy:
    """Remembers what it is told; answers the last class that it saw."""

    declared = Declaration()
    made: list[Spy] = []  # noqa: RUF012

    def __init__(self, setting, rng, ceiling: int | None = None):
        self.declaration = self.declared
        self.setting = setting
        self.draw = rng.random()
        self.told: list = []
        self.x = np.zeros((0, *setting.shape), np.uint8)
        self.y = np.zeros(0, np.int64)
        type(self).made.append(self)

    def begin_task(self, classes):
        self.told.append(("task", classes))

    def observe(self, x, y):
        self.told.append(("observe", len(y), tuple(sorted(set(y.tolist())))))
        self.x, self.y = np.concatenate([self.x, x]), np.concatenate([self.y, y])

    def predict(self, x, classes=None):
        self.told.append(("predict", len(x), classes))
        return np.full(len(x), self.y[-1] if classes is None else classes[0])

    def freeze(self):
        raise NotImplementedError

    def info(self):
        return {"neurons": np.int64(3), "rate": np.float32(0.5), "odd": float("nan"), "by": np.arange(2)}


@pytest.fixture
def spy(monkeypatch):
    """Declares a Spy and runs it in a protocol."""

    def go(protocol: str, declaration: Declaration = Declaration(), **fields) -> tuple[ContinualRow, list[Spy]]:  # noqa: B008
        kind = type("Spy", (Spy,), {"declared": declaration, "made": []})
        monkeypatch.setattr(plugins, "load", lambda group, name: kind)
        cell = replace(Cell("spy", protocol, "spy", {}, 0), **fields)
        return run_cell(cell), kind.made

    return go


def short(monkeypatch, **fields) -> str:
    monkeypatch.setitem(PROTOCOLS, "short", Protocol("short", "clusters", "split", 5, **fields))
    return "short"


def seen(learner: Spy, kind: str) -> list:
    return [entry for entry in learner.told if entry[0] == kind]


def pool(x) -> list[bytes]:
    return sorted(row.tobytes() for row in x)


def test_each_sample_comes_once_task_by_task_and_all_tests_so_far_follow(spy):
    row, (learner,) = spy("clusters")
    assert pool(learner.x) == pool(clusters().x_train)
    assert {entry[1] for entry in seen(learner, "observe")} == {CHUNK}
    by_task = [entry[2] for entry in seen(learner, "observe")]
    assert [by_task[i] == by_task[i + 1] for i in range(0, 10, 2)] == [True] * 5
    assert len({c for pair in by_task for c in pair}) == 10
    assert [entry[2] for entry in seen(learner, "predict")] == [None] * (1 + 2 + 3 + 4 + 5)
    assert not seen(learner, "task")
    # It answers the last class: half of the newest task, nothing of those before.
    matrix = row.figures.r
    assert np.diag(matrix).tolist() == [0.5] * 5
    assert np.nansum(matrix) == 2.5
    assert row.figures.forgetting == 0.5
    assert row.figures.acc == pytest.approx(0.1)
    assert row.figures.la == 0.5


def test_a_row_is_plain_and_says_what_it_is(spy):
    row, _ = spy("clusters", Declaration(front_end="edges", winner="spikes"))
    assert ContinualRow.from_json(json.loads(json.dumps(row.to_json(), allow_nan=False))) == row
    assert row.protocol == "split-clusters/class/online"
    assert row.declaration.front_end == "edges"
    assert row.info == {"neurons": 3, "rate": 0.5, "odd": None, "by": [0, 1]}
    assert row.figures.matrix[0][1] is None
    assert row.told == Told(boundary=False, label_at_test=False)
    assert list(row.to_json()) == [f.name for f in fields(ContinualRow) if f.name != "extra"]
    assert set(row.figures.seconds) == {"training", "test"}


def test_the_same_cell_gives_the_same_row_and_another_seed_another(spy):
    def steady(row):
        return replace(row, figures=replace(row.figures, seconds={}))

    (first, (one,)), (again, (two,)), (other, (three,)) = (spy("clusters", seed=seed) for seed in (0, 0, 1))
    assert steady(first) == steady(again)
    assert np.array_equal(one.x, two.x)
    assert one.draw == two.draw != three.draw
    assert first.config != other.config
    assert not np.array_equal(one.y, three.y)


def test_more_passes_show_every_sample_as_often_each_time_in_another_order(spy, monkeypatch):
    _, (learner,) = spy(short(monkeypatch, passes=3))
    assert set(Counter(pool(learner.x)).values()) == {3}
    first, second, third = learner.x[:200], learner.x[200:400], learner.x[400:600]
    assert pool(first) == pool(second) == pool(third)
    assert not np.array_equal(first, second)
    assert not np.array_equal(second, third)


def test_a_learner_that_declares_boundaries_is_told_them_and_the_row_says_where_others_are_not(spy, monkeypatch):
    row, (learner,) = spy("clusters", Declaration(boundary=True))
    assert [len(entry[1]) for entry in seen(learner, "task")] == [2] * 5
    assert learner.told[0] == ("task", learner.told[1][2]) or learner.told[0][1] == tuple(reversed(learner.told[1][2]))
    assert row.told.boundary
    assert row.beyond_protocol == ("boundary",)
    row, _ = spy(short(monkeypatch, boundary=True), Declaration(boundary=True))
    assert row.beyond_protocol == ()


def test_the_task_of_a_test_sample_is_told_where_protocol_and_learner_agree(spy, monkeypatch):
    name = short(monkeypatch, scenario="task", label_at_test=True)
    row, (learner,) = spy(name, Declaration(label_at_test=True))
    assert row.told.label_at_test
    assert row.figures.acc == 0.5
    assert all(len(entry[2]) == 2 for entry in seen(learner, "predict"))
    row, (learner,) = spy(name)
    assert not row.told.label_at_test
    row, (learner,) = spy("clusters", Declaration(label_at_test=True))
    assert not row.told.label_at_test
    assert {entry[2] for entry in seen(learner, "predict")} == {None}


def test_a_learner_that_cannot_do_without_the_task_is_refused(spy, monkeypatch):
    monkeypatch.setattr(Spy, "predict", lambda self, x, classes: None)
    with pytest.raises(DlmError, match="must be told the task of a test sample, which split-clusters/class/online"):
        spy("clusters", Declaration(label_at_test=True))


def test_answers_are_one_a_sample(spy, monkeypatch):
    """A column of answers would be compared with every label."""
    monkeypatch.setattr(Spy, "predict", lambda self, x: np.zeros((len(x), 1)))
    with pytest.raises(DlmError, match=r"answers \(60, 1\) to 60 samples"):
        spy("clusters")


def test_boundaries_need_begin_task(spy, monkeypatch):
    monkeypatch.delattr(Spy, "begin_task")
    with pytest.raises(DlmError, match="declares boundaries and has no begin_task"):
        spy("clusters", Declaration(boundary=True))


def test_a_ceiling_sees_all_tasks_shuffled_at_once(spy):
    row, (learner,) = spy("clusters", Declaration(joint=True, boundary=True))
    assert pool(learner.x) == pool(clusters().x_train)
    assert min(len(entry[2]) for entry in seen(learner, "observe")) > 5
    assert seen(learner, "task") == [("task", tuple(range(10)))]
    matrix = row.figures.r
    assert np.isnan(matrix[:-1]).all()
    assert not np.isnan(matrix[-1]).any()
    assert row.figures.acc == pytest.approx(0.1)
    assert row.figures.forgetting is None


def test_the_joint_form_makes_a_fresh_learner_for_each_row(spy):
    row, made = spy("clusters", joint=True)
    learners = [learner for learner in made if learner.told]
    assert [len(learner.y) for learner in learners] == [200, 400, 600, 800, 1000]
    assert len(set(learners[2].y[:CHUNK].tolist())) == 6
    assert [len(seen(learner, "predict")) for learner in learners] == [1, 2, 3, 4, 5]
    assert len({learner.draw for learner in made}) == 1
    assert not np.isnan(row.figures.r[np.tril_indices(5)]).any()


def test_permuted_tasks_are_tested_on_their_own_test_sets(monkeypatch):
    monkeypatch.setitem(PROTOCOLS, "short", Protocol("short", "clusters", "permuted", 3, scenario="domain"))
    row = run_cell(Cell("kept", "short", "kept", {"per_class": 300}, 0))
    # With every sample kept each permutation is known as well as the first, whatever came later.
    assert row.figures.la > 0.8
    assert abs(row.figures.bwt) < 0.1


def test_validation_leaves_the_test_set_aside(spy):
    row, (learner,) = spy("clusters", validation=True)
    assert row.validation
    data = clusters()
    assert len(learner.y) == 800
    assert sum(entry[1] for entry in seen(learner, "predict")[-5:]) == 200
    assert not set(pool(learner.x)) & set(pool(data.x_test))
    assert row.config != spy("clusters")[0].config


def test_the_key_sees_what_decides_the_figures():
    base = Cell("a", "clusters", "kept", {"per_class": 5}, 0)
    assert replace(base, variant="b").key == base.key
    assert replace(base, options={"per_class": 5, "added": None}).key == base.key
    changes = [{"protocol": "digits"}, {"learner": "other"}, {"options": {"per_class": 6}}, {"seed": 1}]
    changes += [{"validation": True}, {"joint": True}]
    assert len({replace(base, **change).key for change in changes} | {base.key}) == len(changes) + 1


def test_an_option_is_stored_as_rows_have_called_it_from_the_first_on():
    """No finished row runs again for a better name."""
    entries = {
        "now": Entry("P3", "ewc", {"optimizer": "sgd", "learning_rate": 0.05, "strength": 100.0}),
        "before": Entry("P3", "ewc", {"optimiser": "sgd", "lr": 0.05, "strength": 100.0}),
    }
    now, before = cells(entries, [0])
    assert now.key == before.key
    assert now.options == before.options
    twice = {"twice": Entry("P3", "ewc", {"optimizer": "sgd", "optimiser": "adam"})}
    with pytest.raises(DlmError, match="learner 'ewc': optimizer and optimiser are one option; give one of them"):
        cells(twice, [0])


def test_a_null_that_was_given_is_another_cell():
    """The null of gradient's winners switches competition off; its default is another."""
    made = cells({"a": Entry("digits", "gradient"), "b": Entry("digits", "gradient", {"winners": None})}, [0])
    assert made[0].key != made[1].key


def test_a_changed_protocol_is_another_cell(monkeypatch):
    cell = Cell("a", "clusters", "kept", {}, 0)
    before = cell.key
    monkeypatch.setitem(PROTOCOLS, "clusters", replace(PROTOCOLS["clusters"], passes=2))
    assert cell.key != before


def test_cells_come_seed_by_seed_with_all_options():
    made = cells(
        {"a": Entry("split-clusters/class/online", "kept"), "b": Entry("clusters", "kept")}, [0, 1], joint=True
    )
    assert [(c.variant, c.seed, c.joint) for c in made[:5]] == [
        ("a", 0, False),
        ("a", 0, True),
        ("b", 0, False),
        ("b", 0, True),
        ("a", 1, False),
    ]
    assert {c.protocol for c in made} == {"clusters"}
    assert {c.options["per_class"] for c in made} == {50}
    assert made[0].file == "continual-clusters.jsonl"
    with pytest.raises(DlmError, match="at least one"):
        cells({"a": Entry("clusters", "kept")}, [])
    with pytest.raises(DlmError, match="no protocol 'P9'"):
        cells({"a": Entry("P9", "kept")}, [0])


def test_minutes_are_expected_from_the_same_options_first():
    def row(per_class: int, seconds: float, learner: str = "kept") -> ContinualRow:
        figures = RowFigures.of([[0.5]], 0.0, {"training": seconds, "test": 0.0})
        return made_row(learner=learner, options={"per_class": per_class}, figures=figures)

    rows = [row(5, 60), row(5, 180), row(50, 600), row(5, 9e9, "other")]
    asked = Cell("a", "clusters", "kept", {"per_class": 5}, 3)
    assert expected_minutes(asked, rows) == 2
    assert expected_minutes(replace(asked, options={"per_class": 6}), rows) == 3
    assert expected_minutes(replace(asked, learner="new"), rows) is None


def test_plain_data():
    odd = {1: (np.bool_(True), None, 2**70, PROTOCOLS["P2"])}
    assert plain(odd) == {"1": [True, None, 2**70, str(PROTOCOLS["P2"])]}
