"""Forgetting in closed form, for use as a library: one quadratic task after another, under Langevin dynamics.

Task A has the optimum a and the curvature H_A; the weights start in its equilibrium N(a, T H_A^-1). Then they run on
L_B + (lambda / 2) (x - a)^T H_A (x - a) with L_B's optimum b and curvature H_B. With H = H_B + lambda H_A,
b_e = H^-1 (H_B b + lambda H_A a) and E = exp(-H t):

    m = b_e + E (a - b_e),    S = E S_0 E + T (H^-1 - E H^-1 E)
    F = (m - a)^T H_A (m - a) / 2 + tr H_A (S - S_0) / 2

A constant antisymmetric current leaves F(infinity) as it is. Langevin at T = 1/N on the mean loss samples the Laplace
posterior; lambda is the relative weight of the old data (elastic weight consolidation).
Sources: Aurell and others, J. Stat. Phys. 147, 487 (2012) (transport bound); Jordan, Kinderlehrer and Otto, SIAM J.
Math. Anal. 29, 1 (1998).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.values import as_floats

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TwoTasks:
    """The problem.

    Attributes:
        h_a, h_b: curvatures (n, n), symmetric and positive.
        a, b: optima (n,).
        temperature: T >= 0.
        weight: lambda >= 0, of the old task while the new one is learned.

    Raises:
        DlmError: curvatures that are not symmetric and positive, or T or lambda below 0.
    """

    h_a: Vector
    h_b: Vector
    a: Vector
    b: Vector
    temperature: float
    weight: float = 0.0

    def __post_init__(self) -> None:
        for name in ("h_a", "h_b", "a", "b"):
            object.__setattr__(self, name, as_floats(getattr(self, name), name))
        for name in ("h_a", "h_b"):
            h = getattr(self, name)
            if h.ndim != 2 or not np.array_equal(h, h.T) or np.linalg.eigvalsh(h).min() <= 0:
                raise DlmError(f"{name} is not a symmetric matrix with positive eigenvalues")
        for name in ("temperature", "weight"):
            if not getattr(self, name) >= 0:
                raise DlmError(f"{name} = {getattr(self, name)}: give a number >= 0")

    @property
    def curvature(self) -> Vector:
        """H, while the new task is learned."""
        return np.asarray(self.h_b + self.weight * self.h_a)

    @property
    def optimum(self) -> Vector:
        """b_e, where the mean goes."""
        return np.linalg.solve(self.curvature, self.h_b @ self.b + self.weight * self.h_a @ self.a)

    def law(self, time: float) -> tuple[Vector, Vector]:
        """Mean and covariance after a time, infinity included."""
        inverse, start = np.linalg.inv(self.curvature), self.temperature * np.linalg.inv(self.h_a)
        if math.isinf(time):
            return self.optimum, self.temperature * inverse
        values, vectors = np.linalg.eigh(self.curvature)
        decay = vectors @ np.diag(np.exp(-values * time)) @ vectors.T
        mean = self.optimum + decay @ (self.a - self.optimum)
        return mean, decay @ start @ decay + self.temperature * (inverse - decay @ inverse @ decay)

    def forgetting(self, time: float) -> float:
        """F: how much the old task's mean loss rose; below 0 where a stiffer well makes it fall."""
        mean, spread = self.law(time)
        away = mean - self.a
        return float(away @ self.h_a @ away / 2 + np.trace(self.h_a @ (spread - self.law(0.0)[1])) / 2)

    def entropy_production(self, time: float) -> float:
        """Sigma = KL(rho_0 | pi) - KL(rho_t | pi), in nats, with pi the new equilibrium."""
        pi = self.law(math.inf)
        return divergence(self.law(0.0), pi) - divergence(self.law(time), pi)

    def bound(self, time: float) -> tuple[float, float]:
        """Upper bounds of F by the distance that was moved, and by the entropy that was produced (D = 1).

        F <= sqrt(T tr H_A) W + beta W^2 / 2 with W = W_2(rho_0, rho_t), beta the largest curvature of A, and
        W^2 <= T t Sigma.
        """
        beta, slope = np.linalg.eigvalsh(self.h_a).max(), math.sqrt(self.temperature * np.trace(self.h_a))
        moved = wasserstein(self.law(0.0), self.law(time))
        produced = math.sqrt(self.temperature * time * self.entropy_production(time))
        return tuple(slope * w + beta / 2 * w * w for w in (moved, produced))  # type: ignore[return-value]


def divergence(first: tuple[Vector, Vector], second: tuple[Vector, Vector]) -> float:
    """KL(first | second) of two Gaussians (mean, covariance), in nats."""
    (m1, s1), (m2, s2) = first, second
    ratio = np.linalg.solve(s2, s1)
    away = m2 - m1
    quadratic = away @ np.linalg.solve(s2, away)
    return float((np.trace(ratio) + quadratic - len(m1) - np.linalg.slogdet(ratio)[1]) / 2)


def wasserstein(first: tuple[Vector, Vector], second: tuple[Vector, Vector]) -> float:
    """W_2 of two Gaussians (mean, covariance)."""
    (m1, s1), (m2, s2) = first, second
    values, vectors = np.linalg.eigh(s1)
    root = vectors @ np.diag(np.sqrt(np.maximum(values, 0))) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ s2 @ root), 0)).sum()
    return math.sqrt(max(float((m1 - m2) @ (m1 - m2) + np.trace(s1) + np.trace(s2) - 2 * cross), 0.0))


def jko_step(mean: float, deviation: float, k: float, temperature: float, h: float) -> tuple[float, float]:
    """One implicit step of the free energy's flow for a Gaussian in k x^2 / 2: its fixed point is T / k for every h."""
    grown = deviation**2 + 4 * h * temperature * (1 + h * k)
    return mean / (1 + h * k), (deviation + math.sqrt(grown)) / (2 * (1 + h * k))
