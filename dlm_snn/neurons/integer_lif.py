"""The leaky integrate-and-fire neuron in the integers of Loihi and of Lava's fixed-point models."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlm_snn.description import OMITTED, told
from dlm_snn.neurons.checks import check_competition, check_period, checked_parameter, checked_shape, size
from dlm_snn.neurons.competition import winning

Integers = NDArray[np.int64]

STATE_LIMIT = 2**23
"""u and v are 24 bits wide (lava/proc/lif/models.py, uv_bitwidth)."""
DECAY_UNITY = 2**12
"""Decays are shares of 4096 (decay_shift)."""
ALIGNMENT = 6
"""Synaptic sums and thresholds are shifted left by 6 bits to line up with u and v (act_shift, vth_shift)."""
THRESHOLD_LIMIT = 2**17
"""v_threshold is a 17-bit unsigned mantissa."""


@dataclass(frozen=True, eq=False)
class IntegerLIF:
    """A population of integer leaky integrate-and-fire neurons with zero reset.

    u = wrap(trunc(u (4096 - (du+1)) / 4096) + 64 a);  v = clip(trunc(v (4096 - dv) / 4096) + u + bias);
    s = v > 64 v_threshold, then v = 0.

    Attributes:
        shape: (n,) or (channel, row, column).
        dv: 0..4095, share of v lost per step in 1/4096.
        v_threshold: 0..131071, in units of weight * 2^weight_exp.
        du: -1..4095, share of u lost per step is (du+1)/4096; -1 holds u, 4095 forgets it.
        bias_mant: -4096..4095.
        bias_exp: 0..7; the bias added to v is bias_mant * 2^bias_exp, in units of 1/64 of v_threshold's.
        winners, groups, period: as in LIF.
        scale: integer value of v_threshold's unit per float unit: v_float = v / (64 scale).

    Raises:
        DlmError: a parameter outside its range, or of the wrong size.

    Source: lava-nc 0.10.0, lava/proc/lif/models.py, PyLifModelBitAcc.
    """

    shape: tuple[int, ...]
    _: KW_ONLY
    dv: int | Integers
    v_threshold: int | Integers
    du: int | Integers = 4095
    bias_mant: int | Integers = 0
    bias_exp: int = 0
    winners: int | None = None
    groups: int = 1
    scale: float = 1.0
    period: int | None = field(default=None, metadata=OMITTED)

    __repr__ = told

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "shape", checked_shape(self.shape))
        for name, low, high in (
            ("du", -1, DECAY_UNITY - 1),
            ("dv", 0, DECAY_UNITY - 1),
            ("v_threshold", 0, THRESHOLD_LIMIT - 1),
            ("bias_mant", -4096, 4095),
        ):
            set_(self, name, checked_parameter(name, getattr(self, name), self.n, int, low, high))
        set_(self, "bias_exp", checked_parameter("bias_exp", self.bias_exp, 1, int, 0, 7))
        set_(self, "scale", checked_parameter("scale", self.scale, 1, float, 0, np.inf))
        check_competition(self.n, self.winners, self.groups)
        check_period(self.period)

    @property
    def n(self) -> int:
        """Number of neurons."""
        return size(self.shape)

    @property
    def bias(self) -> int | Integers:
        """bias_mant * 2^bias_exp, what is added to v in every step."""
        return self.bias_mant * 2**self.bias_exp


class State(NamedTuple):
    """What an integer LIF population carries from step to step; int64 arrays (sample, neuron), s Boolean."""

    u: Integers
    v: Integers
    s: NDArray[np.bool_]


class Overflow(NamedTuple):
    """How often u wrapped and v saturated: measured in a step, never carried.

    Attributes:
        wraps, saturations: how often.
        neuron: the first in order that did, None where none did.
    """

    wraps: int
    saturations: int
    neuron: int | None = None

    def __add__(self, other: Overflow) -> Overflow:  # type: ignore[override]
        named = [neuron for neuron in (self.neuron, other.neuron) if neuron is not None]
        return Overflow(self.wraps + other.wraps, self.saturations + other.saturations, min(named, default=None))


def rest(n_samples: int, n: int) -> State:
    """The state before the first step."""
    zeros = np.zeros((n_samples, n), dtype=np.int64)
    return State(u=zeros, v=zeros, s=np.zeros((n_samples, n), dtype=bool))


def decay(value: Integers, share: int | Integers) -> Integers:
    """trunc(value (4096 - share) / 4096), truncation toward zero."""
    product = value * (DECAY_UNITY - share)
    return np.sign(product) * (np.abs(product) >> 12)


def wrap(u: Integers) -> Integers:
    """One wrap into 24 bits, as Lava does: a value beyond two ranges stays outside."""
    return np.where(u > STATE_LIMIT, u - 2 * STATE_LIMIT, np.where(u <= -STATE_LIMIT, u + 2 * STATE_LIMIT, u))


def int32(value: Integers) -> Integers:
    """The value that 32 bits hold, as Lava's arrays do: value - 2^32 round(value / 2^32)."""
    return value.astype(np.int32).astype(np.int64)


def step(lif: IntegerLIF, state: State, drive: Integers) -> tuple[State, Overflow]:
    """One time step of all samples and neurons.

    Args:
        lif: the parameters.
        state: of the step before.
        drive: a, the sum over all synapses after each projection's weight_exp, before the shift by 6 bits.

    Returns:
        The state at the end of the step (v after the reset), and how many values left their range.
    """
    current = decay(state.u, lif.du + 1) + (drive << ALIGNMENT)
    u = wrap(int32(current))
    v, saturated = _voltage(lif, state.v, u)
    s = winning(v - (lif.v_threshold << ALIGNMENT), lif.winners, lif.groups)
    return State(u=u, v=np.where(s, 0, v), s=s), overflow_of(u != current, saturated)


def voltage(lif: IntegerLIF, last: Integers, u: Integers) -> Integers:
    """v before the reset of a step: clip(trunc(v (4096 - dv) / 4096) + u + bias).

    Args:
        lif: the parameters.
        last: v at the end of the step before; of any shape that ends in neurons, as u.
        u: of this step.
    """
    return _voltage(lif, last, u)[0]


def _voltage(lif: IntegerLIF, last: Integers, u: Integers) -> tuple[Integers, NDArray[np.bool_]]:
    """v before the reset, and where it saturated."""
    whole = decay(last, lif.dv) + u + lif.bias
    v = np.clip(int32(whole), 1 - STATE_LIMIT, STATE_LIMIT - 1)
    return v, v != whole


def overflow_of(wrapped: NDArray[np.bool_], saturated: NDArray[np.bool_]) -> Overflow:
    """Count what left its range, (sample, neuron)."""
    wraps, saturations = int(np.count_nonzero(wrapped)), int(np.count_nonzero(saturated))
    if not wraps and not saturations:
        return Overflow(0, 0)
    return Overflow(wraps, saturations, int(np.flatnonzero(np.any(wrapped | saturated, axis=0))[0]))


SPIKE_READING = 128
"""What Loihi 2 gives for v in the step of a spike, measured (NIR paper, Pedersen et al., Nature Communications 15:8122
(2024), trace of one neuron on the chip)."""


def chip_reading(v: Integers, s: NDArray[np.bool_]) -> Integers:
    """v as it is read from a Loihi 2 chip: 128 in the step of a spike, where Lava's simulator has the 0 of the reset.

    Args:
        v, s: at the end of a step, of the same shape.
    """
    return np.where(s, SPIKE_READING, v)
