"""Columns and their front end: compiled, step by step and as a frozen network, they are the same spikes and weights."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

import dlm_snn as dlm
from dlm_snn.errors import DlmError
from dlm_snn.learning.columns import _compiled as compiled
from dlm_snn.learning.columns._front_end_compiled import rank_codes
from dlm_snn.learning.columns.edges import edge_kernels, edge_synapses, group_synapses, window_synapses
from dlm_snn.learning.columns.front_end import DECIDE, FrontEnd, front_end_parts
from dlm_snn.learning.columns.learner import FORMS, ColumnLearner, Form, make_columns
from dlm_snn.learning.columns.rule import ColumnRule, Columns, run_sample
from dlm_snn.learning.learner import Learner, Setting
from dlm_snn.tasks.datasets import digits

SETTING = Setting((1, 8, 8), 5, 16, 10, 5)


def small(form: str, **changes: object) -> Form:
    """The form on 8x8 images of 0..16."""
    return make_columns(SETTING, np.random.default_rng(0), form=form, neurons=40, **changes).form


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    drawn = np.random.default_rng(1).integers(0, 17, (4, 64)).astype(np.uint8)
    edge_cases = np.stack([np.zeros(64, np.uint8), np.full(64, 16, np.uint8)])
    return np.concatenate([digits().x_train[:40], drawn, edge_cases])


def test_edge_kernels_are_antisymmetric_and_equally_strong():
    kernels = edge_kernels(16)
    assert np.array_equal(kernels[:, ::-1, ::-1], -kernels)
    assert np.array_equal(kernels[8:], -kernels[:8])
    assert np.all(np.abs(kernels).sum(axis=(1, 2)) == 32)
    assert kernels.min() == -4
    assert kernels.max() == 4


def test_edge_synapses_are_a_convolution_with_the_direction_last():
    x = np.random.default_rng(0).integers(0, 3, (2, 30))
    convolved = dlm.Conv2d(edge_kernels(6)[:, None], (1, 5, 6), padding=2).apply(x)
    turned = convolved.reshape(2, 6, 5, 6).transpose(0, 2, 3, 1).reshape(2, -1)
    assert np.array_equal(edge_synapses(5, 6, 6).apply(x), turned)


def test_windows_sum_what_lies_under_them():
    x = np.random.default_rng(0).integers(0, 3, (1, 7 * 9 * 2))
    image = np.pad(x.reshape(7, 9, 2), ((1, 1), (1, 1), (0, 0)))
    expected = [image[y : y + 3, x : x + 3].sum(axis=(0, 1)) for y in range(0, 7, 2) for x in range(0, 9, 2)]
    assert np.array_equal(window_synapses(7, 9, 2, 3, 2, padding=1).apply(x)[0], np.ravel(expected))


def test_groups_reach_all_of_their_own_and_nobody_else():
    assert np.array_equal(group_synapses(3, 2, -5).dense(), np.kron(np.eye(3, dtype=int), np.full((2, 2), -5)))


VARIANTS = [
    ("evidence", {}),
    ("ramp", {}),
    ("ramp", {"flush": 20, "latency": 60}),
    ("ramp", {"levels": 3}),
    ("ramp", {"inhibition_delay": 1}),
    ("plain", {"inhibition_delay": 2}),
    ("short16", {}),
    ("short16", {"levels": 7}),
    ("short8", {}),
    ("plain", {}),
    ("ramp", {"directions": None, "window": 3, "stride": 1, "padding": 1, "active": 20, "latency": 100, "flush": 40}),
]


@pytest.mark.parametrize(("name", "changes"), VARIANTS)
def test_codes_are_the_spikes_of_the_network(images, name, changes):
    front_end = small(name, **changes).front_end
    network = dlm.IntegerNetwork(*front_end_parts(front_end))
    n_steps = front_end.last_level + 1
    recording = dlm.run(network, front_end.stimulus(images, n_steps), n_steps, backend="fast")
    codes, spikes = rank_codes(front_end, images)
    assert np.array_equal(recording.rasters["holders"].counts(), codes)
    assert spikes.items() >= {(name, len(raster)) for name, raster in recording.rasters.items() if name != "ramp"}
    assert not any(o.wraps or o.saturations for o in recording.overflow.values())
    assert 0 < codes.max() <= front_end.levels
    assert len(np.unique(codes.astype(int).sum(axis=1))) > 1, "an image without edges is among them"


def inputs_of_columns(form: Form, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spikes of the holders (sample, step, code), and what lifts the columns (sample, step), from the network."""
    fresh = ColumnLearner(Form(form.front_end, replace(form.rule, per_column=1)))
    stimulus = fresh.stimulus(images)
    rasters = dlm.run(fresh.freeze(), stimulus, fresh.n_steps, backend="fast").rasters
    if form.rule.winner == "ramp":
        return rasters["holders"].dense(), rasters["ramp"].dense()[..., 0]
    return rasters["holders"].dense(), stimulus["clock"][..., DECIDE]


