"""Training: it learns real digits, repeats itself for a seed, and leaves a network behind that others can run."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from dlm_snn import Dense, DlmError, Input, IntegerNetwork, Network, Projection, accuracy, quantize, run
from dlm_snn.physics.weights.trainer import DynamicsConfig
from dlm_snn.training.initial import initial_network
from dlm_snn.training.loop import TrainingConfig
from dlm_snn.training.relu import ReluNetwork, train_relu
from dlm_snn.training.training import train

QUICK = TrainingConfig(epochs=4, batch_size=32, learning_rate=0.01)


pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.xdist_group("training")]


@pytest.fixture(scope="module")
def digits():
    """Scans of 8 x 8 pixels, 0..16: (training samples, held-out samples, training classes, held-out classes)."""
    x, y = load_digits(return_X_y=True)
    return train_test_split(x.astype(np.uint8), y, test_size=0.25, stratify=y, random_state=0)


def first(seed=0, winners=8, hidden=(64,)):
    return initial_network(
        64, hidden, 10, np.random.default_rng(seed), dv=410 / 4096, winners=winners, graded_bits=5, scale=16
    )


@pytest.fixture(scope="module", params=[8, None], ids=["k-WTA", "no competition"])
def trained(request, digits):
    x, held, y, held_y = digits
    reports = []
    network, curve = train(first(winners=request.param), x, y, QUICK, 12, reports.append, (held, held_y))
    return network, curve, reports


def test_training_learns_digits(trained, digits):
    network, curve, reports = trained
    held, held_y = digits[1], digits[3]
    assert reports == curve
    assert [epoch.epoch for epoch in curve] == [1, 2, 3, 4]
    assert curve[-1].loss < 0.5 * curve[0].loss
    assert curve[-1].validation_accuracy > 0.9
    assert curve[-1].train_accuracy > 0.9
    recording = run(network, {"pixels": held}, 12)
    assert abs(accuracy(recording.rasters["output"], held_y) - curve[-1].validation_accuracy) < 0.005
    assert 0.02 < recording.rasters["hidden"].rate < 0.4


def test_trained_weights_are_float32_values(trained):
    for projection in trained[0].projections:
        weight = projection.connection.weight
        assert weight.dtype == np.float64
        np.testing.assert_array_equal(weight, weight.astype(np.float32))


def test_a_seed_decides_everything(digits):
    x, y = digits[0][:256], digits[2][:256]
    short = TrainingConfig(epochs=1, batch_size=32)
    digests = [train(first(), x, y, short, 6)[0].digest() for _ in range(2)]
    other_order = train(first(), x, y, short.model_copy(update={"seed": 1}), 6)[0].digest()
    other_start = train(first(seed=1), x, y, short, 6)[0].digest()
    assert digests[0] == digests[1]
    assert len({digests[0], other_order, other_start}) == 3


def test_training_leaves_the_given_network_and_torchs_generator_alone(digits):
    network = first()
    before, state = network.digest(), torch.random.get_rng_state()
    train(network, digits[0][:64], digits[2][:64], TrainingConfig(epochs=1, batch_size=32, schedule="constant"), 4)
    assert network.digest() == before
    assert torch.equal(torch.random.get_rng_state(), state)


def loss(network, x, y):
    counts = run(network, {"pixels": x}, 12).rasters["output"].counts()
    return float(torch.nn.functional.cross_entropy(QUICK.logit_scale * torch.tensor(counts).float(), torch.tensor(y)))


def test_integers_are_tuned_in_integers(trained, digits):
    """Rounding to three bits costs; epochs in the integers themselves win it back."""
    x, _, y, _ = digits
    integer, _ = quantize(trained[0], weight_bits=3, calibration={"pixels": x[:200]})
    tuned, curve = train(integer, x, y, TrainingConfig(epochs=3, batch_size=64, learning_rate=0.003), 12)
    assert isinstance(tuned, IntegerNetwork)
    assert curve[-1].validation_accuracy is None
    assert loss(integer, x, y) > loss(trained[0], x, y)
    assert loss(tuned, x, y) < 0.97 * loss(integer, x, y)


def test_the_relu_control_learns_the_same_digits(digits):
    x, held, y, held_y = digits
    relu, curve = train_relu((64, 64, 10), x, y, QUICK, np.random.default_rng(0), 16, validation=(held, held_y))
    assert isinstance(relu, ReluNetwork)
    assert [w.shape for w in relu.weights] == [(64, 64), (10, 64)]
    assert curve[-1].validation_accuracy == np.mean(relu.predict(held) == held_y) > 0.9


def test_first_networks_have_torchs_range_and_float32_values():
    network = first(hidden=(50, 20), winners=None)
    assert list(network.populations) == ["pixels", "hidden1", "hidden2", "output"]
    assert network.inputs["pixels"].graded_bits == 5
    for projection, fan_in in zip(network.projections, (64, 50, 20), strict=True):
        weight = projection.connection.weight
        assert 0.9 / np.sqrt(fan_in) < np.abs(weight).max() <= 1 / np.sqrt(fan_in) * (1 + 1e-6)
        np.testing.assert_array_equal(weight, weight.astype(np.float32))
    assert first().populations["hidden"].winners == 8
    assert first().populations["output"].winners is None


def test_data_that_do_not_fit_are_refused(digits):
    x, y = digits[0][:32], digits[2][:32]
    for samples, classes, words in (
        (x[:, :60], y, r"expected integers \(sample, 64\)"),
        (x / 16, y, "samples are float64"),
        (x, y[:-1], "do not fit 32 samples"),
        (x, y + 5, r"classes\[\d+\] = 1\d is not in 0\.\.9"),
        (x, y - 1, r"classes\[\d+\] = -1 is not in 0\.\.9"),
        (x + 16, y, r"samples\[\d+, \d+\] = 32 is not in 0\.\.31"),
        (x[:0], y[:0], "there are 0 samples"),
    ):
        with pytest.raises(DlmError, match=words):
            train(first(), samples, classes, QUICK, 4)
    two = Network(
        {"a": Input((64,)), "b": Input((64,)), "cells": first().populations["output"]},
        [Projection(name, "cells", Dense(np.ones((10, 64)))) for name in "ab"],
    )
    with pytest.raises(DlmError, match="one Input and one output population"):
        train(two, x, y, QUICK, 4)


@pytest.mark.parametrize("dynamics", [None, DynamicsConfig()], ids=["AdamW", "dissipation"])
def test_a_constant_of_the_networks_own_feeds_itself(digits, dynamics):
    x, y = digits[0][:64], digits[2][:64]
    plain = first()
    network = Network(
        {**plain.populations, "one": Input((1,), graded_bits=1, aligned=True)},
        (*plain.projections, Projection("one", "hidden", Dense(np.full((64, 1), 0.01)))),
    )
    trained, _ = train(network, x, y, TrainingConfig(epochs=1, batch_size=32), 4, dynamics=dynamics)
    assert len(np.unique(trained.projections[-1].connection.weight)) > 1
    assert quantize(trained, calibration={"pixels": x}, n_steps=4)[1].samples == 64


def test_a_loss_that_is_not_finite_is_named(digits):
    wild = TrainingConfig(epochs=1, batch_size=32, learning_rate=1e30, schedule="constant")
    with pytest.raises(DlmError, match="lower training"):
        train_relu((64, 64, 10), digits[0], digits[2], wild, np.random.default_rng(0), 16)


def test_the_recipe_is_frozen_and_checked():
    with pytest.raises(ValidationError):
        TrainingConfig(learning_rat=0.1)
    with pytest.raises(ValidationError):
        TrainingConfig(epochs=0)
    with pytest.raises(ValidationError):
        QUICK.epochs = 3
