"""Sparsity, tuning and overlap of neurons; bursts and silences: closed forms, definitions, controls."""

from __future__ import annotations

import numpy as np
import pytest

import dlm_snn as dlm
from dlm_snn.analysis import (
    BurstRules,
    bursts,
    correlogram,
    fano_over_trials,
    hoyer,
    isi,
    overlap,
    population_summary,
    silences,
    sparsity,
    spike_table,
    treves_rolls,
    tuning,
)


def drawn(seed: int, extent: tuple[int, int, int], p: float, dt: float = 1e-3) -> dlm.SpikeRaster:
    return dlm.SpikeRaster.from_dense(np.random.default_rng(seed).random(extent) < p, dt)


def of_counts(counts: list[list[int]], n_steps: int = 20) -> dlm.SpikeRaster:
    """A raster with these spikes per (sample, neuron), at the beginning of each sample."""
    dense = np.arange(n_steps)[None, :, None] < np.array(counts)[:, None, :]
    return dlm.SpikeRaster.from_dense(dense)


def test_sparseness_has_its_closed_forms():
    for measure in (treves_rolls, hoyer):
        assert measure([0, 0, 5, 0]) == pytest.approx(1)
        assert measure([3, 3, 3]) == pytest.approx(0)
        assert np.isnan(measure([0, 0]))
        assert np.isnan(measure([4]))
        assert measure([2, 0, 1]) == pytest.approx(measure([20, 0, 10]))
    # Exponential rates: a = (mean r)^2 / mean(r^2) = 1/2.
    many = np.random.default_rng(1).exponential(size=200_000)
    assert treves_rolls(many) == pytest.approx(0.5, abs=0.01)
    # Half of n = 4 alike, half silent: a = 1/2, L1 / L2 = sqrt(2).
    assert treves_rolls([1, 1, 0, 0]) == pytest.approx((1 - 1 / 2) / (3 / 4))
    assert hoyer([1, 1, 0, 0]) == pytest.approx(2 - np.sqrt(2))


@pytest.mark.parametrize("unit", [1e-300, 1e200, 1.7e308])
def test_sparseness_has_no_unit(unit):
    rates = np.array([[1.0, 0.5, 0], [0.25, 0.25, 1], [0, 0, 0]])
    for measure in (treves_rolls, hoyer):
        for axis in (0, 1):
            np.testing.assert_allclose(measure(unit * rates, axis), measure(rates, axis), rtol=1e-12)
    assert hoyer([1e200, 1e200]) == pytest.approx(0)


def test_sparsity_is_over_samples_and_over_neurons():
    found = sparsity(of_counts([[4, 0, 1], [0, 0, 1], [0, 0, 1]]))
    assert found.lifetime[[0, 2]].tolist() == pytest.approx([1, 0])
    assert np.isnan(found.lifetime[1])
    assert found.silent.tolist() == [False, True, False]
    assert found.active.tolist() == pytest.approx([2 / 3, 1 / 3, 1 / 3])
    assert found.population[1] == pytest.approx(1)
    assert found.population_hoyer[1] == pytest.approx(1)
    assert np.isnan(sparsity(of_counts([[1, 2]])).lifetime).all()


@pytest.mark.parametrize("extent", [(0, 10, 3), (2, 0, 3), (2, 10, 0), (1, 1, 1)])
def test_rasters_of_nothing_have_no_figures_and_no_warnings(extent):
    raster = dlm.SpikeRaster.from_dense(np.zeros(extent))
    assert not any(finding.resolved for finding in population_summary(spike_table(raster))[3:])
    silent = population_summary(spike_table(raster))[2]
    assert silent.resolved == (raster.extent == (1, 1, 1))
    assert silent.resolved or "nothing could spike" in str(silent)
    assert np.isnan(sparsity(raster).lifetime).all()
    assert np.isnan(sparsity(raster).population_hoyer).all()
    assert (isi(raster).ms.size, bursts(raster).neuron.size) == (0, 0)
    assert fano_over_trials(raster).size == extent[2]


