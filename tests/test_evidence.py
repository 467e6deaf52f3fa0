"""The choice of the evidence: its rows are what the learner itself answers, on held-out training data alone."""

from dataclasses import replace

import numpy as np
import pytest

from dlm_snn.continual.figures import continual_figures
from dlm_snn.learning.columns.learner import make_columns
from dlm_snn.learning.learner import Setting
from dlm_snn.tasks.parts import DataConfig, hold_out, split
from dlm_snn.tasks.protocols import protocol
from dlm_snn.tasks.sequences import TaskSequence
from experiments.tuning import evidence


@pytest.fixture(scope="module")
def parts():
    return split(DataConfig(dataset="digits"))


@pytest.mark.parametrize(("form", "waited"), [("ramp", 1), ("evidence", 6)])
def test_a_row_is_the_learners_own_figure(parts, form, waited):
    rows = evidence.answered(parts, 50, 3)
    assert [row["evidence"] for row in rows] == list(evidence.EVIDENCE)
    tasks = TaskSequence(protocol("P2"), hold_out(parts, evidence.HELD_OUT, np.random.default_rng(3)), 3)
    learner = make_columns(Setting((1, 8, 8), 5, 16, 10, 5), np.random.default_rng(0), form=form, neurons=50)
    matrix = np.full((5, 5), np.nan)
    for now, task in enumerate(tasks):
        learner.observe(task.x_train, task.y_train)
        for of in range(now + 1):
            test = tasks.task(of)
            matrix[now, of] = np.mean(learner.predict(test.x_test) == test.y_test)
    figures = continual_figures(matrix)
    (row,) = (row for row in rows if row["evidence"] == waited)
    assert (row["acc"], row["forgetting"]) == (round(figures.acc, 6), round(figures.forgetting, 6))


def test_test_images_are_not_looked_at(parts):
    blank = replace(parts, x_test=np.zeros_like(parts.x_test), y_test=np.zeros_like(parts.y_test))
    figures = [[(row["acc"], row["forgetting"]) for row in evidence.answered(p, 20, 1)] for p in (parts, blank)]
    assert figures[0] == figures[1]
