"""The weights' dynamics and their balances against closed forms: Ornstein-Uhlenbeck processes, oscillators, limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from math import exp, sqrt
from typing import Literal

import numpy as np
import pytest
import torch
from torch import Tensor

from dlm_snn.errors import DlmError
from dlm_snn.physics.weights import ornstein_uhlenbeck as ou
from dlm_snn.physics.weights.currents import Matrix, Paired, hebbian, paired
from dlm_snn.physics.weights.dynamics import Dynamics
from dlm_snn.physics.weights.langevin import State, advance, init, step, switch, total_energy
from dlm_snn.physics.weights.stability import (
    check_sigma_weight,
    check_step,
    largest_curvature,
    largest_step,
    measured_radius,
    spectral_radius,
)
from dlm_snn.physics.weights.thermodynamics import (
    ThermodynamicState,
    entropy_production_rate,
    hutchinson_trace,
    kinetic_temperature,
    sigma_of,
    surrogate_work_by_layer,
)

PATHS = 4000
TURN = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)


def quadratic(h: Tensor) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """L = theta.H theta / 2."""

    def loss(theta: Tensor) -> tuple[Tensor, Tensor]:
        gradient = theta @ h
        return (theta * gradient).sum(-1) / 2, gradient

    return loss


def drawn(covariance: np.ndarray, paths: int, generator: torch.Generator) -> Tensor:
    root = torch.linalg.cholesky(torch.tensor(covariance))
    return torch.randn(paths, len(covariance), dtype=torch.float64, generator=generator) @ root.T


def run(
    loss: Callable, state: State, h: float, dynamics: Dynamics, n_steps: int, generator: torch.Generator
) -> Iterator[ThermodynamicState]:
    for _ in range(n_steps):
        state, info = step(state, loss, h, dynamics, generator)
        yield info


def within(values: Tensor, exact: float, standard_errors: float = 4) -> None:
    """The mean over paths is the exact value within so many standard errors."""
    error = values.std().item() / sqrt(len(values))
    assert abs(values.mean().item() - exact) < standard_errors * error, (values.mean().item(), error, exact)


def rotating(k: float, alpha: float, temperature: float, h: float, time: float) -> dict[str, Tensor]:
    """Path means of the rotation's rates, and the largest residual of the first law beside the largest energy."""
    generator = torch.Generator().manual_seed(1)
    loss = quadratic(k * torch.eye(2, dtype=torch.float64))
    current = Matrix(alpha * TURN) if alpha else None
    dynamics = Dynamics(temperature=temperature, current=current)
    start = ou.chain_covariance(ou.rotation(k, alpha), temperature * np.eye(2), h)
    infos = list(run(loss, init(drawn(start, PATHS, generator), loss, dynamics), h, dynamics, int(time / h), generator))
    mean = {name: torch.stack([getattr(i, name) for i in infos]).mean(0) for name in RATES}
    gross = sum(i.heat.abs().sum() + i.work_current.abs().sum() for i in infos) / len(infos) / PATHS
    return mean | {"residual": max(i.residual.abs().max() for i in infos) / gross}


RATES = ("entropy_production", "housekeeping", "information_current", "dissipation", "excess")


@pytest.mark.parametrize(
    ("k", "alpha", "temperature", "h", "sigma"),
    [
        (1, 1, 0.5, 0.01, 2.020202),
        (1, 1, 0.5, 0.1, 2.222222),
        pytest.param(2, 0.5, 0.1, 0.01, 1.0126582, marks=pytest.mark.long),
        (1, 3, 1, 0.1, 36.0),
    ],
)
def test_entropy_production_of_the_rotation(k, alpha, temperature, h, sigma):
    noise = temperature * np.eye(2)
    assert ou.chain_entropy_production(ou.rotation(k, alpha), noise, h) == pytest.approx(sigma, rel=1e-6)
    assert ou.entropy_production(ou.rotation(k, alpha), noise) == pytest.approx(2 * k * alpha**2)
    found = rotating(k, alpha, temperature, h, time=20)
    within(found["entropy_production"], sigma)
    inflation = ou.chain_covariance(ou.rotation(k, alpha), noise, h)[0, 0] / (temperature / k)
    within(found["information_current"], 2 * alpha * temperature * inflation)
    assert found["residual"] < 1e-12


def test_no_current_no_entropy_production():
    found = rotating(1, 0, 0.5, 0.01, time=20)
    within(found["entropy_production"], 0)
    assert found["housekeeping"].abs().max() == 0
    assert found["information_current"].abs().max() == 0
    assert found["residual"] < 1e-12


