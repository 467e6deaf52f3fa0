"""A neuron model in one file: a leaky neuron whose threshold rises with each of its spikes."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from dlm_snn.neurons.models import Model


@dataclass(frozen=True, eq=False)
class Adaptive:
    """u = a;  v = (1 - dv) v + u;  s = v > v_threshold + raised, then v = 0 and raised grows by ``jump``."""

    shape: tuple[int, ...]
    dv: float = 0.125
    v_threshold: float = 1.0
    jump: float = 0.5

    @property
    def n(self) -> int:
        """Number of neurons."""
        return prod(self.shape)


class State(NamedTuple):
    """What a population carries from step to step."""

    u: Any
    v: Any
    s: Any
    raised: Any


def rest(n_samples: int, n: int) -> State:
    """Nothing yet."""
    zeros = np.zeros((n_samples, n))
    return State(zeros, zeros, zeros > 0, zeros)


def step(neuron: Adaptive, state: State, drive: Any) -> State:
    """One step of all samples and neurons."""
    v = (1 - neuron.dv) * state.v + drive
    s = v > neuron.v_threshold + state.raised
    return State(drive, np.where(s, 0, v), s, 0.9375 * state.raised + neuron.jump * s)


MODEL = Model(Adaptive, rest, step, example=Adaptive((6,)))