RACES = [
    ("ramp", {"threshold": 20000, "ramp_steps": 78}),
    ("ramp", {"novelty": 40}),
    ("evidence", {"novelty": 40, "evidence": 30}),
    ("evidence", {"ramp_steps": 40, "evidence": 12}),
]
"""Spikes before the ramp; late novelty, and much evidence; a ramp that ends before the evidence."""


@pytest.mark.parametrize(("name", "changes"), [*VARIANTS, *RACES])
def test_learning_at_once_is_learning_step_by_step(name, changes):
    """With a low threshold neurons spike before the ramp; with late novelty columns are used again and again."""
    form = small(name, **changes)
    front_end, rule = form.front_end, form.rule
    data = digits()
    x, y = data.x_train[:150], data.y_train[:150]
    code, lifted = inputs_of_columns(form, x)
    stepwise, at_once = (Columns.fresh(rule, front_end.n_codes) for _ in range(2))
    answers = [run_sample(rule, stepwise, *pair, int(label)) for *pair, label in zip(code, lifted, y, strict=True)]
    ties = compiled.observe(rule, at_once, rank_codes(front_end, x)[0], y, front_end.levels)
    assert ties == sum(a.tied for a in answers)
    assert not any(a.between for a in answers)
    assert np.array_equal(stepwise.wins, at_once.wins)
    assert np.array_equal(stepwise.weight, at_once.weight)
    assert sum(a.fresh for a in answers) == np.count_nonzero(stepwise.wins)
    assert stepwise.wins.sum() > np.count_nonzero(stepwise.wins), "somebody has won twice"
    if "threshold" in changes:
        assert any(a.column >= 0 and not a.fresh and a.y == rule.early for a in answers)
    tested = [run_sample(rule, stepwise, *pair, None) for pair in zip(code, lifted, strict=True)]
    found, counts = compiled.predict(rule, at_once, rank_codes(front_end, x)[0], front_end.levels)
    assert found.tolist() == [a.column for a in tested]
    assert counts == (sum(a.tied for a in tested), sum(a.between for a in tested))
    assert rule.winner == "largest" or counts[0] > 0, "a ramp has ties"
    assert all((a.column < 0) == (a.neuron < 0) for a in tested), "whoever spikes is answered in the end"


