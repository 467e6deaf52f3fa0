"""The rules of the baselines against closed forms."""

import numpy as np
import pytest
import torch
from scipy import stats

from dlm_snn.errors import DlmError
from dlm_snn.learning.baselines import (
    dgr,
    flymodel,
    generative,
    joint,
    lwf,
    none,
    packnet,
    progressive,
    replay,
    ridge,
    si,
    slda,
    topk,
)
from dlm_snn.learning.baselines.lwf import distillation
from dlm_snn.learning.baselines.moments import Moments
from dlm_snn.learning.baselines.vae import Vae
from dlm_snn.learning.batches import Batches, Latest, Reservoir
from dlm_snn.learning.descent import ewc, gradient
from dlm_snn.learning.descent.anchor import Anchor
from dlm_snn.learning.descent.loop import masked, plain
from dlm_snn.learning.descent.mlp import MlpOptions
from dlm_snn.learning.learner import Setting
from dlm_snn.physics.weights.dissipation import coactivity
from experiments.harness.rows import read_rows
from experiments.recipes import continual_p3
from experiments.tuning import search as tuning

pytestmark = pytest.mark.usefixtures("one_thread")

SETTING = Setting(shape=(6,), graded_bits=5, scale=16, n_classes=4, n_tasks=2)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def samples(n: int, seed: int = 0, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    draws = rng(seed)
    return draws.integers(0, 17, (n, 6), dtype=np.uint8), draws.integers(0, classes, n)


def test_fisher_of_a_linear_softmax():
    """F_cj = mean p_c (1 - p_c) x_j^2."""
    x = torch.tensor(rng().normal(size=(30, 5)))
    weight = torch.tensor(rng(1).normal(size=(4, 5)) / 2, requires_grad=True)
    p = (x @ weight.T).softmax(1).detach()
    closed = torch.einsum("nc,nj->cj", p * (1 - p), x**2) / 30
    (found,) = ewc.fisher(lambda sample: sample @ weight.T, [weight], x)
    torch.testing.assert_close(found, closed)


def test_fisher_leaves_out_classes_that_are_not_compared():
    x = torch.tensor(rng().normal(size=(8, 5)))
    weight = torch.tensor(rng(1).normal(size=(4, 5)), requires_grad=True)
    (found,) = ewc.fisher(lambda sample: masked(sample @ weight.T, [1, 3]), [weight], x)
    assert found[[0, 2]].abs().max() == 0
    assert found[[1, 3]].min() > 0


@pytest.mark.parametrize("curvature", [0.0, 0.3, 1e3, 1e30])
def test_an_implicit_step_minimizes_and_is_stable(curvature):
    """x - theta + h c (x - a) = 0, however stiff."""
    theta = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
    anchor, h, place = Anchor([theta]), 0.1, 0.5
    anchor.place[0].fill_(place)
    anchor.curvature[0].fill_(curvature)
    before = theta.detach().clone()
    anchor.pull(h)
    x = theta.detach()
    torch.testing.assert_close((x - before) / (1 + h * curvature), h * curvature / (1 + h * curvature) * (place - x))
    assert ((x - place).abs() <= (before - place).abs()).all()


def test_a_well_keeps_what_the_first_task_answers():
    """Elastic weight consolidation against the same network without it."""
    lost = {}
    for strength in (0.0, 1e6):
        learner = ewc.make_ewc(SETTING, rng(), hidden=[16], batch=4, optimiser="sgd", lr=0.05, strength=strength)
        patterns = torch.eye(6, dtype=torch.uint8) * 16
        for task in ((0, 1), (2, 3)):
            learner.begin_task(task)
            y = rng(task[0]).choice(task, 400)
            learner.observe(patterns[y].numpy(), y)
            if task == (0, 1):
                before = learner.model.logits(patterns[:2]).detach()
        after = learner.model.logits(patterns[:2]).detach()
        lost[strength] = float((after.softmax(1) - before.softmax(1)).abs().max())
    assert lost[0.0] > 0.5
    # Not 0: units that were silent on the first task have no Fisher information, and may wake.
    assert lost[1e6] < lost[0.0] / 2


def test_importance_on_a_quadratic():
    """Slow descent of k theta^2 / 2 from theta_0 to 0: omega -> k theta_0^2 / 2, Omega = omega / (theta_0^2 + xi)."""
    k, start, xi = torch.tensor([0.5, 2.0, 0.0]), torch.tensor([1.0, -3.0, 2.0]), 0.1
    theta = start.clone().requires_grad_()
    rule = si.Intelligence([theta], strength=1.0, damping=xi, lr=2e-3)
    descent = torch.optim.SGD([theta], lr=2e-3)
    for _ in range(5000):
        descent.zero_grad()
        (k * theta**2 / 2).sum().backward()
        rule.before_step(None)
        descent.step()
        rule.after_step(None)
    torch.testing.assert_close(rule.path[0], k * start**2 / 2, rtol=3e-3, atol=1e-6)
    rule.begin_task(())
    moved = torch.where(k > 0, start, 0.0)
    torch.testing.assert_close(rule.importance[0], k * start**2 / 2 / (moved**2 + xi), rtol=2e-2, atol=1e-6)


def test_gradient_of_the_distillation():
    """S (softmax(z / S) - softmax(t / S)) / samples."""
    logits = torch.tensor(rng().normal(size=(7, 3)), requires_grad=True)
    taught = torch.tensor(rng(1).normal(size=(7, 3)))
    distillation(logits, taught, 2.0).backward()
    closed = 2.0 * ((logits / 2).softmax(1) - (taught / 2).softmax(1)) / 7
    torch.testing.assert_close(logits.grad, closed.detach())
    assert float(distillation(taught, taught, 2.0)) == 0


def test_a_reservoir_keeps_every_sample_alike():
    n, size, rounds = 60, 12, 800
    counts = np.zeros(n)
    x = np.arange(n, dtype=np.uint8)[:, None]
    for seed in range(rounds):
        reservoir = Reservoir(size, rng(seed))
        for part in np.array_split(np.arange(n), 5):
            reservoir.add(x[part], part)
        kept, y = reservoir.draw(size)
        assert len(set(y)) == size
        assert np.array_equal(kept[:, 0], y)
        counts[y] += 1
    expected = rounds * size / n
    # Counts of one reservoir exclude each other: their variance is that of Poisson times 1 - size / n.
    chi = ((counts - expected) ** 2 / (expected * (1 - size / n))).sum() * (n - 1) / n
    assert 0.001 < stats.chi2.sf(chi, n - 1) < 0.999


def test_a_reservoir_that_is_not_full_keeps_all():
    reservoir = Reservoir(10, rng())
    reservoir.add(*samples(4))
    assert len(reservoir) == 4
    assert len(reservoir.draw(100)[1]) == 4


def test_batches_do_not_depend_on_the_cuts():
    x, y = samples(23)
    for cuts in ((), (1, 2, 9), (8, 16), (22,)):
        batches = Batches(5)
        got = [part for piece in np.split(np.arange(23), cuts) for part in batches.add(x[piece], y[piece])]
        assert [len(labels) for _, labels in got] == [5] * 4
        assert np.array_equal(np.concatenate([labels for _, labels in got]), y[:20])
        assert np.array_equal(np.concatenate([values for values, _ in got]), x[:20])


def test_the_latest_samples():
    latest = Latest(4)
    assert latest.take() is None
    x, y = samples(11)
    for start in range(0, 11, 3):
        latest.add(x[start : start + 3], y[start : start + 3])
    kept = latest.take()
    assert np.array_equal(kept[0], x[-4:])
    assert np.array_equal(kept[1], y[-4:])
    assert latest.take() is None


def test_ridge_is_scikit_learns():
    from sklearn.linear_model import Ridge

    x, y = samples(80, classes=3)
    moments = Moments(6, 4)
    moments.add(x, y)
    weight, bias = ridge.solve(moments, 0.05)
    theirs = Ridge(alpha=0.05 * x.var(axis=0).mean() * 80).fit(x, np.eye(4)[y])
    np.testing.assert_allclose(weight, theirs.coef_, atol=1e-12)
    np.testing.assert_allclose(bias, theirs.intercept_, atol=1e-12)


def test_the_discriminant_is_scikit_learns():
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    x, y = samples(80)
    moments = Moments(6, 4)
    moments.add(x, y)
    weight, bias = slda.solve(moments, 0.2)
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.2).fit(x, y)
    np.testing.assert_allclose(weight, theirs.coef_, atol=1e-10)
    np.testing.assert_allclose(bias, theirs.intercept_ - np.log(theirs.priors_), atol=1e-10)


