"""Temperature as a function of the step: (step, steps in all, task, uncertainty) -> T."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dlm_snn.errors import DlmError


@dataclass(frozen=True)
class Moment:
    """What a thermostat may look at.

    Attributes:
        step: steps done.
        n_steps: steps in all.
        task: number of the task, from 0.
        uncertainty: of the predictions, in [0, 1], see ``uncertainty``.
    """

    step: int
    n_steps: int
    task: int = 0
    uncertainty: float = 1.0


Thermostat = Callable[[Moment], float]


def constant(temperature: float) -> Thermostat:
    """T(t) = T."""
    _check(temperature)
    return lambda moment: temperature


def annealed(temperature: float, last: float = 0.0) -> Thermostat:
    """T falls from T to ``last`` along half a cosine: last + (T - last) (1 + cos(pi t / n)) / 2."""
    _check(temperature, last)

    def at(moment: Moment) -> float:
        share = min(moment.step / max(moment.n_steps, 1), 1.0)
        return last + (temperature - last) * (1 + math.cos(math.pi * share)) / 2

    return at


def per_task(temperatures: Sequence[float]) -> Thermostat:
    """T of the task; that of the last one for all later tasks."""
    if not temperatures:
        raise DlmError("temperatures of tasks: give at least one")
    _check(*temperatures)
    return lambda moment: temperatures[min(moment.task, len(temperatures) - 1)]


def by_uncertainty(temperature: float, floor: float = 0.0) -> Thermostat:
    """T = floor + (T - floor) * uncertainty: hot while the network is unsure."""
    _check(temperature, floor)
    return lambda moment: floor + (temperature - floor) * min(max(moment.uncertainty, 0.0), 1.0)


def uncertainty(entropy: float, n_classes: int) -> float:
    """Mean entropy of the predicted classes (nats) as a share of the largest, ln(n_classes)."""
    if n_classes < 2:
        raise DlmError(f"n_classes = {n_classes}: uncertainty needs two classes")
    return entropy / math.log(n_classes)


def _check(*temperatures: float) -> None:
    for temperature in temperatures:
        if not (math.isfinite(temperature) and temperature >= 0):
            raise DlmError(f"temperature = {temperature}: give T >= 0")