@pytest.mark.parametrize("winner", ["ramp", "largest"])
@pytest.mark.parametrize(("threshold", "lifted"), [(900, True), (150, False)])
def test_a_tie_is_a_first_spike_that_several_share(winner, threshold, lifted):
    """Weights by hand: code i is answered by whoever has its weight; the low threshold is reached before the ramp."""
    rule = ColumnRule(3, 2, winner, threshold=threshold, ramp=64, ramp_steps=threshold // 64, novelty=1)
    columns = Columns.fresh(rule, 5)
    columns.wins[:] = 1
    # Code 0: one, and in another column one nearly as large. 1: two of a column. 2: of two columns. 3: both. 4: nobody.
    for code, (column, neuron, weight) in [
        (0, (0, 1, 200)),
        (1, (1, 0, 200)),
        (1, (1, 1, 200)),
        (2, (0, 1, 200)),
        (2, (2, 0, 200)),
        (3, (1, 0, 200)),
        (3, (1, 1, 200)),
        (3, (2, 1, 200)),
        (0, (2, 0, 199)),
    ]:
        columns.weight[column, code, neuron] = weight
    codes = 2 * np.eye(5, dtype=np.uint8)
    near = winner == "ramp"
    expected = [(0, near, near), (1, True, False), (0, True, True), (1, True, True), (-1, False, False)]
    time = np.arange(16)
    holders = time[:, None, None] < codes
    answers = [run_sample(rule, columns, holders[:, b], time >= 1, None) for b in range(5)]
    assert [(a.column, a.tied, a.between) for a in answers] == expected
    assert winner == "largest" or lifted == all(a.step >= 1 for a in answers[:4])
    found, counts = compiled.predict(rule, columns, codes, 2)
    assert found.tolist() == [column for column, _, _ in expected]
    assert counts == (sum(tied for _, tied, _ in expected), sum(between for _, _, between in expected))
    # The teacher opens one column alone: between columns there is no tie.
    assert compiled.observe(rule, columns, codes[1:4], np.array([1, 0, 2]), 2) == 1


@pytest.mark.parametrize(("evidence", "expected"), [(1, 0), (2, 0), (3, 0), (4, 1), (9, 1)])
def test_several_early_spikes_outweigh_the_first(evidence, expected):
    """Column 0 spikes in step 2 of the ramp, column 1 twice in step 3: sums 1, 2, 3, ... against 0, 2, 4, ..."""
    rule = ColumnRule(2, 2, threshold=640, ramp=64, ramp_steps=9, novelty=9, evidence=evidence)
    columns = Columns.fresh(rule, 3)
    columns.wins[:] = 1
    columns.weight[0, :, 0] = 192
    columns.weight[1] = 160
    holders, lifted = np.ones((rule.n_steps, 3), dtype=bool), np.ones(rule.n_steps, dtype=bool)
    holders[1:] = False
    answer = run_sample(rule, columns, holders, lifted, None)
    found, counts = compiled.predict(rule, columns, np.ones((1, 3), dtype=np.uint8), 1)
    assert found.tolist() == [answer.column] == [expected]
    assert counts == (answer.tied, answer.between)
    assert answer.step == 1


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1),
    threshold=st.integers(100, 6000),
    ramp=st.integers(1, 200),
    ramp_steps=st.integers(1, 30),
    levels=st.integers(1, 4),
    evidence=st.integers(1, 40),
)
def test_races_at_once_are_races_step_by_step(seed, threshold, ramp, ramp_steps, levels, evidence):
    rng = np.random.default_rng(seed)
    ramp_steps = min(ramp_steps, threshold // (2 * ramp))
    assume(ramp_steps)
    rule = ColumnRule(3, 4, threshold=threshold, ramp=2 * ramp, ramp_steps=ramp_steps, novelty=1, evidence=evidence)
    columns = Columns(rng.integers(0, 256, (3, 6, 4), dtype=np.uint8), rng.integers(0, 2, (3, 4)))
    columns.wins.sort(axis=1)
    columns.wins[:] = columns.wins[:, ::-1]
    codes = rng.integers(0, levels + 1, (8, 6)).astype(np.uint8)
    time = np.arange(levels - 1 + rule.n_steps)
    # A holder that spikes x times does so in the last x levels; the ramp begins with the last one.
    holders = (time[:, None, None] < levels) & (time[:, None, None] >= levels - codes.astype(int))
    answers = [run_sample(rule, columns, holders[:, b], time >= levels - 1, None) for b in range(8)]
    if evidence > 1 and any(0 <= a.step < levels - 1 for a in answers):
        with pytest.raises(DlmError, match="crosses it before the code is complete"):
            compiled.predict(rule, columns, codes, levels)
        return
    found, counts = compiled.predict(rule, columns, codes, levels)
    assert found.tolist() == [a.column for a in answers]
    assert counts == (sum(a.tied for a in answers), sum(a.between for a in answers))


def test_evidence_of_codes_that_are_not_complete_is_refused():
    """Some steps lie between the levels of a code, which does not tell how many."""
    data = digits()
    learner = make_columns(SETTING, np.random.default_rng(0), gain=60, neurons=50)
    learner.observe(data.x_train[:100], data.y_train[:100])
    with pytest.raises(DlmError, match=r"threshold = 34734 .* evidence, which is 6; give a higher threshold, a lower"):
        learner.predict(data.x_train[100:110])


def test_ties_are_counted_from_call_to_call():
    data = digits()
    learner = make_columns(SETTING, np.random.default_rng(0), neurons=50)
    assert learner.info()["ties"] == {}
    learner.observe(data.x_train[:200], data.y_train[:200])
    assert learner.info()["ties"].keys() == {"training"}
    codes, _ = learner.codes(data.x_train)
    _, (ties, between) = compiled.predict(learner.rule, learner.columns, codes, learner.front_end.levels)
    for part in np.array_split(data.x_train, 3):
        learner.predict(part)
    shares = learner.info()["ties"]
    assert 0 < shares["test_between_classes"] == round(between / len(codes), 5)
    assert shares["test_between_classes"] < shares["test"] == round(ties / len(codes), 5)
    assert 0 < shares["training"] < 1
    kept = make_columns(SETTING, np.random.default_rng(0), neurons=50, kept=True)
    kept.observe(data.x_train[:200], data.y_train[:200])
    kept.predict(data.x_train[:200])
    assert kept.info()["ties"].keys() == {"test", "test_between_classes"}, "nothing spikes while samples are kept"


CAMERA = Setting((2, 9, 11), 1, 1, 3, 3)


def recordings(samples: int) -> tuple[dlm.SpikeRaster, np.ndarray]:
    """A bright bar that moves across, in one of three directions; both polarities, and noise."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 3, samples)
    dense = rng.random((samples, 40, 2, 9, 11)) < 0.002
    for sample, label in enumerate(labels):
        for step in range(40):
            at = step // 5
            rows, columns = ((slice(1, 8), at + 1), (at, slice(2, 9)), (slice(at, at + 2), at))[label]
            dense[sample, step, 0, rows, columns] |= rng.random() < 0.7
            dense[sample, step, 1, rows, columns] |= (rng.random() < 0.3) & (step > 2)
    return dlm.SpikeRaster.from_dense(dense.reshape(samples, 40, -1)), labels


@pytest.mark.parametrize("changes", [{}, {"leak": 0, "competition": False}, {"leak": 900}])
def test_recordings_are_learned_and_frozen_alike(changes):
    learner = make_columns(CAMERA, np.random.default_rng(0), form="camera", neurons=30, pixel_steps=36, **changes)
    events, labels = recordings(60)
    learner.observe(events[:40], labels[:40])
    recording = dlm.run(learner.freeze(), learner.stimulus(events), learner.n_steps, backend="fast")
    codes, spikes = learner.codes(events)
    assert np.array_equal(recording.rasters["holders"].counts(), codes)
    assert spikes["edges"] == len(recording.rasters["edges"]) > 100
    assert spikes["events"] == len(events[:, :36])
    classes = learner.predict(events)
    assert np.array_equal(dlm.read_out(recording.rasters["output"]), classes)
    assert np.mean(classes[40:] == labels[40:]) > 0.7
    with pytest.raises(DlmError, match="recordings of 99 pixels and polarities; 198 are wanted"):
        learner.predict(events[:, :, :99])
    with pytest.raises(DlmError, match=r"classes reach from 1 to 3, not in 0\.\.2"):
        learner.observe(events, labels + 1)
    with pytest.raises(DlmError, match=r"classes of shape \(59,\) do not fit 60 samples"):
        learner.observe(events, labels[1:])
    with pytest.raises(DlmError, match=r"take recordings \(a SpikeRaster\), not images"):
        learner.predict(np.zeros((2, 198), np.uint8))
    with pytest.raises(DlmError, match="take images, not recordings; the form 'camera' is for recordings"):
        make_columns(SETTING, np.random.default_rng(0), neurons=10).observe(events, labels)


def test_the_constants_of_the_form_camera_are_those_of_its_rows():
    """The committed rows of streams were learned with these; the network is built by them, number for number."""
    form = FORMS["camera"]
    populations, projections = front_end_parts(form.front_end)
    by_name = {p.name: p for p in dlm.IntegerNetwork(populations, projections).projections}
    assert (populations["events"].n, populations["events"].graded_bits) == (2 * 34 * 34, None)
    edges, pools, holders = (populations[name] for name in ("edges", "pools", "holders"))
    # 16 directions at 34 x 34 places; a spike needs 20, doubled for the grid of mixed weights
    assert (edges.n, edges.dv, edges.v_threshold, edges.winners, edges.groups) == (16 * 1156, 40, 39, 1, 1156)
    inhibition = by_name["edges->edges"]
    assert set(inhibition.connection.sparse().weight) == {-128}
    assert (inhibition.delay, inhibition.connection.sparse().weight.size) == (1, 1156 * 256)
    assert set(by_name["events->edges"].connection.sparse().weight) == {-8, -6, -4, -2, 2, 4, 6, 8}
    # windows of 7 x 7 every 3 places: 10 x 10 of each direction; 480 of them in 4 levels
    assert (pools.n, pools.v_threshold, pools.winners) == (1600, 2040, 120)
    assert set(by_name["edges->pools"].connection.sparse().weight) == {1}
    assert by_name["edges->pools"].connection.sparse().weight.size == 1600 * 49
    assert (holders.n, holders.du, holders.dv, holders.v_threshold) == (1600, -1, 4095, 0)
    clock = form.front_end.clock(400)
    assert [np.flatnonzero(clock[:, channel]).tolist() for channel in range(3)] == [[309], [310], [312]]
    assert form.front_end.squared_length == 120 * (1 + 4 + 9 + 16)
    assert form.rule == ColumnRule(winner="largest", novelty=31942, gain=10)


def test_an_edge_of_the_form_camera_leaks_and_takes_polarities_apart():
    """One event after another at one pixel: v of the strongest edge as its recurrence has it, up to its first spike."""
    front_end = replace(FORMS["camera"].front_end, shape=(2, 9, 11), active=16, pixel_steps=30)
    network = dlm.IntegerNetwork(*front_end_parts(front_end))
    pixel = 4 * 11 + 5
    rasters = {}
    for polarity in (0, 1):
        dense = np.zeros((1, 30, 198), bool)
        dense[0, ::3, polarity * 99 + pixel] = True
        stimulus = front_end.stimulus(dlm.SpikeRaster.from_dense(dense), 34)
        recording = dlm.run(network, stimulus, 34, record=("s", "v"))
        weight = network.projections[0].connection.sparse().dense()[:, polarity * 99 + pixel]
        strongest, v, spikes = int(weight.argmax()), 0, []
        assert weight[strongest] == 8
        for step in range(30):
            v = v * (4096 - 40) // 4096 + 64 * 8 * (step % 3 == 0)
            if v > 64 * 39:
                break
            assert recording.v["edges"][0, step, strongest] == v
        rasters[polarity] = recording.rasters["edges"]
        spikes = rasters[polarity].dense()[0, : step + 1].any(axis=1)
        assert np.flatnonzero(spikes).tolist() == [step]
    assert rasters[0] != rasters[1]


@pytest.mark.parametrize(("name", "changes"), [*((name, {}) for name in FORMS if name != "camera"), *RACES])
def test_the_frozen_network_gives_the_learners_classes(name, changes):
    data = digits()
    learner = make_columns(SETTING, np.random.default_rng(0), form=name, neurons=60, **changes)
    learner.observe(data.x_train[:300], data.y_train[:300])
    x = data.x_train[300:500]
    recording = dlm.run(learner.freeze(), learner.stimulus(x), learner.n_steps, backend="fast")
    classes = dlm.read_out(recording.rasters["output"])
    assert np.array_equal(classes, learner.predict(x))
    assert "threshold" in changes or np.mean(classes == data.y_train[300:500]) > 0.6
    assert "threshold" in changes or not any(o.wraps or o.saturations for o in recording.overflow.values())


CONSTANTS = {
    "levels": [1, 2, 3, 6],
    "gain": [1, 7, 14, 30, 60],
    "shift": [10, 14, 15, 17],
    "slowest": [0, 2, 5, 8],
    "directions": [None, 1, 3, 8, 16],
    "pixel_steps": [1, 2, 5, 12],
    "edge_threshold": [1, 10, 20, 60],
    "inhibition": [0, 10, 64, 127],
    "leak": [0, 100, 4095],
    "competition": [False, True],
    "window": [2, 3, 5],
    "latency": [1, 10, 200],
    "flush": [16, 60],
    "threshold": [5000, 20000, 60000],
    "ramp": [60, 100, 400],
    "ramp_steps": [30, 130],
    "evidence": [1, 2, 6, 20],
    "kept": [True],
}


@settings(max_examples=30)
@given(
    form=st.sampled_from(["evidence", "plain", "short16", "short8", "pixels"]),
    drawn=st.lists(st.sampled_from(sorted(CONSTANTS)), max_size=5, unique=True),
    data=st.data(),
)
def test_with_any_constants_the_frozen_network_is_the_learner(form, drawn, data):
    """Or they are refused, when the learner is made or when it answers. Images of noise and of nothing, too; fresh
    neurons in front of those that have learned."""
    options = {name: data.draw(st.sampled_from(CONSTANTS[name]), label=name) for name in drawn}
    images, labels = digits().x_train, digits().y_train
    late = np.flatnonzero(labels > 4)[:60]
    rng = np.random.default_rng(data.draw(st.integers(0, 99), label="seed"))
    x = np.concatenate([images[rng.integers(0, len(images), 30)], rng.integers(0, 17, (1, 64)), np.zeros((1, 64))])
    x = x.astype(np.uint8)
    try:
        learner = make_columns(SETTING, rng, form=form, neurons=60, **options)
        learner.observe(images[late], labels[late])
        answers = learner.predict(x)
    except DlmError:
        reject()
    recording = dlm.run(learner.freeze(), learner.stimulus(x), learner.n_steps, backend="fast")
    assert np.array_equal(dlm.read_out(recording.rasters["output"]), answers)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    winner=st.sampled_from(["ramp", "largest"]),
    slowest=st.integers(0, 6),
    novelty=st.integers(1, 30),
)
def test_weights_stay_in_8_bits_and_only_the_winner_changes(seed, winner, slowest, novelty):
    rng = np.random.default_rng(seed)
    rule = ColumnRule(
        3, 4, winner, threshold=3840, ramp=64, ramp_steps=60, novelty=novelty, gain=40, shift=12, slowest=slowest
    )
    columns = Columns.fresh(rule, 12)
    for _ in range(20):
        code = rng.random((4, 12)) < 0.5
        before = columns.weight.copy()
        opened = int(rng.integers(3))
        lifted = np.arange(40) >= 3
        answer = run_sample(rule, columns, np.pad(code, ((0, 36), (0, 0))), lifted, opened)
        changed = {(int(c), int(j)) for c, _, j in np.argwhere(columns.weight != before)}
        assert changed <= {(answer.column, answer.neuron)}
        assert answer.column in (opened, -1)
    assert all(columns.used(c) == np.count_nonzero(columns.wins[c]) for c in range(3))
    assert np.all(columns.wins[:, :-1] >= np.minimum(columns.wins[:, 1:], 1)), "fresh neurons are the last ones"


def test_repeated_samples_keep_a_weight_where_it_is():
    """gain |x|^2 = 2^shift: the neuron that took w = gain x is at the rule's fixed point."""
    rule = ColumnRule(1, 1, "largest", gain=16, shift=12, novelty=1)
    code = np.zeros((1, 300), dtype=np.uint8)
    code[0, :256] = 1
    columns = Columns.fresh(rule, 300)
    compiled.observe(rule, columns, np.repeat(code, 50, axis=0), np.zeros(50, dtype=np.int64), 1)
    assert columns.wins[0, 0] == 50
    assert set(columns.weight[0, :256, 0]) == {16}
    assert not columns.weight[0, 256:].any()


def test_order_within_other_classes_does_not_matter():
    data = digits()
    x, y = data.x_train[:200], data.y_train[:200]
    by_class = np.argsort(y, kind="stable")
    mixed, sorted_ = (make_columns(SETTING, np.random.default_rng(0), neurons=50) for _ in range(2))
    mixed.observe(x, y)
    for part in np.array_split(by_class, 7):
        sorted_.observe(x[part], y[part])
    assert np.array_equal(mixed.columns.weight, sorted_.columns.weight)


def test_kept_samples_are_the_first_of_each_class():
    data = digits()
    learner = make_columns(SETTING, np.random.default_rng(0), neurons=30, kept=True)
    for part in np.array_split(np.arange(100), 9):
        learner.observe(data.x_train[part], data.y_train[part])
    codes, _ = rank_codes(learner.front_end, data.x_train[:100])
    first = codes[np.flatnonzero(data.y_train[:100] == 4)[:3]]
    assert np.array_equal(learner.columns.weight[4].T, learner.rule.gain * first)
    assert learner.declaration.stored_samples == 30


def test_it_is_a_learner_and_says_what_it_is():
    learner = make_columns(Setting((1, 28, 28), 8, 255, 10, 5), np.random.default_rng(0))
    assert isinstance(learner, Learner)
    assert learner.form == Form(FrontEnd(), ColumnRule(per_column=500, evidence=6))
    assert learner.declaration.winner == "spikes, summed up, ties by the lower index"
    first = make_columns(SETTING, np.random.default_rng(0), form="ramp")
    assert first.declaration.winner == "spikes, ties by the lower index"
    assert learner.predict(np.zeros((2, 784), dtype=np.uint8)).tolist() == [-1, -1]
    assert learner.info()["neurons"] == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"neuron": 10}, "no option 'neuron'"),
        ({"neurons": 15}, "neurons = 15"),
        ({"form": "shor8"}, "no form 'shor8'"),
        ({"active": 9999}, "active = 9999"),
        ({"flush": 3}, "flush = 3 lies within"),
        ({"inhibition_delay": 3}, "inhibition_delay = 3 steps"),
        ({"gain": 0}, "gain = 0"),
        ({"threshold": 2**17}, "threshold = 131072"),
        ({"neurons": "abc"}, 'neurons = "abc": should be a valid integer'),
        ({"neurons": True}, "neurons = true: should be a valid integer"),
        ({"form": [1]}, "form = .1.: should be text"),
        ({"kept": "maybe"}, 'kept = "maybe": should be a valid boolean'),
        ({"competition": 1}, "competition = 1: should be a valid boolean"),
        ({"levels": 0}, "levels = 0: should be greater than or equal to 1"),
        ({"active": "abc"}, 'active = "abc": should be a valid integer'),
        ({"pixel_steps": 0}, "pixel_steps = 0: should be greater"),
        ({"pixel_steps": 1.5}, "pixel_steps = 1.5: should be a valid integer"),
        ({"stride": 0}, "stride = 0: should be greater"),
        ({"window": 99}, "window = 99, padding = 0 on 8 x 8 pixels"),
        ({"padding": 3}, "window = 3, padding = 3 on 8 x 8 pixels"),
        ({"directions": 0}, "directions = 0: should be greater"),
        ({"inhibition": 128}, "inhibition = 128: should be less than or equal to 127"),
        ({"leak": 5000}, "leak = 5000: should be less than or equal to 4095"),
        ({"latency": 0}, "latency = 0: should be greater"),
        ({"gain": 256}, "gain = 256: should be less"),
        ({"shift": 40}, "shift = 40: should be less"),
        ({"slowest": -1}, "slowest = -1: should be greater"),
        ({"ramp": 257}, "ramp = 257 of the columns; it is an even number up to 510"),
        ({"ramp": 512}, "ramp = 512 of the columns"),
        ({"ramp_steps": 600}, "ramp = 256, ramp_steps = 600: together they lift a neuron that has learned"),
        ({"novelty": -1}, "novelty = -1: should be greater"),
        ({"novelty": 0}, "novelty = 0 is no step of the ramp of ramp_steps = 85"),
        ({"evidence": 0}, "evidence = 0: should be greater"),
        ({"evidence": 2, "form": "short16"}, "evidence = 2 of columns whose largest v spikes alone"),
        ({"gain": 60, "form": "short16"}, "gain = 60, shift = 15 .* too much for a decision that adds 32640"),
        ({"shift": 17, "form": "short8"}, "shift = 17 of the columns: v of a match is about"),
        ({"novelty": 86}, "novelty = 86 is no step of the ramp"),
    ],
)
def test_bad_options_are_refused(options, words):
    with pytest.raises(DlmError, match=words):
        make_columns(SETTING, np.random.default_rng(0), **options)


