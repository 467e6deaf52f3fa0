"""Co-activity counts: the same bits in any order and chunks; the ridge that follows from them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from dlm_snn.errors import DlmError
from dlm_snn.learning.readout import gram as module
from dlm_snn.learning.readout.gram import Gram


def counted(features, y, chunks, n_classes=4, device=None) -> Gram:
    gram = Gram(features.shape[1], n_classes, device)
    for part in np.array_split(np.arange(len(y)), chunks):
        gram.add(features[part], y[part])
    return gram


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 7), st.sampled_from((5, 90, 3000, 20000)))
def test_the_same_bits_in_any_order_and_chunks(seed, chunks, block, largest):
    """Values from small ones to those whose squares pass 2^24, with blocks that end anywhere."""
    rng = np.random.default_rng(seed)
    features = rng.integers(0, largest, (24, 7)).astype(np.int32)
    y = rng.integers(0, 4, 24)
    order = rng.permutation(24)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        first = counted(features, y, 1)
        again = counted(features[order], y[order], chunks)
        whole = features.astype(np.int64)
        assert np.array_equal(first.pairs, whole.T @ whole)
        assert np.array_equal(first.pairs, again.pairs)
        assert np.array_equal(first.classes, again.classes)
        assert np.array_equal(first.classes, whole.T @ np.eye(4, dtype=np.int64)[y])
        assert first.counts.tolist() == again.counts.tolist() == np.bincount(y, minlength=4).tolist()
        for one, other in zip(first.ridge(0.1), again.ridge(0.1), strict=True):
            assert np.array_equal(one, other)


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.sampled_from((5, 90, 3000, 20000)))
def test_a_device_counts_the_same_bits_and_solves_the_same(seed, chunks, largest):
    rng = np.random.default_rng(seed)
    features = rng.integers(0, largest, (24, 7)).astype(np.int32)
    y = rng.integers(0, 4, 24)
    here, there = counted(features, y, chunks), counted(features, y, chunks, device="cpu")
    assert np.array_equal(here.pairs, there.pairs)
    assert np.array_equal(here.classes, there.classes)
    for one, other in zip(here.ridge(0.1), there.ridge(0.1), strict=True):
        assert np.allclose(one, other, rtol=1e-9, atol=1e-12)


def test_ridge_is_the_closed_form_and_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    features = rng.poisson(3, (80, 6)).astype(np.int32)
    y = rng.integers(0, 4, 80)
    weight, offset = counted(features, y, 3).ridge(0.05)
    penalty = 0.05 * len(y) * features.var(axis=0).mean()
    centered = features - features.mean(axis=0)
    target = np.eye(4)[y]
    closed = np.linalg.solve(centered.T @ centered + penalty * np.eye(6), centered.T @ (target - target.mean(axis=0)))
    assert np.allclose(weight, closed.T)
    peer = Ridge(alpha=penalty).fit(features, target)
    assert np.allclose(weight, peer.coef_)
    assert np.allclose(offset, peer.intercept_)


def test_classes_without_samples_and_features_without_variance_have_no_weight():
    features = np.random.default_rng(1).poisson(3, (40, 5)).astype(np.int32)
    features[:, 2] = 7
    weight, offset = counted(features, np.arange(40) % 2, 1).ridge(0.05)
    assert np.allclose(weight[2:], 0)
    assert np.allclose(offset[2:], 0)
    assert np.allclose(weight[:, 2], 0)
    assert (features @ weight.T + offset)[:, :2].sum(axis=1) == pytest.approx(1)


def test_a_set_without_any_variance_is_solved_too():
    weight, offset = counted(np.full((6, 3), 2, np.int32), np.arange(6) % 2, 1).ridge(0.05)
    assert np.allclose(weight, 0)
    assert np.allclose(offset, (0.5, 0.5, 0, 0))


def test_what_cannot_be_counted_is_refused():
    gram = Gram(2, 3)
    with pytest.raises(DlmError, match=r"classes 1\.\.3, features from 0; 0\.\.2 and whole"):
        gram.add(np.zeros((2, 2), np.int32), np.array([1, 3]))
    with pytest.raises(DlmError, match="features from -1"):
        gram.add(np.array([[-1, 0]], np.int32), np.array([0]))
    with pytest.raises(DlmError, match="over 0 samples"):
        gram.ridge(0.1)
    gram.add(np.zeros((0, 2), np.int32), np.zeros(0, np.int64))
    gram.add(np.ones((1, 2), np.int32), np.array([0]))
    with pytest.raises(DlmError, match="ridge of strength 0 over 1 samples"):
        gram.ridge(0)
