"""Columns with one stage on the host: against the spiking stage where both must agree, and against plain NumPy."""

from dataclasses import replace

import numpy as np
import pytest

from dlm_snn import IntegerNetwork, run
from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.learning.columns import _compiled as compiled
from dlm_snn.learning.columns._front_end_compiled import pool_counts, rank_codes
from dlm_snn.learning.columns.edges import edge_kernels, window_synapses
from dlm_snn.learning.columns.front_end import front_end_parts
from dlm_snn.learning.columns.learner import ColumnLearner, Form, make_columns
from dlm_snn.learning.columns.on_host import (
    largest,
    make_columns_on_host,
    of_length,
    rank_codes_of_largest,
    rank_codes_of_numbers,
)
from dlm_snn.learning.columns.rule import ColumnRule, Columns
from dlm_snn.learning.learner import Learner, Setting
from dlm_snn.tasks.datasets import digits

SETTING = Setting((1, 8, 8), 5, 16, 10, 5)
RNG = np.random.default_rng(0)
STAGES = ("rate", "edges", "code", "winner")


def spiking(**options: object) -> ColumnLearner:
    return make_columns(SETTING, RNG, neurons=60, **options)


@pytest.mark.parametrize("changes", [{}, {"inhibition_delay": 1}, {"competition": False}])
def test_numbers_are_spikes_where_a_pixel_spikes_in_every_step_or_never(changes):
    """Black and white, white at the threshold; at half the threshold numbers drive twice as hard."""
    front_end = spiking(pixel_threshold=16, edge_threshold=7, **changes).front_end
    images = np.where(digits().x_train[:80] > 7, 16, 0).astype(np.uint8)
    codes, spikes = rank_codes(front_end, images)
    found, counted = rank_codes_of_numbers(front_end, images)
    assert np.array_equal(found, codes)
    assert counted == {**spikes, "rate": 0}
    assert not np.array_equal(rank_codes_of_numbers(replace(front_end, pixel_threshold=8), images)[0], codes)


def largest_responses(front_end, images: np.ndarray) -> np.ndarray:
    """Sums over windows of the largest response to the spikes of pixels, step by step."""
    v, spikes = np.zeros(images.shape, dtype=int), np.zeros(images.shape, dtype=int)
    for _ in range(front_end.pixel_steps):
        v += images
        spikes += v >= front_end.pixel_threshold
        v[v >= front_end.pixel_threshold] = 0
    response = Conv2d(edge_kernels(16)[:, None], (1, 8, 8), padding=2).apply(spikes).reshape(-1, 16, 64)
    first = np.arange(16)[:, None] == response.argmax(axis=1)[:, None]
    kept = np.where(first & (response >= front_end.edge_threshold), response, 0).transpose(0, 2, 1)
    return window_synapses(8, 8, 16, 3, 1).apply(kept.reshape(len(images), -1))


def test_edges_on_the_host_are_the_largest_responses_ranked_in_time():
    front_end = replace(spiking().front_end, latency=700)
    images = digits().x_train[:60]
    v = largest_responses(front_end, images)
    codes = np.zeros(v.shape, dtype=int)
    for b, sums in enumerate(v):
        ticks = 0
        for step in range(front_end.flush + front_end.levels):
            spiked = sums * (step + 1) >= front_end.latency
            if ticks < front_end.levels and (
                spiked.sum() >= front_end.per_level * (ticks + 1) or step >= front_end.flush
            ):
                ticks += 1
                codes[b] += spiked
    found, spikes = rank_codes_of_largest(front_end, images)
    assert np.array_equal(found, codes)
    assert spikes["holders"] == codes.sum() > 0
    assert spikes["rate"] == rank_codes(front_end, images)[1]["rate"]
    assert spikes["edges"] == 0


def test_codes_on_the_host_have_one_length_and_come_from_the_edges_spikes():
    learner = make_columns_on_host(SETTING, RNG, stage="code", neurons=60, gain=2)
    front_end, images = learner.front_end, digits().x_train[:60]
    recording = run(IntegerNetwork(*front_end_parts(front_end)), front_end.stimulus(images, 9), 9, backend="fast")
    counts = front_end.pools.apply(recording.rasters["edges"].counts())
    codes, spikes = learner.codes(images)
    assert np.array_equal(pool_counts(front_end, images)[0], counts)
    assert spikes == {name: len(recording.rasters[name]) for name in ("rate", "edges")}
    unit = np.sqrt(counts) / np.linalg.norm(np.sqrt(counts), axis=1, keepdims=True)
    assert np.abs(codes - np.sqrt(2**15 / 2) * unit).max() <= 0.5 + 1e-9
    assert of_length(np.array([[0, 9, 16], [0, 0, 0]], np.int32), 10.0).tolist() == [[0, 6, 8], [0, 0, 0]]