def test_absent_classes_are_not_pushed():
    learner = none.make_none(SETTING, rng(), hidden=[8], batch=4, optimiser="sgd", lr=0.1, present=True)
    before = learner.model.weights[-1].detach().clone()
    x, y = samples(40, classes=2)
    learner.observe(x, y)
    after = learner.model.weights[-1].detach()
    assert torch.equal(before[2:], after[2:])
    assert not torch.equal(before[:2], after[:2])


def test_a_loss_that_is_not_finite_is_refused():
    learner = none.make_none(SETTING, rng(), hidden=[8], batch=4, optimiser="sgd", lr=1e30)
    with pytest.raises(DlmError, match=r"the loss is .*; lower lr"):
        learner.observe(*samples(80))


def test_weights_that_are_not_finite_are_refused_where_the_loss_is():
    """Nothing spikes in a network of NaN, so that its loss is that of equal chances."""
    learner = gradient.make_gradient(SETTING, rng(), hidden=8, winners=2, batch=4, optimiser="adam", lr=1e38)
    with pytest.raises(DlmError, match=r"weights of layer 1 are not finite after step \d+; lower lr = 1e\+38"):
        learner.observe(*samples(80))


def test_replayed_samples_count_like_new_ones():
    memory = replay.ReplayMemory(Reservoir(10, rng()), 5)
    x, y = samples(8)
    assert len(memory.mix(plain(x, y)).y) == 8
    mixed = memory.mix(plain(*samples(8, seed=1)))
    assert len(mixed.y) == 13
    assert mixed.new == 8
    assert torch.equal(mixed.weight, torch.full((13,), 1 / 13))


