"""Statistics of rasters are Elephant's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.analysis import fano_over_trials, isi, psth, spike_table

pytestmark = [pytest.mark.xdist_group("elephant"), pytest.mark.filterwarnings("ignore")]
N_STEPS = 2000


@pytest.fixture(scope="module")
def raster() -> dlm.SpikeRaster:
    rate = np.linspace(0.01, 0.08, 8)
    return dlm.SpikeRaster.from_dense(np.random.default_rng(11).random((1, N_STEPS, 8)) < rate)


def trains(raster: dlm.SpikeRaster) -> list[Any]:
    """Its neurons as neo.SpikeTrains, in ms."""
    neo = pytest.importorskip("neo")
    return [
        neo.SpikeTrain(raster.step[raster.neuron == k].astype(float), units="ms", t_stop=float(raster.n_steps))
        for k in range(raster.n_neurons)
    ]


def test_table_intervals_and_histogram(raster):
    import quantities as pq
    from elephant import statistics
    from elephant.conversion import BinnedSpikeTrain

    table, lengths = spike_table(raster, 0.1), isi(raster)
    for k, train in enumerate(trains(raster)):
        between = statistics.isi(train)
        assert np.array_equal(between.magnitude, lengths.of(k))
        assert table.rate[k] == pytest.approx(float(statistics.mean_firing_rate(train).rescale("Hz")))
        assert table.cv[k] == pytest.approx(float(statistics.cv(between.magnitude)), rel=1e-12)
        assert table.cv2[k] == pytest.approx(float(statistics.cv2(between)), rel=1e-12)
        assert table.lv[k] == pytest.approx(float(statistics.lv(between)), rel=1e-12)
        counts = BinnedSpikeTrain(train, bin_size=100 * pq.ms).to_array()[0]
        assert table.fano[k] == pytest.approx(counts.var() / counts.mean(), rel=1e-12)
    counted = statistics.time_histogram(trains(raster), bin_size=5 * pq.ms, output="counts")
    assert np.array_equal(counted.magnitude.ravel(), psth(raster, 5e-3).spikes)
    rate = statistics.time_histogram(trains(raster), bin_size=5 * pq.ms, output="rate").rescale("Hz")
    np.testing.assert_allclose(rate.magnitude.ravel(), psth(raster, 5e-3).rate)


def test_fano_factor_over_trials(raster):
    from elephant import statistics

    # The neurons of one sample as trials of one neuron.
    turned = dlm.SpikeRaster.from_dense(raster.dense().transpose(2, 1, 0))
    assert fano_over_trials(turned)[0] == pytest.approx(float(statistics.fanofactor(trains(raster))))
