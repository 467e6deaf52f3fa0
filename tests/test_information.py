"""Entropy, mutual information, a decoder's bound and transfer entropy, against closed forms."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from dlm_snn import DlmError, SpikeRaster
from dlm_snn.analysis import (
    decoder_bound,
    entropy,
    fano_bound,
    mutual_information,
    pool_information,
    transfer_entropy,
)
from dlm_snn.analysis.estimators.blocks import drifts, spread_of_mean
from dlm_snn.analysis.estimators.information_counts import METHODS

LAMBDAS = np.linspace(0.5, 8, 10)
NOISY_COPY = log(2) + 0.1 * log(0.1) + 0.9 * log(0.9)


def poisson_classes(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    labels = rng.integers(0, 10, n)
    return labels, rng.poisson(LAMBDAS[labels])


def noisy_copy(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    source = rng.random(n) < 0.5
    return source, np.roll(source, 1) ^ (rng.random(n) < 0.1)


def exact_information() -> float:
    """10 equally likely classes, Poisson counts: sum p(x, y) ln p(x, y) / (p(x) p(y))."""
    from scipy.stats import poisson

    chances = poisson.pmf(np.arange(60), LAMBDAS[:, None])
    return float(np.sum(chances * np.log(chances / chances.mean(0))) / 10)


def test_entropies_of_few_counts():
    """Plug-in, + (K - 1) / 2N, and Grassberger's G(1) = -gamma - ln 2, G(2) = G(3) = G(1) + 2, G(4) = G(2) + 2 / 3."""
    counts = [1, 2, 3, 4, 0]
    p = np.array(counts[:4]) / 10
    g = -0.5772156649 - log(2) + np.array([0, 2, 2, 2 + 2 / 3])
    assert entropy(counts, "plug-in") == pytest.approx(-(p * np.log(p)).sum())
    assert entropy(counts, "miller-madow") == pytest.approx(-(p * np.log(p)).sum() + 3 / 20)
    assert entropy(counts) == pytest.approx(log(10) - (p * g).sum())
    assert entropy([[7]], "plug-in") == entropy([5], "miller-madow") == 0


def test_corrected_entropies_are_nearer_to_the_truth():
    rng = np.random.default_rng(0)
    found = {
        method: np.mean([entropy(rng.multinomial(60, np.full(32, 1 / 32)), method) for _ in range(200)])
        for method in METHODS
    }
    assert log(32) - found["plug-in"] > 0.2
    assert abs(log(32) - found["grassberger"]) < 0.03
    assert found["plug-in"] < found["miller-madow"] < found["grassberger"]


def test_information_of_classes_and_counts():
    assert exact_information() == pytest.approx(0.4789, abs=5e-5)
    found = mutual_information(*poisson_classes(2000, np.random.default_rng(1)), np.random.default_rng(2))
    assert found.resolved
    assert found.interval[0] < exact_information() < found.interval[1]
    assert found.interval[1] - found.interval[0] < 0.08
    low, high = found.controls[0].interval
    assert low < 0 < high < 0.03
    assert found.size["observations"] == 2000


def test_information_is_symmetric_and_blind_to_names():
    rng = np.random.default_rng(3)
    x, y = poisson_classes(1500, rng)
    found = mutual_information(x, y, rng, "plug-in")
    assert found.estimate == pytest.approx(mutual_information(y, -7 * x, rng, "plug-in").estimate)
    assert mutual_information(x, x, rng, "plug-in").estimate == pytest.approx(entropy(np.bincount(x), "plug-in"))


def test_few_observations_are_not_resolved():
    """The plug-in estimate of 50 observations is more than twice the truth; no method is believed there."""
    rng = np.random.default_rng(4)
    x, y = poisson_classes(50, rng)
    assert mutual_information(x, y, rng, "plug-in").estimate > 0.9
    for method in METHODS:
        found = mutual_information(x, y, rng, method)
        assert found.value is None
        assert "6 each are needed" in found.doubts[0]


def test_nothing_is_not_resolved():
    rng = np.random.default_rng(5)
    found = mutual_information(rng.integers(0, 3, 3000), rng.integers(0, 3, 3000), rng)
    assert found.doubts == ("no more than the control 'shuffled' gives",)
    assert found.interval[0] < 0 < found.interval[1]
    constant = mutual_information(np.zeros(100, int), rng.integers(0, 3, 100), rng)
    assert str(constant) == "mutual information: not resolved (X has one value only)"
    assert "not resolved" in str(mutual_information([1], [2], rng))


