"""The leaky integrate-and-fire neuron: parameters as data, and one pure step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlm_snn.description import OMITTED, told
from dlm_snn.errors import DlmError
from dlm_snn.neurons.checks import check_competition, check_period, checked_parameter, checked_shape, size
from dlm_snn.neurons.competition import winning
from dlm_snn.values import is_whole

Array = Any
"""A NumPy array, or whatever else follows its arithmetic."""


@dataclass(frozen=True, eq=False)
class LIF:
    """A population of leaky integrate-and-fire neurons.

    u = (1 - du) u + a;  v = (1 - dv) v + u + bias;  s = v > v_threshold (strictly), then the reset.

    Attributes:
        shape: (n,) or (channel, row, column).
        du: share of the current u lost per step, in [0, 1]; 1: no memory of the current.
        dv: share of the voltage v lost per step, in [0, 1].
        v_threshold: voltage above which a neuron spikes, >= 0.
        bias: constant added to v in every step.
        reset: "zero": v = 0 in the spike's own step, as Lava and chips do. "subtract": v loses v_threshold one step
            later, v(t+1) = (1-dv) v(t) - v_threshold s(t) + u(t+1) + bias, as snnTorch's default does.
        winners: at most this many neurons of a group spike in a step (k-winners-take-all); None: no competition.
        groups: number of equal contiguous blocks, in index order, that compete apart.
        refractory: steps after a spike in which v is held at 0 while u goes on (as Lava's LIFRefractory).
        period: the whole state is set to 0 before every ``period``-th step (as Lava's LIFReset); None: never.

    du, dv, v_threshold and bias are numbers or arrays with one value a neuron.

    Raises:
        DlmError: a parameter outside its range, or of the wrong size.
    """

    shape: tuple[int, ...]
    _: KW_ONLY
    dv: float | NDArray[np.float64]
    v_threshold: float | NDArray[np.float64] = 1.0
    du: float | NDArray[np.float64] = 1.0
    bias: float | NDArray[np.float64] = 0.0
    reset: Literal["zero", "subtract"] = "zero"
    winners: int | None = None
    groups: int = 1
    refractory: int = 0
    period: int | None = field(default=None, metadata=OMITTED)

    __repr__ = told

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "shape", checked_shape(self.shape))
        for name, low, high in (("du", 0, 1), ("dv", 0, 1), ("v_threshold", 0, np.inf), ("bias", -np.inf, np.inf)):
            set_(self, name, checked_parameter(name, getattr(self, name), self.n, float, low, high))
        if self.reset not in ("zero", "subtract"):
            raise DlmError(f"reset = {self.reset!r} is neither 'zero' nor 'subtract'")
        check_competition(self.n, self.winners, self.groups)
        check_period(self.period)
        if not is_whole(self.refractory) or self.refractory < 0:
            raise DlmError(f"refractory = {self.refractory!r} is not a number of steps >= 0")
        if self.refractory and self.reset != "zero":
            raise DlmError("refractory needs reset='zero': v is held at 0")

    @property
    def n(self) -> int:
        """Number of neurons."""
        return size(self.shape)


class State(NamedTuple):
    """What a LIF population carries from step to step; arrays (sample, neuron)."""

    u: Array
    v: Array
    s: Array
    refractory: Array


def rest(n_samples: int, n: int) -> State:
    """The state before the first step: no current, no voltage, no spike."""
    zeros = np.zeros((n_samples, n))
    return State(
        u=zeros, v=zeros, s=np.zeros((n_samples, n), dtype=bool), refractory=np.zeros((n_samples, n), dtype=int)
    )


def _same(s: Array) -> Array:
    return s


def step(
    lif: LIF,
    state: State,
    drive: Array,
    spikes: Callable[[Array, int | None, int], Array] = winning,
    hold: Callable[[Array], Array] = _same,
) -> State:
    """One time step of all samples and neurons.

    u = (1 - du) u + a;  v = (1 - dv) v + u + bias;  s = winners of v > v_threshold;  then the reset.

    Args:
        lif: the parameters (anything with LIF's attributes: a trainer passes tensors).
        state: of the step before.
        drive: a, the sum over all synapses, (sample, neuron).
        spikes: (v - v_threshold, winners, groups) -> s; a trainer passes one with a surrogate gradient.
        hold: applied to s before it resets; a trainer passes one that stops the gradient.

    Returns:
        The state at the end of the step: v after a zero reset.
    """
    u = (1 - lif.du) * state.u + drive
    v = (1 - lif.dv) * state.v + u + lif.bias
    if lif.reset == "subtract":
        v = v - lif.v_threshold * hold(state.s)
    if lif.refractory:
        v = v * (state.refractory == 0)
    s = spikes(v - lif.v_threshold, lif.winners, lif.groups)
    if lif.reset == "zero":
        v = v * (1 - hold(s))
    if not lif.refractory:
        return State(u, v, s, state.refractory)
    waiting = state.refractory - 1 * (state.refractory > 0)
    return State(u, v, s, waiting * (1 - hold(s)) + lif.refractory * hold(s))
