"""Linear discriminant analysis on the pixels, streaming."""

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


class SldaOptions(Config):
    """Of the discriminant.

    Attributes:
        shrinkage: e, share of a round covariance of the same mean variance.
    """

    shrinkage: float = Field(default=0.3, gt=0, le=1)


def solve(moments: Moments, shrinkage: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """w_c = P m_c, b_c = -m_c . w_c / 2, with m_c the mean of class c and P = ((1 - e) S + e s I)^-1.

    S is the covariance around the means of the classes, s its mean diagonal. All from the moments, so that the order of
    samples does not matter; the published form updates S around running means, where it does, a little.

    Source: Hayes and Kanan, CVPR workshops 2020.
    """
    counts = np.maximum(moments.counts, 1)
    means = moments.sums / counts[:, None]
    covariance = (moments.products - moments.sums.T @ means) / moments.n
    features = len(covariance)
    size = max(float(np.diag(covariance).mean()), 1e-12)
    shrunk = (1 - shrinkage) * covariance + shrinkage * size * np.eye(features)
    weight = np.linalg.solve(shrunk, means.T).T
    return weight, -(means * weight).sum(axis=1) / 2


def make_slda(setting: Setting, rng: np.random.Generator, **options: Any) -> Solved:
    """Streaming linear discriminant analysis of pixels.

    Options: see SldaOptions; nothing is drawn from ``rng``.

    Raises:
        DlmError: an option that is unknown or out of range.
    """
    return Solved(setting, partial(solve, shrinkage=checked(SldaOptions, "slda", options).shrinkage))
