"""The Langevin optimizer in a training loop: torch's SGD as its limit, balances over batches, refusals."""

from __future__ import annotations

import math
from math import exp

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from dlm_snn.errors import DlmError
from dlm_snn.physics.weights import thermostat, trainer
from dlm_snn.physics.weights.dissipation import coactivity, dissipate
from dlm_snn.physics.weights.optimizer import Langevin
from dlm_snn.physics.weights.thermodynamics import sigma_of
from dlm_snn.physics.weights.trainer import DynamicsConfig, one_cycle
from dlm_snn.tasks.datasets import digits
from dlm_snn.training.initial import initial_network
from dlm_snn.training.loop import TrainingConfig
from dlm_snn.training.training import train

pytestmark = pytest.mark.usefixtures("one_thread")


def problem(seed: int = 0) -> tuple[torch.nn.Module, Tensor, Tensor]:
    """A smooth 6-5-3 network in float64 and 64 points."""
    torch.manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3)).double()
    return net, torch.randn(64, 6, dtype=torch.float64), torch.randint(0, 3, (64,))


def closure_of(net, optimizer, x, y):
    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x), y)
        loss.backward()
        return loss

    return closure


@pytest.mark.parametrize("friction", [None, 0.8])
def test_its_limit_is_torchs_sgd(friction):
    h = 0.1
    c = exp(-friction * h) if friction else 0.0
    nets = [problem()[0] for _ in range(2)]
    _, x, y = problem()
    ours = Langevin(nets[0].parameters(), h, torch.Generator(), friction=friction, warmup=0)
    rate = h * h * (1 + c) / 2 if friction else h
    theirs = torch.optim.SGD(nets[1].parameters(), lr=rate, momentum=c)
    for step in range(1000):
        part = slice(8 * (step % 8), 8 * (step % 8) + 8)
        for net, optimizer in zip(nets, (ours, theirs), strict=True):
            closure_of(net, optimizer, x[part], y[part])()
            optimizer.step()
    for a, b in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        assert (a - b).abs().max() <= 1e-12


def test_a_schedule_scales_the_noise_and_a_warmup_is_the_default():
    parameter = torch.nn.Parameter(torch.zeros(200_000, dtype=torch.float64))
    optimizer = Langevin([parameter], 0.1, torch.Generator().manual_seed(1), temperature=0.5, warmup=4)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0 if step < 4 else 0.25)
    variances = []
    for _ in range(6):
        before = parameter.detach().clone()
        parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
        schedule.step()
        variances.append((parameter.detach() - before).var().item())
    np.testing.assert_allclose(variances, 2 * 0.5 * np.array([0.025, 0.05, 0.075, 0.1, 0.025, 0.025]), rtol=0.02)
    assert Langevin([parameter], 0.1, torch.Generator())._warmup > 0


@pytest.mark.parametrize("friction", [None, 0.5])
def test_books_close_over_batches_with_switching_and_dissipation(friction):
    """E of the last batch less E of the first is all the work less all the heat, up to what the steps fail to close."""
    net, x, y = problem(1)
    optimizer = Langevin(
        net.parameters(),
        0.02,
        torch.Generator().manual_seed(2),
        temperature=1e-3,
        friction=friction,
        alpha=0.7,
        injection_rate=1e-4,
        warmup=0,
        measure=True,
    )
    first, booked, change, residual, heat = None, 0.0, 0.0, 0.0, 0.0
    for step in range(60):
        part = slice(16 * (step % 4), 16 * (step % 4) + 16)
        closure = closure_of(net, optimizer, x[part], y[part])
        optimizer.step(closure)
        if step % 10 == 5:
            with torch.no_grad():
                before = torch.nn.functional.cross_entropy(net(x[part]), y[part]).item()
                net[0].weight.mul_(0.99)
                after = torch.nn.functional.cross_entropy(net(x[part]), y[part]).item()
            optimizer.book_synaptic(after - before)
        info = optimizer.info
        if first is None:
            first = float(info.energy - info.energy_change)
        work = info.work_current.sum() + info.work_injection.sum() + info.work_switching + info.work_synaptic
        booked += float(work - info.heat.sum())
        change += float(info.energy_change + info.work_switching + info.work_synaptic)
        residual += float(info.residual)
        heat += float(info.heat.abs().sum())
        assert info.heat.shape == (4,)
    last = float(info.energy + info.work_synaptic)
    assert last - first == pytest.approx(change, abs=1e-12)
    assert last - first == pytest.approx(booked + residual, abs=1e-12)
    assert abs(residual) < 0.02 * heat


