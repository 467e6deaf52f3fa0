"""The order-invariant read-out as a learner, and as a network that spikes what it computes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlm_snn import read_out, run
from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.learning.learner import Learner, Setting
from dlm_snn.learning.readout.learner import Readout, make_first_readout, make_readout
from dlm_snn.learning.readout.options import checked_options
from dlm_snn.networks.network import Network
from dlm_snn.plugins import load
from dlm_snn.tasks.parts import DataConfig, split
from dlm_snn.tasks.protocols import protocol
from dlm_snn.tasks.sequences import TaskSequence

DIGITS = Setting((1, 8, 8), graded_bits=5, scale=16, n_classes=10, n_tasks=5)
SMALL = {"neurons": 30, "grid": 2}
COLOR = {"neurons": 20, "patch": 4, "grid": 2, "first": 20}


@pytest.fixture(scope="module")
def data():
    return split(DataConfig(dataset="digits"))


def learner(make=make_readout, seed=0, setting=DIGITS, **options) -> Readout:
    return make(setting, np.random.default_rng(seed), **options)


def colors(n=60) -> tuple[Setting, np.ndarray, np.ndarray]:
    """Stripes of the direction and color of their class, with noise."""
    rng = np.random.default_rng(1)
    y = rng.integers(0, 4, n)
    wave = 90 * np.sin(np.arange(9) * 1.8 + rng.uniform(0, 6, (n, 1)))
    x = rng.normal(120, 12, (n, 3, 9, 9))
    for image, of_class, stripe in zip(x, y, wave, strict=True):
        image[of_class // 2] += stripe if of_class % 2 else stripe[:, None]
    return Setting((3, 9, 9), 8, 255, 4, 2), x.clip(0, 255).astype(np.uint8).reshape(n, -1), y


@pytest.mark.parametrize("make", [make_readout, make_first_readout])
def test_it_is_a_learner(make, data):
    made = learner(make, **SMALL)
    assert isinstance(made, Learner)
    assert (made.predict(data.x_test[:3]) == -1).all()
    declared = made.declaration
    assert (declared.boundary, declared.label_at_test, declared.stored_samples) == (False, False, 0)
    made.observe(data.x_train, data.y_train)
    assert (made.predict(data.x_test) == data.y_test).mean() > 0.9
    assert made.predict(data.x_test[:0]).shape == (0,)
    assert isinstance(made.freeze(), Network)
    assert made.info()["features"] == 120


def test_entry_points():
    assert load("dlm_snn.learners", "readout") is make_readout
    assert load("dlm_snn.learners", "readout-first") is make_first_readout
    joint = load("dlm_snn.learners", "readout-joint")(Setting((1, 8, 8), 8, 16, 10, 5), np.random.default_rng(0))
    assert joint.declaration.joint


def test_declarations_say_what_is_used():
    assert "Gabor, no data" in learner(**SMALL).declaration.front_end
    assert "k-means of the first 50 samples" in learner(make_first_readout, first=50, **SMALL).declaration.front_end
    made = learner(setting=Setting((3, 32, 32), 8, 255, 10, 5), **COLOR)
    assert made.declaration.normalization == "contrast of the patch, host"
    assert "4 x square root of counts" in made.declaration.front_end


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_fixed_features_end_the_same_in_any_order_and_chunks(data, seed, chunks):
    rng = np.random.default_rng(seed)
    x, y = data.x_train[:90], data.y_train[:90]
    order = rng.permutation(len(y))
    whole, again = learner(**SMALL), learner(**SMALL)
    whole.observe(x, y)
    for part in np.array_split(order, chunks):
        again.observe(x[part], y[part])
    assert np.array_equal(whole.gram.pairs, again.gram.pairs)
    assert np.array_equal(whole.scores(data.x_test), again.scores(data.x_test))


@pytest.mark.parametrize("make", [make_readout, make_first_readout])
def test_task_after_task_is_as_good_as_all_at_once(make, data):
    """Excess forgetting is 0 exactly: after every task, the scores are those of all samples so far, learned at once."""
    sequence = TaskSequence(protocol("digits"), data, seed=1)
    streamed = learner(make, first=100, **SMALL)
    x, y = (np.concatenate([getattr(task, name) for task in sequence]) for name in ("x_train", "y_train"))
    seen = 0
    for task in sequence:
        streamed.observe(task.x_train, task.y_train)
        seen += len(task.y_train)
        joint = learner(make, first=100, **SMALL)
        # The dictionary's samples come first in both.
        rest = 100 + np.random.default_rng(seen).permutation(seen - 100)
        joint.observe(x[:100], y[:100])
        joint.observe(x[rest], y[rest])
        assert np.array_equal(streamed.scores(data.x_test), joint.scores(data.x_test))


def test_a_dictionary_comes_from_the_first_samples_only(data):
    one, other, less = (learner(make_first_readout, first=64, **SMALL) for _ in range(3))
    one.observe(data.x_train[:40], data.y_train[:40])
    assert one.features is None
    one.observe(data.x_train[40:90], data.y_train[40:90])
    mixed = np.r_[np.random.default_rng(0).permutation(64), np.arange(500, 900)]
    other.observe(data.x_train[:64], data.y_train[:64])
    other.observe(data.x_train[mixed], data.y_train[mixed])
    assert np.array_equal(one.features.weight, other.features.weight)
    assert (one.gram.n_samples, other.gram.n_samples) == (90, 64 + len(mixed))
    less.observe(data.x_train[:50], data.y_train[:50])
    with pytest.raises(DlmError, match="no dictionary before 64 samples were observed; observe more"):
        less.freeze()
    assert (less.predict(data.x_test[:4]) >= 0).all()
    assert less.gram.n_samples == 50


@pytest.mark.parametrize("make", [make_readout, make_first_readout])
def test_the_network_spikes_what_the_learner_computes(make, data):
    made = learner(make, levels=20, **SMALL)
    made.observe(data.x_train[:400], data.y_train[:400])
    x = data.x_test[:60]
    recording = run(made.freeze(), {"pixels": x}, n_steps=21, backend="fast")
    counts = recording.rasters["patches"].counts().reshape(len(x), 30, -1)
    features = np.zeros((len(x), 4, 30), dtype=np.int64)
    np.add.at(features, (slice(None), made.features.cells()), counts.transpose(0, 2, 1))
    assert np.array_equal(features.reshape(len(x), -1), made.features(x))
    assert counts.sum() > 1000
    output = recording.rasters["output"]
    assert np.array_equal(read_out(output), made.predict(x))
    assert (output.counts().sum(axis=1) == 1).all()
    assert set(output.step) == {20}


def test_the_network_is_the_same_in_the_reference_simulator(data):
    made = learner(levels=6, **{**SMALL, "neurons": 10})
    made.observe(data.x_train[:100], data.y_train[:100])
    network, x = made.freeze(), {"pixels": data.x_test[:4]}
    one, other = (run(network, x, n_steps=7, backend=backend) for backend in ("reference", "fast"))
    assert one.rasters["patches"] == other.rasters["patches"]
    assert one.rasters["output"] == other.rasters["output"]


def test_shifts_count_every_sample_with_the_grid_moved(data):
    """A grid moved down by one over an image is the grid where it was over the image moved up, but for the edges."""
    plain, moved = learner(**SMALL), learner(shifts=1, **SMALL)
    x, y = data.x_train[:50], data.y_train[:50]
    moved.observe(x, y)
    assert moved.gram.n_samples == 250
    assert "moved by 0 and 1" in moved.declaration.front_end
    features = plain.features
    by_shift = features.shifted(x, [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)])
    assert np.array_equal(by_shift[:, 0], features(x))
    flat = by_shift.reshape(-1, features.n).astype(np.int64)
    assert np.array_equal(moved.gram.pairs, flat.T @ flat)
    assert np.array_equal(
        by_shift.reshape(50, 5, 4, -1).sum(axis=2)[:, 1:], by_shift.reshape(50, 5, 4, -1).sum(axis=2)[:, :4]
    )
    rows, columns = features.positions
    assert (
        features.cells((1, 0)).reshape(rows, columns)[1:].tolist()
        == features.cells().reshape(rows, columns)[:-1].tolist()
    )
    assert (
        features.cells((0, -1)).reshape(rows, columns)[:, 0].tolist()
        == features.cells().reshape(rows, columns)[:, 1].tolist()
    )


def test_color_images():
    setting, x, y = colors()
    for make in (make_readout, make_first_readout):
        made = learner(make, setting=setting, **COLOR)
        made.observe(x[:40], y[:40])
        assert (made.predict(x[40:]) == y[40:]).mean() > 0.6
        with pytest.raises(UnsupportedError, match=r"cannot do normalized patches; learn with contrast=0\.35"):
            made.freeze()
        plain = learner(make, setting=setting, contrast=0.2, root=0, **COLOR)
        plain.observe(x, y)
        spikes = read_out(run(plain.freeze(), {"pixels": x}, n_steps=33, backend="fast").rasters["output"])
        assert np.array_equal(spikes, plain.predict(x))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"neuron": 3}, "the read-out has no option 'neuron'; did you mean 'neurons'"),
        ({"neurons": 0}, "the read-out: neurons = 0"),
        ({"neurons": "300"}, 'the read-out: neurons = "300": should be a valid integer'),
        ({"share": 1.5}, "share"),
        ({"patch": 9}, "too few for a grid"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(DlmError, match=message):
        learner(**options)


def test_a_patch_too_large_is_refused_before_samples_come():
    with pytest.raises(DlmError, match=r"patches of 9 x 9 in an image .* 0 x 0 positions, too few for a grid"):
        learner(make_first_readout, patch=9)


def test_samples_without_rows_are_refused():
    with pytest.raises(DlmError, match=r"needs images \(channel, row, column\), not samples of shape \(7,\)"):
        learner(setting=Setting((7,), 8, 255, 10, 5))


def test_defaults_follow_the_images():
    assert checked_options((1, 28, 28), {}).share == 0.08
    assert checked_options((1, 8, 8), {}).patch == 4
    assert checked_options((3, 32, 32), {"grid": 2}).neurons == 1600
    assert checked_options((3, 32, 32), {"grid": 2}).grid == 2