def test_tuning_is_the_mean_rate_per_class():
    counts = [[4, 0, 2], [6, 0, 2], [0, 0, 2], [2, 0, 2], [1, 0, 2]]
    found = tuning(of_counts(counts), ["a", "a", "b", "b", "b"])
    assert found.classes.tolist() == ["a", "b"]
    assert found.samples.tolist() == [2, 3]
    np.testing.assert_allclose(found.rate, [[250, 0, 100], [50, 0, 100]])
    assert found.preferred.tolist() == [0, -1, 0]
    assert found.selectivity[[0, 2]].tolist() == pytest.approx([200 / 300, 0])
    assert np.isnan(found.selectivity[1])
    # t = 4.3027 for 2 degrees of freedom, s = 50 Hz.
    assert found.high[1, 0] - 50 == pytest.approx(4.30265 * 50 / np.sqrt(3), rel=1e-5)


@pytest.mark.parametrize(("samples", "mean"), [(1, 0.5), (2, 0.2), (5, 0.3), (10, 0.1), (20, 0.2)])
def test_intervals_of_few_spikes_hold_the_rate(samples, mean):
    raster = drawn(1000 + samples, (2 * samples, 100, 300), mean / 100)
    found = tuning(raster, np.arange(2 * samples) % 2)
    truth = 10 * mean  # Hz
    assert np.mean((found.low <= truth) & (truth <= found.high)) > 0.93
    assert (found.low < found.high).all()
    assert found.low.min() >= 0
    assert found.high.max() <= 1000
    silent = found.rate == 0
    np.testing.assert_allclose(found.high[silent], -np.log(0.025) / (0.1 * samples))


def test_selectivity_without_tuning_stays_below_its_control():
    raster = drawn(3, (120, 50, 40), 0.1)
    labels = np.arange(120) % 6
    found = tuning(raster, labels, rng=np.random.default_rng(4))
    assert found.selectivity.min() > 0
    assert np.mean(found.selectivity > found.by_chance) < 0.2
    dense = raster.dense()
    dense[:, :, 0] |= (np.random.default_rng(5).random((120, 50)) < 0.2) & (labels == 2)[:, None]
    tuned = tuning(dlm.SpikeRaster.from_dense(dense), labels, rng=np.random.default_rng(4))
    assert tuned.preferred[0] == 2
    assert tuned.selectivity[0] > 1.5 * tuned.by_chance[0]


def test_overlap_of_active_neurons():
    counts = [[3, 3, 0, 0], [3, 0, 0, 0], [0, 3, 3, 0], [0, 3, 3, 0]]
    found = overlap(of_counts(counts), [0, 0, 7, 7])
    assert found.active.tolist() == [[True, True, False, False], [False, True, True, False]]
    np.testing.assert_allclose(found.jaccard, [[1, 1 / 3], [1 / 3, 1]])
    mean = np.array([[3, 1.5, 0, 0], [0, 3, 3, 0]])
    assert found.cosine[0, 1] == pytest.approx(mean[0] @ mean[1] / np.linalg.norm(mean[0]) / np.linalg.norm(mean[1]))
    assert overlap(of_counts(counts), [0, 0, 7, 7], least=1).jaccard[0, 1] == 0
    assert np.isnan(overlap(of_counts([[0], [1]]), [0, 1]).cosine[0, 1])


def by_the_rules(
    time: np.ndarray, begins: int, goes_on: int, apart: int, shortest: int, fewest: int
) -> list[list[int]]:
    """The spikes of each burst, as the four sentences of the method say."""
    found: list[list[int]] = []
    at = 0
    while at < len(time) - 1:
        if time[at + 1] - time[at] <= begins:
            burst = [time[at], time[at + 1]]
            at += 2
            while at < len(time) and time[at] - burst[-1] <= goes_on:
                burst.append(time[at])
                at += 1
            found.append(burst)
        else:
            at += 1
    merged: list[list[int]] = []
    for burst in found:
        if merged and burst[0] - merged[-1][-1] < apart:
            between = [t for t in time if merged[-1][-1] < t < burst[0]]
            merged[-1] += between + burst
        else:
            merged.append(list(burst))
    return [burst for burst in merged if burst[-1] - burst[0] >= shortest and len(burst) >= fewest]


@pytest.mark.parametrize("rules", [(3, 5, 9, 4, 3), (6, 4, 0, 0, 2), (2, 2, 40, 10, 4)])
def test_bursts_follow_the_rules(rules):
    raster = drawn(6, (3, 400, 5), 0.12)
    lengths = dict(zip(("begins", "goes_on", "apart", "shortest"), [r * 1e-3 for r in rules[:4]], strict=True))
    found = bursts(raster, BurstRules(**lengths, fewest=rules[4]))
    expected = []
    for k in range(5):
        for sample in range(3):
            time = np.flatnonzero(raster.dense()[sample, :, k])
            expected += [(k, sample, b[0], b[-1] - b[0], len(b)) for b in by_the_rules(time, *rules)]
    assert len(expected) > 5
    held = zip(found.neuron, found.sample, found.start_ms, found.length_ms, found.spikes, strict=True)
    np.testing.assert_allclose(list(held), expected)
    inside = [sum(b[4] for b in expected if b[0] == k) / raster.counts()[:, k].sum() for k in range(5)]
    np.testing.assert_allclose(found.share, inside)