def test_a_whole_layer_gives_the_logarithm_of_the_samples():
    """Why pools: patterns that are all different make the plug-in ln N, whatever they say; it is not believed."""
    rng = np.random.default_rng(6)
    for n in (100, 1000):
        patterns = rng.integers(0, 2**30, n)
        found = mutual_information(np.arange(n), patterns, rng, "plug-in")
        assert found.estimate == pytest.approx(log(n))
        assert not found.resolved


def test_neighbors_that_are_alike_count_less():
    """A series in which every value stands ten times over has a tenth of the observations, and wider intervals."""
    rng = np.random.default_rng(7)
    x, y = (values[None] for values in poisson_classes(2000, rng))
    slow = [np.repeat(values, 10, axis=1) for values in (x, y)]
    once, held = mutual_information(x, y, rng), mutual_information(*slow, rng)
    widths = [found.interval[1] - found.interval[0] for found in (once, held)]
    assert 0.6 < widths[1] / widths[0] < 1.6
    spread = spread_of_mean(np.repeat(rng.normal(size=(1, 4000)), 10, axis=1))
    assert 2000 < spread.independent < 8000


def test_a_decoder_gives_a_lower_bound():
    """Two neurons of ten that tell one of four classes; ln 4 at most, 0 for shuffled labels."""
    rng = np.random.default_rng(8)
    labels = rng.integers(0, 4, 2000)
    rates = np.full((4, 10), 2.0)
    rates[:, 0], rates[:, 1] = [1, 9, 1, 9], [1, 1, 9, 9]
    counts = rng.poisson(rates[labels])
    found = decoder_bound(labels, counts, rng)
    alone = mutual_information(labels, counts[:, 0], rng)
    assert found.resolved
    assert alone.estimate < found.estimate < log(4)
    assert found.estimate > 0.6 * log(4)
    assert not decoder_bound(rng.permutation(labels), counts, rng).resolved