def test_a_full_batch_is_evaluated_once_a_step():
    net, x, y = problem()
    calls = []
    optimizer = Langevin(net.parameters(), 0.1, torch.Generator(), temperature=1e-3, measure=True, full_batch=True)
    inner = closure_of(net, optimizer, x, y)

    def closure() -> Tensor:
        calls.append(1)
        return inner()

    for _ in range(10):
        optimizer.step(closure)
    assert len(calls) == 11
    assert optimizer.info.work_switching == 0


def test_layers_have_their_own_constants():
    torch.manual_seed(0)
    parameters = [torch.nn.Parameter(torch.zeros(100_000, dtype=torch.float64)) for _ in range(2)]
    groups = [
        {"params": [parameters[0]], "temperature": 0.5, "alpha": 0.3},
        {"params": [parameters[1]], "temperature": 0.1, "alpha": 0.0, "mobility": 2.0},
    ]
    optimizer = Langevin(groups, 0.1, torch.Generator().manual_seed(1), warmup=0)
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    assert parameters[0].var().item() == pytest.approx(2 * 0.5 * 0.1 + (0.3 * 0.1) ** 2 / 2, rel=0.03)
    assert parameters[1].var().item() == pytest.approx(2 * 0.1 * 2 * 0.1, rel=0.02)
    assert parameters[1].mean().item() == pytest.approx(-0.2, abs=0.005)


def test_the_hebbian_current_drives_its_weight():
    weight = torch.nn.Parameter(torch.zeros(2, 3, dtype=torch.float64))
    optimizer = Langevin([weight], 0.1, torch.Generator(), alpha=0.5, form="hebbian", warmup=0)
    weight.grad = torch.zeros_like(weight)
    optimizer.activity(weight, torch.ones(4, 2, dtype=torch.float64), torch.ones(4, 3, dtype=torch.float64))
    optimizer.step()
    torch.testing.assert_close(weight.detach(), torch.full((2, 3), 0.1 * 0.5 / 6**0.5, dtype=torch.float64))
    optimizer.step()
    torch.testing.assert_close(weight.detach(), torch.full((2, 3), 0.1 * 0.5 / 6**0.5, dtype=torch.float64))


def test_a_loaded_state_goes_on_where_it_was():
    """Momenta, warm-up, temperatures and the pairs of Q; the noise goes on with its generator."""
    nets = [problem()[0] for _ in range(2)]
    _, x, y = problem()
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    ours, theirs = (
        Langevin(net.parameters(), 0.1, generator, temperature=t, friction=0.5, alpha=0.5, warmup=20)
        for net, generator, t in zip(nets, generators, (1e-3, 1e-2), strict=True)
    )
    for _ in range(10):
        ours.step(closure_of(nets[0], ours, x, y))
    nets[1].load_state_dict(nets[0].state_dict())
    theirs.load_state_dict(ours.state_dict())
    generators[1].set_state(generators[0].get_state())
    for _ in range(10):
        for net, optimizer in zip(nets, (ours, theirs), strict=True):
            optimizer.step(closure_of(net, optimizer, x, y))
    for a, b in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        assert torch.equal(a, b)
    with pytest.raises(DlmError, match="this is no state of Langevin"):
        ours.load_state_dict(torch.optim.SGD(nets[0].parameters(), lr=0.1).state_dict())


FORMS = [{}, {"friction": 0.5}, {"friction": 0.5, "current_as": "drift"}]


def noisy(net, seed=1, **options):
    given = {"temperature": 1e-2, "alpha": 0.5, "injection_rate": 1e-3, "warmup": 7, **options}
    return Langevin(net.parameters(), 0.1, torch.Generator().manual_seed(seed), **given)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("measure", [False, True])
