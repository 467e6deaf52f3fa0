"""A learner through a sequence of tasks, without a cell: what it is shown, and what looks on."""

from __future__ import annotations

import numpy as np
import pytest

from dlm_snn.continual.course import CHUNK, learn_jointly, learn_tasks, setting_of, taught
from dlm_snn.errors import DlmError
from dlm_snn.learning.learner import Declaration
from dlm_snn.learning.making import make_learner
from dlm_snn.tasks.parts import DataConfig, split
from dlm_snn.tasks.protocols import Protocol, protocol
from dlm_snn.tasks.sequences import TaskSequence
from experiments.harness.cells import Cell
from experiments.harness.continual import LEARNER, run_cell


@pytest.fixture(scope="module")
def tasks() -> TaskSequence:
    return TaskSequence(protocol("clusters"), split(DataConfig(dataset="clusters")), 0)


def kept(tasks: TaskSequence):
    return make_learner("kept", setting_of(tasks), np.random.default_rng([0, LEARNER]), {"per_class": 5})


class Counting:
    """Answers how many samples it has seen."""

    def __init__(self, **declared):
        self.declaration = Declaration(**declared)
        self.seen: list[int] = []

    def observe(self, x, y):
        self.seen.append(len(y))

    def predict(self, x):
        return np.full(len(x), sum(self.seen))

    freeze = info = None


@pytest.mark.parametrize("joint", [False, True])
def test_a_course_is_what_the_row_of_its_cell_says(tasks, joint):
    course = learn_jointly(lambda: kept(tasks), tasks) if joint else learn_tasks(kept(tasks), tasks)
    row = run_cell(Cell("kept", "clusters", "kept", {"per_class": 5}, 0, joint=joint))
    np.testing.assert_array_equal(course.matrix, row.figures.r)
    assert (course.told, course.unanswered) == (row.told, row.figures.unanswered)
    assert course.learner.declaration == row.declaration
    assert min(course.seconds.values()) > 0


def test_only_the_first_samples_of_each_task_are_shown(tasks):
    learner = Counting()
    learn_tasks(learner, tasks, samples=CHUNK + 30)
    assert learner.seen == [CHUNK, 30] * 5


def test_with_more_passes_the_same_few_samples_come_again(tasks):
    twice = TaskSequence(Protocol("short", "clusters", "split", 5, passes=2), tasks.data, 0)
    learner, shown = Counting(), []
    learner.observe = lambda x, y: shown.append(x)
    next(taught(learner, twice, samples=30))
    first, second = shown
    assert len(first) == 30
    assert not np.array_equal(first, second)
    assert sorted(map(bytes, first)) == sorted(map(bytes, second))


def test_who_looks_on_sees_the_learner_after_each_task(tasks):
    learner = Counting()
    seen = [(task.classes, sum(learner.seen)) for task in taught(learner, tasks)]
    assert seen == [(task.classes, 200 * (i + 1)) for i, task in enumerate(tasks)]


def test_a_ceiling_may_be_taken_task_by_task(tasks):
    once, each = (learn_tasks(Counting(joint=True), tasks, at_once=how) for how in (None, False))
    assert np.isnan(once.matrix[:-1]).all()
    assert not np.isnan(each.matrix[np.tril_indices(5)]).any()


def test_a_learner_without_a_name_is_called_by_its_class(tasks):
    with pytest.raises(DlmError, match="learner 'Counting' declares boundaries and has no begin_task"):
        learn_tasks(Counting(boundary=True), tasks)
    with pytest.raises(DlmError, match="learner 'mine' declares boundaries"):
        learn_jointly(lambda: Counting(boundary=True), tasks, name="mine")
