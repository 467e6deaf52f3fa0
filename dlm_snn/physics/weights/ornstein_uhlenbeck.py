"""Closed forms of the linear process, for use as a library: what all estimators are held against.

    dx = -A x dt + sqrt(2 C) dW,    A S + S A^T = 2 C,    sigma = tr(A^T C^-1 A S) - tr A

Detailed balance, and sigma = 0, exactly where A C = C A^T.
Source: Godreche and Luck, J. Phys. A 52, 035002 (2019), arXiv:1807.00694.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.values import as_floats


def covariance(drift: ArrayLike, noise: ArrayLike) -> NDArray[np.float64]:
    """S of the steady state: A S + S A^T = 2 C.

    Args:
        drift: A, (n, n), all eigenvalues with a positive real part.
        noise: C, (n, n), symmetric.
    """
    from scipy.linalg import solve_continuous_lyapunov

    return np.asarray(solve_continuous_lyapunov(as_floats(drift, "drift"), 2 * as_floats(noise, "noise")))


def entropy_production(drift: ArrayLike, noise: ArrayLike) -> float:
    """sigma = tr(A^T C^-1 A S) - tr A, nats per unit of time."""
    a, c = as_floats(drift, "drift"), as_floats(noise, "noise")
    return float(np.trace(a.T @ np.linalg.solve(c, a) @ covariance(a, c)) - np.trace(a))


def chain_covariance(drift: ArrayLike, noise: ArrayLike, h: float) -> NDArray[np.float64]:
    """Covariance of the Euler-Maruyama chain x' = (1 - h A) x + sqrt(2 h C) xi."""
    from scipy.linalg import solve_discrete_lyapunov

    a, c = as_floats(drift, "drift"), as_floats(noise, "noise")
    return np.asarray(solve_discrete_lyapunov(np.eye(len(a)) - h * a, 2 * h * c))


def chain_entropy_production(drift: ArrayLike, noise: ArrayLike, h: float) -> float:
    """Entropy production of the Euler-Maruyama chain per unit of time: what midpoint heat / T of the steps has as mean.

    The forward density of a step is Gaussian with the mean (1 - h A) x and the covariance 2 h C; the mean of ln p(x'|x)
    / p(x|x') in the steady state is (1/4h) <d^T C^-1 d(reverse) - d^T C^-1 d(forward)>, here by traces.
    """
    a, c = as_floats(drift, "drift"), as_floats(noise, "noise")
    s = chain_covariance(a, c, h)
    step = np.eye(len(a)) - h * a
    cross = step @ s
    inverse = np.linalg.inv(c)

    def squared(first: NDArray, second: NDArray, both: NDArray) -> float:
        """<|x' - M x|^2> in the metric of C^-1 for covariances of x', x and <x' x^T>."""
        spread = first - step @ both.T - both @ step.T + step @ second @ step.T
        return float(np.trace(inverse @ spread))

    return (squared(s, s, cross.T) - squared(s, s, cross)) / (4 * h) / h


def rotation(k: float, alpha: float) -> NDArray[np.float64]:
    """A of the weights' dynamics on k |theta|^2 / 2 in one plane: (D + Q) H with D = 1, Q = alpha [[0, 1], [-1, 0]]."""
    return k * np.array([[1.0, alpha], [-alpha, 1.0]])


def snapshot_entropy_production(k: float, alpha: float, h: float) -> float:
    """What snapshots every h of the exact rotation show: 4 sin^2(alpha k h) / (h (e^(2 k h) - 1))."""
    return float(4 * np.sin(alpha * k * h) ** 2 / (h * np.expm1(2 * k * h)))


def uncertainty_bound(k: float, alpha: float) -> float:
    """2 <J>^2 / Var of the rotation's circulation, a lower bound of sigma: 2 k alpha^2 / (1 + alpha^2).

    Source: Barato and Seifert, Phys. Rev. Lett. 114, 158101 (2015).
    """
    return 2 * k * alpha**2 / (1 + alpha**2)
