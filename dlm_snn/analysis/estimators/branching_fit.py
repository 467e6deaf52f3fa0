"""Regressions of activity on earlier activity, in blocks that can be drawn again, and the decay through them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_GRID = np.concatenate([np.linspace(0.01, 0.9, 179), 1 - np.geomspace(0.1, 1e-5, 240)[1:], [1.0, 1.002, 1.005, 1.01]])
"""Values of m that are tried; above 1 activity grows."""


@dataclass(frozen=True)
class Decay:
    """r_k = b m^k through one or many regressions; (...).

    Attributes:
        m, b: of the decay.
        rest: c of r_k = b m^k + c with the same m; 0 where r_k goes to 0.
        regression: (..., lag) r_k.
    """

    m: Floats
    b: Floats
    rest: Floats
    regression: Floats

    def missed(self, lags: NDArray[np.int64]) -> Floats:
        """r_k - b m^k; (..., lag)."""
        return self.regression - np.asarray(self.b)[..., None] * np.asarray(self.m)[..., None] ** lags


def block_sums(values: Floats, lags: NDArray[np.int64], length: int) -> Floats:
    """What the regressions need from every block: (block, lag, 5) of n, sum x, sum y, sum x y, sum x^2.

    x = A_t and y = A_(t+k) with t in the block and t + k in the same sample; A is taken from its mean.

    Args:
        values: (sample, step).
        lags: (lag,) k.
        length: of a block, in steps.
    """
    centred = values - values.mean()
    n_steps = values.shape[1]
    starts = np.arange(0, n_steps, length)
    found = np.zeros((len(values), starts.size, lags.size, 5))
    for place, k in enumerate(lags):
        x, y = centred[:, : n_steps - k], centred[:, k:]
        inside = starts[starts < n_steps - k]
        for column, product in enumerate((np.ones_like(x), x, y, x * y, x * x)):
            found[:, : inside.size, place, column] = np.add.reduceat(product, inside, axis=1)
    return found.reshape(-1, lags.size, 5)


def regression(sums: Floats) -> Floats:
    """Slopes of least squares from sums (..., 5); 0 where nothing was added up, as in draws of short blocks only."""
    n, x, y, xy, xx = np.moveaxis(sums, -1, 0)
    some = np.maximum(n, 1)
    spread = xx - x * x / some
    return np.where(spread > 0, xy - x * y / some, 0.0) / np.where(spread > 0, spread, 1.0)


def decay(lags: NDArray[np.int64], r: Floats) -> Decay:
    """Least squares of r_k = b m^k: b is linear, m is found on a grid and between its points by a parabola.

    Args:
        lags: (lag,).
        r: (..., lag).
    """
    powers = _GRID[:, None] ** lags
    explained = (r @ powers.T) ** 2 / np.sum(powers**2, 1)
    best = np.clip(np.argmax(explained, -1), 1, _GRID.size - 2)
    places = best[..., None] + np.array([-1, 0, 1])
    m = _top(_GRID[places], np.take_along_axis(explained, places, -1))
    wave = m[..., None] ** lags
    b = np.sum(wave * r, -1) / np.sum(wave**2, -1)
    return Decay(m, b, _rest(wave, r), r)


def _top(x: Floats, y: Floats) -> Floats:
    """Where the parabola through three points (..., 3) is highest, kept between them."""
    left, right = (y[..., 0] - y[..., 1]) / (x[..., 0] - x[..., 1]), (y[..., 2] - y[..., 1]) / (x[..., 2] - x[..., 1])
    bent = (right - left) / (x[..., 2] - x[..., 0])
    with np.errstate(divide="ignore", invalid="ignore"):
        top = x[..., 1] - (left + bent * (x[..., 1] - x[..., 0])) / (2 * bent)
    return np.where(bent < 0, np.clip(top, x[..., 0], x[..., 2]), x[..., 1])


def _rest(wave: Floats, r: Floats) -> Floats:
    """c of least squares on b m^k + c."""
    centred = wave - wave.mean(-1, keepdims=True)
    b = np.sum(centred * r, -1) / np.sum(centred**2, -1)
    return np.mean(r, -1) - b * np.mean(wave, -1)
