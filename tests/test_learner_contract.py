"""Every baseline keeps the contract of a learner: one table feeds all tests."""

import pickle

import numpy as np
import pytest

from dlm_snn import run
from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.learning.learner import Learner, Setting
from dlm_snn.plugins import load, names
from dlm_snn.runs.metrics import read_out

pytestmark = pytest.mark.usefixtures("one_thread")

SETTING = Setting(shape=(1, 4, 4), graded_bits=5, scale=16, n_classes=6, n_tasks=3)
TASKS = ((4, 1), (0, 5), (2, 3))
SMALL = {"hidden": [12], "batch": 8, "optimiser": "adam", "lr": 0.01}
SPIKING = {"hidden": 30, "winners": 4, "batch": 8, "n_steps": 5, "lr": 0.2}
LEARNERS = {
    "none": SMALL,
    "none-present": {**SMALL, "present": True, "optimiser": "sgd", "lr": 0.1},
    "none-label": {**SMALL, "label_at_test": True},
    "ewc": {**SMALL, "samples": 10},
    "ewc-present": {**SMALL, "samples": 10, "present": True, "strength": 1e12},
    "si": SMALL,
    "lwf": SMALL,
    "topk": {"hidden": 20, "winners": 3, "batch": 8, "anneal": 40},
    "topk-constrained": {"hidden": 20, "winners": 3, "batch": 8, "constrained": True},
    "flymodel": {"cells": 60, "winners": 5},
    "ridge": {},
    "slda": {},
    "generative": {"hidden": 10, "latent": 3, "batch": 8, "importance": 4},
    "replay": {**SMALL, "memory": 30},
    "dgr": {**SMALL, "units": 12, "latent": 3},
    "joint": SMALL,
    "packnet": {"hidden": 24, "batch": 8, "dense": 24, "lr": 0.01},
    "packnet-late": {"hidden": 24, "batch": 8, "dense": 10_000, "lr": 0.01},
    "progressive": {"hidden": 8, "batch": 8, "lr": 0.01},
    "gradient": SPIKING,
    "gradient-dense": {**SPIKING, "winners": None, "optimiser": "adam", "lr": 0.01},
    "gradient-all": {
        **SPIKING,
        "optimiser": "langevin",
        "lr": 0.5,
        "temperature": 1e-6,
        "friction": 0.3,
        "alpha": 0.1,
        "dissipation": 0.001,
        "ewc": 100.0,
        "present": True,
        "consolidation": 0.1,
        "homeostasis": 0.01,
        "sleep": 3,
    },
}
"""name[-form] -> its options."""
SILENT = ("flymodel", "ridge", "slda", "generative")
"""Those that answer -1 before their first sample."""


def made(form: str, seed: int = 0) -> Learner:
    return load("dlm_snn.learners", form.partition("-")[0])(SETTING, np.random.default_rng(seed), **LEARNERS[form])