def test_the_wrong_recipes_are_wrong():
    """What looks like heat and is not: the traps, on the rotation with sigma = 2."""
    generator = torch.Generator().manual_seed(2)
    loss = quadratic(torch.eye(2, dtype=torch.float64))
    dynamics = Dynamics(temperature=0.5, current=Matrix(TURN))
    start = ou.chain_covariance(ou.rotation(1, 1), 0.5 * np.eye(2), 0.01)
    state = init(drawn(start, 200_000, generator), loss, dynamics)
    new, info = step(state, loss, 0.01, dynamics, generator)
    shift, t, h = new.theta - state.theta, 0.5, 0.01
    full = state.gradient + state.gradient @ TURN.T
    assert (state.gradient * (state.gradient @ TURN.T)).sum(-1).abs().max() < 1e-15
    within(-((state.gradient + new.gradient) / 2 * shift).sum(-1) / (t * h), 0)
    assert -(full * shift).sum(-1).mean() / (t * h) == pytest.approx(4, abs=0.3)
    assert (full**2).sum(-1).mean() / t == pytest.approx(4, abs=0.2)
    # Clipped at 0 step by step, a fall of the energy is positive in equilibrium too.
    clipped = (-info.energy_change).clamp(min=0).mean() / (t * h)
    assert clipped == pytest.approx(7.05, abs=0.3)
    _, alone = step(state, loss, h, Dynamics(temperature=0.5), generator)
    assert (-alone.energy_change).clamp(min=0).mean() / (t * h) > 5
    within(info.entropy_production, 2.0202)


@pytest.mark.parametrize(
    ("h", "d", "q", "sigma"),
    [
        ([[2, 0.5], [0.5, 1]], [1.0, 3.0], 0.7, 0.8166667),
        ([[6, 0], [0, 0.2]], [1.0, 1.0], 1.0, 6.2),
        ([[1, 0], [0, 4]], [1.0, 1.0], 0.3, 0.45),
    ],
)
def test_sigma_is_a_trace_whatever_the_temperature(h, d, q, sigma):
    hessian, mobility, matrix = np.array(h, float), np.diag(d), q * TURN.numpy()
    assert np.trace(np.linalg.inv(mobility) @ matrix @ hessian @ matrix.T) == pytest.approx(sigma, rel=1e-6)
    for temperature in (0.01, 3.0):
        drift = (mobility + matrix) @ hessian
        assert ou.entropy_production(drift, temperature * mobility) == pytest.approx(sigma, rel=1e-6)


def test_a_step_with_mobility_and_anisotropy_has_the_chains_entropy_production():
    generator = torch.Generator().manual_seed(3)
    hessian = torch.tensor([[2, 0.5], [0.5, 1]], dtype=torch.float64)
    mobility = torch.tensor([1.0, 3.0], dtype=torch.float64)
    dynamics = Dynamics(temperature=0.3, mobility=mobility, current=Matrix(0.7 * TURN))
    drift = (np.diag([1.0, 3.0]) + 0.7 * TURN.numpy()) @ hessian.numpy()
    noise = 0.3 * np.diag([1.0, 3.0])
    loss = quadratic(hessian)
    state = init(drawn(ou.chain_covariance(drift, noise, 0.05), PATHS, generator), loss, dynamics)
    infos = list(run(loss, state, 0.05, dynamics, 400, generator))
    mean = torch.stack([i.entropy_production for i in infos]).mean(0)
    within(mean, ou.chain_entropy_production(drift, noise, 0.05))
    assert max(i.residual.abs().max() for i in infos) < 1e-12


def test_two_temperatures_conduct_heat():
    """The gyrator: c^2 (T1 - T2) / 2K flows from the hot to the cold coordinate."""
    generator = torch.Generator().manual_seed(4)
    hessian = torch.tensor([[2.0, -1.0], [-1.0, 2.0]], dtype=torch.float64)
    temperatures = torch.tensor([2.0, 1.0], dtype=torch.float64)
    dynamics = Dynamics(temperature=temperatures)
    noise = np.diag([2.0, 1.0])
    assert ou.entropy_production(hessian.numpy(), noise) == pytest.approx(0.125)
    np.testing.assert_allclose(ou.covariance(hessian.numpy(), noise), [[1.25, 0.5], [0.5, 0.75]])
    loss = quadratic(hessian)
    state = init(drawn(ou.chain_covariance(hessian.numpy(), noise, 0.01), PATHS, generator), loss, dynamics)
    heat, entropy = 0.0, 0.0
    for _ in range(4000):
        move = advance(state.theta, state.momentum, state.gradient, 0.01, dynamics, generator, book=True)
        energy, gradient = loss(move.theta)
        q = -(state.gradient + gradient) / 2 * move.shift
        heat, entropy = heat + q, entropy + (q / temperatures).sum(-1)
        state = State(move.theta, move.momentum, energy, gradient)
    within(entropy / 40, ou.chain_entropy_production(hessian.numpy(), noise, 0.01))
    # c^2 (T1 - T2) / 2K = .25, enlarged by the step as sigma is.
    conducted = 0.25 * ou.chain_entropy_production(hessian.numpy(), noise, 0.01) / 0.125
    within(heat[:, 1] / 40, conducted)
    within(heat[:, 0] / 40, -conducted)


@pytest.mark.parametrize(
    ("drift", "noise", "h", "sigma"),
    [
        (ou.rotation(1, 1), 0.5 * np.eye(2), 0.03, 2.06186),
        (ou.rotation(1, 1), 0.5 * np.eye(2), 0.001, 2.002002),
        (ou.rotation(1, 3), np.eye(2), 0.01, 18.947),
        ([[2.0, -1.0], [-1.0, 2.0]], np.diag([2.0, 1.0]), 0.1, 0.135135),
        ([[2.0, -1.0], [-1.0, 2.0]], np.diag([2.0, 1.0]), 0.01, 0.125945),
        ((np.eye(2) + TURN.numpy()) @ np.diag([6.0, 0.2]), np.eye(2), 0.1, 6.45),
    ],
)
def test_entropy_production_of_chains(drift, noise, h, sigma):
    last_place = 5 * 10.0 ** -(len(str(sigma).partition(".")[2]) + 1)
    assert ou.chain_entropy_production(drift, noise, h) == pytest.approx(sigma, rel=0, abs=1.01 * last_place)


