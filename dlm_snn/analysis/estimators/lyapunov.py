"""The Lyapunov exponent of a map, for use as a library: how fast neighbors of an orbit part, nats per step.

lambda = <ln |f'(x_t)|> along the orbit x_{t+1} = f(x_t): above 0 chaos, below 0 a stable orbit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.estimators.blocks import spread_of_mean
from dlm_snn.analysis.finding import Control, Finding
from dlm_snn.errors import DlmError, how_many
from dlm_snn.values import is_whole

FEWEST = 100
"""Steps of an orbit from which an exponent is believed."""
NEAR = 1e-6
"""How far apart the neighbors of the control begin, relative to x."""
FAR_OFF = 0.05
"""Nats per step by which the control may differ: slopes near a kink or an extremum differ a little."""


def lyapunov_exponent(
    step: Callable[[float], float],
    derivative: Callable[[float], float],
    start: float,
    n_steps: int = 10_000,
    discard: int = 100,
    name: str = "Lyapunov exponent",
) -> Finding:
    """lambda = <ln |f'(x_t)|> of a one-dimensional map, nats per step, with an interval by blocks of the orbit.

    Args:
        step: f, x -> the next x.
        derivative: f'.
        start: x of the first step.
        n_steps: steps that are averaged.
        discard: steps before them, for the transient.
        name: of the finding.

    Returns:
        The finding. Not resolved: an orbit that repeats itself although neighbors part, since only rounding keeps it
        there (the logistic map at r = 4 from x = 1/2); an orbit that leaves the finite numbers; too few steps; a
        derivative that is not that of f. The control is the mean of ln |(f(x + h) - f(x - h)) / 2h|.

    Raises:
        DlmError: no steps.
    """
    for what, value, least in (("n_steps", n_steps, 1), ("discard", discard, 0)):
        if not is_whole(value) or value < least:
            raise DlmError(f"{what} = {value!r} is not a number of steps >= {least}")
    x = float(start)
    for _ in range(discard):
        x = float(step(x))
    orbit, slopes = np.empty(n_steps), np.empty((2, n_steps))
    for t in range(n_steps):
        h = NEAR * max(abs(x), 1)
        orbit[t], slopes[:, t] = x, (derivative(x), (step(x + h) - step(x - h)) / (2 * h))
        x = float(step(x))
    return _finding(orbit, slopes, name)


def _finding(orbit: NDArray[np.float64], slopes: NDArray[np.float64], name: str) -> Finding:
    """From the orbit (step,) and its slopes (derivative and quotient, step)."""
    size, estimator = {"steps": len(orbit)}, "mean of ln |f'| along the orbit, blocks"
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(np.abs(slopes))
    value, control = (float(mean) for mean in logs.mean(1))
    if not np.isfinite(orbit).all() or not np.isfinite(value):
        doubt = "the orbit leaves the numbers, or meets a slope of 0"
        return Finding(name, None, None, "nats per step", estimator, size, doubts=(doubt,))
    half = spread_of_mean(logs[:1]).half
    doubts = [] if len(orbit) >= FEWEST else [f"{how_many(len(orbit), 'steps')}; {FEWEST} are needed"]
    if value > 0 and len(np.unique(orbit)) < len(orbit):
        doubts.append("the orbit repeats itself although neighbors part: rounding holds it there")
    if not abs(control - value) < FAR_OFF:
        doubts.append(f"difference quotients give {control:.4g}: the derivative is not that of f")
    controls = (Control("difference quotients", control),)
    return Finding(name, value, (value - half, value + half), "nats per step", estimator, size, controls, tuple(doubts))
