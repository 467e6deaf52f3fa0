"""Information currents between weights: what drives them around, beside the gradient.

The current is the drift -Q g of a gradient g, with Q antisymmetric: g.Qg = 0, so that it moves weights along the loss's
level sets and leaves the stationary density exp(-L/T) as it is (overdamped form). A function of it, or the Hebbian
form, is a driving force like any other and does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from dlm_snn.errors import DlmError, nearest

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda x: x,
    "tanh": torch.tanh,
    "quadratic": lambda x: x * x.abs(),
}
"""Functions of a current; each keeps its sign."""


class Current(Protocol):
    """Q of a gradient, with what the balances need to know of it."""

    @property
    def linear(self) -> bool:
        """Whether it is Q g itself: only then is |Q g|^2 / T the entropy production, and exp(-L/T) stationary."""

    def __call__(self, gradient: Tensor) -> Tensor:
        """Q g, or a function of it, (..., parameter)."""

    def planes(self, x: Tensor) -> Tensor:
        """sign(Q) x: by this the circulation theta o sign(Q) dtheta is taken."""

    def transposed(self, x: Tensor) -> Tensor:
        """Q^T x."""


def _function(name: str) -> Callable[[Tensor], Tensor]:
    if name not in FUNCTIONS:
        raise DlmError(f"function = '{name}'; {nearest(name, FUNCTIONS)}")
    return FUNCTIONS[name]


@dataclass(frozen=True, eq=False)
class Paired:
    """Coordinates in pairs: (Q g)_i = strength_i g_partner(i), with O(P) memory.

    Attributes:
        partner: (parameter,) index of the other one of the pair; its own index where it has none.
        strength: (parameter,), of opposite sign in a pair; 0 where there is no partner.
        function: of FUNCTIONS, taken of Q g.

    Raises:
        DlmError: no pairing, strengths that are not antisymmetric, an unknown function.
    """

    partner: Tensor
    strength: Tensor
    function: str = "linear"

    def __post_init__(self) -> None:
        _function(self.function)
        own = torch.arange(len(self.partner), device=self.partner.device)
        if self.partner.shape != self.strength.shape or not torch.equal(self.partner[self.partner], own):
            raise DlmError("partner is no pairing: partner[partner[i]] must be i; make it with paired()")
        gap = (self.strength + self.strength[self.partner]).abs().max().item() if len(own) else 0.0
        if gap != 0:
            raise DlmError(
                f"Q is not antisymmetric: two strengths of a pair differ by {gap:g} in size or agree in sign; "
                "give them opposite signs"
            )

    @property
    def linear(self) -> bool:
        """Whether it is Q g itself."""
        return self.function == "linear"

    def __call__(self, gradient: Tensor) -> Tensor:
        """Q g, or a function of it, (..., parameter)."""
        return _function(self.function)(self.strength * gradient[..., self.partner])

    def planes(self, x: Tensor) -> Tensor:
        """sign(Q) x."""
        return self.strength.sign() * x[..., self.partner]

    def transposed(self, x: Tensor) -> Tensor:
        """Q^T x = -Q x."""
        return -self.strength * x[..., self.partner]


@dataclass(frozen=True, eq=False)
class Matrix:
    """A whole antisymmetric matrix Q, (parameter, parameter): for small problems.

    Raises:
        DlmError: a matrix that is not antisymmetric.
    """

    matrix: Tensor

    def __post_init__(self) -> None:
        q = self.matrix
        if q.ndim != 2 or q.shape[0] != q.shape[1]:
            raise DlmError(f"Q has the shape {tuple(q.shape)}; give a square matrix")
        gap = (q + q.T).abs().max().item()
        if gap != 0:
            raise DlmError(f"Q is not antisymmetric: Q + Q^T has entries up to {gap:g}; give (Q - Q^T) / 2")

    @property
    def linear(self) -> bool:
        """It is Q g itself."""
        return True

    def __call__(self, gradient: Tensor) -> Tensor:
        """Q g, (..., parameter)."""
        return gradient @ self.matrix.T

    def planes(self, x: Tensor) -> Tensor:
        """sign(Q) x."""
        return x @ self.matrix.sign().T

    def transposed(self, x: Tensor) -> Tensor:
        """Q^T x."""
        return x @ self.matrix


def paired(
    sizes: Sequence[int],
    strength: float | Sequence[float],
    generator: torch.Generator,
    *,
    across: bool = True,
    function: str = "linear",
    dtype: torch.dtype = torch.float64,
) -> Paired:
    """Pair the parameters of layers at random.

    Args:
        sizes: parameters of each layer, in the order of the flat vector.
        strength: alpha, of all layers or of each; a pair across layers takes the geometric mean of theirs.
        generator: draws the pairs.
        across: whether pairs may join layers; else each layer is paired within itself.
        function: of FUNCTIONS.
        dtype: of the strengths.

    Raises:
        DlmError: as many strengths as layers are needed, none negative.
    """
    partner, sign = drawn_pairs(sizes, generator, across=across, dtype=dtype)
    return Paired(partner, pair_strengths(sizes, strength, partner, sign), function)


def drawn_pairs(
    sizes: Sequence[int], generator: torch.Generator, *, across: bool = True, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, Tensor]:
    """The partner of each parameter, its own index where it has none; and +1 and -1 in a pair, else 0."""
    total = sum(sizes)
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    blocks = [(0, total)] if across else list(zip(starts, sizes, strict=True))
    there = generator.device
    partner, sign = torch.arange(total, device=there), torch.zeros(total, dtype=dtype, device=there)
    for start, size in blocks:
        drawn = start + torch.randperm(size, generator=generator, device=there)
        first, second = drawn[: size // 2], drawn[size // 2 : 2 * (size // 2)]
        partner[first], partner[second] = second, first
        sign[first], sign[second] = 1.0, -1.0
    return partner, sign


def pair_strengths(sizes: Sequence[int], strength: float | Sequence[float], partner: Tensor, sign: Tensor) -> Tensor:
    """Strengths (parameter,) of drawn pairs, from alpha of all layers or of each.

    Raises:
        DlmError: as many strengths as layers are needed, none negative.
    """
    strengths = [strength] * len(sizes) if isinstance(strength, (int, float)) else list(strength)
    if len(strengths) != len(sizes) or any(not (math.isfinite(a) and a >= 0) for a in strengths):
        raise DlmError(f"strength = {strength!r} is not one number >= 0, or one for each of {len(sizes)} layers")
    there = sign.device
    own = torch.repeat_interleave(
        torch.tensor(strengths, dtype=sign.dtype, device=there), torch.tensor(sizes, device=there)
    )
    other = own[partner]
    return sign * torch.where(own == other, own, own.sqrt() * other.sqrt())


def hebbian(post: Tensor, pre: Tensor, function: str = "linear") -> Tensor:
    """The seed study's current: the outer product of output and input activity, scaled to a norm of 1.

    J = <post pre^T> / |<post pre^T>|, of shape (post, pre); 0 where nothing is active. It is no function of the weights
    alone, so no entropy production is defined for it.

    Args:
        post, pre: (sample, neuron) activities, such as spike counts.
        function: of FUNCTIONS, taken of J.
    """
    product = post.T @ pre / max(len(post), 1)
    norm = product.norm()
    return _function(function)(product / norm) if norm > 0 else product