def test_imagined_samples_weigh_as_their_tasks():
    learner = dgr.make_dgr(SETTING, rng(), hidden=[8], batch=4, units=8, latent=2)
    (hooks,) = learner._pieces
    for task, share in (((0,), 1.0), ((1, 2), 1 / 2), ((3,), 1 / 3)):
        hooks.begin_task(task)
        mixed = hooks.mix(plain(*samples(6)))
        assert float(mixed.weight[:6].sum()) == pytest.approx(share)
        assert float(mixed.weight.sum()) == pytest.approx(1)
    assert set(mixed.y[6:].tolist()) <= {0, 1, 2}
    assert mixed.x.max() <= 16


def test_the_bound_by_importance():
    """One draw: log p(x | z) + log p(z) - log q(z | x); the mean bound is minus the loss."""
    vae = Vae(6, 8, 2, rng())
    x = torch.tensor(rng(1).integers(0, 2, (5, 6)), dtype=torch.float32)
    noise = torch.tensor(rng(2).normal(size=(1, 2)), dtype=torch.float32)
    mean, log_variance = vae.encode(x)
    z = mean + noise * (log_variance / 2).exp()
    pixels = torch.distributions.Bernoulli(logits=vae.decode(z)).log_prob(x).sum(1)
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(1)
    near = torch.distributions.Normal(mean, (log_variance / 2).exp()).log_prob(z).sum(1)
    torch.testing.assert_close(vae.log_likelihood(x, noise), (pixels + prior - near).detach())
    noises = torch.tensor(rng(3).normal(size=(4000, 5, 2)), dtype=torch.float32)
    losses = torch.stack([vae.loss(x, one) for one in noises]).mean(0).detach()
    singles = torch.stack([vae.log_likelihood(x, one[:1]) for one in noises]).mean(0)
    torch.testing.assert_close(-losses, singles, rtol=0.02, atol=0.02)


