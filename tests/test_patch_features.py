"""Patch features against the step by step form, and the dictionaries behind them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dlm_snn.errors import DlmError
from dlm_snn.learning.readout import features as module
from dlm_snn.learning.readout._features_compiled import count_spikes
from dlm_snn.learning.readout._features_torch import count_spikes as count_spikes_there
from dlm_snn.learning.readout.dictionary import (
    WEIGHT_LIMIT,
    GaborRange,
    gabor_vectors,
    integer_weights,
    model_covariance,
    spherical_kmeans,
    whitening,
)
from dlm_snn.learning.readout.features import LATE, PatchFeatures
from dlm_snn.learning.readout.patch_dictionary import learned_vectors, normalized, sampled
from tests.patch_steps import counts_of_position, features_of_image

RANGES = GaborRange((3, 9), (1, 3), 1.5, grey=0.6)


def made(shape=(1, 9, 8), neurons=12, patch=4, **options) -> PatchFeatures:
    size = (shape[0], patch, patch)
    vectors = gabor_vectors(neurons, size, RANGES, np.random.default_rng(3)) @ whitening(model_covariance(size), 1.0)
    weight, scale = integer_weights(vectors)
    slope = scale / 5 if options.get("floor") else scale * 60 / 5
    chosen = {"grid": 2, "winners": 3, "slope": slope, "levels": 16, **options}
    return PatchFeatures(weight.reshape(neurons, *size), shape, 255, **chosen)


def images(features: PatchFeatures, n: int = 6) -> np.ndarray:
    rng = np.random.default_rng(5)
    x = rng.integers(0, 256, (n, int(np.prod(features.shape))), dtype=np.uint8)
    x[0] = 77
    x[1] = np.where(np.arange(x.shape[1]) % 8 < 4, 0, 255)
    return x


EACH_KIND = pytest.mark.parametrize(
    "features",
    [
        made(),
        made(shape=(3, 8, 8), grid=3),
        made(floor=3.0),
        made(shape=(3, 7, 7), floor=3.0, root=4, grid=3),
        made(winners=11, levels=5),
    ],
    ids=["plain", "color", "normalized", "root", "never closed"],
)


@EACH_KIND
def test_features_equal_the_steps(features):
    x = images(features)
    found = features(x)
    assert found.shape == (len(x), features.n)
    assert found.sum() > 0
    assert np.array_equal(found, [features_of_image(features, image) for image in x])


@EACH_KIND
def test_a_device_counts_the_same(features, monkeypatch):
    monkeypatch.setattr(module, "AT_ONCE", 4)
    x = images(features)
    shifts = ((0, 0), (1, 0), (0, -1))
    there = replace(features, device="cpu")
    assert np.array_equal(features.shifted(x, shifts), there.shifted(x, shifts))
    assert there(x[:0]).shape == (0, features.n)


@given(
    arrays(np.int64, st.integers(1, 12), elements=st.integers(-500, 500)),
    st.integers(1, 60),
    st.integers(0, 12),
    st.integers(1, 20),
)
def test_the_competition_equals_the_steps(drive, slope, winners, levels):
    """Drives at whole multiples of the slope, ties and positions that never close are drawn too."""
    counts = np.zeros((1, 1, drive.size), dtype=np.int32)
    limits = winners, levels, LATE
    single, cells = drive[None].astype(np.float32), np.zeros((1, 1), np.int64)
    count_spikes(single, np.array([float(slope)]), cells, limits, counts)
    assert np.array_equal(counts[0, 0], counts_of_position(drive, slope, winners, levels))
    ones = np.ones((1, 1, 1), np.float32)
    there = count_spikes_there(ones, single, np.array([[float(slope)]]), cells, limits, "cpu")
    assert np.array_equal(there[0, 0], counts[0])


@given(arrays(np.int64, 15, elements=st.integers(-300, 300), unique=True), st.integers(1, 14))
def test_the_closing_counts_exactly(drive, winners):
    """With a slope of 1 and distinct drives, those above the (winners + 1)-th largest drive are the winners."""
    levels = 300
    counts = np.zeros((1, 1, drive.size), dtype=np.int32)
    count_spikes(drive[None].astype(np.float32), np.ones(1), np.zeros((1, 1), np.int64), (winners, levels, 0), counts)
    threshold = np.sort(drive)[-winners - 1]
    if threshold > 1:
        assert np.count_nonzero(counts) == winners
        assert np.array_equal(counts[0, 0], np.maximum(drive - threshold, 0))


def test_even_images_are_silent_and_brightness_adds_nothing():
    features = made()
    x = images(features) // 2
    assert not features(x[:1]).any()
    assert np.array_equal(features(x + 100), features(x))


def test_no_sample_changes_another():
    features = made(floor=3.0)
    x = images(features)
    assert np.array_equal(features(x), np.concatenate([features(part) for part in (x[:1], x[1:4], x[4:])]))
    assert np.array_equal(features(x[::-1]), features(x)[::-1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patch": 8}, r"2 x 1 positions, too few for a grid of 2; choose a smaller"),
        ({"grid": 6}, "too few for a grid of 6"),
        ({"slope": 0.4}, "a slope of 0.4 is less than 1; choose a smaller gain"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(DlmError, match=message):
        made(**options)


def test_sums_beyond_float32_are_refused():
    weight = np.full((1, 1, 4, 4), 2**14)
    with pytest.raises(DlmError, match="sums pass 2\\^24"):
        PatchFeatures(weight, (1, 8, 8), 255, grid=1, winners=1, slope=9.0)
    with pytest.raises(DlmError, match=r"samples of shape \(2, 5\); \(sample, 72\) are wanted"):
        made()(np.zeros((2, 5), np.uint8))


def test_gabor_vectors_have_no_mean_and_length_one():
    vectors = gabor_vectors(40, (3, 6, 6), RANGES, np.random.default_rng(0))
    assert np.allclose(vectors.mean(axis=1), 0)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    of_color = vectors.reshape(40, 3, 36)
    gray = np.ptp(of_color, axis=1).max(axis=1) < 1e-12
    assert 10 < gray.sum() < 38


def test_whitening_whitens():
    covariance = model_covariance((2, 4, 4))
    assert np.allclose(np.diag(covariance), 1)
    assert np.isclose(covariance[0, 1], 0.95)
    assert np.isclose(covariance[0, 16], 0.9)
    folded = whitening(covariance, 1e-12)
    center = np.eye(32) - 1 / 32
    assert np.allclose(folded @ covariance @ folded.T, center, atol=1e-6)
    assert np.allclose(whitening(covariance, 1e-12) @ np.ones(32), 0)


def test_integer_weights_are_near_and_of_sum_zero():
    exact = gabor_vectors(30, (1, 6, 6), RANGES, np.random.default_rng(1))
    whole, scale = integer_weights(exact)
    assert not whole.sum(axis=1).any()
    assert np.abs(whole - exact * scale).max() < 1
    assert WEIGHT_LIMIT - 2 <= np.abs(whole).max() <= WEIGHT_LIMIT


def test_kmeans_finds_directions():
    rng = np.random.default_rng(2)
    true = np.linalg.qr(rng.standard_normal((8, 4)))[0].T
    points = rng.uniform(1, 9, (600, 1)) * (true[rng.integers(0, 4, 600)] + 0.05 * rng.standard_normal((600, 8)))
    found = spherical_kmeans(points, 12, rng)
    assert np.allclose(np.linalg.norm(found, axis=1), 1)
    assert ((found @ true.T).max(axis=0) > 0.99).all()
    with pytest.raises(DlmError, match="5 patches for a dictionary of 12; take more samples"):
        spherical_kmeans(points[:5], 12, rng)


def test_learned_vectors_are_unit_directions_in_the_whitened_space():
    rng = np.random.default_rng(4)
    x = (rng.random((30, 64)).cumsum(axis=1) * 8).astype(np.uint8)
    vectors = learned_vectors(x, (1, 8, 8), (3, 3), 10, 5.0, 0.5, np.random.default_rng(0))
    patches = normalized(sampled(x, (1, 8, 8), (3, 3), np.random.default_rng(0)), 5.0)
    assert patches.shape == (30 * 36, 9)
    folded = whitening(np.cov(patches, rowvar=False).astype(float), 0.5)
    inside = vectors @ np.linalg.pinv(folded)
    assert np.allclose(np.linalg.norm(inside, axis=1), 1, atol=0.02)
