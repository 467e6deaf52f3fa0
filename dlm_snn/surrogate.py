"""Spikes in torch: exact winners forward, a surrogate derivative backward."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from dlm_snn.errors import DlmError, nearest

Surrogate = Callable[[Tensor], Tensor]
"""A function like snnTorch's: x -> (x > 0), whose backward pass multiplies by a smooth derivative."""

_FAMILIES = {"fast_sigmoid": "slope", "atan": "alpha", "sigmoid": "slope"}


def surrogate(name: str, slope: float) -> Surrogate:
    """A surrogate of snnTorch by its name there.

    fast_sigmoid: 1/(1 + slope |x|)^2; atan: (slope/2) / (1 + (pi slope x/2)^2); sigmoid: the logistic's derivative.

    Raises:
        DlmError: an unknown name.

    Source: snntorch 1.0.0, surrogate.py.
    """
    if name not in _FAMILIES:
        raise DlmError(f"no surrogate '{name}'; {nearest(name, _FAMILIES)}")
    _function(name, slope)
    return _Named(name, slope)


@dataclass(frozen=True)
class _Named:
    """A surrogate by its name and slope, so that a learner that holds it can be pickled: snnTorch's are closures."""

    name: str
    slope: float

    def __call__(self, overshoot: Tensor) -> Tensor:
        return _function(self.name, self.slope)(overshoot)


@cache
def _function(name: str, slope: float) -> Surrogate:
    from snntorch import surrogate as functions

    made: Surrogate = getattr(functions, name)(**{_FAMILIES[name]: slope})
    return made


def straight_through(exact: Tensor, smooth: Tensor) -> Tensor:
    """The value of ``exact`` with the gradient of ``smooth``, in the dtype of ``exact``."""
    return _StraightThrough.apply(exact, smooth)


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, exact: Tensor, smooth: Tensor) -> Tensor:
        return exact.detach()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor]:
        return None, gradients[0]


@dataclass(frozen=True)
class SoftSpikes:
    """Spikes of the size that the fast surrogate is the derivative of: smooth networks, for the physics.

    psi(x) = 1/2 + x / (1 + slope |x|), psi'(x) = 1 / (1 + slope |x|)^2; x = v - v_threshold, or v less the
    competition's own threshold where neurons compete. No simulator runs such a network: it is the twin of a spiking one
    whose gradient is a gradient.

    Attributes:
        slope: of the fast surrogate.
        attached: whether reset and competition's threshold pass the gradient; detached, as in spiking networks, the
            gradient is not that of the loss.
    """

    slope: float = 5.0
    attached: bool = True

    def __call__(self, overshoot: Tensor, winners: int | None = None, groups: int = 1) -> Tensor:
        """Soft spikes, (..., n); see ``winning``."""
        x = overshoot
        if winners is not None and winners < x.shape[-1] // groups:
            blocks = x.unflatten(-1, (groups, x.shape[-1] // groups))
            last, next_ = blocks.topk(winners + 1, dim=-1).values[..., -2:].split(1, dim=-1)
            center = ((last + next_) / 2).clamp(min=0)
            x = (blocks - (center if self.attached else center.detach())).flatten(-2)
        return 0.5 + x / (1 + self.slope * x.abs())

    def hold(self, s: Tensor) -> Tensor:
        """Spikes as the reset sees them."""
        return s if self.attached else s.detach()


def winning(overshoot: Tensor, winners: int | None = None, groups: int = 1) -> Tensor:
    """The neurons that spike, as 0 and 1 in the dtype of ``overshoot``; equal to ``competition.winning``.

    Args:
        overshoot: v - v_threshold, (..., n).
        winners: how many of a group may spike; None: all above threshold.
        groups: equal contiguous blocks that compete apart.
    """
    return _ranked(overshoot, winners, groups)[0]


def spiking(function: Surrogate, unit: float = 1.0) -> Callable[[Tensor, int | None, int], Tensor]:
    """A replacement of ``winning`` with a gradient: exact winners forward, the surrogate's derivative backward.

    ds_i/dv_i = surrogate'((v_i - center) / unit) / unit, with center the competition's own threshold of the sample
    and group, max(v_threshold, mean of the k-th and (k+1)-th largest v); the center passes no gradient. Losers keep
    v, so that rank decides almost every step: centered on v_threshold, the derivative would vanish where it matters.

    Args:
        function: the surrogate.
        unit: size of one float unit of v, such as 64 * scale of an integer population.
    """

    def spikes(overshoot: Tensor, winners: int | None, groups: int) -> Tensor:
        s, center = _ranked(overshoot, winners, groups)
        distance = overshoot if center is None else overshoot - center
        return straight_through(s, function(distance if unit == 1 else distance / unit).to(s.dtype))

    return spikes


@torch.no_grad()
def _ranked(overshoot: Tensor, winners: int | None, groups: int) -> tuple[Tensor, Tensor | None]:
    """The winners, and the competition's threshold relative to v_threshold, (..., n); None: 0, no competition."""
    size = overshoot.shape[-1] // groups
    if winners is None or winners == size:
        return _greater(overshoot, torch.zeros((), dtype=overshoot.dtype, device=overshoot.device)), None
    blocks = overshoot.unflatten(-1, (groups, size))
    # torch.topk promises no order among equal values, but the values themselves are exact.
    top = blocks.topk(winners + 1, dim=-1, sorted=False).values
    next_, last = top.topk(2, dim=-1, largest=False).values.split(1, dim=-1)
    chosen = _greater(blocks, next_.clamp(min=0))
    tied = (last == next_) & (last > 0)
    if tied.any():
        places = winners - chosen.sum(-1, keepdim=True)
        equal = (blocks == next_) & tied
        chosen += equal & (equal.cumsum(-1) <= places)
    center = ((last + next_) / 2).clamp(min=0).expand_as(blocks).flatten(-2)
    return chosen.flatten(-2), center


def _greater(a: Tensor, b: Tensor) -> Tensor:
    """a > b as 0 and 1 in the dtype of ``a``: several times faster than through Booleans."""
    return torch.gt(a, b, out=torch.empty_like(a))
