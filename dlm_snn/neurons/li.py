"""Leaky integrators: neurons that never spike and whose v is read, in floats and in the integers of Loihi and Lava."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from dlm_snn.description import OMITTED, told
from dlm_snn.neurons.checks import check_period, checked_parameter, checked_shape, size
from dlm_snn.neurons.integer_lif import DECAY_UNITY, THRESHOLD_LIMIT, Integers


@dataclass(frozen=True, eq=False)
class LI:
    """A population of leaky integrators: a read-out without spikes.

    u = (1 - du) u + a;  v = (1 - dv) v + u + bias;  no spike, no reset.

    Attributes:
        shape: (n,) or (channel, row, column).
        dv: share of the voltage v lost per step, in [0, 1].
        du: share of the current u lost per step, in [0, 1]; 1: no memory of the current.
        bias: constant added to v in every step.
        period: u and v are set to 0 before every ``period``-th step; None: never.
        v_threshold, reset, winners, groups, refractory: of a LIF that does the same, its threshold out of reach; for
            whoever computes both kinds by the same lines.

    du, dv and bias are numbers or arrays with one value a neuron.

    Raises:
        DlmError: a parameter outside its range, or of the wrong size.
    """

    shape: tuple[int, ...]
    _: KW_ONLY
    dv: float | NDArray[np.float64]
    du: float | NDArray[np.float64] = 1.0
    bias: float | NDArray[np.float64] = 0.0
    period: int | None = field(default=None, metadata=OMITTED)

    v_threshold: ClassVar[float] = float("inf")
    reset: ClassVar[str] = "zero"
    winners: ClassVar[None] = None
    groups: ClassVar[int] = 1
    refractory: ClassVar[int] = 0

    __repr__ = told

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "shape", checked_shape(self.shape))
        for name, low, high in (("du", 0, 1), ("dv", 0, 1), ("bias", -np.inf, np.inf)):
            set_(self, name, checked_parameter(name, getattr(self, name), self.n, float, low, high))
        check_period(self.period)

    @property
    def n(self) -> int:
        """Number of neurons."""
        return size(self.shape)


@dataclass(frozen=True, eq=False)
class IntegerLI:
    """A population of leaky integrators in integers.

    u = wrap(trunc(u (4096 - (du+1)) / 4096) + 64 a);  v = clip(trunc(v (4096 - dv) / 4096) + u + bias);  no spike.

    On a target it is a LIF whose threshold v cannot pass. Lava's fixed-point models take ``v_threshold`` = 2^17, which
    is 2^23 in v's unit, one above the largest v. The thresholds of Loihi 2 have 17 bits: the highest is 2^17 - 1, and a
    neuron there spikes from v = 2^23 - 63 on. What ``quantize`` calibrates leaves a factor of 2.

    Attributes:
        shape: (n,) or (channel, row, column).
        dv: 0..4095, share of v lost per step in 1/4096.
        du: -1..4095, share of u lost per step is (du+1)/4096; -1 holds u, 4095 forgets it.
        bias_mant: -4096..4095.
        bias_exp: 0..7; the bias added to v is bias_mant * 2^bias_exp.
        scale: integers per float unit: v_float = v / (64 scale).
        period: as in LI.
        v_threshold, winners, groups: of an IntegerLIF that does the same.

    Raises:
        DlmError: a parameter outside its range, or of the wrong size.

    Source: lava-nc 0.10.0, lava/proc/lif/models.py, PyLifModelBitAcc.
    """

    shape: tuple[int, ...]
    _: KW_ONLY
    dv: int | Integers
    du: int | Integers = 4095
    bias_mant: int | Integers = 0
    bias_exp: int = 0
    scale: float = 1.0
    period: int | None = field(default=None, metadata=OMITTED)

    v_threshold: ClassVar[int] = THRESHOLD_LIMIT
    winners: ClassVar[None] = None
    groups: ClassVar[int] = 1

    __repr__ = told

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "shape", checked_shape(self.shape))
        for name, low, high in (("du", -1, DECAY_UNITY - 1), ("dv", 0, DECAY_UNITY - 1), ("bias_mant", -4096, 4095)):
            set_(self, name, checked_parameter(name, getattr(self, name), self.n, int, low, high))
        set_(self, "bias_exp", checked_parameter("bias_exp", self.bias_exp, 1, int, 0, 7))
        set_(self, "scale", checked_parameter("scale", self.scale, 1, float, 0, np.inf))
        check_period(self.period)

    @property
    def n(self) -> int:
        """Number of neurons."""
        return size(self.shape)

    @property
    def bias(self) -> int | Integers:
        """bias_mant * 2^bias_exp, what is added to v in every step."""
        return self.bias_mant * 2**self.bias_exp
