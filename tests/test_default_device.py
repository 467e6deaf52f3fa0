"""torch.set_default_device and set_default_dtype are the user's.

The device "meta", which holds no values, stands in for an accelerator.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

import dlm_snn as dlm
from dlm_snn.exchange.snntorch.reader import read_stack
from dlm_snn.exchange.snntorch.writer import to_snntorch
from dlm_snn.physics.weights.currents import paired
from dlm_snn.physics.weights.dynamics import Dynamics
from dlm_snn.physics.weights.optimizer import Langevin
from dlm_snn.physics.weights.stability import measured_radius
from dlm_snn.plugins import names
from dlm_snn.training.initial import initial_network
from dlm_snn.training.loop import TrainingConfig
from dlm_snn.training.relu import train_relu
from dlm_snn.training.training import train
from tests.nets import make
from tests.test_learner_contract import FEW, X, Y, asked, of_images

pytestmark = pytest.mark.usefixtures("one_thread")
CASES = ("filtered_recurrent", "delay_per_synapse", "sparse", "convolution", "kwta", "int_filtered_recurrent")


@pytest.fixture
def elsewhere() -> Iterator[None]:
    torch.set_default_device("meta")
    yield
    torch.set_default_device(None)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("backend", ["torch", "snntorch"])
def test_simulators_run_on_the_host(elsewhere: None, backend: str, case: str) -> None:
    network, stimulus, n_steps = make(case)
    if backend == "snntorch" and isinstance(network, dlm.IntegerNetwork):
        return
    found = dlm.run(network, stimulus, n_steps, record=("s", "v"), backend=backend)
    assert found.rasters == dlm.run(network, stimulus, n_steps).rasters
    again = dlm.run(network, stimulus, n_steps, state=found.state, backend=backend)
    assert again.state is not None
    assert again.state.step == 2 * n_steps


def test_training_is_the_same(elsewhere: None) -> None:
    config = TrainingConfig(epochs=1, batch_size=16)
    network = initial_network(64, (20,), 10, np.random.default_rng(0), dv=0.1, winners=4, graded_bits=5, scale=16)
    there, _ = train(network, X, Y, config, 4, validation=(X, Y))
    assert train_relu((64, 8, 10), X, Y, config, np.random.default_rng(0), 16)[1]
    torch.set_default_device(None)
    assert train(network, X, Y, config, 4)[0].digest() == there.digest()


@pytest.mark.parametrize("name", [n for n in FEW if n in names("dlm_snn.learners") and n != "columns-lava"])
def test_learners_learn_the_same(elsewhere: None, name: str) -> None:
    learner = of_images(name)
    learner.observe(X, Y)
    there = asked(learner, X)
    torch.set_default_device(None)
    learner = of_images(name)
    learner.observe(X, Y)
    assert np.array_equal(asked(learner, X), there)


@pytest.fixture
def doubles() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("name", [n for n in FEW if n in names("dlm_snn.learners") and n != "columns-lava"])
def test_learners_learn_the_same_whatever_the_default_type(doubles: None, name: str) -> None:
    learner = of_images(name)
    learner.observe(X, Y)
    there = asked(learner, X)
    torch.set_default_dtype(torch.float32)
    learner = of_images(name)
    learner.observe(X, Y)
    assert np.array_equal(asked(learner, X), there)


def test_training_and_simulators_run_whatever_the_default_type(doubles: None) -> None:
    network = initial_network(64, (20,), 10, np.random.default_rng(0), dv=0.1, winners=4, graded_bits=5, scale=16)
    config = TrainingConfig(epochs=1, batch_size=16)
    trained, _ = train(network, X, Y, config, 4)
    assert train_relu((64, 8, 10), X, Y, config, np.random.default_rng(0), 16)[1]
    for backend in ("torch", "snntorch"):
        case, stimulus, n_steps = make("filtered_recurrent")
        found = dlm.run(case, stimulus, n_steps, backend=backend)
        assert found.rasters == dlm.run(case, stimulus, n_steps).rasters
    torch.set_default_dtype(torch.float32)
    again, _ = train(network, X, Y, config, 4)
    for one, other in zip(trained.projections, again.projections, strict=True):
        np.testing.assert_allclose(one.connection.weight, other.connection.weight, atol=1e-5)


def test_modules_of_snntorch_come_and_go(elsewhere: None) -> None:
    network = dlm.Network(
        {"pixels": dlm.Input((4,)), "cells": dlm.LIF((3,), du=0.5, dv=0.25, reset="subtract")},
        [
            dlm.Projection("pixels", "cells", dlm.Dense(np.full((3, 4), 0.5))),
            dlm.Projection("cells", "cells", dlm.Dense(np.full((3, 3), 0.1))),
        ],
    )
    modules = to_snntorch(network)
    assert {p.device.type for p in modules.parameters()} == {"cpu"}
    assert read_stack(modules, network.inputs["pixels"]).digest()


def test_physics_moves_what_it_is_given(elsewhere: None) -> None:
    generator = torch.Generator().manual_seed(0)
    parameter = torch.nn.Parameter(torch.ones(6, dtype=torch.float64, device="cpu"))
    optimizer = Langevin([{"params": [parameter]}], 0.1, generator, temperature=0.1, friction=0.5, alpha=0.2)
    for _ in range(3):
        optimizer.zero_grad()
        (parameter**2).sum().backward()
        optimizer.step()
    assert bool(torch.isfinite(parameter).all())
    assert paired([6], 0.5, generator).partner.device.type == "cpu"
    dynamics = Dynamics(temperature=0.1, friction=None, current=None)
    assert measured_radius(lambda x: (x**2).sum(), parameter.detach(), dynamics, 0.1, generator) > 0