def test_a_flow_at_the_ends_of_a_step_is_biased():
    """H = diag(6, .2), h = .1: the chain has sigma = 6.45, <|Q g|^2> / T is 8.91; exact 6.2."""
    hessian, turn = np.diag([6.0, 0.2]), TURN.numpy()
    spread = ou.chain_covariance((np.eye(2) + turn) @ hessian, np.eye(2), 0.1)
    assert np.trace(turn @ hessian @ spread @ hessian @ turn.T) == pytest.approx(8.91, abs=0.006)


def test_estimators_of_chains_and_snapshots():
    assert ou.entropy_production(np.diag([1.0, 4.0]), [[1, 0.5], [0.5, 1]]) == pytest.approx(0.6)
    assert ou.chain_entropy_production(np.diag([1.0, 4.0]), [[1, 0.5], [0.5, 1]], 1e-6) == pytest.approx(0.6, rel=1e-4)
    assert ou.entropy_production(np.diag([1.0, 4.0]), np.diag([1.0, 2.0])) == pytest.approx(0, abs=1e-12)
    assert ou.snapshot_entropy_production(1, 1, 0.1) == pytest.approx(1.800648, rel=1e-6)
    assert ou.snapshot_entropy_production(1, 1, 0.01) == pytest.approx(1.980001, rel=1e-6)
    assert [ou.uncertainty_bound(*ka) for ka in ((1, 1), (2, 0.5), (1, 3))] == pytest.approx([1, 0.8, 1.8])


@pytest.mark.parametrize(
    ("h", "heat"), [(0.5, 0.753854), (0.2, 0.679458), pytest.param(0.1, 0.669827, marks=pytest.mark.long)]
)
def test_the_driven_oscillator(h, heat):
    """w = gamma = T = 1, k = .5: <x^2> = 2.6667, heat = power = .6667 as h -> 0; here at finite h."""
    generator = torch.Generator().manual_seed(5)
    loss = quadratic(torch.eye(2, dtype=torch.float64))
    dynamics = Dynamics(temperature=1.0, friction=1.0, current=Matrix(0.5 * TURN))
    theta = torch.randn(PATHS, 2, dtype=torch.float64, generator=generator) * sqrt(4 / 3)
    state = init(theta, loss, dynamics, torch.randn(PATHS, 2, dtype=torch.float64, generator=generator))
    for _ in range(int(20 / h)):
        state, _ = step(state, loss, h, dynamics, generator)
    q, w, x, residual = [], [], [], []
    for _ in range(int(20 / h)):
        state, info = step(state, loss, h, dynamics, generator)
        q.append(info.dissipation)
        w.append(info.work_current[:, 0] / h)
        x.append((state.theta**2).sum(-1))
        residual.append(info.residual / h)
    within(torch.stack(q).mean(0), heat)
    within(torch.stack(x).mean(0), 2 * driven_variance(h, 0.5, 1.0, 1.0))
    # What the integrator works by itself closes the balance; it falls with h^2.
    shadow = torch.stack(residual).mean()
    assert abs(shadow) < 0.2 * h**2
    assert torch.stack(w).mean() + shadow == pytest.approx(torch.stack(q).mean().item(), abs=0.02)


def test_sigma_of_a_driven_oscillator_is_divided_by_its_friction():
    """gamma = 2, k = .5, T = 1: <|Q g|^2> / (gamma T) = k^2 <x^2> / gamma = heat / T = .26667."""
    generator = torch.Generator().manual_seed(15)
    dynamics = Dynamics(temperature=1.0, friction=2.0, current=Matrix(0.5 * TURN))
    squares = 2 / (1 - 0.5**2 / 2.0**2)
    exact = 0.5**2 * squares / 2
    assert exact == pytest.approx(0.266667, rel=1e-5)
    point = torch.tensor([sqrt(squares), 0.0], dtype=torch.float64, requires_grad=True)
    sigma, _ = sigma_of((point**2).sum() / 2, [point], dynamics)
    assert sigma.item() == pytest.approx(exact)
    loss = quadratic(torch.eye(2, dtype=torch.float64))
    theta = torch.randn(PATHS, 2, dtype=torch.float64, generator=generator) * sqrt(squares / 2)
    state = init(theta, loss, dynamics, torch.randn(PATHS, 2, dtype=torch.float64, generator=generator))
    for _ in range(200):
        state, _ = step(state, loss, 0.05, dynamics, generator)
    infos = list(run(loss, state, 0.05, dynamics, 200, generator))
    within(torch.stack([i.entropy_production for i in infos]).mean(0), exact)
    within(torch.stack([i.housekeeping for i in infos]).mean(0), exact)
    with pytest.raises(DlmError, match="a current as 'drift' does no work, so that it has no sigma"):
        sigma_of((point**2).sum() / 2, [point], Dynamics(1.0, 2.0, current=Matrix(TURN), current_as="drift"))