@pytest.mark.parametrize("kind", ["frozen", "frozen later", "unused"])
def test_what_has_no_gradient_stays_and_is_nobodys_partner(form, measure, kind):
    """Whether it requires none, or got none; what moves does as if it were alone."""
    net, x, y = problem()
    outside = torch.nn.Parameter(torch.ones(5, dtype=torch.float64))
    if kind == "frozen":
        net[0].weight.requires_grad_(False)
    parameters = [*net.parameters(), *([outside] if kind == "unused" else [])]
    given = {"temperature": 1e-2, "alpha": 0.5, "injection_rate": 1e-3, "warmup": 0, "measure": measure, **form}
    optimizer = Langevin(parameters, 0.1, torch.Generator().manual_seed(1), **given)
    if kind == "frozen later":
        net[0].weight.grad = torch.ones_like(net[0].weight)
        net[0].weight.requires_grad_(False)
    still = outside if kind == "unused" else net[0].weight
    before, others = still.detach().clone(), net[2].weight.detach().clone()
    for _ in range(5):
        optimizer.step(closure_of(net, optimizer, x, y))
    assert torch.equal(still, before)
    assert not torch.equal(net[2].weight, others)
    if measure:
        layer = next(i for i, p in enumerate(parameters) if p is still)
        assert optimizer.info.heat.shape == (len(parameters),)
        assert optimizer.info.heat[layer] == optimizer.info.work_injection[layer] == 0


def test_pairs_are_drawn_among_what_learns():
    parameters = [torch.nn.Parameter(torch.zeros(n)) for n in (6, 4, 2)]
    parameters[1].requires_grad_(False)
    strength = Langevin(parameters, 0.1, torch.Generator().manual_seed(0), alpha=0.5).dynamics.current.strength
    assert strength.abs().tolist() == [0.5] * 6 + [0.0] * 4 + [0.5] * 2


def test_a_pair_of_which_one_part_gets_no_gradient_is_none():
    first, second = (torch.nn.Parameter(torch.zeros(50, dtype=torch.float64)) for _ in range(2))
    optimizer = Langevin([first, second], 0.1, torch.Generator().manual_seed(0), alpha=0.5, warmup=0)
    partner = optimizer.dynamics.current.partner
    first.grad = torch.ones_like(first)
    optimizer.step()
    assert torch.equal(first.detach() == -0.1, partner[:50] >= 50)
    assert torch.equal(second.detach(), torch.zeros(50, dtype=torch.float64))


def test_nothing_moves_where_nothing_has_a_gradient():
    optimizer = noisy(problem()[0], friction=0.5)
    before = [p.detach().clone() for p in optimizer._parameters]
    optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(optimizer._parameters, before, strict=True))


@pytest.mark.parametrize(
    "written",
    [
        {"temperature": 0.3},
        {"alpha": 0.9},
        {"mobility": 2.0},
        {"injection_rate": 0.2},
        {"lr": 0.03},
        {"friction": 2.0, "temperature": 0.1},
    ],
)
def test_what_is_written_into_a_group_counts_from_the_next_step(written):
    """As if the optimizer had been made with it."""
    nets = [problem()[0] for _ in range(2)]
    _, x, y = problem()
    friction = {"friction": 0.5} if "friction" in written else {}
    plain = {"temperature": 1e-2, "alpha": 0.5, "warmup": 0, **friction}
    lengths = [0.1, written.get("lr", 0.1)]
    own = {name: value for name, value in written.items() if name != "lr"}
    ours, theirs = (
        Langevin(net.parameters(), h, torch.Generator().manual_seed(1), **{**plain, **given})
        for net, h, given in zip(nets, lengths, ({}, own), strict=True)
    )
    ours.param_groups[0].update(written)
    for _ in range(3):
        for net, optimizer in zip(nets, (ours, theirs), strict=True):
            optimizer.step(closure_of(net, optimizer, x, y))
    for a, b in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"temperature": -1.0}, "temperature = -1.0: give T >= 0"),
        ({"alpha": -0.5}, "strength = .* is not one number >= 0"),
        ({"temperature": "hot"}, "temperature = 'hot' in a parameter group is not a number"),
        ({"lr": math.nan}, "lr = nan: the step h is positive"),
        ({"lr": -0.1}, "lr = -0.1: the step h is positive"),
    ],
)
def test_what_cannot_be_written_into_a_group_is_refused(written, message):
    optimizer = noisy(problem()[0])
    optimizer.param_groups[0].update(written)
    for parameter in optimizer._parameters:
        parameter.grad = torch.zeros_like(parameter)
    with pytest.raises(DlmError, match=message):
        optimizer.step()


