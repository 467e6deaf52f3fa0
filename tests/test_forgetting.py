"""Forgetting of quadratic tasks: the closed form's numbers, our own dynamics against it, and its bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from dlm_snn.errors import DlmError
from dlm_snn.physics.weights import ornstein_uhlenbeck as ou
from dlm_snn.physics.weights.currents import Matrix
from dlm_snn.physics.weights.dynamics import Dynamics
from dlm_snn.physics.weights.forgetting import TwoTasks, divergence, jko_step, wasserstein
from dlm_snn.physics.weights.langevin import init, step

H_A, H_B = np.array([[2, 0.5], [0.5, 1]]), np.array([[1, -0.3], [-0.3, 3]])
A, B = np.zeros(2), np.array([1.0, -1.0])


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        (0.0, {0.1: 0.03199, 0.5: 0.36313, 2.0: 0.86264, math.inf: 1.02543}),
        (5.0, {0.1: -0.04418, 0.5: 0.01410, 2.0: 0.02088, math.inf: 0.020881}),
    ],
)
def test_the_closed_form(weight, expected):
    tasks = TwoTasks(H_A, H_B, A, B, 0.1, weight)
    assert tasks.forgetting(0.0) == pytest.approx(0, abs=1e-15)
    for time, value in expected.items():
        assert tasks.forgetting(time) == pytest.approx(value, abs=6e-6)


def test_the_scalar_form():
    h_a, h_b, d, t, weight = 2.0, 0.5, 1.5, 0.3, 0.7
    one = TwoTasks(np.array([[h_a]]), np.array([[h_b]]), np.zeros(1), np.array([d]), t, weight)
    exact = h_a * d**2 * (h_b / (h_b + weight * h_a)) ** 2 / 2 + t / 2 * (h_a / (h_b + weight * h_a) - 1)
    assert one.forgetting(math.inf) == pytest.approx(exact)


@pytest.mark.parametrize("alpha", [0.0, 0.8])
def test_our_dynamics_forget_as_much(alpha):
    """With a current too, at the end: it leaves the steady state as it is."""
    generator = torch.Generator().manual_seed(1)
    tasks = TwoTasks(H_A, H_B, A, B, 0.1)
    root = torch.linalg.cholesky(torch.tensor(0.1 * np.linalg.inv(H_A)))
    theta = torch.randn(20_000, 2, dtype=torch.float64, generator=generator) @ root.T
    h_a, h_b, b = (torch.tensor(x) for x in (H_A, H_B, B))

    def loss(x):
        gradient = (x - b) @ h_b
        return ((x - b) * gradient).sum(-1) / 2, gradient

    turn = torch.tensor([[0.0, alpha], [-alpha, 0.0]], dtype=torch.float64)
    dynamics = Dynamics(temperature=0.1, current=Matrix(turn) if alpha else None)
    state = init(theta, loss, dynamics)
    h, time = (0.01, 0.5) if alpha == 0 else (0.02, 8.0)
    for _ in range(round(time / h)):
        state, _ = step(state, loss, h, dynamics, generator)
    old = ((state.theta @ h_a) * state.theta).sum(-1) / 2
    exact = tasks.forgetting(time if alpha == 0 else math.inf)
    error = old.std().item() / math.sqrt(len(old))
    assert abs(old.mean().item() - 0.1 - exact) < 4 * error + 0.02 * exact


@pytest.mark.parametrize(
    ("time", "sigma", "transport", "bounds"),
    [
        (0.1, 9.9942, 9.9195, (0.2820, 0.2834)),
        (0.5, 21.572, 18.389, (1.540, 1.759)),
        (2.0, 23.757, 9.193, (2.772, 6.437)),
    ],
)
def test_bounds_by_distance_and_by_entropy(time, sigma, transport, bounds):
    tasks = TwoTasks(H_A, H_B, A, B, 0.1)
    moved = wasserstein(tasks.law(0.0), tasks.law(time))
    assert tasks.entropy_production(time) == pytest.approx(sigma, rel=1e-4)
    assert moved**2 / (0.1 * time) == pytest.approx(transport, rel=1e-4)
    assert tasks.bound(time) == pytest.approx(bounds, rel=1e-3)
    assert tasks.forgetting(time) <= bounds[0] <= bounds[1]
    assert tasks.entropy_production(time) >= moved**2 / (0.1 * time)


@pytest.mark.parametrize(("k", "tau", "exact"), [(1, 1, 1.08197671), (1, 4, 2.07462944)])
def test_a_shifted_well_pays_x_coth_x(k, tau, exact):
    """An Ornstein-Uhlenbeck process whose well jumps by d: Sigma T tau / W^2 = x coth x with x = k tau / 2."""
    tasks = TwoTasks(np.array([[k]], float), np.array([[k]], float), np.zeros(1), np.array([0.7]), 0.5)
    moved = wasserstein(tasks.law(0.0), tasks.law(tau))
    assert tasks.entropy_production(tau) * 0.5 * tau / moved**2 == pytest.approx(exact, rel=1e-7)
    x = k * tau / 2
    assert x / math.tanh(x) == pytest.approx(exact, rel=1e-7)


def test_the_implicit_step_keeps_the_law():
    mean, deviation = 3.0, 2.0
    for _ in range(2000):
        mean, deviation = jko_step(mean, deviation, 1.0, 0.5, 0.1)
    assert mean == pytest.approx(0, abs=1e-12)
    assert deviation**2 == pytest.approx(0.5, rel=1e-12)
    explicit = ou.chain_covariance([[1.0]], [[0.5]], 0.1)[0, 0]
    assert explicit == pytest.approx(0.526316, abs=5e-7)


def test_divergence_and_distance_of_equal_laws_are_0():
    law = np.array([1.0, 2.0]), H_A
    assert divergence(law, law) == pytest.approx(0, abs=1e-14)
    assert wasserstein(law, law) == pytest.approx(0, abs=1e-7)


def test_what_is_no_task_is_refused():
    with pytest.raises(DlmError, match="h_b is not a symmetric matrix"):
        TwoTasks(H_A, -H_B, A, B, 0.1)
    with pytest.raises(DlmError, match="give a number >= 0"):
        TwoTasks(H_A, H_B, A, B, -0.1)
