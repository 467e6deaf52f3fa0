"""Plots of rates, intervals and PSTHs show the statistics that they take, in Hz and ms."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

import dlm_snn as dlm
from dlm_snn.analysis import correlogram, isi, plots, psth, spike_table
from dlm_snn.analysis.plots.time_plot import bin_of

pytestmark = pytest.mark.filterwarnings("error")
DENSE = np.random.default_rng(4).random((4, 60, 40)) < 0.15
RASTER = dlm.SpikeRaster.from_dense(DENSE, dt=2e-3)
SMALL = RASTER[:, :, :5]
EMPTY = dlm.SpikeRaster.from_dense(np.zeros((2, 5, 3), bool))
LONE = dlm.SpikeRaster.from_dense(np.ones((1, 1, 1), bool))


def stairs(axes):
    """Values, edges and baseline of each."""
    return [patch.get_data() for patch in axes.patches if hasattr(patch, "get_data")]


def test_a_psth_is_drawn_with_its_interval_in_ms_and_hz():
    found = psth(RASTER, 0.01)
    for data, options in ((RASTER, {"width": 0.01}), (found, {})):
        axes = plots.psth(data, begin=0.5, **options)
        band, line = stairs(axes)
        assert line.values == pytest.approx(found.rate)
        assert line.edges == pytest.approx(500 + 10.0 * np.arange(13))
        assert (band.values == found.high).all()
        assert (band.baseline == found.low).all()
        assert axes.get_xlabel() == "time in ms, bins of 10 ms"
        assert axes.get_ylabel() == "rate in Hz"


def test_a_psth_for_each_label_is_that_of_its_samples():
    axes = plots.psth(RASTER, 0.02, labels=["b", "a", "b", "b"])
    of_a, of_b = (one.values for one in stairs(axes)[1::2])
    assert of_a == pytest.approx(psth(RASTER[1], 0.02).rate)
    assert of_b == pytest.approx(psth(dlm.SpikeRaster.from_dense(DENSE[[0, 2, 3]], dt=2e-3), 0.02).rate)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]
    with pytest.raises(dlm.DlmError, match="labels are for one population"):
        plots.psth({"a": RASTER, "b": RASTER}, labels=[0, 1, 0, 1])
    with pytest.raises(dlm.DlmError, match="3 labels for 4 samples"):
        plots.psth(RASTER, labels=[0, 1, 0])


def test_many_psths_are_rows_of_colors():
    many = dlm.SpikeRaster.concatenate([RASTER, RASTER])
    axes = plots.psth(many, 0.02, labels=list("aabcdefg"))
    (image,) = axes.get_images()
    drawn = np.asarray(image.get_array())
    assert drawn[0] == pytest.approx(psth(RASTER[:2], 0.02).rate)
    assert drawn[4] == pytest.approx(psth(RASTER[1], 0.02).rate)
    assert image.get_extent() == [0, 120, -0.5, 6.5]
    assert [text.get_text() for text in axes.get_yticklabels()] == list("abcdefg")
    assert axes.figure.axes[1].get_ylabel() == "rate in Hz"


@pytest.mark.parametrize(("n_steps", "steps"), [(1, 1), (60, 1), (120, 2), (1000, 20), (1009, 20), (150, 3)])
def test_the_bins_of_a_sample_leave_nothing_over_where_that_can_be(n_steps, steps):
    raster = dlm.SpikeRaster.from_dense(np.zeros((1, n_steps, 1), bool), dt=0.5)
    assert bin_of(raster) == pytest.approx(steps * 0.5)


def test_activity_counts_every_spike_under_the_raster():
    axes = plots.activity({"all": RASTER, "few": SMALL}, 0.02)
    for line, raster in zip(axes.get_lines(), (RASTER, SMALL), strict=False):
        x, y = line.get_data()
        # Two ends to a bin, and a gap behind each sample.
        x, y = x.reshape(4, -1)[:, :-1].reshape(4, -1, 2), y.reshape(4, -1)[:, :-1].reshape(4, -1, 2)
        assert np.allclose(x[..., 1] - x[..., 0], 20)
        assert np.allclose(x[:, 0, 0], 120 * np.arange(4))
        counted = raster.binned(10).sum(axis=2)
        assert np.allclose(y[..., 0], counted / (raster.n_neurons * 0.02))
    assert axes.get_xlim() == plots.raster({"all": RASTER, "few": SMALL}).get_xlim()
    with pytest.raises(dlm.DlmError, match="width"):
        plots.activity(RASTER, 0.003)


def test_few_neurons_get_a_bar_each_and_many_a_histogram():
    rate = spike_table(SMALL).rate
    axes = plots.rates(SMALL, first_neuron=10)
    assert [bar.get_height() for bar in axes.patches] == rate.tolist()
    assert [bar.get_x() + bar.get_width() / 2 for bar in axes.patches] == pytest.approx([10, 11, 12, 13, 14])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("neuron", "rate in Hz")
    axes = plots.rates({"all": RASTER, "few": SMALL})
    (of_all, of_few) = stairs(axes)
    assert of_all.values.sum() == pytest.approx(100)
    assert of_few.values.sum() == pytest.approx(100)
    table = spike_table(RASTER)
    assert of_all.values * 0.4 == pytest.approx(np.histogram(table.rate, of_all.edges)[0])
    assert axes.get_legend().get_texts()[0].get_text() == f"all, mean {table.rate.mean():.3g} Hz"
    (same, _) = stairs(plots.rates({"all": table, "few": spike_table(SMALL)}))
    assert (same.values == of_all.values).all()


def test_intervals_are_counted_and_those_beyond_the_axis_are_told():
    found = isi(RASTER)
    for data in (RASTER, found):
        (one,) = stairs(plots.isi(data, width=0.004, longest=0.02))
        assert one.edges == pytest.approx([0, 4, 8, 12, 16, 20])
        expected = [np.count_nonzero((found.ms >= low) & (found.ms < low + 4)) for low in range(0, 20, 4)]
        assert one.values * found.ms.size / 100 == pytest.approx(expected)
    axes = plots.isi(RASTER, width=0.004, longest=0.02)
    beyond = np.count_nonzero(found.ms >= 20)
    assert axes.get_xlabel() == f"interval in ms, bins of 4 ms\n{beyond:,} of {found.ms.size:,} intervals are longer"
    (whole,) = stairs(plots.isi(RASTER, longest=0.2))
    assert whole.values.sum() == pytest.approx(100)
    # By itself the axis holds 99 % of them.
    (chosen,) = stairs(plots.isi(RASTER))
    assert 99 <= chosen.values.sum() <= 100


def test_a_correlogram_is_drawn_in_hz_with_the_band_of_its_jitter():
    found = correlogram(SMALL, [(1, 3), (2, 2)], 0.02, jitter=0.01, rng=np.random.default_rng(1))
    per_count = 1 / (SMALL.counts()[:, 1].sum() * 2e-3)
    axes = plots.correlogram(found, (1, 3))
    line, band, mean = stairs(axes)
    assert line.values == pytest.approx(found.rate[0])
    assert line.edges == pytest.approx(np.arange(-21, 22, 2))
    assert band.values == pytest.approx(found.high[0] * per_count)
    assert band.baseline == pytest.approx(found.low[0] * per_count)
    assert mean.values == pytest.approx(found.expected[0] * per_count)
    assert axes.get_xlabel() == "lag of neuron 3 behind 1, in ms"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["spikes", "jitter within 10 ms, 95 %"]
    assert plots.correlogram(found, (2, 2)).get_xlabel() == "lag in neuron 2, in ms"
    for pair, told in ((None, "none was named"), ((3, 1), "is none of them")):
        with pytest.raises(dlm.DlmError, match=told):
            plots.correlogram(found, pair)


def test_a_correlogram_without_a_pair_is_that_of_the_busiest_neurons():
    fired = np.zeros((1, 30, 4), bool)
    for neuron, spikes in enumerate((2, 9, 1, 5)):
        fired[0, :spikes, neuron] = True
    raster = dlm.SpikeRaster.from_dense(fired)
    axes = plots.correlogram(raster, first_neuron=10)
    assert axes.get_xlabel() == "lag of neuron 13 behind 11, in ms"
    (line,) = stairs(axes)
    assert line.edges.tolist() == [k - 0.5 for k in range(-29, 31)]
    assert line.values == pytest.approx(correlogram(raster, [(1, 3)], 0.029).rate[0])
    with pytest.raises(dlm.DlmError, match="a correlogram needs a neuron"):
        plots.correlogram(raster[:, :, :0])


DRAWN = {
    "psth": lambda ax=None: plots.psth({"a": RASTER, "b": SMALL}, ax=ax),
    "psth of one trial": lambda ax=None: plots.psth(SMALL[:1], ax=ax),
    "psth without a spike": lambda ax=None: plots.psth(EMPTY, ax=ax),
    "psth of one spike": lambda ax=None: plots.psth(LONE, ax=ax),
    "activity": lambda ax=None: plots.activity(RASTER, ax=ax),
    "activity without a spike": lambda ax=None: plots.activity(EMPTY, ax=ax),
    "activity of one spike": lambda ax=None: plots.activity(LONE, ax=ax),
    "rates": lambda ax=None: plots.rates({"a": RASTER, "b": SMALL}, ax=ax),
    "rates without a spike": lambda ax=None: plots.rates({"a": EMPTY, "b": EMPTY}, ax=ax),
    "rates of one spike": lambda ax=None: plots.rates(LONE, ax=ax),
    "correlogram": lambda ax=None: plots.correlogram(SMALL, ax=ax),
    "correlogram without a spike": lambda ax=None: plots.correlogram(EMPTY, ax=ax),
    "correlogram of one spike": lambda ax=None: plots.correlogram(LONE, ax=ax),
    "isi": lambda ax=None: plots.isi({"a": RASTER, "b": SMALL}, ax=ax),
    "isi without a spike": lambda ax=None: plots.isi(EMPTY, ax=ax),
    "isi of one spike": lambda ax=None: plots.isi(LONE, ax=ax),
}


@pytest.mark.parametrize("name", DRAWN)
def test_every_plot_is_drawn_where_it_is_told_and_without_a_warning(name):
    given = Figure(figsize=(3.7, 2.4), layout="constrained").subplots()
    assert DRAWN[name](given) is given
    assert given.has_data()
    own = DRAWN[name]()
    assert own.get_ylabel()
    own.figure.draw_without_rendering()
