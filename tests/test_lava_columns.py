"""The columns inside Lava, step by step and a sample a step: weights, wins and classes are the learner's."""

from dataclasses import replace

import numpy as np
import pytest

from dlm_snn.errors import DlmError
from dlm_snn.learning.columns.front_end import FrontEnd
from dlm_snn.learning.columns.learner import make_columns
from dlm_snn.learning.columns.rule import ColumnRule, Columns
from dlm_snn.learning.learner import Learner, Setting
from dlm_snn.tasks.datasets import digits, mnist

pytest.importorskip("lava")
run_columns = pytest.importorskip("lava_processes.columns_run").run_columns
make_lava = pytest.importorskip("lava_processes.columns_learner").make_columns_in_lava
SETTING = Setting((1, 8, 8), 5, 16, 10, 5)


def compared(learner, x, y, stepwise: bool) -> int:
    """Learn and then classify in Lava and in the learner; nothing differs. Returns how many classes were told."""
    columns = Columns.fresh(learner.rule, learner.front_end.n_codes)
    half = len(x) - len(x) // 4
    taught = np.where(np.arange(len(x)) < half, y, -1)
    classes = run_columns(learner.front_end, learner.rule, columns, x, taught, stepwise=stepwise, timeout=600)
    learner.observe(x[:half], y[:half])
    assert np.array_equal(columns.wins, learner.columns.wins)
    assert np.array_equal(columns.weight, learner.columns.weight)
    assert columns.wins.sum() > np.count_nonzero(columns.wins)
    assert np.array_equal(classes[half:], learner.predict(x[half:]))
    return int(np.count_nonzero(classes >= 0))


STEEP = {"ramp": 510, "ramp_steps": 24, "novelty": 7}
"""A ramp that is over soon."""


STEPWISE = [("evidence", 9, STEEP), ("short16", 16, {}), ("short8", 16, {})]


@pytest.mark.parametrize(("form", "samples", "options"), STEPWISE)
def test_step_by_step_on_small_images(form, samples, options):
    """All stages as Lava processes; a teacher's sample, too, ends in the spike of its class."""
    # With a neuron a class everybody wins again.
    learner = make_columns(SETTING, np.random.default_rng(0), form=form, neurons=10, directions=4, **options)
    data = digits()
    few = np.flatnonzero(data.y_train < 2)[:samples]
    assert compared(learner, data.x_train[few], data.y_train[few], stepwise=True) == samples


@pytest.mark.parametrize("form", ["evidence", "ramp", "short16", "short8", "plain"])
def test_a_sample_a_step(form):
    learner = make_columns(SETTING, np.random.default_rng(0), form=form, neurons=50)
    data = digits()
    compared(learner, data.x_train[:400], data.y_train[:400], stepwise=False)


@pytest.mark.long
@pytest.mark.parametrize("form", ["evidence", "short16", "short8"])
def test_five_hundred_images_of_mnist_step_by_step(form):
    """The constants are those that the learner has by itself; about ten minutes, one and one."""
    try:
        data = mnist()
    except DlmError as error:
        pytest.skip(str(error))
    learner = make_columns(Setting((1, 28, 28), 8, 255, 10, 5), np.random.default_rng(0), form=form, neurons=100)
    compared(learner, data.x_train[:500], data.y_train[:500], stepwise=True)


def test_colors_a_sample_a_step():
    learner = make_columns(Setting((3, 8, 8), 5, 16, 10, 5), np.random.default_rng(0), neurons=50)
    data = digits()
    x = np.concatenate([data.x_train, data.x_train // 2, np.roll(data.x_train, 1, axis=1)], axis=1)
    compared(learner, x[:200], data.y_train[:200], stepwise=False)


def test_learning_goes_on_where_it_stopped():
    data = digits()
    x, y = data.x_train[:60], data.y_train[:60]
    learner = make_columns(SETTING, np.random.default_rng(0), neurons=20)
    columns = Columns.fresh(learner.rule, learner.front_end.n_codes)
    for part in (slice(0, 25), slice(25, 60)):
        run_columns(learner.front_end, learner.rule, columns, x[part], y[part])
    learner.observe(x, y)
    assert np.array_equal(columns.weight, learner.columns.weight)


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (np.zeros((2, 784), np.uint8), np.array([0, 10]), r"labels\[1\] = 10 is not in -1\.\.9"),
        (
            np.zeros((2, 64), np.uint8),
            np.array([0, 1]),
            r"samples are uint8 of shape \(2, 64\); expected integers \(sample, 784\)",
        ),
        (np.zeros((0, 784), np.uint8), np.zeros(0, np.int64), "at least one image"),
    ],
)
def test_bad_samples_are_refused(images, labels, words):
    rule = replace(ColumnRule(), per_column=1)
    with pytest.raises(DlmError, match=words):
        run_columns(FrontEnd(), rule, Columns.fresh(rule, 1024), images, labels)


def test_samples_of_another_chain_are_refused():
    rule = ColumnRule(per_column=1)
    images, labels = np.full((2, 784), 17, np.uint8), np.array([0, 1])
    with pytest.raises(DlmError, match=r"samples\[0, 0\] = 17 is not in 0\.\.16"):
        run_columns(FrontEnd(scale=16), rule, Columns.fresh(rule, 1024), images, labels)
    camera = FrontEnd(shape=(2, 28, 28), form="rank")
    with pytest.raises(DlmError, match="run_columns cannot do recordings"):
        run_columns(camera, rule, Columns.fresh(rule, 1024), images, labels)


def test_the_learner_in_lava_is_the_learner():
    data = digits()
    x, y = data.x_train[:90], data.y_train[:90]
    lava, plain = (kind(SETTING, np.random.default_rng(0), neurons=30) for kind in (make_lava, make_columns))
    for learner in (lava, plain):
        for part in (slice(0, 20), slice(20, 50)):
            learner.observe(x[part], y[part])
    assert np.array_equal(lava.predict(x[50:]), plain.predict(x[50:]))
    for learner in (lava, plain):
        learner.observe(x[50:], y[50:])
    assert lava.freeze().digest() == plain.freeze().digest()
    assert "in Lava" in lava.declaration.winner
    assert isinstance(lava, Learner)
    with pytest.raises(DlmError, match="no option 'stepwide'"):
        make_lava(SETTING, np.random.default_rng(0), stepwide=True)
    with pytest.raises(DlmError, match="learner 'columns-lava' has no option 'kept'"):
        make_lava(SETTING, np.random.default_rng(0), kept=True)
    with pytest.raises(DlmError, match='stepwise = "maybe": should be a valid boolean'):
        make_lava(SETTING, np.random.default_rng(0), stepwise="maybe")
    with pytest.raises(DlmError, match="columns-lava cannot do recordings; use the learner columns"):
        make_lava(Setting((2, 34, 34), 8, 255, 10, 10), np.random.default_rng(0), form="camera")