def test_winners_of_topk():
    options = topk.TopkOptions(hidden=20, winners=3, constrained=True, anneal=40)
    model = topk.TopK((6, 20, 4), 16, options, rng())
    x, y = samples(40)
    assert model.winners == 20
    model.after_step(plain(x[:20], y[:20]))
    assert model.winners == round((20 + 3) / 2)
    model.after_step(plain(x[20:], y[20:]))
    assert (model.code(torch.tensor(x)) > 0).sum(1).max() <= 3
    first = model.parameters[0].detach()
    assert first.min() >= 0
    torch.testing.assert_close(first.norm(dim=1), torch.ones(20))


def test_the_flys_rule():
    learner = flymodel.FlyModel(SETTING, rng(), cells=50, fan_in=0.5, winners=4, rate=0.25)
    assert (learner._expansion.sum(1) == 3).all()
    x, y = samples(30)
    cells, values = learner._code(x)
    assert cells.shape == (30, 4)
    assert (values[:, 0] == 1).all()
    learner.observe(x, y)
    closed = np.zeros((4, 50))
    for c, places, amounts in zip(y, cells.numpy(), values.numpy(), strict=True):
        closed[c, places] += 0.25 * amounts
    np.testing.assert_allclose(learner._weights.numpy(), np.minimum(closed, 1), atol=1e-5)


def test_joint_is_asked_without_changing():
    x, y = samples(60)
    often, once = (joint.Joint(SETTING, rng(), hidden=[8], batch=4) for _ in range(2))
    for start in range(0, 60, 20):
        often.observe(x[start : start + 20], y[start : start + 20])
        often.predict(x)
    once.observe(x, y)
    assert np.array_equal(often.predict(x), once.predict(x))


SPIKING = {"hidden": 30, "winners": 4, "batch": 8, "n_steps": 5, "v_threshold": 0.1}


def test_langevin_without_its_terms_is_plain_descent():
    weights = []
    for extra in ({"optimiser": "sgd"}, {"optimiser": "langevin"}):
        learner = gradient.make_gradient(SETTING, rng(), **SPIKING, lr=0.1, **extra)
        learner.observe(*samples(80))
        weights.append([w.detach() for w in learner.model.parameters])
    for one, two in zip(*weights, strict=True):
        torch.testing.assert_close(one, two)


def test_temperature_moves_the_weights():
    learners = [
        gradient.make_gradient(SETTING, rng(), **SPIKING, optimiser="langevin", temperature=t, lr=1e-6)
        for t in (0.0, 1.0)
    ]
    for learner in learners:
        learner.observe(*samples(8))
    cold, hot = (learner.model.parameters[0].detach() for learner in learners)
    # One step: sqrt(2 T h) times a normal number.
    assert float((hot - cold).std()) == pytest.approx(np.sqrt(2e-6), rel=0.15)


@pytest.mark.parametrize("options", [{"temperature": 1.0}, {"friction": 0.3}, {"alpha": 1.0}])
def test_what_belongs_to_langevin_is_refused_elsewhere(options):
    with pytest.raises(DlmError, match="optimiser = langevin"):
        gradient.make_gradient(SETTING, rng(), **SPIKING, **options)


def test_more_winners_than_neurons_are_refused():
    with pytest.raises(DlmError, match="winners = 40 of 30"):
        gradient.make_gradient(SETTING, rng(), **{**SPIKING, "winners": 40})


def one_step(**options) -> tuple[gradient.Descent, torch.Tensor, torch.Tensor]:
    """A learner after one batch whose step is far too small to matter; hidden weights before and after it."""
    learner = gradient.make_gradient(SETTING, rng(), **SPIKING, lr=1e-30, **options)
    before = learner.model.parameters[0].detach().clone()
    learner.observe(*samples(8))
    return learner, before, learner.model.parameters[0].detach()