def samples(classes: tuple[int, ...], seed: int, n: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """Noisy copies of one pattern a class."""
    patterns = np.random.default_rng(7).integers(0, 17, (6, 16))
    rng = np.random.default_rng(seed)
    y = rng.choice(classes, n)
    noise = rng.integers(-2, 3, (n, 16))
    return np.clip(patterns[y] + noise, 0, 16).astype(np.uint8), y.astype(np.int64)


def taught(form: str, cuts: tuple[int, ...] = (), tasks: int = 3, seed: int = 0) -> Learner:
    """A learner after the tasks, their samples cut into chunks at some places."""
    learner = made(form, seed)
    for index, classes in enumerate(TASKS[:tasks]):
        teach(learner, classes, index, cuts)
    return learner


def teach(learner: Learner, classes: tuple[int, ...], seed: int, cuts: tuple[int, ...] = ()) -> None:
    x, y = samples(classes, seed)
    if learner.declaration.boundary:
        learner.begin_task(classes)
    for part in np.split(np.arange(len(y)), cuts):
        learner.observe(x[part], y[part])


def answers(learner: Learner, tasks: int = 3) -> np.ndarray:
    """What it says of samples of every task that was taught."""
    found = []
    for index, classes in enumerate(TASKS[:tasks]):
        x, _ = samples(classes, 100 + index)
        found.append(learner.predict(x, classes) if learner.declaration.label_at_test else learner.predict(x))
    return np.concatenate(found)


def test_every_registered_baseline_is_in_the_table():
    ours = {name for name, point in names("dlm_snn.learners").items() if point.value.startswith("dlm_snn.learning.")}
    assert ours - {"columns", "columns-float", "columns-host", "readout", "readout-first", "readout-joint", "kept"} == {
        form.partition("-")[0] for form in LEARNERS
    }


@pytest.mark.parametrize("form", LEARNERS)
def test_it_is_a_learner_that_learns(form):
    learner = made(form)
    assert isinstance(learner, Learner)
    x, y = samples(TASKS[0], 0, n=400)
    if learner.declaration.boundary:
        learner.begin_task(TASKS[0])
    learner.observe(x, y)
    x, y = samples(TASKS[0], 1)
    found = learner.predict(x, TASKS[0]) if learner.declaration.label_at_test else learner.predict(x)
    assert found.dtype == np.int64
    assert found.shape == y.shape
    assert np.mean(found == y) > 0.9
    assert learner.info()["neurons"] > 0


@pytest.mark.parametrize("form", LEARNERS)
def test_the_seed_decides(form):
    learner = taught(form)
    assert np.array_equal(answers(learner), answers(taught(form)))
    assert np.array_equal(answers(learner), answers(learner)), "asking changes it"


@pytest.mark.parametrize("form", LEARNERS)
def test_chunks_may_be_cut_anywhere(form):
    """Weights are equal to rounding where sums are cut, so that answers are compared."""
    assert np.array_equal(answers(taught(form)), answers(taught(form, cuts=(1, 13, 14, 40))))


@pytest.mark.parametrize("form", LEARNERS)
def test_no_samples_no_answers(form):
    learner = taught(form)
    none = np.zeros((0, 16), np.uint8)
    classes = (TASKS[0],) if learner.declaration.label_at_test else ()
    assert learner.predict(none, *classes).shape == (0,)
    learner.observe(none, np.zeros(0, np.int64))


@pytest.mark.parametrize("form", [form for form in LEARNERS if form in SILENT])
def test_before_the_first_sample_it_answers_nothing(form):
    assert made(form).predict(samples(TASKS[0], 0)[0]).tolist() == [-1] * 48


@pytest.mark.parametrize("form", ["ridge", "slda", "generative", "flymodel"])
def test_what_never_came_is_never_answered(form):
    learner = taught(form, tasks=1)
    assert set(learner.predict(samples(TASKS[2], 0)[0])) <= {*TASKS[0], -1}


@pytest.mark.parametrize("form", LEARNERS)
def test_unknown_options_and_bad_values_are_refused_in_one_line(form):
    make = load("dlm_snn.learners", form.partition("-")[0])
    key = next((key for key, value in LEARNERS[form].items() if isinstance(value, int | float)), "penalty")
    key = "shrinkage" if form == "slda" else key
    for options in ({"betch": 3}, {key: "many"}, {key: -1}):
        with pytest.raises(DlmError, match=f"learner '{form.partition('-')[0]}': [^\n]*$"):
            make(SETTING, np.random.default_rng(0), **options)


@pytest.mark.parametrize("form", LEARNERS)
def test_samples_that_do_not_fit_are_refused(form):
    learner = made(form)
    x, y = samples(TASKS[0], 0)
    for wrong in ((x[:, :9], y), (x, y[:5]), (x, y + 6), (x / 16, y)):
        with pytest.raises(DlmError):
            learner.observe(*wrong)


IMAGES = Setting((1, 8, 8), graded_bits=5, scale=16, n_classes=10, n_tasks=5)
FEW = {
    **LEARNERS,
    "kept": {"per_class": 3},
    "columns": {"neurons": 20},
    "columns-float": {"neurons": 20},
    "columns-host": {"neurons": 20, "stage": "rate"},
    "columns-lava": {"neurons": 20},
    "readout": {"neurons": 8, "patch": 4, "grid": 2},
    "readout-first": {"neurons": 8, "patch": 4, "grid": 2, "first": 30},
    "readout-joint": {"neurons": 8, "patch": 4, "grid": 2, "first": 30},
}
"""Every learner of ours -> options that make it small, with images of 8 x 8."""


OTHERS = [n for n, p in names("dlm_snn.learners").items() if not p.value.startswith(("dlm_snn.", "lava_processes."))]
"""Learners of other packages, with their own defaults."""
EVERY = [n for n in FEW if n in names("dlm_snn.learners")] + OTHERS


def of_images(name: str) -> Learner:
    known = names("dlm_snn.learners")
    entry = name if name in known else name.partition("-")[0]
    learner = load("dlm_snn.learners", entry)(IMAGES, np.random.default_rng(0), **FEW.get(name, {}))
    if learner.declaration.boundary:
        learner.begin_task(range(10))
    return learner


def images(n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    patterns = rng.integers(0, 17, (10, 64))
    y = np.arange(n) % 10
    return np.clip(patterns[y] + rng.integers(-2, 3, (n, 64)), 0, 16).astype(np.uint8), y


def asked(learner: Learner, x: object) -> np.ndarray:
    return learner.predict(x, range(10)) if learner.declaration.label_at_test else learner.predict(x)


def test_the_table_of_few_has_every_learner():
    assert {name for name in FEW if name in names("dlm_snn.learners")} == set(names("dlm_snn.learners")) - set(OTHERS)


X, Y = images()
WRONG_SAMPLES = {
    "floats of 0..1": (X / 16, r"samples are float64 0\.\.1; expected integers 0\.\.16, such as np\.rint"),
    "floats of 0..16": (X.astype(np.float32), r"samples are float32 0\.\.16; .*, such as x\.astype\(int\)"),
    "Booleans": (X > 8, r"samples are bool; expected integers 0\.\.16"),
    "beyond the scale": (np.where(X == 16, 17, X), r"samples\[\d+, \d+\] = 17 is not in 0\.\.16"),
    "negative": (X.astype(int) - 1, r"samples\[\d+, \d+\] = -1 is not in 0\.\.16"),
    "other features": (X[:, :63], r"samples are uint8 of shape \(60, 63\); expected integers \(sample, 64\)"),
    "unflattened": (X.reshape(-1, 8, 8), r"shape \(60, 8, 8\)"),
    "masked": (np.ma.masked_array(X, mask=X > 8), "samples has .* masked values"),
    "ragged": ([[1, 2], [3]], "samples is a ragged list"),
}
WRONG_CLASSES = {
    "from one": (Y + 1, r"classes reach from 1 to 10, not in 0\.\.9; take 1 off each"),
    "negative": (np.where(Y == 4, -1, Y), r"classes\[4\] = -1 is not in 0\.\.9"),
    "one too high": (np.where(Y == 4, 10, Y), r"classes\[4\] = 10 is not in 0\.\.9"),
    "far away": (np.where(Y == 4, 10**6, Y), r"classes\[4\] = 1000000 is not in 0\.\.9"),
    "too few": (Y[:8], r"classes of shape \(8,\) do not fit 60 samples"),
    "too many": (np.concatenate([Y, Y]), r"classes of shape \(120,\) do not fit 60 samples"),
    "one-hot": (np.eye(10, dtype=int)[Y], r"classes of shape \(60, 10\) do not fit"),
    "fractions": (Y / 2, r"classes\[1\] = 0\.5 is not a whole number"),
    "missing": (np.where(Y == 4, np.nan, Y), r"classes\[4\] = nan is not a whole number"),
    "text": (Y.astype(str), "classes is of <U"),
}


@pytest.mark.parametrize("name", EVERY)
def test_every_learner_refuses_what_is_no_sample_of_its_setting(name):
    learner = of_images(name)
    for wrong, message in WRONG_SAMPLES.values():
        with pytest.raises(DlmError, match=message):
            learner.observe(wrong, Y)
        with pytest.raises(DlmError, match=message):
            asked(learner, wrong)
    for wrong, message in WRONG_CLASSES.values():
        with pytest.raises(DlmError, match=message):
            learner.observe(X, wrong)


@pytest.mark.parametrize("name", [n for n in EVERY if n != "columns-lava"])
def test_every_learner_learns_the_same_from_any_form_of_its_samples(name):
    import torch

    plain, other, refusing = (of_images(name) for _ in range(3))
    plain.observe(X, Y)
    buffer, classes = np.asfortranarray(X.astype(">i4")), torch.tensor(Y)
    other.observe(buffer, classes)
    with pytest.raises(DlmError):
        refusing.observe(X, Y + 1)
    refusing.observe(X, Y)
    # What was given may be overwritten: nobody holds on to it.
    buffer[:], classes[:] = 0, 0
    expected = asked(plain, X)
    assert np.array_equal(asked(other, torch.tensor(X)), expected)
    assert np.array_equal(asked(refusing, X.tolist()), expected)


@pytest.mark.parametrize("form", [form for form in FEW if form != "columns-lava"])
def test_a_learner_goes_on_from_a_pickle(form):
    learner = of_images(form)
    learner.observe(X, Y)
    again = pickle.loads(pickle.dumps(learner))
    for one in (learner, again):
        if one.declaration.boundary and not one.declaration.label_at_test:
            one.begin_task(range(10))
        one.observe(X[::-1], Y[::-1])
    assert np.array_equal(asked(learner, X), asked(again, X))
    if form.startswith("gradient"):
        assert learner.freeze().digest() == again.freeze().digest()


@pytest.mark.parametrize("name", ["none", "gradient", "ridge", "slda", "generative", "flymodel", "joint", "packnet"])
def test_classes_that_are_named_are_checked(name):
    learner = of_images(name)
    learner.observe(X, Y)
    for wrong, message in (
        ((3, 10), r"classes\[1\] = 10 is not in 0\.\.9"),
        ((-1,), "= -1 is not"),
        ((), "no classes"),
    ):
        with pytest.raises(DlmError, match=message):
            learner.predict(X, wrong)
        if learner.declaration.boundary:
            with pytest.raises(DlmError, match=message):
                learner.begin_task(wrong)


@pytest.mark.parametrize("name", ["columns", "columns-float", "columns-host", "columns-lava"])
def test_columns_of_classes_that_do_not_divide_their_neurons_say_what_would(name):
    setting = Setting((1, 8, 8), 5, 16, 7, 4)
    options = {"stage": "rate"} if name == "columns-host" else {}
    with pytest.raises(DlmError, match="neurons = 5000 of the columns; give a multiple of the 7 classes, such as 4998"):
        load("dlm_snn.learners", name)(setting, np.random.default_rng(0), **options)


@pytest.mark.parametrize("form", [form for form in LEARNERS if not form.startswith("gradient")])
def test_rate_networks_have_no_spiking_form(form):
    with pytest.raises(UnsupportedError, match="spiking"):
        taught(form).freeze()


@pytest.mark.parametrize("form", [form for form in LEARNERS if form.startswith("gradient")])
@pytest.mark.parametrize("backend", ["reference", "fast"])
def test_a_frozen_network_answers_in_spikes_what_the_learner_answers(form, backend):
    learner = taught(form)
    x = np.concatenate([samples(classes, 100 + index)[0] for index, classes in enumerate(TASKS)])
    recording = run(learner.freeze(), {"pixels": x}, n_steps=5, backend=backend)
    assert np.array_equal(read_out(recording.rasters["output"]), learner.predict(x))


def test_a_silent_network_answers_nothing():
    learner = made("gradient")
    assert learner.predict(np.zeros((3, 16), np.uint8)).tolist() == [-1] * 3


@pytest.mark.parametrize("form", ["packnet", "packnet-late", "progressive"])
def test_what_old_tasks_answer_stays_bit_for_bit(form):
    """Logits, not only classes; the same when the next task has begun, and after all of it."""
    learner = made(form)
    x = samples(TASKS[0], 100)[0]
    seen = []
    for index, classes in enumerate(TASKS):
        teach(learner, classes, index, cuts=(5, 20, 45))
        seen.append(scores(learner, x, TASKS[0]))
    assert np.ptp(seen[0]) > 0
    assert all(np.array_equal(seen[0], later) for later in seen[1:])


def scores(learner, x, classes) -> np.ndarray:
    """The logits behind an answer."""
    import torch

    from dlm_snn.learning.baselines import packnet, progressive

    found = []
    module = packnet if isinstance(learner.model, packnet.Packed) else progressive

    def note(score, x, classes):
        with torch.no_grad():
            found.append(score(torch.tensor(x))[:, list(classes)].numpy())
        return np.zeros(len(x), np.int64)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "largest", note)
        learner.predict(x, classes)
    return found[0]


@pytest.mark.parametrize("form", ["packnet", "progressive"])
def test_tasks_are_told_by_their_classes(form):
    learner = taught(form, tasks=2)
    with pytest.raises(DlmError, match=r"no task with the classes \[2, 3\]"):
        learner.predict(samples(TASKS[2], 0)[0], TASKS[2])
    with pytest.raises(DlmError, match="call predict"):
        learner.predict(samples(TASKS[0], 0)[0])
    with pytest.raises(DlmError, match=r"\[4\] came before"):
        learner.begin_task((4, 2))
    with pytest.raises(DlmError, match=r"classes\[0\] = 7 is not in 0\.\.5"):
        learner.begin_task((7, 8))
    two = Setting(SETTING.shape, 5, 16, 6, 2)
    learner = load("dlm_snn.learners", form)(two, np.random.default_rng(0), **LEARNERS[form])
    for classes in TASKS[:2]:
        learner.begin_task(classes)
    with pytest.raises(DlmError, match="made for 2 tasks"):
        learner.begin_task(TASKS[2])


@pytest.mark.parametrize("form", ["packnet", "progressive", "none-label"])
def test_a_masked_head_needs_the_task(form):
    with pytest.raises(DlmError, match="begin_task"):
        made(form).observe(*samples(TASKS[0], 0))


def test_packnet_shares_the_weights_out():
    learner = taught("packnet")
    owned = [int((learner.model.owner == task).sum()) for task in range(3)]
    assert owned == [24 * 16 // 3] * 3


@pytest.mark.parametrize("form", ["ridge", "slda"])
def test_moments_do_not_know_the_order(form):
    """The same weights bit for bit."""
    x, y = samples(tuple(range(6)), 3, n=200)
    order = np.random.default_rng(1).permutation(200)
    first, other = made(form), made(form)
    first.observe(x, y)
    for part in np.array_split(order, 7):
        other.observe(x[part], y[part])
    for one, two in zip(first.solution(), other.solution(), strict=True):
        assert np.array_equal(one, two)


@pytest.mark.parametrize("form", LEARNERS)
def test_declarations_say_what_is_used(form):
    name = form.partition("-")[0]
    declaration = taught(form).declaration
    boundary = name in ("ewc", "si", "lwf", "dgr", "packnet", "progressive") or form in ("none-label", "gradient-all")
    assert declaration.boundary == boundary
    assert declaration.label_at_test == (name in ("packnet", "progressive") or form == "none-label")
    stored = {"replay": 30, "ewc": 10, "joint": 144}.get(name, 200 if form == "gradient-all" else 0)
    assert declaration.stored_samples == stored
    assert declaration.replay == {"replay": "stored", "joint": "stored", "dgr": "generated"}.get(name, "none")
    assert declaration.joint == (name == "joint")
    assert declaration.winner == ("spikes" if name == "gradient" else "host")
    assert declaration.pre_training == "none"