@pytest.mark.parametrize("form", FORMS)
def test_half_a_run_and_half_a_run_are_a_run(tmp_path, form):
    """Bit by bit, through a file: weights, momenta, warm-up, temperatures, pairs of Q and the noise."""
    whole, first, second = (problem()[0] for _ in range(3))
    _, x, y = problem()

    def go(net, optimizer, steps):
        for step in range(steps):
            optimizer.param_groups[0]["temperature"] *= 1.1
            optimizer.step(closure_of(net, optimizer, x[step:], y[step:]))

    go(whole, at_once := noisy(whole, **form), 5)
    go(whole, at_once, 5)
    go(first, before := noisy(first, **form), 5)
    torch.save({"net": first.state_dict(), "optimizer": before.state_dict()}, tmp_path / "half.pt")
    stored = torch.load(tmp_path / "half.pt", weights_only=True)
    second.load_state_dict(stored["net"])
    after = noisy(second, seed=99, **form)
    after.load_state_dict(stored["optimizer"])
    go(second, after, 5)
    for a, b in zip(whole.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("form", [{}, {"friction": 0.25}])
def test_a_step_after_which_something_is_not_finite_is_refused_and_moves_nothing(form):
    named = [("first", torch.nn.Parameter(torch.ones(3))), ("second", torch.nn.Parameter(torch.ones(2)))]
    optimizer = Langevin(named, 10.0, torch.Generator(), temperature=0.5, warmup=0, **form)
    for _, parameter in named:
        parameter.grad = torch.zeros_like(parameter)
    named[1][1].grad[1] = 3e38
    words = rf"weights of 'second' not finite \(T = 0.5, h = 10, friction = {form.get('friction')}\); lower the step"
    with pytest.raises(DlmError, match=words):
        optimizer.step()
    assert all(torch.equal(parameter.detach(), torch.ones(len(parameter))) for _, parameter in named)


def test_a_loss_that_is_not_finite_is_refused():
    optimizer = noisy(problem()[0], measure=True)
    with pytest.raises(DlmError, match=r"the loss is nan at h = 0.0142857; lower the step"):
        optimizer.step(lambda: torch.tensor(torch.nan))


def made(**options):
    return Langevin([torch.nn.Parameter(torch.zeros(4))], options.pop("lr", 0.1), torch.Generator(), **options)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: made(temperature=-1.0), "temperature = -1.0: give T >= 0"),
        (lambda: made(friction=0.0), "friction = 0.0: the underdamped form needs a bath"),
        (lambda: made(lr=0.0), "lr = 0.0: the step h is positive"),
        (lambda: made(lr=math.inf), "lr = inf: the step h is positive"),
        (lambda: made(lr=0.1, curvature=-1.0).step(), "curvature = -1.0: give the loss's largest curvature"),
        (lambda: made().add_param_group({"params": []}), "pairs are drawn once; give all groups when"),
        (
            lambda: Langevin([{"params": [torch.zeros(2)], "temprature": 0.1}], 0.1, torch.Generator()),
            "a parameter group has 'temprature'; did you mean 'temperature'",
        ),
        (lambda: made().set_temperature([0.1, 0.2]), "2 temperatures for 1 groups"),
        (lambda: made(form="hebb"), "form = 'hebb'; did you mean 'hebbian'"),
        (lambda: made(form="hebbian", measure=True), "no balance is defined for the Hebbian current"),
        (lambda: made(measure=True).step(), r"a balance needs the loss at both ends of a step; call step\(closure\)"),
        (lambda: made(lr=0.5, curvature=10.0, warmup=0).step(), "h = 0.5 is beyond the stability limit 0.2"),
        (lambda: made(function="cubic"), "function = 'cubic'; known: linear"),
        (lambda: made(measure=True).step(lambda: None), "the closure returned no loss; end it with 'return loss'"),
        (lambda: made().activity(None, None, None), "activities are for form='hebbian'"),
        (lambda: made().book_synaptic(1.0), "there is no measured step"),
        (
            lambda: Langevin(
                [{"params": [torch.nn.Parameter(torch.zeros(2))], "friction": f} for f in (None, 1.0)],
                0.1,
                torch.Generator(),
            ),
            "friction is set for some groups only",
        ),
        (
            lambda: Langevin(
                [{"params": [torch.nn.Parameter(torch.zeros(2))], "lr": h} for h in (0.1, 0.2)], 0.1, torch.Generator()
            ).step(),
            "lr differs between groups",
        ),
    ],
)
def test_what_it_cannot_do_is_refused(make, message):
    with pytest.raises(DlmError, match=message) as refused:
        make()
    assert "\n" not in str(refused.value)


def test_gradients_that_are_not_finite_are_refused_and_move_nothing():
    parameter = torch.nn.Parameter(torch.ones(3))
    optimizer = Langevin([parameter], 0.1, torch.Generator())
    parameter.grad = torch.tensor([1.0, torch.nan, 0.0])
    with pytest.raises(DlmError, match=r"gradient of parameter 0 of shape \(3,\) not finite"):
        optimizer.step()
    assert torch.equal(parameter.detach(), torch.ones(3))