def test_the_driven_oscillators_exact_figures():
    """Of our own step's linear map: heat at four steps, and <x^2> with its limit 2 T / (w^2 - k^2 / gamma^2)."""
    for h, heat in ((0.5, 0.753854), (0.2, 0.679458), (0.1, 0.669827), (0.05, 0.667454)):
        assert driven_heat(h, 0.5, 1.0, 1.0) == pytest.approx(heat, rel=0, abs=1e-6)
    assert 2 * driven_variance(0.1, 0.5, 1.0, 1.0) == pytest.approx(2.670385, rel=1e-6)
    settled = driven_covariance(1e-3, 0.5, 1.0, 1.0)
    assert 2 * settled[0, 0] == pytest.approx(2.666667, rel=1e-6)
    assert 2 * settled[2, 2] == pytest.approx(2.666667, rel=1e-3)
    assert driven_heat(1e-3, 0.5, 1.0, 1.0) == pytest.approx(0.666667, rel=1e-5)


def test_a_force_is_driven_and_a_drift_is_not():
    """<x.x> per coordinate: 4/3 T with the current as a force on the momentum, T with it as a drift."""
    loss = quadratic(torch.eye(2, dtype=torch.float64))
    for form, exact in (("force", 4 / 3), ("drift", 1.0)):
        generator = torch.Generator().manual_seed(6)
        dynamics = Dynamics(temperature=1.0, friction=1.0, current=Matrix(0.5 * TURN), current_as=form)
        theta = torch.randn(PATHS, 2, dtype=torch.float64, generator=generator) * sqrt(exact)
        state = init(theta, loss, dynamics, torch.randn(PATHS, 2, dtype=torch.float64, generator=generator))
        squares = []
        for _ in range(1000):
            state, _ = step(state, loss, 0.02, dynamics, generator)
            squares.append((state.theta**2).mean(-1))
        mean = torch.stack(squares).mean(0)
        # The explicit drift lengthens theta by h^2 alpha^2 / 2 a step: .5 % here.
        error = mean.std().item() / sqrt(PATHS)
        assert abs(mean.mean().item() - exact) < 4 * error + 0.01 * exact


def test_injection_heats_a_flat_landscape_and_is_given_off_again():
    """<v^2> = T + P / gamma, and what is injected goes to the bath."""

    def flat(theta: Tensor) -> tuple[Tensor, Tensor]:
        return torch.zeros(len(theta), dtype=theta.dtype), torch.zeros_like(theta)

    generator = torch.Generator().manual_seed(7)
    temperature, friction, power, h = 0.3, 0.5, 0.2, 0.1
    dynamics = Dynamics(temperature=temperature, friction=friction, injection_rate=power)
    exact = temperature + power / friction
    theta = torch.zeros(PATHS, 3, dtype=torch.float64)
    state = init(theta, flat, dynamics, sqrt(exact) * torch.randn(theta.shape, dtype=theta.dtype, generator=generator))
    squares, changes, given, taken = [], [], [], []
    for _ in range(1000):
        state, info = step(state, flat, h, dynamics, generator)
        squares.append((state.momentum**2).mean(-1))
        changes.append(info.energy_change)
        given.append(info.work_injection[:, 0])
        taken.append(info.dissipation * h)
        assert info.residual.abs().max() < 1e-14
    within(torch.stack(squares).mean(0), exact)
    within(torch.stack(changes).mean(0), 0)
    c = exp(-friction * h)
    within(torch.stack(given).mean(0), 3 * (1 - c * c) * power / friction / 2)
    within(torch.stack(taken).mean(0) - torch.stack(given).mean(0), 0)


def test_overdamped_kicks_are_booked_and_close():
    generator = torch.Generator().manual_seed(8)
    loss = quadratic(torch.diag(torch.tensor([1.0, 3.0], dtype=torch.float64)))
    dynamics = Dynamics(temperature=0.2, mobility=0.5, current=Matrix(0.4 * TURN), injection_rate=0.3)
    state = init(torch.zeros(PATHS, 2, dtype=torch.float64), loss, dynamics)
    infos = list(run(loss, state, 0.01, dynamics, 500, generator))
    assert max(i.residual.abs().max() for i in infos) < 1e-13
    # The curvature turns kicks into energy: <gbar.kick> = tr H * variance / 2.
    variance = 2 * 0.3 * 0.5**2 * 0.01
    within(torch.stack([i.work_injection[:, 0] for i in infos]).mean(0), 4 * variance / 2)


def test_a_switched_task_is_a_quench():
    """From k = 1 to k = 4 at T = .5: <W> = .75, <exp(-W/T)> = .5 (Jarzynski)."""
    generator = torch.Generator().manual_seed(9)
    soft, stiff = (quadratic(k * torch.eye(1, dtype=torch.float64)) for k in (1.0, 4.0))
    dynamics = Dynamics(temperature=0.5)
    state = init(sqrt(0.5) * torch.randn(400_000, 1, dtype=torch.float64, generator=generator), soft, dynamics)
    new, work = switch(state, stiff, dynamics, 0.1)
    within(work, 0.75)
    within(torch.exp(-work / 0.5), 0.5)
    torch.testing.assert_close(new.energy - state.energy, work)


