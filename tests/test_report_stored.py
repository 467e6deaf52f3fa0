"""What a run stores for its report: v before each reset, answers on the test set, images of a few samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dlm_snn import DlmError, run
from dlm_snn.neurons.models import MODELS
from dlm_snn.neurons.models import spikes as can_spike
from dlm_snn.runs.answers import ANSWERS, IMAGES, WRONG, Answers, choice, kept, read_answers, write_answers
from dlm_snn.runs.recording import before_reset
from dlm_snn.runs.recording_files import TRACES
from dlm_snn.runs.run_traces import Trace, read_traces, stored_traces
from tests.nets import FLOAT, INTEGER, make

REMEDY = "write it again"


def recorded(case):
    network, stimulus, n_steps = make(case)
    return run(network, stimulus, n_steps, record=("s", "u", "v"), backend="reference")


@pytest.mark.parametrize("case", [*FLOAT, *INTEGER])
def test_v_before_the_reset_decides_every_spike_and_leaves_the_recorded_v(case):
    """s only where v > v_threshold, and always there without competition; then the reset gives v at the end."""
    recording = recorded(case)
    for name, neuron in recording.network.neurons.items():
        if type(neuron) not in MODELS:
            continue
        before, after = before_reset(recording, name), recording.v[name]
        assert before.dtype == after.dtype
        if not can_spike(neuron):
            np.testing.assert_array_equal(before, after)
            continue
        spikes = recording.rasters[name].dense()
        unit = 64 if MODELS[type(neuron)].integer else 1
        above = before > np.asarray(neuron.v_threshold) * unit
        assert not (spikes & ~above).any()
        if neuron.winners is None:
            np.testing.assert_array_equal(above, spikes)
        left = before if getattr(neuron, "reset", "zero") == "subtract" else np.where(spikes, 0, before)
        np.testing.assert_allclose(after, left, rtol=0, atol=0 if unit == 64 else 1e-12)


def test_cases_of_every_reset_are_among_them():
    neurons = [n for case in (*FLOAT, *INTEGER) for n in make(case)[0].neurons.values()]
    assert any(getattr(n, "reset", "") == "subtract" for n in neurons)
    assert any(getattr(n, "refractory", 0) and n.period for n in neurons)
    assert any(n.winners for n in neurons)


def test_traces_come_back_relative_to_the_threshold(tmp_path):
    floats, integers = recorded("plain"), recorded("int_thermal_ring")
    arrays = stored_traces({"reference": floats, "reference-integer": integers})
    np.savez(tmp_path / "traces.npz", **arrays)
    assert TRACES.is_one(tmp_path / "traces.npz")
    for trace in read_traces(tmp_path / "traces.npz", REMEDY):
        recording = integers if trace.simulator.endswith("-integer") else floats
        threshold = recording.network.neurons[trace.population].v_threshold
        unit = 64 if recording is integers else 1
        np.testing.assert_allclose(
            trace.relative, before_reset(recording, trace.population)[0] / unit / threshold, rtol=1e-12
        )
        spikes = recording.rasters[trace.population].dense()[0]
        assert (trace.relative[spikes] > 1).all()
        assert (trace.v[spikes] == 0).all()


def test_a_run_of_before_has_v_alone(tmp_path):
    v = np.linspace(0, 2, 12).reshape(4, 3)
    np.savez(tmp_path / "traces.npz", **{"reference/hidden/v": v, "reference/hidden/v_threshold": np.asarray(2.0)})
    (trace,) = read_traces(tmp_path / "traces.npz", REMEDY)
    assert trace.before is None
    np.testing.assert_array_equal(trace.relative, v / 2)


@pytest.mark.parametrize("threshold", [None, np.zeros(3), np.ones(2), np.asarray(np.nan)])
def test_nothing_is_relative_to_a_threshold_that_cannot_be(threshold):
    assert Trace("reference", "hidden", np.ones((4, 3)), threshold).relative is None


def test_v_before_the_reset_of_another_shape_is_not_taken(tmp_path):
    arrays = {"a/b/v": np.ones((4, 3)), "a/b/v_before_reset": np.ones((3, 3))}
    np.savez(tmp_path / "traces.npz", **arrays)
    assert read_traces(tmp_path / "traces.npz", REMEDY)[0].before is None


LABELS = np.arange(40) % 4


def given(*wrong):
    """The right class for every sample but some."""
    return np.where(np.isin(np.arange(40), wrong), (LABELS + 1) % 4, LABELS)


def test_wrong_samples_are_shown_first_and_then_one_of_each_class():
    shown = choice(LABELS, {"float": given(9, 5), "integer": given(30)})
    assert shown.tolist() == [5, 9, 30, 0, 1, 2, 3]
    many = choice(LABELS, {"float": given(*range(20))})
    assert many.tolist() == [*range(WRONG), 20, 21, 22, 23]
    assert len(many) <= IMAGES
    assert choice(LABELS, {"float": given()}).tolist() == [0, 1, 2, 3]
    assert choice(LABELS[:0], {"float": LABELS[:0]}).tolist() == []


def answers(shape=(1, 2, 3)):
    x = np.arange(40 * 6).reshape(40, 6).astype(np.uint8)
    return kept(LABELS, {"float": given(5), "integer": np.where(LABELS == 3, -1, LABELS)}, x, shape, 16)


def test_answers_come_back(tmp_path):
    stored = answers()
    write_answers(stored, tmp_path / "answers.npz")
    assert ANSWERS.is_one(tmp_path / "answers.npz")
    found = read_answers(tmp_path / "answers.npz", REMEDY)
    np.testing.assert_array_equal(found.labels, LABELS)
    assert found.given.keys() == {"float", "integer"}
    for name, classes in stored.given.items():
        np.testing.assert_array_equal(found.given[name], classes)
    np.testing.assert_array_equal(found.images, stored.images)
    assert (found.images[0].ravel() == np.arange(6) + 6 * found.shown[0]).all()
    assert (found.scale, found.n_classes) == (16, 4)
    assert read_answers(tmp_path / "nothing.npz", REMEDY) is None


def test_a_confusion_matrix_counts_true_classes_by_rows_and_silence_last():
    counts = answers().confusion("integer")
    assert counts.tolist() == [[10, 0, 0, 0, 0], [0, 10, 0, 0, 0], [0, 0, 10, 0, 0], [0, 0, 0, 0, 10]]
    assert answers().confusion("float")[1, 2] == 1
    assert answers().confusion("float").sum() == 40


def test_what_is_no_image_keeps_its_answers_without_one():
    assert len(answers((6,)).images) == 0
    assert len(answers((2, 1, 3)).images) == 0
    assert answers((6,)).labels.size == 40


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.full(40, -1)}, "'labels' is not one class for each of 40 samples"),
        ({"given-float": np.zeros(39, int)}, "'given-float' is not one class"),
        ({"given-float": np.zeros(40)}, "'given-float' is not one class"),
        ({"given-float": np.full(40, -2)}, "'given-float' is not one class"),
        ({"shown": np.array([40] * 5)}, "'shown' and 'images'"),
        ({"shown": np.array([1])}, "'shown' and 'images'"),
        ({"images": np.zeros((5, 3, 3), np.uint8)}, "'shown' and 'images'"),
        ({"scale": np.asarray(0)}, "'shown' and 'images'"),
        ({"scale": None}, "lacks one of the arrays"),
    ],
)
def test_answers_that_cannot_be_are_refused(tmp_path, change, message):
    write_answers(answers(), tmp_path / "answers.npz")
    with np.load(tmp_path / "answers.npz") as held:
        arrays = {**held, **change}
    np.savez(tmp_path / "changed.npz", **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(DlmError, match=message) as caught:
        read_answers(tmp_path / "changed.npz", REMEDY)
    assert "\n" not in str(caught.value)
    assert "changed.npz" in str(caught.value)


def test_large_classes_are_stored_whole(tmp_path):
    write_answers(replace(answers(), labels=LABELS + 2**20), tmp_path / "answers.npz")
    assert read_answers(tmp_path / "answers.npz", REMEDY).labels.max() == 2**20 + 3


def test_answers_of_no_sample():
    assert Answers(LABELS[:0], {"float": LABELS[:0]}).confusion("float").tolist() == [[0, 0]]