def test_the_largest_v_is_the_first_spike_of_a_ramp_that_is_slow_enough():
    """The same weights, no teacher; a ramp of 2 a step finds the largest v but for ties, of which all are told."""
    data = digits()
    learner = spiking(form="ramp")
    learner.observe(data.x_train[:400], data.y_train[:400])
    codes, _ = learner.codes(data.x_train[:300])
    slow = replace(learner.rule, ramp=2, ramp_steps=60_000, threshold=2**17 - 1)
    first, _ = compiled.predict(slow, learner.columns, codes, learner.levels)
    found, _ = compiled.predict(largest(learner.rule), learner.columns, codes, 1)
    coarse, _ = compiled.predict(learner.rule, learner.columns, codes, learner.levels)
    assert np.count_nonzero(first != found) <= 1
    assert np.count_nonzero(coarse != found) > 1


@pytest.mark.parametrize("v", [899, 900, 901, 963, 964, 965])
def test_novelty_of_the_largest_v_is_that_of_the_ramp(v):
    """With threshold 1,092 and 64 a step, step 3 is reached by v > 900."""
    ramp = ColumnRule(1, 2, threshold=1092, ramp=64, ramp_steps=10, novelty=3, gain=1)
    recruited = []
    for rule in (ramp, largest(ramp)):
        columns = Columns.fresh(rule, 9)
        columns.wins[0, 0] = 1
        columns.weight[0, :, 0] = 100
        columns.weight[0, 8, 0] = v - 800
        compiled.observe(rule, columns, np.ones((1, 9), np.uint8), np.zeros(1, np.int64), 1)
        recruited.append(int(columns.wins[0, 1]))
    assert recruited == [int(v <= 900)] * 2


@pytest.mark.parametrize("stage", STAGES)
def test_it_learns_and_says_which_stage_is_on_the_host(stage):
    data = digits()
    learner = make_columns_on_host(SETTING, RNG, stage=stage, neurons=300)
    assert isinstance(learner, Learner)
    for part in np.array_split(np.arange(1000), 7):
        learner.observe(data.x_train[part], data.y_train[part])
    x, y = data.x_train[1000:], data.y_train[1000:]
    assert np.mean(learner.predict(x) == y) > 0.85
    assert learner.predict(np.zeros((1, 64), np.uint8)).tolist() == [-1]
    said = learner.declaration
    host = {"rate": said.front_end, "edges": said.front_end, "code": said.normalization, "winner": said.winner}
    told = [text for text in (said.front_end, said.normalization, said.winner) if text.startswith("host: ")]
    assert told == [host[stage]]
    spikes = learner.info()["spikes"]
    silent = {"rate": {"rate"}, "edges": {"edges"}, "code": {"pools", "counters", "holders"}, "winner": set()}
    assert {"rate", "edges", "pools", "counters", "holders"} - spikes.keys() == silent[stage]
    with pytest.raises(UnsupportedError, match="columns-host cannot do a network of spikes; use the learner columns"):
        learner.freeze()


def test_the_rest_of_the_form_is_that_of_the_spiking_columns():
    form = make_columns(SETTING, RNG, form="ramp", neurons=60).form
    rate, winner = (make_columns_on_host(SETTING, RNG, stage=stage, neurons=60).form for stage in ("rate", "winner"))
    assert rate == Form(replace(form.front_end, pixel_threshold=9), form.rule), "144 of 255"
    assert winner == Form(form.front_end, largest(form.rule))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "stage = null: should be 'rate', 'edges', 'code' or 'winner'"),
        ({"stage": "edge"}, "stage = \"edge\": should be 'rate', 'edges', 'code' or 'winner'"),
        ({"stage": ["rate"]}, "stage = .*should be"),
        ({"stage": "rate", "neuron": 10}, "learner 'columns-host' has no option 'neuron'"),
        ({"stage": "rate", "neurons": 15}, "neurons = 15"),
        ({"stage": "rate", "neurons": "abc"}, 'neurons = "abc": should be a valid integer'),
        ({"stage": "rate", "latency": 10}, "learner 'columns-host' has no option 'latency'"),
        ({"stage": "rate", "pixel_threshold": 0}, "pixel_threshold = 0: should be greater"),
        ({"stage": "edges", "latency": 1.5}, "latency = 1.5: should be a valid integer"),
        ({"stage": "edges", "gain": 2}, "learner 'columns-host' has no option 'gain'"),
        ({"stage": "code", "gain": 256}, "gain = 256: should be less"),
        ({"stage": "winner", "novelty": 0}, "novelty = 0 is no step of the ramp"),
        ({"stage": "winner", "novelty": -1}, "novelty = -1: should be greater"),
    ],
)
def test_bad_options_are_refused_in_one_line(options, words):
    with pytest.raises(DlmError, match=words) as refused:
        make_columns_on_host(SETTING, RNG, **options)
    assert "\n" not in str(refused.value)


def test_other_samples_are_refused():
    with pytest.raises(DlmError, match="takes images of one channel"):
        make_columns_on_host(Setting((2, 9, 11), 1, 1, 3, 3), RNG, stage="rate", neurons=30)
    with pytest.raises(DlmError, match=r"one channel; these samples have the shape \(3, 8, 8\)"):
        make_columns_on_host(Setting((3, 8, 8), 5, 16, 10, 5), np.random.default_rng(0))