def test_dissipation_happens_where_both_were_active():
    learner, before, after = one_step(dissipation=0.5)
    active = learner.model.active
    both = coactivity(active["hidden"], active["pixels"])
    torch.testing.assert_close(after, before * (1 - 0.5 * both))
    assert (both == 0).any()
    assert (both > 0).any()


def test_dissipation_by_the_clock_is_even():
    learner, before, after = one_step(dissipation=0.5, dissipates_at="clock")
    active = learner.model.active
    torch.testing.assert_close(after, before * (1 - 0.5 * coactivity(active["hidden"], active["pixels"]).mean()))
    assert learner.info()["spikes"]["hidden"] == pytest.approx(float(active["hidden"].sum()) / 8)


def test_homeostasis_brings_rates_together():
    learner, before, after = one_step(homeostasis=0.1)
    rates, target = learner.model.active["hidden"].mean(0) / 5, 4 / 30
    gain = after.norm(dim=1) / before.norm(dim=1)
    torch.testing.assert_close(gain, 1 + 0.1 * ((target - rates) / target).clamp(-1, 1))


def test_sleep_reinforces_and_prunes():
    _, before, after = one_step(sleep=1)
    strong = before.abs() > 1.2 * before.abs().mean(1, keepdim=True)
    weak = before.abs() < 0.8 * before.abs().mean(1, keepdim=True)
    torch.testing.assert_close(after[strong] / before[strong], torch.full((int(strong.sum()),), 1.001**10))
    torch.testing.assert_close(after[weak] / before[weak], torch.full((int(weak.sum()),), 0.999**10))
    _, before, after = one_step(sleep=2)
    assert torch.equal(before, after)


def test_consolidation_slows_what_was_active():
    moved = []
    for rate in (0.0, 3.0):
        learner = gradient.make_gradient(SETTING, rng(), **SPIKING, lr=1e-3, consolidation=rate)
        x, y = samples(8)
        learner.observe(x, y)
        before = learner.model.parameters[1].detach().clone()
        learner.observe(x, y)
        moved.append(learner.model.parameters[1].detach() - before)
        both = coactivity(learner.model.active["output"], learner.model.active["hidden"])
    assert both.max() > 0
    torch.testing.assert_close(moved[1], moved[0] / (1 + 3.0 * both), rtol=2e-2, atol=1e-6)


DEFAULTS = {
    "none": MlpOptions,
    "ewc": ewc.EwcOptions,
    "si": si.SiOptions,
    "lwf": lwf.LwfOptions,
    "topk": topk.TopkOptions,
    "flymodel": flymodel.FlyOptions,
    "ridge": ridge.RidgeOptions,
    "slda": slda.SldaOptions,
    "generative": generative.GenerativeOptions,
    "replay": replay.ReplayOptions,
    "dgr": dgr.DgrOptions,
    "joint": joint.JointOptions,
    "packnet": packnet.PacknetOptions,
    "progressive": progressive.ProgressiveOptions,
    "gradient": gradient.GradientOptions,
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults_are_what_was_chosen_on_held_out_samples(name):
    options = DEFAULTS[name]
    assert options(**tuning.best(read_rows(tuning.RESULTS), name)) == options()


@pytest.mark.parametrize("name", ["ewc", "si"])
def test_options_for_permuted_images_are_what_was_chosen_there(name):
    assert continual_p3.CELLS[name].options == tuning.best(read_rows(tuning.RESULTS), f"{name}-permuted")


def test_every_row_had_at_most_six_settings_all_of_which_are_recorded():
    rows = read_rows(tuning.RESULTS)
    for name, grid in tuning.GRIDS.items():
        assert len(grid.settings) <= 6
        tried = [row["options"] for row in rows if row["row"] == name]
        assert sorted(map(str, tried)) == sorted(map(str, grid.settings)), name
