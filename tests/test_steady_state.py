"""Equipartition of runs of the Langevin optimizer, with its interval; the implicit step as a minimum and a flow."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from dlm_snn.errors import DlmError
from dlm_snn.physics.weights import ornstein_uhlenbeck as ou
from dlm_snn.physics.weights.forgetting import divergence, jko_step, wasserstein
from dlm_snn.physics.weights.optimizer import Langevin
from dlm_snn.physics.weights.steady_state import Equipartition, equipartition
from dlm_snn.physics.weights.thermodynamics import hutchinson_trace

pytestmark = pytest.mark.usefixtures("one_thread")
STIFF = np.array([0.5, 1.0, 2.0, 4.0])
T = 0.3


def squares_of(parameter: Tensor, loss, optimizer: Langevin, steps: int) -> tuple[list[float], list[float]]:
    """|grad L|^2 before every step, and the squared length of the place."""
    squares, places = [], []
    for _ in range(steps):
        optimizer.zero_grad()
        loss(parameter).backward()
        grad = parameter.grad
        assert grad is not None
        squares.append(float((grad * grad).sum()))
        places.append(float((parameter.detach() ** 2).sum()))
        optimizer.step()
    return squares, places


def quadratic_run(h: float, steps: int, seed: int, copies: int = 50, start: float | None = None) -> Equipartition:
    """Copies of a quadratic under Euler-Maruyama; from its own law, unless started elsewhere."""
    rng = np.random.default_rng(seed)
    k = np.tile(STIFF, copies)
    x = rng.normal(size=len(k)) * np.sqrt(T / k) if start is None else np.full(len(k), start)
    squares = []
    for noise in rng.normal(size=(steps, len(k))) * math.sqrt(2 * T * h):
        squares.append(float(((k * x) ** 2).sum()))
        x = x - h * k * x + noise
    return equipartition(squares, float(k.sum()), T)


def chain_ratio(h: float) -> float:
    """What Euler-Maruyama has instead of 1: sum k / (1 - h k / 2) / sum k."""
    return float((STIFF / (1 - h * STIFF / 2)).sum() / STIFF.sum())


def test_the_chains_ratio_is_that_of_its_covariance():
    s = ou.chain_covariance(np.diag(STIFF), T * np.eye(4), 0.1)
    assert np.trace(np.diag(STIFF) @ s @ np.diag(STIFF)) / (T * STIFF.sum()) == pytest.approx(chain_ratio(0.1))


def test_a_short_step_is_at_equilibrium():
    found = quadratic_run(0.01, 2000, 4)
    assert found.equilibrium, str(found)
    assert found.interval[1] - found.interval[0] < 0.1
    assert str(found).startswith("<|g|^2> / (T tr H) = ")


def test_a_long_step_is_hotter_by_as_much_as_the_closed_form_says():
    found = quadratic_run(0.2, 3000, 2)
    assert not found.doubts
    assert found.interval[0] <= chain_ratio(0.2) <= found.interval[1]
    assert not found.equilibrium
    assert found.ratio > 1.2


def test_the_exact_ratio_is_inside_18_of_20_intervals():
    found = [quadratic_run(0.1, 1500, seed) for seed in range(20)]
    assert sum(f.interval[0] <= chain_ratio(0.1) <= f.interval[1] for f in found) >= 18
    assert sum(bool(f.doubts) for f in found) <= 2


def test_a_run_that_still_falls_drifts():
    found = quadratic_run(0.01, 400, 3, start=4.0)
    assert "the run drifts" in str(found)
    assert not found.equilibrium


def test_a_run_shorter_than_its_memory_is_mostly_not_resolved():
    """A thousand steps of .001 are one relaxation time of the mean curvature."""
    found = [quadratic_run(0.001, 1000, seed, copies=1) for seed in range(20)]
    assert sum(bool(f.doubts) for f in found) >= 15


def test_the_optimizer_keeps_the_law_of_a_loss_that_is_not_quadratic():
    """L = sum x^4 / 4 with tr H = 3 |x|^2, with an information current."""
    generator = torch.Generator().manual_seed(4)
    parameter = torch.nn.Parameter(torch.randn(2000, dtype=torch.float64, generator=generator) * 0.6)
    optimizer = Langevin([parameter], 0.01, generator, temperature=T, alpha=0.5, warmup=0)
    squares, places = squares_of(parameter, lambda x: (x**4).sum() / 4, optimizer, 2000)
    found = equipartition(squares[300:], 3 * np.array(places[300:]), T)
    assert not found.doubts
    assert found.interval[0] - 0.02 <= 1 <= found.interval[1] + 0.02, str(found)
    assert found.interval[1] - found.interval[0] < 0.1


@pytest.mark.long
def test_a_network_in_its_steady_state():
    """A 6-5-3 network with a prior; tr H by Hutchinson at every hundredth step."""
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(64, 6, dtype=torch.float64, generator=generator)
    y = torch.randint(0, 3, (64,), generator=generator)

    def loss(theta: Tensor) -> Tensor:
        first, second = theta[:30].view(5, 6), theta[30:].view(3, 5)
        data = torch.nn.functional.cross_entropy((x @ first.T).tanh() @ second.T, y)
        return data + 0.5 * (theta * theta).sum() / 2

    parameter = torch.nn.Parameter(torch.zeros(45, dtype=torch.float64))
    optimizer = Langevin([parameter], 0.04, generator, temperature=0.02, warmup=0)
    squares: list[float] = []
    traces: list[float] = []
    for _ in range(35):
        squares += squares_of(parameter, loss, optimizer, 100)[0]
        traces.append(float(hutchinson_trace(loss, parameter.detach(), generator, 4)))
    found = equipartition(squares[500:], traces[5:], 0.02)
    assert not found.doubts
    # h k / 2 is at most .03 here: the step's own error, beside the interval.
    assert found.interval[0] - 0.03 <= 1 <= found.interval[1] + 0.03
    assert found.interval[1] - found.interval[0] < 0.25


@pytest.mark.parametrize(("h", "k"), [(0.1, 1.0), (1.0, 0.5), (5.0, 2.0)])
def test_the_fixed_point_is_the_law_for_every_step(h, k):
    """T / k exactly, where Euler-Maruyama has T / k / (1 - h k / 2), which ends at h k = 2."""
    mean, deviation = jko_step(0.0, math.sqrt(T / k), k, T, h)
    assert (mean, deviation**2) == pytest.approx((0.0, T / k), rel=1e-14)
    if h * k < 2:
        explicit = ou.chain_covariance([[k]], [[T]], h)[0, 0]
        assert explicit == pytest.approx(T / k / (1 - h * k / 2))
        assert explicit > 1.04 * deviation**2


def gaussian(mean: float, deviation: float) -> tuple[np.ndarray, np.ndarray]:
    return np.array([mean]), np.array([[deviation**2]])


def free_energy(mean: float, deviation: float, k: float) -> float:
    """T KL(rho | pi), which is the free energy above its minimum."""
    return T * divergence(gaussian(mean, deviation), gaussian(0.0, math.sqrt(T / k)))


@pytest.mark.parametrize(("mean", "deviation"), [(3.0, 2.0), (-1.0, 0.1), (0.5, 1.5)])
def test_the_implicit_step_is_the_minimum_of_its_variation(mean, deviation):
    """W_2(rho, rho_n)^2 / 2 h + F(rho): every other Gaussian near it costs more (Jordan, Kinderlehrer, Otto 1998)."""
    h, k = 0.3, 1.7

    def cost(m: float, s: float) -> float:
        moved = wasserstein(gaussian(m, s), gaussian(mean, deviation))
        return moved**2 / (2 * h) + free_energy(m, s, k)

    best = jko_step(mean, deviation, k, T, h)
    for dm, ds in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1)):
        assert cost(best[0] + 1e-2 * dm, best[1] + 1e-2 * ds) > cost(*best) + 1e-5


def test_the_implicit_steps_go_downhill_and_pay_for_their_way():
    """F falls in every step by at least W_2^2 / 2 h, and at long steps too."""
    h, k = 2.0, 1.7
    here = 3.0, 2.0
    for _ in range(20):
        there = jko_step(*here, k, T, h)
        paid = free_energy(*here, k) - free_energy(*there, k)
        assert paid >= wasserstein(gaussian(*here), gaussian(*there)) ** 2 / (2 * h) - 1e-12
        here = there
    assert here == pytest.approx((0.0, math.sqrt(T / k)), abs=1e-8)


@pytest.mark.parametrize(
    ("squares", "traces", "temperature", "message"),
    [
        (np.ones(19), 1.0, 1.0, r"squares has shape \(19,\); give \(step,\) finite numbers, at least 20"),
        (np.full(30, np.inf), 1.0, 1.0, "squares has shape .* finite"),
        (np.ones(30), -1.0, 1.0, "the mean of traces is -1; equipartition needs a loss that is convex in the mean"),
        (np.ones(30), 1.0, 0.0, "temperature = 0.0: equipartition needs T > 0"),
    ],
)
def test_what_is_no_run_is_refused(squares, traces, temperature, message):
    with pytest.raises(DlmError, match=message):
        equipartition(squares, traces, temperature)


def test_a_run_that_never_moves_is_told_as_it_is():
    found = equipartition(np.full(40, 2.0), 2.0, 1.0)
    assert (found.ratio, found.interval, found.doubts) == (1.0, (1.0, 1.0), ())