def symmetric_channel(n_labels: int, error: float, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and what a decoder makes of them that errs evenly: Fano's inequality is an equality."""
    labels = rng.integers(0, n_labels, n)
    other = (labels + rng.integers(1, n_labels, n)) % n_labels
    return labels, np.where(rng.random(n) < error, other, labels)


@pytest.mark.parametrize(("n_labels", "error", "n"), [(10, 0.04, 449), (10, 0.3, 200), (3, 0.1, 60)])
def test_fanos_bound_holds_the_information_of_a_symmetric_channel(n_labels, error, n):
    """I = ln K - h(e) - e ln(K - 1), from far fewer samples than a table of K x K pairs needs; 95 of 100 intervals."""
    rng = np.random.default_rng(17)
    exact = log(n_labels) + error * log(error) + (1 - error) * log(1 - error) - error * log(n_labels - 1)
    found = [fano_bound(*symmetric_channel(n_labels, error, n, rng), rng) for _ in range(100)]
    assert all(one.resolved for one in found)
    assert 90 <= sum(one.interval[0] <= exact <= one.interval[1] for one in found) <= 100
    assert np.mean([one.estimate for one in found]) == pytest.approx(exact, rel=0.05)


def test_fanos_bound_where_nothing_is_decoded():
    rng = np.random.default_rng(18)
    guessed = [fano_bound(rng.integers(0, 10, 200), rng.integers(0, 10, 200), rng) for _ in range(20)]
    assert not any(one.resolved for one in guessed)
    # Labels of which one is frequent are guessed without any counts.
    rare = (rng.random(300) < 0.1).astype(int)
    assert not fano_bound(rare, np.zeros(300, int), rng).resolved
    perfect = fano_bound(np.arange(200) % 4, np.arange(200) % 4, rng)
    assert perfect.estimate == pytest.approx(log(4), abs=0.01)
    assert perfect.interval[0] < log(4)
    assert fano_bound(np.zeros(5), np.zeros(5), rng).doubts == ("all samples have the label 0",)
    assert "5 each are needed" in str(fano_bound(np.arange(20), np.arange(20), rng))


def test_few_samples_are_decoded_with_fanos_bound():
    """449 samples of ten digits are too few for a table of 100 pairs."""
    rng = np.random.default_rng(19)
    labels = np.arange(449) % 10
    counts = rng.poisson(np.where(np.arange(10) == labels[:, None], 9, 1))
    found = decoder_bound(labels, counts, rng)
    assert found.resolved
    assert "Fano" in found.estimator
    assert "Fano" not in decoder_bound(np.tile(labels, 2), np.tile(counts, (2, 1)), rng).estimator


def test_a_drift_behind_labels_in_blocks_is_not_decoded():
    rng = np.random.default_rng(1000)
    labels, counts = np.repeat([0, 1], 100), rng.poisson(np.linspace(2, 4, 200)[:, None] * np.ones(10))
    found = decoder_bound(labels, counts, rng)
    assert found.doubts == ("labels come in blocks; a drift of the counts would look the same",)
    many = np.repeat(np.arange(10), 20)
    assert "labels come in blocks" in str(decoder_bound(many, counts, rng))
    assert "blocks" not in str(decoder_bound(rng.permutation(many), counts, rng))
    assert "blocks" not in str(decoder_bound(np.tile(np.arange(10), 20), counts, rng))
    # Two of a rare label side by side are no blocks: in 1 of 100 orders they are.
    rare = np.zeros(200, int)
    rare[[70, 71]] = 1
    assert "blocks" not in str(decoder_bound(rare, counts, rng))


def test_a_drift_behind_observations_in_blocks_is_no_information():
    rng = np.random.default_rng(1002)
    labels, counts = np.repeat([0, 1], 200), rng.poisson(np.linspace(2, 6, 400))
    doubt = "x and y both follow their order: a drift would look the same"
    assert doubt in mutual_information(labels, counts, rng).doubts
    assert doubt in mutual_information(counts, labels, rng).doubts
    # Labels in random order have nothing to do with a drift, and what they tell counts.
    mixed = rng.permutation(labels)
    assert mutual_information(mixed, counts + 6 * mixed, rng).resolved


def test_copies_of_samples_give_no_label_away():
    rng = np.random.default_rng(1001)
    labels, counts = rng.integers(0, 2, 50), rng.poisson(1, (50, 20))
    copied = decoder_bound(np.tile(labels, 4), np.tile(counts, (4, 1)), rng)
    assert copied.doubts[-1] == "every sample is there 4 times or a multiple; give each once"
    assert "multiple" not in str(decoder_bound(labels, counts, rng))
    # One neuron gives the same count to many samples, and one answer a class is a class that answers alike.
    assert "multiple" not in str(decoder_bound(rng.integers(0, 2, 200), rng.poisson(1, (200, 1)), rng))
    alike = np.tile(np.arange(10), 20)
    assert decoder_bound(alike, np.eye(10, dtype=int)[alike], rng).resolved


def test_transfer_entropy_of_a_noisy_copy():
    assert pytest.approx(0.368064, rel=1e-5) == NOISY_COPY
    rng = np.random.default_rng(9)
    source, target = noisy_copy(20_000, rng)
    found, back = transfer_entropy(source, target, rng), transfer_entropy(target, source, rng)
    assert found.resolved
    assert found.interval[0] < NOISY_COPY < found.interval[1]
    assert found.interval[1] - found.interval[0] < 0.025
    assert not back.resolved
    assert back.doubts == ("no more than the control 'shifted in time' gives",)
    assert abs(back.estimate) < 5e-4


def test_transfer_entropy_sees_through_the_target_s_own_past():
    """A target that follows itself for two steps: the past of the source adds nothing to a history of two."""
    rng = np.random.default_rng(10)
    target = np.zeros(20_000, bool)
    flips = rng.random(target.size) < 0.2
    for t in range(2, target.size):
        target[t] = target[t - 2] ^ flips[t]
    source = np.roll(target, 1)  # knows what the target was a step before that
    assert transfer_entropy(source, target, rng).estimate > 0.15
    assert abs(transfer_entropy(source, target, rng, history=2).estimate) < 1e-3
    trials = [values.reshape(40, 500) for values in (source, target)]
    assert transfer_entropy(*trials, rng).controls[0].name == "sequences exchanged"


def test_pools_of_two_layers():
    """A layer that copies the one before a step later, and one that does not."""
    rng = np.random.default_rng(11)
    first = rng.random((20, 200, 5)) < 0.2
    second = np.zeros_like(first)
    second[:, 1:] = first[:, :-1] ^ (rng.random(first[:, 1:].shape) < 0.02)
    before, after = SpikeRaster.from_dense(first), SpikeRaster.from_dense(second)
    found = pool_information(before, after, rng, lag=1, neurons=([0, 1], [0, 1]))
    assert found.resolved
    assert 0.5 < found.estimate < 2 * entropy([2000, 8000])
    assert not pool_information(before, after, rng, neurons=([0, 1], [0, 1])).resolved
    assert not pool_information(before, after, rng, lag=1, neurons=([0, 1], [2, 3])).resolved


@pytest.mark.parametrize(("n", "error"), [(40, 0.01), (100, 0.02)])
def test_a_channel_that_made_no_error_yet_may_make_one(n, error):
    """Most recordings hold no error at all, and their information is not that of a channel without any."""
    exact = log(2) + error * log(error) + (1 - error) * log(1 - error)
    held = []
    for seed in range(1000, 1010):
        rng = np.random.default_rng(seed)
        x = rng.random(n) < 0.5
        low, high = mutual_information(x, x ^ (rng.random(n) < error), rng).interval
        held.append(low <= exact <= high <= log(2) + 1e-12)
    assert sum(held) >= 9


def test_information_is_no_more_than_the_entropy_of_either():
    x = np.random.default_rng(0).integers(0, 2, 40)
    for method in METHODS:
        found = mutual_information(x, x, np.random.default_rng(0), method)
        assert found.estimate <= min(log(2), entropy(np.bincount(x), method)) + 1e-12
        assert found.interval[0] < log(2) <= found.interval[1] + 1e-9 <= log(2) + 1e-8


def test_a_common_course_of_all_samples_is_in_the_control():
    rng = np.random.default_rng(12)
    rate = np.where(np.arange(100) < 50, 0.05, 0.6)[None, :, None]
    first, second = (SpikeRaster.from_dense(rng.random((40, 100, 2)) < rate) for _ in range(2))
    found = pool_information(first, second, rng)
    assert found.estimate > 0.1
    assert not found.resolved


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda rng: entropy([0, 0]), "counts are all 0"),
        (lambda rng: entropy([1], "jackknife"), "method = 'jackknife' is none of grassberger, miller-madow, plug-in"),
        (lambda rng: mutual_information([1, 2], [1], rng), r"shapes \(2,\) and \(1,\)"),
        (lambda rng: mutual_information([0.5], [1], rng), r"x\[0\] = 0\.5 is not a whole number"),
        (lambda rng: mutual_information([], [], rng), "x and y hold 0 observations"),
        (lambda rng: transfer_entropy([0, 1, 1], [0, 1], rng), r"source and target have shapes \(3,\) and \(2,\)"),
        (lambda rng: transfer_entropy([0, 1], [0, 1], rng, history=2), "have 2 steps; history = 2 needs 3"),
        (lambda rng: transfer_entropy([0, 1], [0, 1], rng, history=0), r"history = 0 is not .* in 1\.\.20"),
        (lambda rng: decoder_bound([1, 2], [1, 2], rng), r"labels of shape \(2,\) and counts of shape \(2,\)"),
    ],
)
def test_what_holds_no_information_is_refused(make, message):
    with pytest.raises(DlmError, match=message):
        make(np.random.default_rng(0))


