"""Ridge regression of the classes on the pixels, streaming."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dlm_snn.config import Config
from dlm_snn.learning.baselines.moments import Moments, Solved
from dlm_snn.learning.descent.mlp import checked
from dlm_snn.learning.learner import Setting


class RidgeOptions(Config):
    """Of the ridge.

    Attributes:
        penalty: lambda, in units of the features' mean variance.
    """

    penalty: float = Field(default=0.01, gt=0)


def solve(moments: Moments, penalty: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """W = C^T (G + lambda g I)^-1, b = mean t - W mean x, for centered samples and one-hot targets t.

    G is the features' covariance, g its mean diagonal, C the covariance of features and targets.
    """
    n = moments.n
    mean, target = moments.sums.sum(axis=0) / n, moments.counts / n
    covariance = moments.products / n - np.outer(mean, mean)
    crossed = moments.sums / n - np.outer(target, mean)
    size = max(float(np.diag(covariance).mean()), 1e-12)
    weight = np.linalg.solve(covariance + penalty * size * np.eye(len(mean)), crossed.T).T
    return weight, target - weight @ mean


def make_ridge(setting: Setting, rng: np.random.Generator, **options: Any) -> Solved:
    """A linear read-out of pixels by ridge regression: the same weights in any order of samples, bit for bit.

    Options: see RidgeOptions; nothing is drawn from ``rng``.

    Raises:
        DlmError: an option that is unknown or out of range.
    """
    return Solved(setting, partial(solve, penalty=checked(RidgeOptions, "ridge", options).penalty))