def test_a_dragged_trap():
    """k = v = 1, T = .5, tau = 3: <W> = v^2 (tau - (1 - e^-k tau) / k) = Var / 2T."""
    generator = torch.Generator().manual_seed(10)
    h, dynamics = 0.01, Dynamics(temperature=0.5)

    def trap(center: float) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
        return lambda x: (((x - center) ** 2).sum(-1) / 2, x - center)

    state = init(sqrt(0.5) * torch.randn(20_000, 1, dtype=torch.float64, generator=generator), trap(0.0), dynamics)
    total = torch.zeros(20_000, dtype=torch.float64)
    for i in range(300):
        state, work = switch(state, trap((i + 0.5) * h), dynamics, h)
        total += work
        state, _ = step(state, trap((i + 0.5) * h), h, dynamics, generator)
    state, work = switch(state, trap(300 * h), dynamics, h)
    total += work
    exact = 3 - (1 - exp(-3))
    assert exact == pytest.approx(2.049787, rel=1e-6)
    error = total.std().item() / sqrt(20_000)
    assert abs(total.mean().item() - exact) < 4 * error + 0.01
    assert total.var().item() / (2 * 0.5) == pytest.approx(exact, rel=0.05)


def tanh_net(seed: int) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """A smooth 6-5-3 network on 40 points: theta and its loss."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(40, 6, dtype=torch.float64, generator=generator)
    y = torch.randint(0, 3, (40,), generator=generator)

    def loss(theta: Tensor) -> Tensor:
        w1, w2 = theta[:30].view(5, 6), theta[30:45].view(3, 5)
        return torch.nn.functional.cross_entropy(torch.tanh(x @ w1.T) @ w2.T, y) + 0.005 * (theta**2).sum()

    return 0.5 * torch.randn(45, dtype=torch.float64, generator=generator), loss


def with_gradient(loss: Callable[[Tensor], Tensor]) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    def both(theta: Tensor) -> tuple[Tensor, Tensor]:
        point = theta.detach().requires_grad_()
        value = loss(point)
        return value.detach(), torch.autograd.grad(value, point)[0]

    return both


@pytest.mark.parametrize("friction", [None, 0.7])
def test_without_noise_and_current_it_is_torchs_sgd(friction):
    theta, loss = tanh_net(1)
    h = 0.05
    c = exp(-friction * h) if friction else 0.0
    rate = h * h * (1 + c) / 2 if friction else h
    theirs = theta.clone().requires_grad_()
    optimizer = torch.optim.SGD([theirs], lr=rate, momentum=c)
    dynamics = Dynamics(friction=friction)
    state = init(theta, with_gradient(loss), dynamics)
    for _ in range(1000):
        optimizer.zero_grad()
        loss(theirs).backward()
        optimizer.step()
        state, _ = step(state, with_gradient(loss), h, dynamics)
    assert (state.theta - theirs.detach()).abs().max() <= 1e-12


def test_at_temperature_zero_entropy_production_is_undefined():
    theta, loss = tanh_net(1)
    _, info = step(init(theta, with_gradient(loss), Dynamics()), with_gradient(loss), 0.1, Dynamics())
    assert torch.isnan(info.entropy_production)
    assert torch.isfinite(info.dissipation)


def test_a_layer_at_temperature_zero_leaves_entropy_production_undefined():
    """Not infinite, and not that of the other layer alone; heat and work stay what they are."""
    theta, loss = tanh_net(1)
    temperature = torch.full_like(theta, 0.01)
    moved = {}
    for cold in (0, 5):
        temperature[:cold] = 0
        dynamics = Dynamics(temperature=temperature.clone())
        generator = torch.Generator().manual_seed(1)
        _, info = step(init(theta, with_gradient(loss), dynamics), with_gradient(loss), 0.1, dynamics, generator)
        moved[cold] = info
    assert torch.isfinite(moved[0].entropy_production)
    assert moved[0].entropy_production.item() == pytest.approx(moved[0].dissipation.item() / 0.01)
    for rate in (moved[5].entropy_production, moved[5].housekeeping, moved[5].excess):
        assert torch.isnan(rate)
    assert torch.isfinite(moved[5].dissipation)
    assert moved[5].temperature == pytest.approx(0.01 * (1 - 5 / len(theta)))


def test_surrogate_work_by_layer_moves_one_layer_after_the_other():
    """L = prod of sin(theta_k + k / 10), and a gradient that is a third of its own; the corners of the path by hand."""
    theta = torch.linspace(0.1, 0.9, 6, dtype=torch.float64)
    after = theta + torch.tensor([0.3, -0.2, 0.5, 0.4, -0.1, 0.7], dtype=torch.float64)
    shift = torch.arange(6, dtype=torch.float64) / 10

    def loss(at: Tensor) -> tuple[Tensor, Tensor]:
        value = torch.sin(at + shift).prod()
        return value, value / torch.tan(at + shift) / 3

    for sizes in ([2, 4], [1, 2, 3], [6]):
        ends = np.cumsum([0, *sizes])
        corners = [torch.cat([after[:end], theta[end:]]) for end in ends]
        exact = [
            loss(there)[0] - loss(here)[0] - ((loss(here)[1] + loss(there)[1]) / 2 * (there - here)).sum()
            for here, there in pairwise(corners)
        ]
        found = surrogate_work_by_layer(loss, theta, after, sizes)
        torch.testing.assert_close(found, torch.stack(exact), rtol=0, atol=1e-14)


def test_the_gradient_of_sigma_is_that_of_finite_differences():
    theta, loss = tanh_net(2)
    current = paired([30, 15], [0.5, 0.8], torch.Generator().manual_seed(3))
    dynamics = Dynamics(temperature=0.01, current=current)
    point = theta.clone().requires_grad_()
    sigma, gradient = sigma_of(loss(point), [point], dynamics)
    (found,) = torch.autograd.grad(sigma, point, retain_graph=True)
    flow = current.transposed(current(gradient.detach()))
    (exact,) = torch.autograd.grad(gradient, point, flow)
    torch.testing.assert_close(found, 2 / 0.01 * exact, rtol=1e-12, atol=1e-12)

    def value(at: Tensor) -> float:
        return entropy_production_rate(with_gradient(loss)(at)[1], current, 0.01).item()

    step_size = 1e-5
    for i in range(0, 45, 5):
        unit = torch.zeros_like(theta)
        unit[i] = step_size
        # Richardson: two central differences, error h^4.
        near = (value(theta + unit) - value(theta - unit)) / (2 * step_size)
        far = (value(theta + 2 * unit) - value(theta - 2 * unit)) / (4 * step_size)
        assert (4 * near - far) / 3 == pytest.approx(found[i].item(), rel=1e-6, abs=1e-6 * found.abs().max().item())


def test_a_full_pairing_makes_sigma_a_norm_of_the_gradient():
    theta, loss = tanh_net(2)
    gradient = with_gradient(loss)(theta)[1][:44]
    for seed in range(3):
        current = paired([44], 0.5, torch.Generator().manual_seed(seed))
        sigma = entropy_production_rate(gradient, current, 0.2)
        torch.testing.assert_close(sigma, 0.25 * (gradient**2).sum() / 0.2)


class Once(torch.autograd.Function):
    """x^3 with a backward that can be taken once."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        return 3 * ctx.saved_tensors[0] ** 2 * gradient