def test_layers_of_other_runs_are_refused():
    rng = np.random.default_rng(0)
    first, second = (SpikeRaster.from_dense(np.zeros((1, n, 2), bool)) for n in (4, 5))
    with pytest.raises(DlmError, match=r"\(samples, steps\) \(1, 4\) and \(1, 5\)"):
        pool_information(first, second, rng)
    for neurons in (([0],), 3, ([0], [1], [0])):
        with pytest.raises(DlmError, match="are no pools of two layers"):
            pool_information(first, first, rng, neurons=neurons)
    with pytest.raises(DlmError, match=r"lag = 4 is not a number of steps in 0\.\.3"):
        pool_information(first, first, rng, lag=4)


def test_two_trains_that_speed_up_together_have_no_transfer():
    rng = np.random.default_rng(1)
    p = np.where(np.arange(4000) < 2000, 0.05, 0.4)
    found = [
        transfer_entropy((rng.random(4000) < p).astype(int), (rng.random(4000) < p).astype(int), rng) for _ in range(6)
    ]
    assert all("source and target both drift: what drives both gives a TE" in one.doubts for one in found)


@pytest.mark.parametrize("sequences", [1, 9])
def test_two_layers_that_speed_up_together_have_no_information(sequences):
    rng = np.random.default_rng(1000)
    p = np.tile(np.linspace(0.02, 0.5, 8000 // sequences), (sequences, 1))[..., None]
    first, second = (SpikeRaster.from_dense(rng.random((*p.shape[:2], 2)) < p) for _ in range(2))
    found = pool_information(first, second, rng)
    assert found.estimate > 0.005
    assert found.doubts[-1] == "x and y both drift: what drives both is information"
    # One that keeps its rate may be held against one that drifts.
    steady = SpikeRaster.from_dense(rng.random((*p.shape[:2], 2)) < 0.2)
    assert "both drift" not in str(pool_information(first, steady, rng))


def test_a_series_that_changes_once_drifts():
    assert drifts(np.repeat([0, 1], 100)[None])
    assert not drifts(np.ones((1, 200)))
