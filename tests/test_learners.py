"""Learners by name and options; the control that keeps samples, and its frozen network; the made-up clusters."""

from __future__ import annotations

import numpy as np
import pytest

from dlm_snn import plugins, read_out, run
from dlm_snn.errors import DlmError
from dlm_snn.learning.baselines.kept import Kept
from dlm_snn.learning.learner import Learner, Setting
from dlm_snn.learning.making import checked_options, make_learner
from dlm_snn.tasks.clusters import clusters

PLAIN = Setting((3,), graded_bits=8, scale=255, n_classes=3, n_tasks=1)


def kept(per_class: int, x, y) -> Kept:
    learner = Kept(PLAIN, np.random.default_rng(0), per_class)
    learner.observe(np.array(x, np.uint8), np.array(y, np.int64))
    return learner


def test_the_first_samples_of_each_class_are_kept_and_the_nearest_direction_decides():
    learner = kept(1, [[200, 0, 0], [0, 9, 0], [0, 200, 200], [0, 0, 5]], [0, 1, 1, 2])
    assert learner.info() == {"neurons": 3, "synapses": 3}
    asked = np.array([[9, 1, 0], [1, 9, 8], [8, 9, 1], [0, 0, 1], [0, 0, 0], [5, 5, 0]], np.uint8)
    # Only direction counts; a blank sample has none; of two as near the one kept first.
    assert learner.predict(asked).tolist() == [0, 1, 1, 2, -1, 0]


def test_nothing_is_learned_from_later_samples():
    before = kept(1, [[200, 0, 0], [0, 9, 0]], [0, 1])
    after = kept(1, [[200, 0, 0], [0, 9, 0], [0, 7, 3], [90, 50, 0]], [0, 1, 1, 0])
    assert np.array_equal(
        before.freeze().projections[0].connection.weight, after.freeze().projections[0].connection.weight
    )


def test_blank_samples_are_not_kept_and_take_no_place():
    learner = kept(1, [[0, 0, 0], [0, 9, 0]], [1, 1])
    assert learner.predict(np.array([[0, 1, 0]], np.uint8)).tolist() == [1]


def test_before_anything_is_kept():
    learner = Kept(PLAIN, np.random.default_rng(0))
    assert learner.predict(np.ones((2, 3), np.uint8)).tolist() == [-1, -1]
    with pytest.raises(DlmError, match="nothing is kept yet"):
        learner.freeze()


@pytest.mark.parametrize("n_steps", [1, 5])
def test_the_frozen_network_says_the_same_in_spikes(n_steps):
    data = clusters()
    setting = Setting(data.shape, data.graded_bits, data.scale, data.n_classes, 5)
    learner = make_learner("kept", setting, np.random.default_rng(0), {"per_class": 7})
    learner.observe(data.x_train, data.y_train)
    asked = np.concatenate([data.x_test, np.zeros((1, 16), np.uint8)])
    answers = learner.predict(asked)
    assert answers[-1] == -1
    recording = run(learner.freeze(), {"pixels": asked}, n_steps, backend="reference")
    assert np.array_equal(read_out(recording.rasters["output"]), answers)
    assert 0.7 < np.mean(answers[:-1] == data.y_test) < 1


def test_options_are_spelled_out_with_the_learners_defaults():
    assert checked_options("kept", {}) == {"per_class": 50}
    assert checked_options("kept", {"per_class": 3}) == {"per_class": 3}
    assert isinstance(make_learner("kept", PLAIN, np.random.default_rng(0), {}), Learner)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("kpet", {}, r"no learner 'kpet'; did you mean 'kept'\?"),
        ("kept", {"per_clas": 3}, r"learner 'kept' has no option 'per_clas'; did you mean 'per_class'\?"),
        ("kept", {"per_class": "many"}, r"learner 'kept': per_class = \"many\": should be a valid integer"),
        ("kept", {"per_class": 2.5}, r"per_class = 2\.5: should be a valid integer"),
        ("kept", {"per_class": True}, "per_class = true: should be a valid integer"),
        ("kept", {"per_class": 0}, "at least one sample of a class"),
    ],
)
def test_bad_options_are_one_line(name, options, words):
    with pytest.raises(DlmError, match=words) as refused:
        make_learner(name, PLAIN, np.random.default_rng(0), options)
    assert "\n" not in str(refused.value)


def test_learners_of_other_forms(monkeypatch):
    """Functions, required options, tuples from lists, learners that check by themselves, and what is no learner."""

    def needy(setting, rng, rates: tuple[float, ...], *, k: int | None = None):
        return Kept(setting, rng, len(rates) + (k or 0))

    def anything(setting, rng, **options):
        return Kept(setting, rng, **options)

    makers = {
        "needy": needy,
        "any": anything,
        "no": lambda s, r: 3,
    }
    monkeypatch.setattr(plugins, "load", lambda group, name: makers[name])
    assert checked_options("needy", {"rates": [1, 2]}) == {"rates": (1.0, 2.0), "k": None}
    with pytest.raises(DlmError, match="needs the option 'rates'; give --set rates=VALUE"):
        checked_options("needy", {})
    assert checked_options("any", {"per_class": 3}) == {"per_class": 3}
    with pytest.raises(DlmError, match="learner 'no' has no option 'x'; it has none"):
        checked_options("no", {"x": 1})
    with pytest.raises(DlmError, match="'no' makes a int, which is no learner"):
        make_learner("no", PLAIN, np.random.default_rng(0), {})


def test_annotations_that_say_nothing_here_are_left_to_the_learner(monkeypatch):
    class Own:
        pass

    def odd(setting, rng, one: Own = None, two: int = 3):
        return Kept(setting, rng)

    def for_checkers(setting, rng, one: NotThere = None):  # noqa: F821
        return Kept(setting, rng)

    odd.__annotations__ = {"one": Own, "two": int}
    monkeypatch.setattr(plugins, "load", lambda group, name: {"odd": odd, "checked": for_checkers}[name])
    assert checked_options("odd", {"one": [1], "two": 4}) == {"one": [1], "two": 4}
    with pytest.raises(DlmError, match='two = "x": should be a valid integer'):
        checked_options("odd", {"two": "x"})
    assert checked_options("checked", {"one": 1}) == {"one": 1}


def test_clusters_are_the_same_everywhere():
    data = clusters()
    assert data.checksum.startswith("a6c41e593348")
    assert np.bincount(data.y_train).tolist() == [100] * 10
    assert np.bincount(data.y_test).tolist() == [30] * 10
    assert clusters(seed=1).checksum != data.checksum
    center = np.stack([data.x_train[data.y_train == c].mean(axis=0) for c in range(10)])
    apart = np.linalg.norm(center[:, None] - center, axis=2)[np.triu_indices(10, 1)]
    assert apart.min() > 42
    assert plugins.load("dlm_snn.datasets", "clusters") is clusters