def test_a_backward_that_is_taken_once_is_refused():
    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    dynamics = Dynamics(temperature=1.0, current=Matrix(TURN))
    with pytest.raises(DlmError, match="backward pass of Once is marked once_differentiable"):
        sigma_of((Once.apply(x) ** 2).sum(), [x], dynamics)


def test_equipartition_by_a_hutchinson_trace():
    generator = torch.Generator().manual_seed(11)
    root = torch.randn(8, 8, dtype=torch.float64, generator=generator)
    hessian = root @ root.T / 8 + torch.eye(8, dtype=torch.float64)
    trace = hutchinson_trace(lambda x: x @ hessian @ x / 2, torch.zeros(8, dtype=torch.float64), generator, 4000)
    assert trace.item() == pytest.approx(hessian.trace().item(), rel=0.02)
    theta = drawn(0.3 * torch.linalg.inv(hessian).numpy(), 100_000, generator)
    assert kinetic_temperature(theta @ hessian, hessian.trace()).item() == pytest.approx(0.3, rel=0.02)


def test_stability_limits():
    plain, turning = Dynamics(), Dynamics(current=Matrix(0.5 * TURN))
    assert largest_step(plain, 4.0) == pytest.approx(0.5)
    assert largest_step(turning, 4.0) == pytest.approx(0.5 / 1.25)
    for dynamics in (plain, turning):
        limit = largest_step(dynamics, 4.0)
        assert spectral_radius(dynamics, 0.999 * limit, 4.0) < 1 < spectral_radius(dynamics, 1.001 * limit, 4.0)
    c, rate = 0.9, 0.1
    h = sqrt(2 * rate / (1 + c))
    friction = -np.log(c) / h
    damped = Dynamics(friction=friction)
    assert largest_step(damped, 20.0) == pytest.approx(2 / sqrt(20), rel=1e-6)
    for form in ("force", "drift"):
        worst = Dynamics(friction=friction, current=Matrix(0.5 * TURN), current_as=form)
        assert spectral_radius(worst, h, 20.0) > 1.5
    driven = Dynamics(friction=1.0, current=Matrix(0.5 * TURN))
    assert largest_step(driven, 16.0) == pytest.approx(0, abs=1e-6)
    assert largest_step(driven, 1.0) > 0.5
    mobile = Dynamics(mobility=torch.tensor([0.1, 1.0]), current=Matrix(TURN))
    assert largest_step(mobile, 4.0) == pytest.approx(2 * 0.1 / (4 * 1.01))
    assert spectral_radius(mobile, 0.06, 4.0) > 1
    with pytest.raises(DlmError, match="curvature = 0: give the loss's largest curvature"):
        largest_step(plain, 0)
    with pytest.raises(DlmError, match=r"h = 0.45 is beyond the stability limit 0.4 at the curvature 4; lower h"):
        check_step(turning, 0.45, 4.0)
    with pytest.raises(DlmError, match="no step is stable: lower alpha or raise the friction"):
        check_step(driven, 0.01, 16.0)