def test_bursts_by_chance():
    """A Poisson train has most spikes in bursts by the default rules, and no more than chance gives it."""
    rng = np.random.default_rng(12)
    dense = rng.random((10, 5000, 3)) < 0.01
    dense[:, :, 2] = False
    starts = rng.integers(0, 4900, (10, 10))
    for k in range(5):
        dense[np.arange(10)[:, None], starts + 3 * k, 1] = True
    raster = dlm.SpikeRaster.from_dense(dense)
    found = bursts(raster, rng=rng, surrogates=50)
    assert found.share[0] > 0.5
    assert found.share[0] == pytest.approx(found.by_chance[0], abs=0.03)
    # Short intervals in a row are what chance does not give.
    strict = bursts(raster, BurstRules(begins=0.005, goes_on=0.005, apart=0.0, fewest=4), rng=rng)
    assert strict.share[1] > 0.3
    assert strict.by_chance[1] < 0.05
    assert np.isnan(found.by_chance[2])
    assert bursts(raster).by_chance is None
    with pytest.raises(dlm.DlmError, match="surrogates = 0 is no whole number >= 1"):
        bursts(raster, rng=rng, surrogates=0)


def test_a_raster_without_bursts_has_none():
    found = bursts(of_counts([[1, 0]]))
    assert found.neuron.size == 0
    assert found.share[0] == 0
    assert np.isnan(found.share[1])


def test_silences_reach_to_the_edges_and_cross_no_sample():
    dense = np.zeros((3, 30, 2), dtype=bool)
    dense[0, 10, 0] = dense[0, 12, 1] = dense[0, 25, 1] = True
    dense[2, 0, 0] = dense[2, 29, 1] = True
    found = silences(dlm.SpikeRaster.from_dense(dense, dt=2e-3), 10e-3)
    assert found.sample.tolist() == [0, 0, 1, 2]
    assert found.start_ms.tolist() == [0, 26, 0, 2]
    assert found.length_ms.tolist() == [20, 24, 60, 56]
    assert found.share == pytest.approx(160 / 180)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: tuning(r, [0, 1]), "labels have the shape \\(2,\\); give one per sample, 4"),
        (lambda r: tuning(r, [0, 0, 0, 0]), "labels name 1 class"),
        (lambda r: overlap(r, [0, 0, 1, 1], least=0), "least = 0 is not a share"),
        (lambda r: treves_rolls([1, -1]), "rates\\[1\\] = -1.0 is not a rate"),
        (lambda r: treves_rolls(3), "is one number"),
        (lambda r: tuning(r, [0, 0, 1, np.nan]), "labels\\[3\\] = nan is not a class"),
        (lambda r: overlap(r, [np.nan, 0, 1, 1]), "labels\\[0\\] = nan is not a class"),
        (lambda r: tuning(r, [0, 0, 1, 1], np.random.default_rng(0), 0), "shuffles = 0 is no whole number >= 1"),
        (lambda r: tuning(r, [0, 0, 1, 1], np.random.default_rng(0), 1.5), "shuffles = 1.5 is no whole number >= 1"),
        (lambda r: hoyer([1, 2], axis=5), "axis = 5 is none of rates of shape \\(2,\\); give -1..0"),
        (lambda r: treves_rolls([[1, 2]], axis=1.0), "axis = 1.0 is none of rates"),
        (lambda r: correlogram(r, 5, longest=0.01), "pairs = 5 are none"),
        (lambda r: bursts(r, BurstRules(begins=-1)), "begins = -1 of the burst rules"),
        (lambda r: bursts(r, BurstRules(fewest=1)), "fewest = 1 of the burst rules"),
        (lambda r: silences(r, 0.5), "longer = 0.5 s is longer than a sample"),
    ],
)
def test_bad_input_is_a_line(call, message):
    with pytest.raises(dlm.DlmError, match=message):
        call(drawn(0, (4, 20, 3), 0.2))
