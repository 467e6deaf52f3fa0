"""Competition from stock parts: the penalty's gradient, trained recurrent nets in other simulators, what is refused."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from sklearn.datasets import load_digits

from dlm_snn import LIF, Dense, DlmError, Input, Network, Projection, quantize, run
from dlm_snn.backends.torch import SpikingModule
from dlm_snn.physics.weights.trainer import DynamicsConfig
from dlm_snn.surrogate import SoftSpikes
from dlm_snn.tasks.datasets import digits as digits_dataset
from dlm_snn.tasks.parts import Split
from dlm_snn.training.activity import ActivityConfig, activity_penalty, penalized
from dlm_snn.training.inhibition import with_counting, with_lateral
from dlm_snn.training.initial import initial_network
from dlm_snn.training.loop import TrainingConfig
from dlm_snn.training.training import train
from experiments.recipes.config import RunConfig
from experiments.recipes.table import chosen_config
from experiments.road.competition import activity_table, competition
from experiments.road.road import train_network
from experiments.verbs.run import run as run_verb
from hardware.subset import obstacles

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.xdist_group("training")]

ACTIVITY = ActivityConfig(target=6, strength=2)
QUICK = TrainingConfig(epochs=3, batch_size=32, learning_rate=0.01, activity=ACTIVITY)
STEPS = 12
FORMS = {
    "lateral": lambda network: with_lateral(network, "hidden", -0.1),
    "counting": lambda network: with_counting(network, "hidden", -0.1, 5, 3),
}


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    return x.astype(np.uint8), y


def plain(seed=0, **changes):
    options = {"dv": 410 / 4096, "graded_bits": 5, "scale": 16, **changes}
    return initial_network(64, (32,), 10, np.random.default_rng(seed), **options)


@pytest.fixture(scope="module", params=FORMS)
def trained(request, digits):
    x, y = digits
    first = FORMS[request.param](plain())
    fixed = [projection.name for projection in first.projections[2:]]
    network, curve = train(first, x[:1000], y[:1000], QUICK, STEPS, fixed=fixed)
    return first, network, curve


def active(network, x, backend="reference"):
    return run(network, {"pixels": x}, STEPS, backend=backend).rasters["hidden"].dense().sum(axis=2)


def test_the_penalty_in_closed_form():
    spikes = torch.tensor([[[1.0, 1, 0, 0], [1, 1, 1, 1]], [[0, 0, 0, 0], [0, 1, 0, 0]]], requires_grad=True)
    penalty = activity_penalty(spikes, 2)
    assert penalty.item() == pytest.approx((0 + 1 + 1 + 0.25) / 4)
    (gradient,) = torch.autograd.grad(penalty, spikes)
    expected = 2 * (spikes.detach().sum(2, keepdim=True) - 2) / 4 / 4
    torch.testing.assert_close(gradient, expected.expand_as(spikes))
    both = penalized({"a": spikes, "b": spikes}, ActivityConfig(target=2, strength=3, populations=("a", "b", "a")))
    assert both.item() == pytest.approx(6 * penalty.item())


@pytest.mark.parametrize("form", FORMS)
def test_the_gradient_through_the_loop_by_differences(form):
    """With soft spikes the network is smooth, and the penalty's gradient with respect to weights is exact."""
    module = SpikingModule(FORMS[form](plain()), SoftSpikes(slope=2.0), dtype=torch.float64)
    x = torch.tensor(np.random.default_rng(1).integers(1, 17, (3, 64)))

    def penalty():
        return penalized(module({"pixels": x}, 5, ["hidden"]), ACTIVITY)

    weights = [weight for i, weight in enumerate(module.weights) if i != 1]  # the output's have no part in it
    gradients = torch.autograd.grad(penalty(), weights)
    rng = np.random.default_rng(0)
    for weight, gradient in zip(weights, gradients, strict=True):
        for _ in range(3):
            place = tuple(int(rng.integers(size)) for size in weight.shape)
            found = []
            for step in (1e-5, -1e-5):
                with torch.no_grad():
                    weight[place] += step
                    found.append(penalty().item())
                    weight[place] -= step
            difference = (found[0] - found[1]) / 2e-5
            assert gradient[place].item() == pytest.approx(difference, rel=1e-4, abs=1e-9)
            assert difference != 0


