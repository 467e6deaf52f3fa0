"""Statistics of rasters are Elephant's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.analysis import (
    correlation_matrix,
    correlogram,
    fano_over_trials,
    isi,
    psth,
    spike_table,
    spike_time_tiling,
    van_rossum_distance,
    victor_purpura_distance,
)

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


@pytest.mark.parametrize("width", [1, 5])
def test_correlograms(raster, width):
    import quantities as pq
    from elephant.conversion import BinnedSpikeTrain
    from elephant.spike_train_correlation import cross_correlation_histogram

    binned = [BinnedSpikeTrain(train, bin_size=width * pq.ms) for train in trains(raster)]
    found = correlogram(raster, longest=10e-3 * width, width=1e-3 * width)
    assert found.pairs.shape == (36, 2)
    for pair, (i, j) in enumerate(found.pairs):
        counts, lags = cross_correlation_histogram(binned[i], binned[j], window=[-10, 10])
        expected = counts.magnitude.ravel().astype(int)
        # A spike with itself is a pair for Elephant.
        expected[10] -= (i == j) * found.reference[pair]
        assert np.array_equal(expected, found.counts[pair])
        np.testing.assert_allclose(lags * width, found.lag_ms)


def test_correlations_and_distances(raster):
    import quantities as pq
    from elephant import spike_train_dissimilarity as dissimilarity
    from elephant.conversion import BinnedSpikeTrain
    from elephant.spike_train_correlation import correlation_coefficient

    all_trains = trains(raster)
    binned = BinnedSpikeTrain(all_trains, bin_size=5 * pq.ms)
    np.testing.assert_allclose(correlation_coefficient(binned), correlation_matrix(raster, 5e-3), atol=1e-12)
    with np.errstate(invalid="ignore"):
        known = np.nan_to_num(dissimilarity.van_rossum_distance(all_trains, 20 * pq.ms))
    np.testing.assert_allclose(known, van_rossum_distance(raster, 0.02), rtol=1e-9, atol=1e-5)
    for cost in (0.0, 5.0, 100.0):
        known = dissimilarity.victor_purpura_distance(all_trains, cost * pq.Hz)
        np.testing.assert_allclose(known, victor_purpura_distance(raster, cost), rtol=1e-9)


@pytest.mark.parametrize("reach", [2, 30])
def test_tiling(raster, reach):
    import quantities as pq
    from elephant.spike_train_correlation import spike_time_tiling_coefficient

    # In time, a spike lies in the middle of its step, and as many steps are near it as steps are counted.
    each = [train.time_shift(0.5 * pq.ms).time_slice(0 * pq.ms, N_STEPS * pq.ms) for train in trains(raster)]
    for train in each:
        train.t_start, train.t_stop = 0 * pq.ms, N_STEPS * pq.ms
    known = [[spike_time_tiling_coefficient(a, b, dt=(reach + 0.5) * pq.ms) for b in each] for a in each]
    found = spike_time_tiling(raster, reach * 1e-3)
    np.testing.assert_allclose(found, known, rtol=1e-12)