def test_thermostats():
    at = thermostat.Moment
    assert thermostat.constant(0.3)(at(5, 10)) == 0.3
    annealed = thermostat.annealed(1.0, 0.2)
    assert [annealed(at(step, 10)) for step in (0, 5, 10)] == pytest.approx([1.0, 0.6, 0.2])
    tasks = thermostat.per_task([0.1, 0.5])
    assert [tasks(at(0, 1, task=task)) for task in (0, 1, 2)] == [0.1, 0.5, 0.5]
    unsure = thermostat.by_uncertainty(1.0, 0.1)
    assert [unsure(at(0, 1, uncertainty=share)) for share in (0.0, 0.5, 1.0)] == pytest.approx([0.1, 0.55, 1.0])
    assert thermostat.uncertainty(np.log(5), 5) == pytest.approx(1)
    for make in (lambda: thermostat.constant(-1.0), lambda: thermostat.annealed(1.0, float("nan"))):
        with pytest.raises(DlmError, match="give T >= 0"):
            make()
    with pytest.raises(DlmError, match="give at least one"):
        thermostat.per_task([])
    with pytest.raises(DlmError, match="needs two classes"):
        thermostat.uncertainty(0.1, 1)


def test_dissipation_by_event_and_by_the_clock():
    post, pre = torch.tensor([[1, 0], [3, 0]]), torch.tensor([[1, 0, 0], [1, 1, 0]])
    both = coactivity(post, pre)
    torch.testing.assert_close(both, torch.tensor([[1.0, 0.5, 0.0], [0.0, 0.0, 0.0]]))
    event, clock, none = (torch.ones(2, 3) for _ in range(3))
    dissipate(event, post, pre, 0.1)
    dissipate(clock, post, pre, 0.1, "clock")
    dissipate(none, post, pre, 0.1, "none")
    torch.testing.assert_close(event, 1 - 0.1 * both)
    torch.testing.assert_close(clock, torch.full((2, 3), 1 - 0.1 * 0.25))
    assert event.sum() == pytest.approx(clock.sum().item())
    assert torch.equal(none, torch.ones(2, 3))
    with pytest.raises(DlmError, match=r"rate = 1.5 is not in \[0, 1\]"):
        dissipate(event, post, pre, 1.5)
    with pytest.raises(DlmError, match="dissipation 'evnt'; did you mean 'event'"):
        dissipate(event, post, pre, 0.1, "evnt")


def test_one_cycle_rises_and_falls():
    share = one_cycle(DynamicsConfig(warmup=0.2, last_step=0.02), 100)
    values = [share(i) for i in range(100)]
    assert values[0] < 0.1
    assert max(values) == 1.0
    assert values.index(1.0) == 20
    assert values[-1] == pytest.approx(0.02, abs=0.001)


DATA = digits(None)
QUICK = TrainingConfig(epochs=2, batch_size=64)


def trained(**constants):
    network = initial_network(
        64, (48,), 10, np.random.default_rng(0), dv=410 / 4096, winners=8, graded_bits=5, scale=16
    )
    return train(network, DATA.x_train[:640], DATA.y_train[:640], QUICK, 10, dynamics=DynamicsConfig(**constants))


@pytest.mark.parametrize("friction", [0.325, None])
def test_the_dlm_trains_and_books(friction):
    network, curve = trained(measure=True, friction=friction, injection_rate=1e-7)
    assert curve[-1].loss < curve[0].loss
    books = curve[-1].thermodynamics
    assert None not in (books.energy, books.entropy_production, books.information_current, books.dissipation)
    assert books.heat.keys() == {"pixels->hidden", "hidden->output"}
    assert books.temperature == pytest.approx(1e-6)
    work = sum(books.work_current.values()) + sum(books.work_injection.values())
    heat = sum(books.heat.values())
    assert books.energy_change == pytest.approx(work - heat + books.surrogate_work, abs=1e-9)
    assert books.work_synaptic != 0
    same, _ = trained(measure=True, friction=friction, injection_rate=1e-7)
    assert same.digest() == network.digest()


def test_measuring_changes_nothing():
    assert trained(measure=True)[0].digest() == trained(measure=False)[0].digest()