@pytest.mark.parametrize("form", ["force", "drift", "overdamped"])
def test_the_measured_radius_is_that_of_the_steps_matrix(form):
    """At momentum .9, lr .1 and curvatures up to 20 a drift of .5 blows up and a force of .5 does not."""
    generator = torch.Generator().manual_seed(14)
    n, h, friction = 60, sqrt(0.2 / 1.9), -np.log(0.9) / sqrt(0.2 / 1.9)
    basis = torch.linalg.qr(torch.randn(n, n, dtype=torch.float64, generator=generator))[0]
    hessian = basis @ torch.diag(20 * torch.arange(1, n + 1, dtype=torch.float64) ** -1.5) @ basis.T
    current = paired([n], 0.5, generator)
    q = torch.stack([current(row) for row in torch.eye(n, dtype=torch.float64)], 1)
    one, c, half = torch.eye(n, dtype=torch.float64), 0.9, h / 2 * 1.9
    if form == "overdamped":
        h, dynamics = 0.08, Dynamics(current=current)
        matrix = one - h * (one + q) @ hessian
    else:
        dynamics = Dynamics(friction=friction, current=current, current_as=form)
        kick = ((one + q) if form == "force" else one) @ hessian
        drift = torch.zeros_like(one) if form == "force" else h * q @ hessian
        matrix = torch.cat(
            [torch.cat([one - drift - half * h * kick, half * one], 1), torch.cat([-c * h * kick, c * one], 1)]
        )
    exact = torch.linalg.eigvals(matrix).abs().max().item()
    assert (exact > 1) == (form == "drift")
    found = measured_radius(
        lambda x: x @ hessian @ x / 2, torch.zeros(n, dtype=torch.float64), dynamics, h, generator, 600
    )
    assert found == pytest.approx(exact, rel=5e-3)


def test_the_largest_curvature_and_the_largest_weight_of_sigma():
    hessian = torch.diag(torch.tensor([1.0, 5.0, 20.0], dtype=torch.float64))
    generator = torch.Generator().manual_seed(12)
    found = largest_curvature(lambda x: x @ hessian @ x / 2, torch.ones(3, dtype=torch.float64), generator)
    assert found == pytest.approx(20, rel=1e-6)
    dynamics = Dynamics(temperature=1e-3, current=Matrix(0.5 * TURN))
    check_sigma_weight(dynamics, 0.99e-4, 20.0)
    with pytest.raises(DlmError, match=r"sigma_weight = 0.000101 is not below its stability limit 0.0001"):
        check_sigma_weight(dynamics, 1.01e-4, 20.0)
    for slower in (
        Dynamics(temperature=1e-3, mobility=0.1, current=Matrix(0.5 * TURN)),
        Dynamics(temperature=1e-3, friction=0.1, current=Matrix(0.5 * TURN)),
    ):
        check_sigma_weight(slower, 0.99e-5, 20.0)
        with pytest.raises(DlmError, match="stability limit 1e-05"):
            check_sigma_weight(slower, 1.01e-5, 20.0)


def test_pairs_within_and_across_layers():
    generator = torch.Generator().manual_seed(13)
    within_layers = paired([7, 10], [0.5, 0.0], generator, across=False)
    assert (within_layers.partner[:7] < 7).all()
    assert (within_layers.partner[7:] >= 7).all()
    assert (within_layers.strength[:7] != 0).sum() == 6
    assert (within_layers.strength[7:] == 0).all()
    across = paired([50, 50], [0.5, 2.0], generator)
    assert (across.partner[:50] >= 50).any()
    # A square root may end in another bit from processor to processor.
    assert set(across.strength.abs().numpy().round(14)) <= {0.5, 1.0, 2.0}
    g = torch.randn(100, dtype=torch.float64, generator=generator)
    assert (g * across(g)).sum().abs() < 1e-13
    for name, function in (("tanh", torch.tanh), ("quadratic", lambda x: x * x.abs())):
        torch.testing.assert_close(Paired(across.partner, across.strength, name)(g), function(across(g)))


def test_a_function_of_the_current_closes_too():
    theta, loss = tanh_net(4)
    for name in ("tanh", "quadratic"):
        current = paired([45], 1.0, torch.Generator().manual_seed(1), function=name)
        dynamics = Dynamics(temperature=1e-4, current=current)
        generator = torch.Generator().manual_seed(2)
        ratios = []
        for h in (0.1, 0.05):
            state = init(theta, with_gradient(loss), dynamics)
            infos = list(run(with_gradient(loss), state, h, dynamics, int(10 / h), generator))
            ratios.append(sum(i.residual for i in infos) / sum(i.heat.sum() for i in infos))
        assert abs(ratios[0]) < 1e-3
        with pytest.raises(DlmError, match="holds for function 'linear' only"):
            entropy_production_rate(theta, current, 1.0)


