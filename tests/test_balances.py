"""First law, current's work and entropy production on networks: smooth, spiking and the soft twins of spiking ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from dlm_snn.backends.torch import SpikingModule
from dlm_snn.errors import DlmError
from dlm_snn.physics.weights.currents import paired
from dlm_snn.physics.weights.dynamics import Dynamics
from dlm_snn.physics.weights.langevin import flat_loss
from dlm_snn.physics.weights.thermodynamics import entropy_production_rate, sigma_of, surrogate_work_by_layer
from dlm_snn.surrogate import SoftSpikes, surrogate
from dlm_snn.tasks.datasets import digits
from dlm_snn.training.initial import initial_network
from tests.balancing import LAYERS, CountedSpikes, balances, smooth_network, spiking_digits

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_first_law_of_a_smooth_network():
    theta, loss = smooth_network()
    ratios = []
    for h in (0.1, 0.05):
        sums = balances(theta, loss, h, 20, temperature=1e-4)
        ratios.append(abs(sums.residual) / sums.heat)
        assert abs(sums.work / sums.predicted - 1) < 3 * sums.error / sums.predicted + 0.05
    assert ratios[0] <= 1e-3
    assert ratios[1] <= ratios[0] / 2


def test_the_first_law_of_the_soft_twin():
    """Reset attached, no competition: the residual is that of the step and shrinks with it."""
    theta, loss = spiking_digits(SoftSpikes(5.0))
    ratios = []
    for h in (0.02, 0.01):
        sums = balances(theta, loss, h, 0.6, temperature=1e-5)
        ratios.append(abs(sums.residual) / sums.heat)
    assert ratios[0] <= 1e-3
    assert ratios[1] < ratios[0]


def test_a_detached_reset_is_no_gradient_of_the_loss():
    """The named control: a third of the heat fails to close, and does not shrink."""
    theta, loss = spiking_digits(SoftSpikes(5.0, attached=False))
    ratios = [abs(s.residual) / s.heat for s in (balances(theta, loss, h, 0.6, temperature=1e-5) for h in (0.02, 0.01))]
    assert min(ratios) > 0.1
    assert ratios[1] > 0.8 * ratios[0]


def test_the_soft_twin_with_competition():
    """Changes of rank are kinks: the residual does not shrink, but is 0 within its scatter.

    One winner of 32: few neurons of the twin are above threshold, and more winners would never compete.
    """
    spikes = CountedSpikes(5.0)
    theta, loss = spiking_digits(spikes, winners=1)
    for h in (0.02, 0.005):
        sums = balances(theta, loss, h, 0.3, temperature=1e-5)
        assert abs(sums.residual) < 4 * sums.scatter
        assert abs(sums.residual) / sums.heat <= 1e-3
    assert np.mean(spikes.shares) > 0.2


def test_hard_spikes_leave_a_surrogates_work():
    """It is no small term; the current's work is as predicted all the same, for the surrogate's field."""
    theta, loss = spiking_digits(surrogate("fast_sigmoid", 5), samples=300)
    sums = balances(theta, loss, 0.05, 5, temperature=1e-5)
    assert abs(sums.work / sums.predicted - 1) < 3 * sums.error / sums.predicted + 0.05
    assert abs(sums.residual) / sums.heat > 0.02


def test_surrogate_work_by_layer_is_that_of_its_path():
    theta, loss = spiking_digits(SoftSpikes(5.0), samples=100)
    after = theta - 0.05 * loss(theta)[1]
    parts = surrogate_work_by_layer(loss, theta, after, LAYERS)
    assert parts.shape == (2,)
    hard = spiking_digits(surrogate("fast_sigmoid", 5), samples=100)[1]
    assert parts.abs().sum() < 0.2 * surrogate_work_by_layer(hard, theta, after, LAYERS).abs().sum()


def test_the_gradient_of_sigma_on_a_soft_spiking_network():
    """Against finite differences, through the time loop."""
    data = digits(None)
    x, y = torch.tensor(data.x_train[:40].astype(np.int64)), torch.tensor(data.y_train[:40])
    network = initial_network(64, (8,), 10, np.random.default_rng(1), dv=410 / 4096, graded_bits=5, scale=16)
    module = SpikingModule(network, SoftSpikes(5.0), dtype=torch.float64)
    parameters = list(module.weights)
    current = paired([p.numel() for p in parameters], 0.5, torch.Generator().manual_seed(1))
    dynamics = Dynamics(temperature=1e-2, current=current)

    def compute() -> Tensor:
        counts = module({"pixels": x}, 6, ["output"])["output"].sum(0)
        return torch.nn.functional.cross_entropy(0.5 * counts, y)

    sigma, _ = sigma_of(compute(), parameters, dynamics)
    found = torch.cat([g.reshape(-1) for g in torch.autograd.grad(sigma, parameters)])
    theta, loss = flat_loss(parameters, compute)

    def value(at: Tensor) -> float:
        return entropy_production_rate(loss(at)[1], current, 1e-2).item()

    size = 1e-4
    direction = found / found.norm()
    near = (value(theta + size * direction) - value(theta - size * direction)) / (2 * size)
    far = (value(theta + 2 * size * direction) - value(theta - 2 * size * direction)) / (4 * size)
    assert (4 * near - far) / 3 == pytest.approx(found.norm().item(), rel=1e-6)


def test_soft_spikes_are_for_floats():
    from tests.nets import make

    with pytest.raises(DlmError, match="soft spikes are for a float Network"):
        SpikingModule(make("int_plain")[0], SoftSpikes())
