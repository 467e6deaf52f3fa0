"""Training, test and validation parts."""

from __future__ import annotations

import numpy as np

from dlm_snn.tasks.parts import DataConfig, split


def rows(x: np.ndarray) -> set[bytes]:
    return {row.tobytes() for row in x}


def test_a_pool_is_parted_by_class_and_seed():
    whole = split(DataConfig(split_seed=3))
    assert (len(whole.y_train), len(whole.y_test)) == (1348, 449)
    assert np.array_equal(split(DataConfig(split_seed=3)).x_test, whole.x_test)
    assert not np.array_equal(split(DataConfig(split_seed=4)).x_test, whole.x_test)
    shares = np.bincount(whole.y_test) / np.bincount(np.concatenate([whole.y_train, whole.y_test]))
    assert np.allclose(shares, 0.25, atol=0.004)


def test_validation_never_meets_the_test_part():
    whole = split(DataConfig(split_seed=1))
    inner = split(DataConfig(split_seed=1, validation_share=0.2))
    assert len(inner.y_train) + len(inner.y_test) == len(whole.y_train)
    seen = rows(inner.x_train) | rows(inner.x_test)
    assert seen == rows(whole.x_train)
    assert not rows(whole.x_test) - rows(whole.x_train) & seen