@pytest.mark.parametrize("constants", [{"form": "hebbian"}, {"thermostat": "uncertainty"}, {"thermostat": "annealed"}])
def test_other_dynamics_train(constants):
    _, curve = trained(**constants)
    assert curve[-1].loss < curve[0].loss


def test_the_entropy_objective_has_a_gradient_and_a_limit():
    plain, _ = trained(temperature=1e-3, sigma_weight=0.0)
    pushed, _ = trained(temperature=1e-3, sigma_weight=1e-8)
    assert plain.digest() != pushed.digest()
    with pytest.raises(DlmError, match="sigma_weight = 10 is not below its stability limit"):
        trained(temperature=1e-3, sigma_weight=10.0)


def test_an_objective_without_a_gradient_is_inert(monkeypatch):
    """The control: a sigma that is a number alone, as in the seed study, trains as weight 0 does, bit for bit."""
    plain, _ = trained(temperature=1e-3, sigma_weight=0.0)
    monkeypatch.setattr(trainer, "sigma_of", lambda *given: tuple(x.detach() for x in sigma_of(*given)))
    inert, _ = trained(temperature=1e-3, sigma_weight=1e-8)
    assert plain.digest() == inert.digest()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sigma_weight": 1e-9, "alpha": 0.0}, "sigma needs an information current of the antisymmetric form"),
        ({"sigma_weight": 1e-9, "form": "hebbian"}, "sigma needs an information current of the antisymmetric form"),
        ({"sigma_weight": 1e-9, "function": "tanh"}, "holds for function 'linear' only"),
        ({"sigma_weight": 1e-9, "current_as": "drift"}, "'drift' does no work"),
        ({"sigma_weight": 1e-9, "thermostat": "annealed"}, "has a limit that falls with T; set thermostat to 'const"),
        ({"sigma_weight": 1e-9, "temperature": 0.0}, "not below its stability limit 0 "),
        ({"friction": None, "curvature": 20.0}, "h = .* is beyond the stability limit 0.08 at the curvature 20"),
        ({"curvature": 20.0}, "no step is stable: lower alpha or raise the friction"),
        (
            {"step": 1e30},
            r"weights of 'pixels->hidden' not finite \(T = 1e-06, h = .*\) in update 1; lower dynamics.step = 1e\+30",
        ),
    ],
)
def test_training_that_cannot_be_is_refused(wrong, message):
    with pytest.raises(DlmError, match=message) as refused:
        trained(**wrong)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -1.0},
        {"temperature": math.inf},
        {"friction": 0.0},
        {"step": 0.0},
        {"step": math.inf},
        {"alpha": -0.1},
        {"dissipation": "often"},
        {"layers": {"pixels->hidden": {"temperature": -1.0}}},
        {"layers": {"pixels->hidden": {"step": 0.1}}},
    ],
)
def test_a_configuration_out_of_range_is_refused(wrong):
    with pytest.raises(ValidationError):
        DynamicsConfig(**wrong)


def test_layers_of_a_configuration_have_their_own_constants():
    """As one constant for all where they agree; a thermostat cools each from its own temperature."""
    both = {"pixels->hidden": {"temperature": 1e-5}, "hidden->output": {"temperature": 1e-5}}
    assert trained(temperature=1e-5)[0].digest() == trained(layers=both)[0].digest()
    own = {"pixels->hidden": {"temperature": 0.0, "friction": 0.5}, "hidden->output": {"alpha": 0.0}}
    _, curve = trained(layers=own, temperature=1e-3, measure=True, thermostat="annealed")
    books = curve[-1].thermodynamics
    weights = {"pixels->hidden": 64 * 48, "hidden->output": 48 * 10}
    share = weights["hidden->output"] / sum(weights.values())
    assert 0 < books.temperature < 0.6e-3 * share
    assert books.entropy_production is None
    assert books.work_current["pixels->hidden"] != 0
    assert books.work_current["hidden->output"] == 0


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ({"hidden->out": {"alpha": 0.0}}, "dynamics.layers has no trained layer 'hidden->out'; did you mean 'hidden->"),
        ({"hidden->output": {"friction": 0.5}}, "friction is set for some groups only"),
    ],
)
def test_a_layer_that_cannot_be_is_refused(layers, message):
    with pytest.raises(DlmError, match=message):
        trained(layers=layers, friction=None)


def test_a_balance_of_the_hebbian_form_is_refused():
    with pytest.raises(DlmError, match="measure is for the antisymmetric current"):
        trained(measure=True, form="hebbian")
