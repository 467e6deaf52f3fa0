"""Plots of spikes, voltages, weights and answers: what is drawn is the data, in ms, where the caller wants it."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

import dlm_snn as dlm
from dlm_snn.analysis import plots
from dlm_snn.analysis.plots import raster_plot
from dlm_snn.analysis.plots.answer_plot import confusion_matrix
from dlm_snn.analysis.plots.style import COLORS, SPIKE

pytestmark = pytest.mark.filterwarnings("error")
DENSE = np.random.default_rng(3).random((3, 40, 6)) < 0.2
RASTER = dlm.SpikeRaster.from_dense(DENSE, dt=5e-4)
EMPTY = dlm.SpikeRaster.from_dense(np.zeros((2, 5, 3), bool))
LONE = dlm.SpikeRaster.from_dense(np.ones((1, 1, 1), bool))


def read_back(line) -> set[tuple[float, float]]:
    """Time and middle of each stroke of a path."""
    x, y = (np.asarray(values, dtype=float).reshape(-1, 3) for values in line.get_data())
    assert np.isnan(x[:, 2]).all()
    assert (x[:, 0] == x[:, 1]).all()
    return {
        (round(float(at), 6), round(float(middle), 6))
        for at, middle in zip(x[:, 0], y[:, :2].mean(axis=1), strict=True)
    }


def drawn(axes) -> list[set[tuple[float, float]]]:
    return [read_back(line) for line in axes.get_lines() if len(line.get_xdata()) % 3 == 0 and len(line.get_xdata())]


def test_strokes_are_the_spikes_samples_one_after_another():
    sample, step, neuron = np.nonzero(DENSE)
    assert drawn(plots.raster(RASTER)) == [
        {(round(20.0 * s + 0.5 * t, 6), float(n)) for s, t, n in zip(sample, step, neuron, strict=True)}
    ]
    (one,) = drawn(plots.raster(RASTER[1], begin=0.1))
    assert one == {(round(100 + 0.5 * t, 6), float(n)) for t, n in zip(*np.nonzero(DENSE[1]), strict=True)}


def test_by_trial_time_is_that_in_the_trial():
    axes = plots.raster(RASTER, by="trial")
    rows = {(round(0.5 * t, 6), round(-0.5 + s + (n + 0.5) / 6, 6)) for s, t, n in zip(*np.nonzero(DENSE), strict=True)}
    assert drawn(axes) == [rows]
    assert axes.get_xlabel() == "time in ms"
    assert axes.get_ylabel() == "trial of 6 neurons"
    assert axes.get_xlim() == (-0.25, 20.0)
    assert plots.raster(RASTER[:, :, 2], by="trial").get_ylabel() == "trial"


def test_by_label_samples_of_a_label_lie_together_in_its_color():
    axes = plots.raster(RASTER, by="label", labels=np.array(["b", "a", "b"]))
    place = {1: 0, 0: 1, 2: 2}  # sample 1 is of label a, below
    found = drawn(axes)
    for samples, rows in zip(([1], [0, 2]), found, strict=True):
        assert rows == {
            (round(0.5 * t, 6), round(-0.5 + place[s] + (n + 0.5) / 6, 6))
            for s, t, n in zip(*np.nonzero(DENSE), strict=True)
            if s in samples
        }
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "b"]
    assert axes.get_yticks().tolist() == [0.0, 1.5]
    lines = [line for line in axes.get_lines() if len(line.get_xdata()) % 3 == 0]
    assert [line.get_color() for line in lines] == list(COLORS[:2])
    numbers = plots.raster(RASTER, by="label", labels=[10, 9, 10])
    assert [text.get_text() for text in numbers.get_yticklabels()] == ["9", "10"]


def test_populations_lie_above_one_another_a_small_one_is_seen():
    large = dlm.SpikeRaster.from_dense(np.random.default_rng(0).random((1, 40, 300)) < 0.1, dt=5e-4)
    axes = plots.raster({"large": large, "small": RASTER[0]})
    below, above = drawn(axes)
    assert len(below) == len(large)
    assert len(above) == len(RASTER[0])
    assert max(y for _, y in below) < min(y for _, y in above)
    low, high = axes.get_ylim()
    assert high - low == pytest.approx(306)
    assert (max(y for _, y in above) - min(y for _, y in above)) > 0.08 * (high - low)
    assert [text.get_text() for text in axes.get_yticklabels()] == ["large\n300", "small\n6"]
    # Step and neuron of each can be read off: rows are equally far apart.
    ys = sorted({y for _, y in above})
    assert np.allclose(np.diff(ys), np.diff(ys)[0])
    assert {x for x, _ in above} == {0.5 * t for t in np.nonzero(DENSE[0])[0]}


def test_many_spikes_are_an_image_that_counts_them_and_says_so(monkeypatch):
    monkeypatch.setattr(raster_plot, "MARKS", 5)
    axes = plots.raster({"a": RASTER, "b": RASTER[:, :, :2]})
    counts = [np.ma.filled(image.get_array(), 0) for image in axes.get_images()]
    assert [int(one.sum()) for one in counts] == [len(RASTER), len(RASTER[:, :, :2])]
    # A row of pixels a neuron: what it counts is what the neuron fired.
    assert counts[0].sum(axis=1).tolist() == RASTER.counts().sum(axis=0).tolist()
    assert f"{len(RASTER) + len(RASTER[:, :, :2]):,} spikes as an image" in axes.get_title()
    assert drawn(axes) == []
    monkeypatch.setattr(raster_plot, "_PIXELS", (16, 4))
    whole = plots.raster(RASTER[0])
    # Of 40 steps and a half in 16 columns, 3 to a column; of 6 neurons in 4 rows, 2 to a row.
    counts = np.ma.filled(whole.get_images()[0].get_array(), 0)
    padded = np.pad(DENSE[0], ((0, 2), (0, 0)))
    assert counts.tolist() == padded.reshape(14, 3, 3, 2).sum(axis=(1, 3)).T.tolist()
    assert whole.get_images()[0].get_extent() == [-0.25, -0.25 + 14 * 1.5, -0.5, 5.5]
    assert whole.get_title().endswith(f"pixels of 1.5 ms x 2 neurons, up to {counts.max()} spikes")


def test_above_some_strokes_a_vector_file_holds_them_as_an_image(monkeypatch):
    assert [line.get_rasterized() for line in plots.raster(RASTER[0]).get_lines()] == [False]
    monkeypatch.setattr(raster_plot, "VECTORS", 10)
    assert [line.get_rasterized() for line in plots.raster(RASTER[0]).get_lines()] == [True]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"by": "trail"}, "did you mean 'trial'"),
        ({"by": "label"}, "give labels"),
        ({"by": "label", "labels": [1, 2]}, "2 labels for 3 samples"),
        ({"by": "label", "labels": 1}, "1 labels for 3 samples"),
        ({"ax": "here"}, "ax is a str"),
        ({"dt": 1.0}, "leave it out"),
    ],
)
def test_what_a_raster_plot_cannot_do_is_told_in_one_line(arguments, told):
    with pytest.raises(dlm.DlmError, match=told) as caught:
        plots.raster(RASTER, **arguments)
    assert "\n" not in str(caught.value)
    with pytest.raises(dlm.DlmError, match="is for one population, not for a, b"):
        plots.raster({"a": RASTER, "b": RASTER}, by="trial")


NETWORK = dlm.Network(
    {"in": dlm.Input((5,)), "hidden": dlm.LIF((4,), dv=0.25, du=0.5, v_threshold=np.array([0.5, 1.0, 1.5, 2.0]))},
    (dlm.Projection("in", "hidden", dlm.Dense(np.random.default_rng(1).integers(-16, 48, (4, 5)) / 64)),),
)
FED = {"in": np.random.default_rng(2).random((2, 30, 5)) < 0.5}
RUN = dlm.run(NETWORK, FED, n_steps=30, record=("s", "u", "v"))


def lane(axes, place=0):
    """Time and v of a trace that is drawn alone."""
    x, y = axes.get_lines()[place].get_data()
    return np.asarray(x), np.asarray(y)


def test_voltages_are_relative_to_the_threshold_and_before_the_reset():
    axes = plots.voltages(RUN, neurons=[2], sample=1, begin=0.05)
    time, v = lane(axes)
    assert time.tolist() == pytest.approx((50 + np.arange(30)).tolist())
    fired = RUN.rasters["hidden"].dense()[1, :, 2]
    assert fired.any()
    # v before the reset is above the threshold where the neuron spikes, and nowhere else.
    assert ((v > 1) == fired).all()
    assert v[~fired] * 1.5 == pytest.approx(RUN.v["hidden"][1, :, 2][~fired])
    (marks,) = axes.collections
    assert [segment[0][0] for segment in marks.get_segments()] == pytest.approx(time[fired].tolist())
    assert axes.get_ylabel() == "v / threshold,\nbefore the reset"
    assert axes.get_xlabel() == "time in ms"


def test_floats_and_integers_share_an_axis_and_a_quantity():
    integer, _ = dlm.quantize(NETWORK, calibration=FED, n_steps=30)
    threshold = np.broadcast_to(integer.populations["hidden"].v_threshold, (4,))[0]
    whole = dlm.run(integer, FED, n_steps=30, record=("s", "u", "v"))
    axes = plots.voltages({"float": RUN, "integer": whole}, neurons=[0])
    of_floats, of_integers = lane(axes)[1], lane(axes, 1)[1]
    assert ((of_integers > 1) == whole.rasters["hidden"].dense()[0, :, 0]).all()
    assert ((of_floats > 1) == RUN.rasters["hidden"].dense()[0, :, 0]).all()
    assert np.abs(of_floats - of_integers).max() < 0.1
    assert axes.get_ylabel().endswith("before the reset")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["float", "integer"]
    without = dlm.run(integer, FED, n_steps=30, record=("s", "v"))
    axes = plots.voltages({"float": RUN, "integer": without}, neurons=[0])
    assert lane(axes, 1)[1] == pytest.approx(without.v["hidden"][0, :, 0] / 64 / threshold)
    assert lane(axes)[1] == pytest.approx(RUN.v["hidden"][0, :, 0] / 0.5)
    assert axes.get_ylabel().endswith("end of the step")


def test_neurons_get_lanes_the_first_on_top_and_lanes_do_not_overlap():
    axes = plots.voltages(RUN, neurons=[3, 0, 1])
    tops, bottoms = [], []
    for place in range(3):
        v = lane(axes, place)[1]
        tops.append(v.max())
        bottoms.append(v.min())
    assert bottoms[0] > tops[1] - 1e-9
    assert bottoms[1] > tops[2] - 1e-9
    levels = [line.get_ydata()[0] for line in axes.get_lines() if line.is_dashed()]
    assert np.diff(levels).tolist() == pytest.approx([levels[1] - levels[0]] * 2)
    assert [text.get_text() for text in axes.texts] == ["neuron 3", "neuron 0", "neuron 1"]


def test_neurons_are_chosen_by_the_rule_of_the_report():
    fired = np.array([[0, 0, 1, 1, 0], [0, 0, 1, 0, 0], [0, 0, 1, 1, 1], [0, 0, 1, 0, 0]])
    v = np.array([[-9.0, -9, 0, 0, 0], [-9.0, 0, 0, 0, 0], [-9.0, -9, 0, 0, 0], [-9.0, -9, 0, 0, 0]])
    axes = plots.voltages(v, v_threshold=1, spikes=fired)
    # Always, half the time, once; and of the silent ones that which is closest to the threshold.
    assert [text.get_text() for text in axes.texts] == [f"neuron {k}" for k in (1, 2, 3, 4)]


def test_no_step_and_no_neuron_have_a_plot():
    assert [text.get_text() for text in plots.voltages(np.zeros((0, 2)), v_threshold=1).texts] == [
        "neuron 0",
        "neuron 1",
    ]
    assert not plots.voltages(np.zeros((3, 0)), v_threshold=1).texts


def test_voltages_of_an_array():
    axes = plots.voltages([0.0, 3.0, 1.0], v_threshold=2, spikes=[0, 1, 0], dt=0.01)
    time, v = lane(axes)
    assert time.tolist() == [0.0, 10.0, 20.0]
    assert v.tolist() == [0.0, 1.5, 0.5]
    assert len(axes.collections[0].get_segments()) == 1
    assert axes.get_xlim() == (-5.0, 30.0)


LI = dlm.Network(
    {"in": dlm.Input((5,)), "out": dlm.LI((4,), dv=0.25)}, (dlm.Projection("in", "out", dlm.Dense(np.ones((4, 5)))),)
)


@pytest.mark.parametrize(
    ("data", "arguments", "told"),
    [
        (RUN, {"population": "other"}, "give population"),
        (RUN, {"sample": 2}, "sample 2 is none of the recording's 0..1"),
        (RUN, {"neurons": [4]}, "neuron 4 is none of 0..3"),
        (RUN, {"neurons": [0.5]}, "neuron 0.5 is none of"),
        (dlm.run(LI, FED, n_steps=30, record=("v",)), {}, "'out' never spikes"),
        (dlm.run(NETWORK, FED, n_steps=30, record=("s",)), {"population": "hidden"}, "v of 'hidden' was not recorded"),
        (np.ones((2, 2, 2)), {"v_threshold": 1}, "give .step, neuron. of one sample"),
        (np.ones((2, 2)), {}, "give v_threshold"),
        (np.ones((2, 2)), {"v_threshold": 1, "spikes": [1, 0]}, "give 0 or 1 for each step and neuron"),
        (np.ones(2), {"v_threshold": 1, "spikes": [1, 2]}, "0 or 1"),
        (np.ones((2, 2)), {"v_threshold": 0}, "v_threshold = 0"),
        (np.ones((2, 2)), {"v_threshold": [1, 2, 3]}, "3 values for 2 neurons"),
        ({"a": RUN, "b": np.ones((2, 2))}, {}, "'b' is a ndarray; give a Recording"),
        ({"a": RUN, "b": dlm.run(NETWORK, {"in": FED["in"][:, :20]}, n_steps=20, record=("v",))}, {}, "of one extent"),
        ({}, {}, "no run are not drawn"),
    ],
)
def test_voltages_that_cannot_be_drawn_are_told_in_one_line(data, arguments, told):
    with pytest.raises(dlm.DlmError, match=told) as caught:
        plots.voltages(data, **arguments)
    assert "\n" not in str(caught.value)


def test_weights_are_drawn_as_they_are_with_zero_in_the_middle():
    weight = NETWORK.projections[0].connection.weight
    integer, _ = dlm.quantize(NETWORK, calibration=FED, n_steps=30)
    for thing in (weight, weight.tolist(), dlm.Dense(weight), NETWORK.projections[0], NETWORK):
        (image,) = plots.weights(thing).get_images()
        assert (image.get_array() == weight).all()
        assert image.get_clim() == (-np.abs(weight).max(), np.abs(weight).max())
    red, green, blue, _ = image.cmap(0.5)
    assert min(red, green, blue) > 0.95
    axes = plots.weights(integer)
    assert (axes.get_images()[0].get_array() == integer.projections[0].connection.weight).all()
    assert axes.get_xlabel() == "presynaptic neuron of in"
    assert axes.get_ylabel() == "postsynaptic neuron of hidden"
    assert "integers" in axes.figure.axes[1].get_ylabel()


def test_a_convolution_is_drawn_as_the_matrix_that_it_is():
    connection = dlm.Conv2d(np.random.default_rng(0).normal(size=(2, 1, 3, 3)), (1, 4, 4), padding=1)
    drawn_matrix = plots.weights(connection).get_images()[0].get_array()
    x = np.random.default_rng(1).normal(size=16)
    assert np.allclose(np.asarray(drawn_matrix) @ x, connection.apply(x))


def test_weights_that_are_none_are_told_in_one_line():
    two = dlm.Network(
        {"in": dlm.Input((5,)), "a": dlm.LIF((4,), dv=0.25), "b": dlm.LIF((4,), dv=0.25)},
        tuple(dlm.Projection("in", post, dlm.Dense(np.ones((4, 5)))) for post in "ab"),
    )
    assert plots.weights(two, "in->b").get_ylabel().endswith("b")
    for arguments, told in (
        ((two,), "none was named"),
        ((two, "in->c"), "did you mean 'in->"),
        ((np.ones((2, 2)), "in->a"), "is for a network"),
        ((np.ones(3),), "no matrix"),
        ((np.ones((0, 3)),), "no matrix"),
        (("abc",), "weights"),
    ):
        with pytest.raises(dlm.DlmError, match=told) as caught:
            plots.weights(*arguments)
        assert "\n" not in str(caught.value)


def test_confusion_counts_every_sample_once():
    truth, answer = [0, 0, 1, 1, 2, 2, 2], [0, 1, 1, 1, -1, 2, 0]
    assert confusion_matrix(answer, truth).tolist() == [[1, 1, 0, 0], [0, 2, 0, 0], [1, 0, 1, 1]]
    axes = plots.confusion(answer, truth)
    share = axes.get_images()[0].get_array()
    assert np.allclose(share, [[0.5, 0.5, 0, 0], [0, 1, 0, 0], [1 / 3, 0, 1 / 3, 1 / 3]])
    cells = {text.get_position(): text.get_text() for text in axes.texts}
    assert cells == {(0, 0): "1", (1, 0): "1", (1, 1): "2", (0, 2): "1", (2, 2): "1", (3, 2): "1"}
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0", "1", "2", "none"]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["0", "1", "2"]
    percent = plots.confusion(answer, truth, shares=True)
    assert {text.get_text() for text in percent.texts} == {"50", "100", "33"}
    assert percent.get_xlabel() == "class given, in % of the true class"


def test_confusion_of_a_raster_is_that_of_its_read_out_and_silent_columns_are_left_out():
    labels = dlm.read_out(RASTER)
    axes = plots.confusion(RASTER, labels, names=list("uvwxyz"))
    assert [text.get_text() for text in axes.get_xticklabels()] == list("uvwxyz")
    assert sum(int(text.get_text()) for text in axes.texts) == 3
    assert all(text.get_position()[0] == text.get_position()[1] for text in axes.texts)


def test_counts_that_do_not_fit_become_shares():
    truth = np.repeat(np.arange(10), 100_000)
    axes = plots.confusion(truth, truth)
    assert {text.get_text() for text in axes.texts} == {"100"}
    assert "in %" in axes.get_xlabel()
    assert len(plots.confusion(np.arange(40), np.arange(40)).texts) == 0


@pytest.mark.parametrize(
    ("answers", "labels", "names", "told"),
    [
        ([0, 1], [0], None, "one of each for each sample"),
        ([], [], None, "one of each for each sample"),
        ([0, -2], [0, 1], None, "answers"),
        ([0, 1], [0, -1], None, "labels"),
        ([0, 2], [0, 1], ["a", "b"], "2 names for 3 classes"),
    ],
)
def test_answers_that_do_not_fit_are_told_in_one_line(answers, labels, names, told):
    with pytest.raises(dlm.DlmError, match=told) as caught:
        plots.confusion(answers, labels, names)
    assert "\n" not in str(caught.value)


DRAWN = {
    "raster": lambda ax=None: plots.raster(RASTER, ax=ax),
    "raster of populations": lambda ax=None: plots.raster({"a": RASTER, "b": RASTER}, ax=ax),
    "raster by label": lambda ax=None: plots.raster(RASTER, by="label", labels="abc", ax=ax),
    "empty raster": lambda ax=None: plots.raster(EMPTY, ax=ax),
    "empty raster by trial": lambda ax=None: plots.raster(EMPTY, by="trial", ax=ax),
    "raster of nothing": lambda ax=None: plots.raster(EMPTY[:0, :0, :0], ax=ax),
    "raster of nothing by label": lambda ax=None: plots.raster(EMPTY[:0], by="label", labels=[], ax=ax),
    "no raster": lambda ax=None: plots.raster({}, ax=ax),
    "one spike": lambda ax=None: plots.raster(LONE, ax=ax),
    "voltages": lambda ax=None: plots.voltages(RUN, ax=ax),
    "a voltage": lambda ax=None: plots.voltages([1.0], v_threshold=2.0, ax=ax),
    "no voltage": lambda ax=None: plots.voltages(np.zeros((0, 1)), v_threshold=2.0, ax=ax),
    "a constant": lambda ax=None: plots.voltages(np.zeros((9, 2)), v_threshold=2.0, ax=ax),
    "weights": lambda ax=None: plots.weights(NETWORK, ax=ax),
    "weights of 0": lambda ax=None: plots.weights(np.zeros((1, 1)), ax=ax),
    "confusion": lambda ax=None: plots.confusion([0, 1], [1, 0], ax=ax),
    "one class": lambda ax=None: plots.confusion([0], [0], ax=ax),
}


@pytest.mark.parametrize("name", DRAWN)
def test_every_plot_is_drawn_where_it_is_told_and_without_a_warning(name):
    given = Figure(figsize=(3.7, 2.4), layout="constrained").subplots()
    assert DRAWN[name](given) is given
    assert given.has_data() or name in ("raster of nothing", "no raster", "raster of nothing by label")
    own = DRAWN[name]()
    assert own is not given
    assert own.get_xlabel()
    own.figure.draw_without_rendering()


def test_a_plot_of_few_things_uses_one_neutral_color():
    assert {line.get_color() for line in plots.raster(RASTER[0]).get_lines()} == {SPIKE}


def test_pixels_of_trials_hold_whole_trials_and_none_is_a_hairline(monkeypatch):
    many = dlm.SpikeRaster.from_dense(np.random.default_rng(5).random((300, 4, 6)) < 0.2)
    monkeypatch.setattr(raster_plot, "MARKS", 5)
    axes = plots.raster(many, by="trial")
    counts = np.ma.filled(axes.get_images()[0].get_array(), 0)
    points = axes.get_position().height * axes.figure.get_figheight() * 72
    assert len(counts) <= points
    trials = -(-300 // len(counts))
    assert f"x {trials} trials, up to" in axes.get_title()
    assert counts[0].sum() == len(many[:trials])


def test_a_long_axis_tells_seconds_and_what_is_empty_says_so():
    axes = plots.raster(dlm.SpikeRaster.from_dense(np.ones((1, 300, 1), bool), dt=0.05))
    assert axes.get_xlabel() == "time in s"
    assert axes.xaxis.get_major_formatter()(5000.0, 0) == "5"
    assert all(tick % 1 == 0 for tick in axes.get_yticks())
    assert [text.get_text() for text in plots.raster(EMPTY).texts] == ["no spikes"]
    assert plots.activity(EMPTY).get_ylim() == (0, 1)
    assert plots.activity(RASTER, 0.001).get_xlabel() == "sample, each 20 ms, bins of 1 ms"
    assert not plots.activity(EMPTY[:0]).get_lines()[0].get_xdata().size


def test_units_stand_on_the_axis_in_place_of_numbers():
    ids = [10, 7, "a", 3, 4, 99]
    for axes, axis in (
        (plots.raster(RASTER, units=ids), "y"),
        (plots.rates(RASTER, units=ids, first_neuron=2), "x"),
    ):
        assert [text.get_text() for text in getattr(axes, f"get_{axis}ticklabels")()] == [str(unit) for unit in ids]
        assert getattr(axes, f"get_{axis}label")() == "unit"
    axes = plots.correlogram(RASTER, (0, 5), longest=0.005, units=ids)
    assert axes.get_xlabel().startswith("lag of unit 99 behind 10")


def test_the_interval_of_a_psth_ends_at_one_spike_per_step():
    busy = dlm.SpikeRaster.from_dense(np.random.default_rng(6).random((4, 40, 1)) < 0.9)
    band, line = plots.psth(busy, 0.002).patches
    assert band.get_data().values.max() == pytest.approx(1000.0)
    assert line.get_data().values.max() <= 1000.0