def test_inhibition_is_as_written():
    lateral = with_lateral(plain(), "hidden", -0.25)
    added = lateral.projections[-1]
    assert (added.name, added.delay, lateral.lags(added)) == ("hidden->hidden", 1, (1,))
    np.testing.assert_array_equal(added.connection.weight, -0.25 * (1 - np.eye(32)))


@pytest.mark.parametrize("arithmetic", ["float", "integer"])
@pytest.mark.parametrize(("neurons", "spacing"), [(3, 1), (4, 3), (16, 4)])
def test_counters_count(neurons, spacing, arithmetic):
    """Of a drawn raster: counter i spikes exactly where at least i * spacing neurons do, in float and in integers."""
    n = 80
    network = Network(
        {"pixels": Input((n,)), "hidden": LIF((n,), dv=0.5, v_threshold=0.5)},
        [Projection("pixels", "hidden", Dense(np.eye(n)))],
    )
    network = with_counting(network, "hidden", -1e-4, neurons, spacing)
    rng = np.random.default_rng(spacing)
    events = rng.random((40, 6, n)) < rng.uniform(0, 1.3 * neurons * spacing / n, (40, 6, 1))
    chosen = quantize(network, calibration={"pixels": events}, n_steps=6)[0] if arithmetic == "integer" else network
    recording = run(chosen, {"pixels": events}, 6)
    counts = recording.rasters["hidden"].dense().sum(axis=2, keepdims=True)
    np.testing.assert_array_equal(counts[..., 0], events.sum(axis=2))
    expected = counts >= spacing * np.arange(1, neurons + 1)
    np.testing.assert_array_equal(recording.rasters["hidden_counters"].dense(), expected)
    assert 0.1 < expected.mean() < 0.9


def test_training_holds_what_is_fixed_and_nears_the_target(trained, digits):
    first, network, curve = trained
    held = digits[0][1000:]
    for before, after in zip(first.projections[2:], network.projections[2:], strict=True):
        np.testing.assert_array_equal(before.connection.weight, after.connection.weight)
    for before, after in zip(first.projections[:2], network.projections[:2], strict=True):
        assert np.abs(before.connection.weight - after.connection.weight).max() > 0.01
    assert curve[-1].train_accuracy > 0.75
    bare, x, y = QUICK.model_copy(update={"activity": None}), *(part[:1000] for part in digits)
    without, _ = train(first, x, y, bare, STEPS, fixed=[projection.name for projection in first.projections[2:]])
    far, near = (np.mean((active(net, held) / 6 - 1) ** 2) for net in (without, network))
    assert near < 0.6 * far


@pytest.mark.parametrize("backend", ["fast", "torch", "snntorch"])
def test_trained_networks_spike_alike_everywhere(trained, digits, backend):
    network, held = trained[1], digits[0][1000:1050]
    ours, theirs = (run(network, {"pixels": held}, STEPS, backend=name) for name in ("reference", backend))
    assert ours.rasters == theirs.rasters
    assert 1 < active(network, held).mean() < 12


def test_integers_of_a_trained_network_are_accepted_by_a_chip(trained, digits):
    integer, _ = quantize(trained[1], 8, {"pixels": digits[0][:100]}, STEPS)
    assert obstacles(integer) == ()
    ours, theirs = (
        run(integer, {"pixels": digits[0][1000:1050]}, STEPS, backend=name) for name in ("reference", "fast")
    )
    assert ours.rasters == theirs.rasters


