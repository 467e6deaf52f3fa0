"""Float columns: features and rule against their plain NumPy form, bursts against counts made by hand."""

import numpy as np
import pytest

from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.learning.columns.edges import edge_kernels, window_synapses
from dlm_snn.learning.columns.in_floats import make_columns_in_floats
from dlm_snn.learning.learner import Learner, Setting
from dlm_snn.tasks.datasets import digits

SETTING = Setting((1, 8, 8), 5, 16, 10, 5)
RNG = np.random.default_rng(0)


def plain_features(x: np.ndarray, floor: float) -> np.ndarray:
    response = Conv2d(edge_kernels(16)[:, None], (1, 8, 8), padding=2).apply(x.astype(np.int64)).reshape(-1, 16, 64)
    largest = response.max(axis=1, keepdims=True)
    first = np.arange(16)[:, None] == response.argmax(axis=1)[:, None]
    kept = np.where(first & (largest > floor), response, 0).transpose(0, 2, 1).reshape(len(x), -1)
    roots = np.sqrt(window_synapses(8, 8, 16, 3, 1).apply(kept))
    return roots / np.maximum(np.linalg.norm(roots, axis=1, keepdims=True), 1e-300)


def plain_observe(features, labels, weight, wins, novelty):
    for x, c in zip(features, labels, strict=True):
        used = np.count_nonzero(wins[c])
        y = weight[c, :used] @ x
        if used < wins.shape[1] and (not used or y.max() < novelty):
            weight[c, used], wins[c, used] = x, 1
            continue
        best = y.argmax()
        wins[c, best] += 1
        weight[c, best] += max(1 / 16, 2.0 ** -np.floor(np.log2(wins[c, best]))) * (x - y[best] * weight[c, best])


def test_features_and_rule_are_what_they_say():
    data = digits()
    x, y = data.x_train[:300], data.y_train[:300]
    learner = make_columns_in_floats(SETTING, RNG, neurons=50, novelty=0.9)
    expected = plain_features(x, floor=16 * 0.1 * 16)
    assert np.allclose(learner.features(x), expected, atol=1e-6)
    weight, wins = np.zeros((10, 5, learner.n_features)), np.zeros((10, 5), dtype=int)
    plain_observe(expected, y, weight, wins, 0.9)
    for part in np.array_split(np.arange(300), 7):
        learner.observe(x[part], y[part])
    assert np.array_equal(learner.wins, wins)
    assert np.allclose(learner.weight.transpose(0, 2, 1), weight, atol=1e-5)
    responses = np.einsum("cjf,bf->bcj", weight, plain_features(data.x_train[300:400], 16 * 0.1 * 16))
    assert np.array_equal(learner.predict(data.x_train[300:400]), responses.max(axis=2).argmax(axis=1))


def test_learned_weights_have_unit_length():
    data = digits()
    learner = make_columns_in_floats(SETTING, RNG, neurons=20, novelty=0.5)
    learner.observe(data.x_train, data.y_train)
    lengths = np.linalg.norm(learner.weight, axis=1)[learner.wins > 0]
    assert np.all(np.abs(lengths - 1) < 0.15)


def test_a_burst_opens_when_enough_surprises_follow_one_another():
    one_hot = 16 * np.eye(64, dtype=np.uint8)
    learner = make_columns_in_floats(SETTING, RNG, directions=None, neurons=40, burst=2, patience=3.0)
    for image, opened, used in ((0, 2, 1), (1, 2, 2), (2, 2, 2), (3, 2, 2), (4, 4, 3), (5, 4, 4), (5, 4, 4)):
        learner.observe(one_hot[[image]], np.array([7]))
        assert (learner.opened[7], np.count_nonzero(learner.wins[7])) == (opened, used)
    assert learner.surprised[7] == 0, "what is known halves the counter: 0"
    learner.observe(one_hot[[6, 7, 5]], np.array([7, 7, 7]))
    assert learner.surprised[7] == 1, "two surprises, halved by a known one"
    assert np.all(learner.opened[:7] == 2)


def test_blank_images_and_learners_without_samples_have_no_class():
    learner = make_columns_in_floats(SETTING, RNG, neurons=10)
    assert learner.predict(np.full((2, 64), 16, dtype=np.uint8)).tolist() == [-1, -1]
    learner.observe(digits().x_train[:20], digits().y_train[:20])
    assert learner.predict(np.zeros((1, 64), dtype=np.uint8)).tolist() == [-1]


BAD_OPTIONS = [
    ({"neurons": "abc"}, 'neurons = "abc": should be a valid integer'),
    ({"directions": 0}, "directions = 0: should be greater"),
    ({"floor": "abc"}, 'floor = "abc": should be a valid number'),
    ({"floor": -1}, "floor = -1: should be greater"),
    ({"window": 0}, "window = 0: should be greater"),
    ({"window": 9}, "window = 9 of images of the shape"),
    ({"slowest_rate": -1}, "slowest_rate = -1: should be greater"),
    ({"burst": 1.5}, "burst = 1.5: should be a valid integer"),
    ({"patience": 0}, "patience = 0: should be greater"),
]


def test_a_window_that_is_given_counts_on_small_images_too():
    assert make_columns_in_floats(SETTING, RNG, neurons=10).n_features == 6 * 6 * 16
    assert make_columns_in_floats(SETTING, RNG, neurons=10, window=4, stride=2).n_features == 3 * 3 * 16


def test_it_says_what_it_is_and_refuses_what_it_is_not():
    learner = make_columns_in_floats(SETTING, RNG)
    assert isinstance(learner, Learner)
    assert learner.declaration.winner == "host"
    with pytest.raises(UnsupportedError, match="columns-float cannot do a network of spikes; use the learner columns"):
        learner.freeze()
    with pytest.raises(DlmError, match="no option 'neuron'"):
        make_columns_in_floats(SETTING, RNG, neuron=10)
    with pytest.raises(DlmError, match="neurons = 15"):
        make_columns_in_floats(SETTING, RNG, neurons=15)
    for options, words in BAD_OPTIONS:
        with pytest.raises(DlmError, match=words):
            make_columns_in_floats(SETTING, RNG, **options)
    with pytest.raises(DlmError, match="one channel"):
        make_columns_in_floats(Setting((64,), 5, 16, 10, 5), RNG)