def test_other_images_are_refused():
    with pytest.raises(DlmError, match=r"one channel or three; these samples have the shape \(2, 32, 32\)"):
        make_columns(Setting((2, 32, 32), 8, 255, 10, 5), np.random.default_rng(0))


def test_colors_are_summed_up(images):
    """Three equal colors are the gray image; the network agrees with the compiled form where they differ."""
    setting = Setting((3, 8, 8), 5, 16, 10, 5)
    learner, gray = (make_columns(kind, np.random.default_rng(0), neurons=60) for kind in (setting, SETTING))
    assert learner.front_end == replace(
        gray.front_end, shape=(3, 8, 8), pixel_threshold=3 * gray.front_end.pixel_threshold
    )
    assert np.array_equal(learner.codes(np.tile(images, 3))[0], gray.codes(images)[0])
    data = digits()
    x, y = data.x_train[:200], data.y_train[:200]
    colors = np.concatenate([x, np.roll(x, 1, axis=1), x // 2], axis=1)
    learner.observe(colors[:150], y[:150])
    recording = dlm.run(learner.freeze(), learner.stimulus(colors[150:]), learner.n_steps, backend="fast")
    assert np.array_equal(recording.rasters["holders"].counts(), learner.codes(colors[150:])[0])
    assert np.array_equal(dlm.read_out(recording.rasters["output"]), learner.predict(colors[150:]))
    assert "sums of colours" in learner.declaration.front_end
    assert learner.codes(colors[:0])[0].shape == (0, learner.front_end.n_codes)


def test_bright_colors_are_silent_when_the_image_ends():
    learner = make_columns(Setting((3, 8, 8), 8, 255, 10, 5), np.random.default_rng(0), neurons=10, leak=400)
    images = np.random.default_rng(0).integers(128, 256, (5, 192)).astype(np.uint8)
    rasters = dlm.run(learner.freeze(), learner.stimulus(images), learner.n_steps, backend="fast").rasters
    _, spikes = learner.codes(images)
    assert (len(rasters["rate"]), len(rasters["edges"])) == (spikes["rate"], spikes["edges"])