def test_the_hebbian_current_is_a_normalized_outer_product():
    post, pre = torch.tensor([[1.0, 0.0], [2.0, 0.0]]), torch.tensor([[0.0, 1.0, 3.0], [0.0, 1.0, 0.0]])
    current = hebbian(post, pre)
    assert current.norm().item() == pytest.approx(1)
    torch.testing.assert_close(current / current[0, 1], torch.tensor([[0.0, 1.0, 1.0], [0.0, 0.0, 0.0]]))
    assert hebbian(torch.zeros(2, 2), pre).abs().sum() == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Dynamics(temperature=-1e-3), "temperature = -0.001: give T >= 0"),
        (lambda: Dynamics(temperature=float("nan")), "temperature = nan"),
        (lambda: Dynamics(friction=0.0), "friction = 0.0: the underdamped form needs a bath; friction=None"),
        (lambda: Dynamics(mobility=0.0), "mobility = 0.0"),
        (lambda: Dynamics(mobility=0.5, friction=1.0), "mobility is for the overdamped form"),
        (lambda: Dynamics(injection_rate=-1.0), "injection_rate = -1.0: give P >= 0"),
        (lambda: Dynamics(current_as="momentum"), "current_as = 'momentum'; known: drift, force"),
        (lambda: Matrix(torch.eye(2)), r"Q is not antisymmetric: Q \+ Q\^T has entries up to 2"),
        (lambda: Matrix(torch.full((2, 2), torch.nan)), "Q is not antisymmetric"),
        (lambda: Paired(torch.tensor([1, 0]), torch.full((2,), torch.nan)), "Q is not antisymmetric"),
        (lambda: Matrix(torch.ones(2, 3)), r"Q has the shape \(2, 3\); give a square matrix"),
        (lambda: Paired(torch.tensor([1, 0]), torch.tensor([1.0, 1.0])), "Q is not antisymmetric: two strengths"),
        (lambda: Paired(torch.tensor([1, 2, 0]), torch.zeros(3)), "partner is no pairing"),
        (lambda: paired([2], 1.0, torch.Generator(), function="cubic"), "function = 'cubic'; known: linear"),
        (lambda: paired([2, 3], [1.0], torch.Generator()), "strength = .* one for each of 2 layers"),
    ],
)
def test_what_is_no_dynamics_is_refused(make, message):
    with pytest.raises(DlmError, match=message) as refused:
        make()
    assert "\n" not in str(refused.value)


def test_a_gradient_that_is_not_finite_is_refused():
    def broken(theta: Tensor) -> tuple[Tensor, Tensor]:
        return theta.sum(), torch.full_like(theta, torch.nan)

    with pytest.raises(DlmError, match="the gradient is not finite; lower the step"):
        init(torch.zeros(2), broken, Dynamics())
    good = quadratic(torch.eye(2))
    with pytest.raises(DlmError, match="h = 0: a step is positive"):
        step(init(torch.zeros(2), good, Dynamics()), good, 0, Dynamics())


@pytest.mark.parametrize(
    ("friction", "current_as", "order"),
    [(None, "force", 1), (1.0, "force", 2), (1.0, "drift", 1)],
    ids=["Euler-Maruyama, weak 1", "BAOAB, configurations 2", "BAOAB with an explicit drift, 1"],
)
def test_order_of_convergence(friction, current_as, order):
    """Of the driven plane's variance in the steady state, which is known in closed form."""
    k, alpha, temperature = 1.0, 0.5, 1.0

    def error(h: float) -> float:
        if current_as == "drift":
            return driven_covariance(h, alpha, friction, temperature, "drift")[0, 0] - temperature
        if friction is None:
            return ou.chain_covariance(ou.rotation(k, alpha), temperature * np.eye(2), h)[0, 0] - temperature / k
        return driven_variance(h, alpha, friction, temperature) - temperature / (1 - alpha**2 / friction**2)

    ratio = error(0.02) / error(0.01)
    assert np.log2(ratio) == pytest.approx(order, abs=0.1)


def driven_variance(h: float, alpha: float, friction: float, temperature: float) -> float:
    """<x^2> of one coordinate in the steady state."""
    return float(driven_covariance(h, alpha, friction, temperature)[0, 0])


def driven_heat(h: float, alpha: float, friction: float, temperature: float) -> float:
    """Heat per time in the steady state: what the bath's sub-step takes from |p|^2 / 2 after the kick."""
    kick = np.hstack([-h * (np.eye(2) + alpha * TURN.numpy()), np.eye(2)])
    kicked = np.trace(kick @ driven_covariance(h, alpha, friction, temperature) @ kick.T)
    return float((1 - exp(-2 * friction * h)) * (kicked - 2 * temperature) / (2 * h))


def driven_covariance(
    h: float, alpha: float, friction: float, temperature: float, current_as: Literal["force", "drift"] = "force"
) -> np.ndarray:
    """Of (x, momentum) in the steady state of our own step, read off its linear map."""
    loss = quadratic(torch.eye(2, dtype=torch.float64))
    cold = Dynamics(friction=friction, current=Matrix(alpha * TURN), current_as=current_as)
    columns = []
    for i in range(4):
        unit = torch.zeros(4, dtype=torch.float64)
        unit[i] = 1
        move = advance(unit[:2], unit[2:], loss(unit[:2])[1], h, cold, None)
        columns.append(torch.cat([move.theta, move.momentum]))
    matrix = torch.stack(columns, 1).numpy()
    c = exp(-friction * h)
    spread = np.vstack([h / 2 * np.eye(2), np.eye(2)]) * sqrt((1 - c * c) * temperature)
    from scipy.linalg import solve_discrete_lyapunov

    return np.asarray(solve_discrete_lyapunov(matrix, spread @ spread.T))


def test_total_energy_counts_the_half_kick():
    loss = quadratic(torch.eye(1, dtype=torch.float64))
    dynamics = Dynamics(friction=1.0)
    state = init(torch.tensor([2.0], dtype=torch.float64), loss, dynamics, torch.tensor([1.0], dtype=torch.float64))
    assert total_energy(state, dynamics, 0.1).item() == pytest.approx(2 + (1 - 0.05 * 2) ** 2 / 2)