def test_the_control_learns_by_the_same_penalty(digits):
    x, y = digits
    network, _ = train(plain(), x[:1000], y[:1000], QUICK, STEPS)
    assert active(network, x[1000:]).mean() == pytest.approx(6, abs=1.5)


def test_inhibition_may_be_learned_and_the_dynamics_take_the_penalty_too(digits):
    x, y = (part[:128] for part in digits)
    first = with_lateral(plain(), "hidden", -0.1)
    short = QUICK.model_copy(update={"epochs": 1})
    learned, _ = train(first, x, y, short, 4)
    assert np.ptp(learned.projections[-1].connection.weight) > 0.105
    by_dlm, _ = train(first, x, y, short, 4, dynamics=DynamicsConfig(), fixed=["hidden->hidden"])
    np.testing.assert_array_equal(by_dlm.projections[-1].connection.weight, first.projections[-1].connection.weight)
    bare, _ = train(first, x, y, short.model_copy(update={"activity": None}), 4, dynamics=DynamicsConfig())
    assert by_dlm.digest() != bare.digest()


def refused(digits, words, network=None, fixed=(), **activity):
    x, y = (part[:32] for part in digits)
    config = TrainingConfig(epochs=1, activity=ActivityConfig(**{"target": 6, **activity}))
    with pytest.raises(DlmError, match=words):
        train(plain() if network is None else network, x, y, config, 2, fixed=fixed)


def test_what_does_not_fit_is_refused_by_name(digits):
    refused(digits, r"activity.populations names 'hiden'; did you mean 'hidden'\?", populations=("hiden",))
    refused(digits, "activity.populations names 'pixels'", populations=("hidden", "pixels"))
    refused(digits, "activity.target = 33, but 'hidden' has 32 neurons", target=33)
    refused(digits, r"fixed names 'hidden->output2'; did you mean", fixed=["hidden->output2"])
    refused(digits, "every projection is fixed", fixed=["pixels->hidden", "hidden->output"])
    lateral = with_lateral(plain(), "hidden")
    for words, make in (
        (r"inhibition in 'hiden': did you mean 'hidden'\?", lambda: with_lateral(plain(), "hiden")),
        ("it inhibits itself already", lambda: with_lateral(lateral, "hidden")),
        ("it inhibits itself already", lambda: with_counting(lateral, "hidden")),
        ("it inhibits itself already", lambda: with_lateral(with_counting(plain(), "hidden"), "hidden")),
        ("inhibition.weight = 0.1 is not below 0", lambda: with_lateral(plain(), "hidden", 0.1)),
        ("inhibition.spacing = 0 is below 1", lambda: with_counting(plain(), "hidden", spacing=0)),
        ("inhibition.neurons = 0 is below 1", lambda: with_counting(plain(), "hidden", neurons=0)),
    ):
        with pytest.raises(DlmError, match=words):
            make()
    for wrong in ({"target": 0}, {"target": 6, "strength": 0}, {"target": 6, "populations": ()}):
        with pytest.raises(ValidationError):
            ActivityConfig(**wrong)


