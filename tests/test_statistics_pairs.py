"""Statistics of pairs of neurons: correlograms, correlations, distances, synchrony; by definition and by law."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.analysis import (
    correlation_matrix,
    correlogram,
    spike_likeness,
    spike_time_tiling,
    synchrony,
    van_rossum_distance,
    victor_purpura_distance,
)
from dlm_snn.analysis.statistics import correlation
from dlm_snn.analysis.statistics._correlograms_compiled import jittered

GOLDEN = Path(__file__).parent / "libraries" / "golden" / "pyspike.json"


def drawn(seed: int, extent: tuple[int, int, int], p: float, dt: float = 1e-3) -> dlm.SpikeRaster:
    return dlm.SpikeRaster.from_dense(np.random.default_rng(seed).random(extent) < p, dt)


@pytest.mark.parametrize("width", [1, 3])
def test_a_correlogram_counts_pairs_within_samples(width):
    raster = drawn(1, (3, 91, 4), 0.15, dt=2e-3)
    found = correlogram(raster, longest=6e-3 * width, width=2e-3 * width)
    assert found.pairs.tolist() == [[i, j] for i in range(4) for j in range(i, 4)]
    np.testing.assert_allclose(found.lag_ms, [2 * width * k for k in range(-3, 4)])
    for pair, (i, j) in enumerate(found.pairs):
        expected = np.zeros(7, dtype=int)
        for sample in raster.dense():
            x, y = (np.flatnonzero(sample[:, k]) // width for k in (i, j))
            between = (y[None] - x[:, None]).ravel()
            expected += np.bincount(between[abs(between) <= 3] + 3, minlength=7)
        expected[3] -= (i == j) * found.reference[pair]
        assert found.counts[pair].tolist() == expected.tolist()
    turned = correlogram(raster, [(1, 0)], longest=6e-3 * width, width=2e-3 * width)
    assert turned.counts[0].tolist() == found.counts[1][::-1].tolist()


def test_jitter_keeps_windows_and_counts_and_is_uniform():
    time = np.concatenate([np.arange(0, 97, 2), 200 + np.arange(1, 97, 5)])
    moved = np.empty_like(time)
    places = []
    rng = np.random.default_rng(2)
    for _ in range(400):
        jittered(time, 200, 97, 10, rng.random(time.size), moved)
        assert np.all(np.diff(moved) >= 0)
        assert np.array_equal(moved // 200, time // 200)
        assert np.array_equal(moved % 200 // 10, time % 200 // 10)
        assert (moved % 200).max() < 97
        places.append(moved[-1] % 200)
    assert set(places) == {90, 91, 92, 93, 94, 95, 96}


def test_a_fast_coincidence_leaves_the_jitter_band_and_slow_ones_stay_in_it():
    rng = np.random.default_rng(3)
    slow = 0.02 * (1 + np.sin(np.arange(40_000) / 2000))[:, None]
    dense = rng.random((1, 40_000, 3)) < slow
    # Neuron 2 follows neuron 0 after 3 steps in a third of its spikes.
    dense[0, 3:, 2] |= dense[0, :-3, 0] & (rng.random(39_997) < 0.3)
    raster = dlm.SpikeRaster.from_dense(dense)
    found = correlogram(raster, [(0, 2), (0, 1)], longest=0.02, jitter=0.02, surrogates=100, rng=rng)
    outside = (found.counts > found.high) | (found.counts < found.low)
    assert found.counts[0, 23] > 1.5 * found.high[0, 23]
    assert outside[1].mean() < 0.2
    assert np.all((found.low <= found.expected) & (found.expected <= found.high))
    np.testing.assert_allclose(found.rate, found.counts / (found.reference[:, None] * 1e-3))


@pytest.mark.parametrize("way", ["_sparse", "_dense"])
def test_correlations_are_numpys_and_exact(way, monkeypatch):
    raster = drawn(4, (3, 100, 9), 0.3)
    sums, totals = getattr(correlation, way)(raster, 7)
    counts = raster.dense()[:, :98].reshape(3, 14, 7, 9).sum(axis=2).reshape(42, 9)
    assert np.array_equal(sums, counts.T @ counts)
    assert np.array_equal(totals, counts.sum(axis=0))
    np.testing.assert_allclose(correlation_matrix(raster, 7e-3), np.corrcoef(counts.T), atol=1e-12)
    monkeypatch.setattr(correlation, "BLOCK", 11)
    monkeypatch.setattr(correlation, "BINS", 5)
    assert np.array_equal(getattr(correlation, way)(raster, 7)[0], sums)


def test_a_constant_neuron_has_no_correlation():
    dense = np.random.default_rng(5).random((1, 60, 3)) < 0.4
    dense[:, :, 1] = False
    found = correlation_matrix(dlm.SpikeRaster.from_dense(dense), 5e-3)
    assert np.isnan(found[1]).all()
    assert np.isnan(found[:, 1]).all()
    assert found[0, 0] == pytest.approx(1)


def test_van_rossums_distance_is_the_integral():
    """2 / tau integral (f - g)^2 dt on a fine grid, and the closed form of two single spikes."""
    raster, tau = drawn(6, (1, 60, 3), 0.2), 12.0
    fine = np.arange(0, 60 + 20 * tau, 0.01)
    filtered = []
    for k in range(3):
        age = fine - np.flatnonzero(raster.dense()[0, :, k])[:, None]
        filtered.append(((age >= 0) * np.exp(-np.maximum(age, 0) / tau)).sum(axis=0))
    found = van_rossum_distance(raster, tau * 1e-3)
    for i, j in np.ndindex(3, 3):
        expected = np.sqrt(2 / tau * np.sum((filtered[i] - filtered[j]) ** 2) * 0.01)
        assert found[i, j] == pytest.approx(expected, rel=5e-3)
    two = np.zeros((1, 10, 3), dtype=bool)
    two[0, 2, 0] = two[0, 7, 1] = True
    apart = van_rossum_distance(dlm.SpikeRaster.from_dense(two), 5e-3)
    assert apart[0, 1] == pytest.approx(np.sqrt(2 - 2 * np.exp(-1)))
    assert apart[0, 2] == 1


@pytest.mark.parametrize(
    ("distance", "scale", "power"), [(van_rossum_distance, 0.02, 2), (victor_purpura_distance, 40, 1)]
)
def test_distances_are_metrics_and_add_over_samples(distance, scale, power):
    dense = np.random.default_rng(7).random((4, 80, 6)) < 0.1
    dense[:, :, 5] = dense[:, :, 2]
    raster = dlm.SpikeRaster.from_dense(dense)
    found = distance(raster, scale)
    assert np.array_equal(found, found.T)
    assert found[2, 5] == 0
    assert np.all(np.diag(found) == 0)
    assert np.all(found[:, :, None] <= found[:, None] + found.T[None] + 1e-9)
    each = [distance(raster[k], scale) ** power for k in range(4)]
    np.testing.assert_allclose(found**power, sum(each), rtol=1e-12, atol=1e-12)
    turned = dlm.SpikeRaster.from_dense(dense.transpose(2, 1, 0))
    np.testing.assert_allclose(distance(turned, scale, between="samples"), found, rtol=1e-12, atol=1e-12)


def test_without_a_cost_of_shifts_only_counts_differ():
    counts = (raster := drawn(7, (4, 80, 6), 0.1)).counts()
    assert np.array_equal(victor_purpura_distance(raster, 0), abs(counts[:, :, None] - counts[:, None]).sum(axis=0))


def test_long_silences_leave_no_small_numbers_behind():
    step = np.array([0, 10, 10**6, 2 * 10**6], dtype=np.uint32)
    raster = dlm.SpikeRaster(np.zeros(4, np.uint32), step, np.array([0, 1, 0, 1], np.uint32), 1, 3 * 10**6, 2)
    assert van_rossum_distance(raster, 0.01)[0, 1] == pytest.approx(np.sqrt(4 - 2 * np.exp(-1)))


def test_synchrony_of_copies_is_1_and_of_independent_neurons_its_control():
    one = np.random.default_rng(8).random((1, 20_000, 1)) < 0.05
    copies = dlm.SpikeRaster.from_dense(np.repeat(one, 7, axis=2))
    assert synchrony(copies, 5e-3).value == pytest.approx(1)
    free = synchrony(drawn(9, (2, 20_000, 50), 0.05), 5e-3)
    assert free.value == pytest.approx(free.controls[0].value, rel=0.05)
    assert not synchrony(copies[:, :, 0], 5e-3).resolved
    assert not synchrony(copies[:, :40], 5e-3).resolved
    constant = synchrony(dlm.SpikeRaster.from_dense(np.ones((1, 100, 3))), 5e-3)
    assert "no count ever changes" in str(constant)


def test_partners_and_interval_ratios_are_pyspikes():
    golden = json.loads(GOLDEN.read_text())
    for case in golden["cases"]:
        dense = np.zeros((1, case["n_steps"], len(case["trains"])), dtype=bool)
        for k, train in enumerate(case["trains"]):
            dense[0, train, k] = True
        found = spike_likeness(dlm.SpikeRaster.from_dense(dense))
        np.testing.assert_allclose(found.distance, case["isi_distance"], atol=1e-12)
        shown = ~np.isnan(found.synchronization)
        np.testing.assert_allclose(found.synchronization[shown], np.array(case["spike_sync"])[shown], atol=1e-12)


def test_tiling_of_copies_is_1_and_of_independent_neurons_0_at_any_rate():
    rates = np.array([0.002, 0.02, 0.1])
    dense = np.random.default_rng(12).random((3, 20_000, 3)) < rates
    found = spike_time_tiling(dlm.SpikeRaster.from_dense(np.concatenate([dense, dense], axis=2)))
    assert np.diag(found, 3).tolist() == [1, 1, 1]
    assert abs(found[np.triu_indices(3, 1)]).max() < 0.05
    silent = dense.copy()
    silent[:, :, 1] = False
    assert np.isnan(spike_time_tiling(dlm.SpikeRaster.from_dense(silent))).sum() == 5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: correlogram(drawn(0, (1, 90, 30), 0.1)), "has 30 neurons; give pairs="),
        (lambda r: correlogram(r, [(0, 3)]), "is not in 0..2"),
        (lambda r: correlogram(r, [(0, 1)], longest=1), "longest = 1 s is longer than a sample"),
        (lambda r: correlogram(r, [(0, 1)], jitter=0.01), "give rng=np.random.default_rng"),
        (lambda r: correlogram(r, [(0, 1)], jitter=0.01, surrogates=5, rng=np.random.default_rng()), "surrogates = 5"),
        (lambda r: correlogram(r, [0, 1]), "give \\[\\(reference, target\\)"),
        (lambda r: correlation_matrix(r, 0.09), "leaves 1 bin"),
        (lambda r: van_rossum_distance(r, 0), "time_constant = 0 is not a number of seconds above 0"),
        (lambda r: van_rossum_distance(r, 0.1, between="trials"), "between = 'trials' is none of"),
        (lambda r: victor_purpura_distance(r, -1), "cost = -1 is not a number of Hz"),
        (lambda r: spike_time_tiling(r, 1.0), "reach = 1 s is longer than a sample"),
        (lambda r: spike_likeness(r[:0]), "0 samples x 90 steps has no time"),
    ],
)
def test_bad_input_is_a_line(call, message):
    with pytest.raises(dlm.DlmError, match=message):
        call(drawn(0, (1, 90, 3), 0.2))
