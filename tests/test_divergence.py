"""A training that diverges is noticed, in loss and weights, and named with the key that caused it."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch

from dlm_snn import quantize
from dlm_snn.errors import DivergenceError, DivergenceWarning
from dlm_snn.physics.weights.divergence import Watched, check_finite, diffusion, dominant
from dlm_snn.physics.weights.dynamics import Dynamics
from dlm_snn.physics.weights.langevin import advance
from dlm_snn.physics.weights.trainer import DynamicsConfig
from dlm_snn.tasks.datasets import digits
from dlm_snn.training.initial import initial_network
from dlm_snn.training.loop import TrainingConfig
from dlm_snn.training.relu import train_relu
from dlm_snn.training.training import train


def trained(training=None, dynamics=None, integer=False, epochs=1):
    data = digits()
    x, y = data.x_train[:300], data.y_train[:300]
    network = initial_network(64, (12,), 10, np.random.default_rng(0), dv=0.1, graded_bits=5, scale=16)
    config = TrainingConfig(epochs=epochs, **{"batch_size": 32, **(training or {})})
    own = None if dynamics is None else DynamicsConfig(**dynamics)
    if integer:
        network = quantize(network, calibration={"pixels": x[:20]}, n_steps=4)[0]
    return train(network, x, y, config, 4, dynamics=own)


BLOWN = {
    "rate": ({"learning_rate": 1e6, "weight_decay": 0.0}, None, "lower training.learning_rate = 1e\\+06"),
    "decay": ({"learning_rate": 1.0, "weight_decay": 1e5}, None, "lower training.weight_decay = 100000"),
    "infinite": ({"learning_rate": 1e38}, None, "are not finite in epoch 1; lower training.learning_rate = 1e\\+38"),
    "step": ({}, {"step": 1e6}, "lower dynamics.step = 1e\\+06"),
    "endless step": ({}, {"step": 1e30}, "in update 1; lower dynamics.step = 1e\\+30"),
    "measured": ({}, {"step": 1e30, "measure": True}, "in update 1; lower dynamics.step = 1e\\+30"),
    "overdamped step": ({}, {"step": 1e6, "friction": None}, "lower dynamics.step = 1e\\+06"),
    "temperature": ({}, {"temperature": 1e6}, "lower dynamics.temperature = 1e\\+06"),
    "overdamped temperature": ({}, {"temperature": 1e6, "friction": None}, "lower dynamics.temperature = 1e\\+06"),
    "injection": ({}, {"injection_rate": 1e6}, "lower dynamics.injection_rate = 1e\\+06"),
    "current": ({}, {"alpha": 1e6}, "lower dynamics.alpha = 1e\\+06"),
    "layer": (
        {},
        {"layers": {"hidden->output": {"temperature": 1e6}}},
        "'hidden->output' .* lower dynamics.layers.hidden->output.temperature = 1e\\+06",
    ),
}


@pytest.mark.parametrize("name", BLOWN)
def test_weights_that_blow_up_name_the_key(name):
    training, dynamics, words = BLOWN[name]
    with pytest.raises(DivergenceError, match=rf"the training diverged: .*{words}$") as raised:
        trained(training, dynamics)
    assert "\n" not in str(raised.value)


def test_an_integer_network_is_watched_in_its_own_units():
    with pytest.raises(DivergenceError, match=r"have grown to .* lower training.learning_rate = 1e\+06"):
        trained({"learning_rate": 1e6, "weight_decay": 0.0}, integer=True)
    trained({}, integer=True)


def test_the_control_is_watched_too():
    data = digits()
    config = TrainingConfig(epochs=1, batch_size=32, learning_rate=1e20)
    with pytest.raises(DivergenceError, match=r"lower training.learning_rate = 1e\+20"):
        train_relu((64, 8, 10), data.x_train[:200], data.y_train[:200], config, np.random.default_rng(0), scale=16)


@pytest.mark.parametrize(
    ("training", "dynamics", "key"),
    [
        ({"learning_rate": 10.0}, None, "training.learning_rate = 10"),
        ({}, {"step": 50.0}, "dynamics.step = 50"),
        ({}, {"temperature": 10.0}, "dynamics.temperature = 10"),
    ],
)
def test_an_end_no_better_than_guessing_is_warned_of(training, dynamics, key):
    with pytest.warns(DivergenceWarning, match=rf"no better than guessing: loss .* lower {key}$"):
        trained(training, dynamics, epochs=2)


@pytest.mark.parametrize("dynamics", [None, {}, {"friction": None, "step": 0.05}])
def test_a_training_that_goes_well_or_has_hardly_begun_says_nothing(dynamics):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained({}, dynamics, epochs=2)
        trained({"batch_size": 300, "learning_rate": 1e-6}, dynamics)


def test_a_loss_that_is_not_finite_is_named():
    layer = Watched.of("a->b", torch.ones(2, 2), 1.0)
    with pytest.raises(DivergenceError, match="the training diverged: the loss is nan in epoch 3; lower x = 1"):
        check_finite([layer], math.nan, 3, lambda *_: "x = 1")
    check_finite([layer], 2.0, 3, lambda *_: "x = 1")


def test_small_first_weights_are_measured_by_the_threshold():
    weight = torch.full((2, 2), 1e-9)
    layer = Watched.of("a->b", weight, 2.0)
    weight += 150.0
    check_finite([layer], 1.0, 1, lambda *_: "x = 1")
    weight += 100.0
    with pytest.raises(DivergenceError, match="'a->b' have grown to 250 in epoch 1"):
        check_finite([layer], 1.0, 1, lambda *_: "x = 1")


@pytest.mark.parametrize("friction", [None, 0.5, 5.0])
def test_diffusion_is_that_of_the_dynamics(friction):
    """40,000 weights without a force, from momenta of the bath."""
    dynamics = Dynamics(temperature=0.3, friction=friction)
    generator = torch.Generator().manual_seed(0)
    theta = torch.zeros(40_000, dtype=torch.float64)
    momentum = math.sqrt(0.3) * torch.randn(40_000, dtype=torch.float64, generator=generator)
    for _ in range(50):
        move = advance(theta, momentum, torch.zeros_like(theta), 0.02, dynamics, generator)
        theta, momentum = move.theta, move.momentum
    assert float(theta.pow(2).mean().sqrt()) == pytest.approx(diffusion(0.3, friction, 1.0), rel=0.02)
    assert diffusion(0.3, 1e-9, 1.0) == pytest.approx(math.sqrt(0.3), rel=1e-6)


def test_what_is_named_is_what_gets_there():
    quiet = {"temperature": 0.01, "injection_rate": 0.0}
    assert dominant(quiet, 0.5, 1.0) == "step"
    assert dominant(quiet, 5.0, 1.0) == "alpha"
    assert dominant({"temperature": 0.4, "injection_rate": 0.5}, 5.0, 1.0) == "injection_rate"
    assert dominant({"temperature": 50.0, "injection_rate": 0.0}, 5.0, math.inf) == "temperature"