COMPETING = {
    "lateral": (["hidden1->hidden1", "hidden2->hidden2"], {}),
    "counting": (
        [f"{pair}" for i in (1, 2) for pair in (f"hidden{i}->hidden{i}_counters", f"hidden{i}_counters->hidden{i}")],
        {"neurons": 3, "spacing": 2},
    ),
}


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("kind", COMPETING)
def test_a_configuration_asks_for_it(kind, learned, digits):
    names, more = COMPETING[kind]
    x, y = (part[:64] for part in digits)
    inhibition = {"kind": kind, "learned": learned, "weight": -0.05, **more}
    config = RunConfig.model_validate(
        {
            "network": {"hidden": (12, 8), "winners": None, "inhibition": inhibition},
            "training": {"epochs": 1, "activity": {"target": 3, "populations": ("hidden1", "hidden2")}},
            "simulation": {"n_steps": 6},
        }
    )
    network, _ = train_network(config, Split(digits_dataset(), x, y, x, y), lambda *_: None)
    found = {projection.name: projection.connection.weight for projection in network.projections}
    assert list(found)[3:] == names
    inhibiting = np.unique(found[names[len(names) // 2 - 1]])
    fixed = np.isin(inhibiting, [0, np.float32(-0.05 * more.get("spacing", 1))]).all()
    assert fixed is np.bool_(not learned)


def test_the_recipe_for_chips():
    def asked(**options):
        given = {
            "dataset": "mnist",
            "variant": "lateral",
            "dynamics": None,
            "config": None,
            "set": [],
            "data_dir": None,
        }
        return chosen_config(Namespace(**{**given, **options}))

    by_dlm, plain_ = asked(), asked(dynamics="plain")
    assert (by_dlm.simulation.n_steps, plain_.simulation.n_steps) == (16, 16)
    assert (by_dlm.dynamics is None, plain_.dynamics is None) == (False, True)
    assert (plain_.network.inhibition.kind, plain_.network.winners) == ("lateral", None)
    assert asked(variant="penalty").network.inhibition is None
    assert asked(variant="penalty").training.activity == plain_.training.activity


def test_active_neurons_are_counted(digits):
    """Against dense counts; and another contrast is what pixels of other values do, where none is cut off."""
    x, y = (part[:40] for part in digits)
    network = with_lateral(plain(), "hidden", -0.1)
    integer, _ = quantize(network, 8, {"pixels": x}, STEPS)
    figures = competition(network, integer, Split(digits_dataset(), x, y, x, y), STEPS, "hidden")
    for prefix, form, samples in (
        ("", network, x),
        ("integer_", integer, x),
        ("half_", network, x / 32),
        ("double_", with_lateral(plain(scale=8), "hidden", -0.1), x),
    ):
        counts = active(form, samples)
        assert figures[f"{prefix}active"] == pytest.approx(counts.mean(), abs=5e-4)
        assert figures[f"{prefix}active_99"] == np.percentile(counts, 99)
        assert figures[f"{prefix}active_most"] == counts.max()
    assert (figures["hidden_cores"], figures["obstacles"]) == (1, 0)


def test_the_table_of_active_neurons():
    def row(seed, value, **more):
        keys = ("integer_active", "half_active", "double_active", "half_accuracy", "double_accuracy", "spikes")
        figures = dict.fromkeys(keys, value) | {"active": 1, "integer_active_99": 30, "hidden_cores": 6, "obstacles": 0}
        return {"seed": seed, "figures": {**figures, "float": 0.97, "integer": 0.97 + 0.001 * seed, **more}}

    rows = {"a": [row(0, 26), row(1, 26, obstacles=1)], "b": [row(0, 25, integer=0.96), row(1, 27, integer=0.961)]}
    heading, first, second = activity_table(rows)
    assert len(heading) == len(first) == len(second)
    told = dict(zip(heading, second, strict=True))
    assert told["against exact"] == "-1.00 ± 0.00"
    assert told["active a step"].startswith("26.0 ± ")
    assert (first[-1], told["a chip takes it"], told["cores of hidden"]) == ("no", "yes", "6")
    assert activity_table({"c": [{"seed": 0, "figures": {"float": 0.9}}]}) == []


def test_the_page_gives_commands_that_are_taken():
    """Those of docs/competition-on-chips.md that train: every option and key is known, none is without effect."""
    page = (Path(__file__).parents[1] / "docs" / "competition-on-chips.md").read_text()
    commands = [line for line in page.replace("\\\n", " ").splitlines() if line.startswith("dlm-snn run ")]
    configs = []
    for command in commands:
        parser = ArgumentParser()
        run_verb.arguments(parser)
        configs.append(chosen_config(parser.parse_args(shlex.split(command)[2:])))
    assert [config.network.inhibition.learned for config in configs] == [True, True]
    assert {config.simulation.n_steps for config in configs} == {16}
