"""The constants of motion as an optimiser's parameter groups have them now: what is written there counts at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from dlm_snn.errors import DlmError
from dlm_snn.physics.weights.currents import Paired, drawn_pairs, pair_strengths
from dlm_snn.physics.weights.dynamics import Dynamics

LAYERED = ("temperature", "friction", "alpha", "mobility", "injection_rate")
"""What a parameter group may set for itself."""
SHAPING = (1, 2, 3)
"""Those of LAYERED on which the stability of a step depends."""
Groups = Sequence[Mapping[str, Any]]


class Motion:
    """Dynamics of all parameters, or of those alone that move.

    Args:
        parameters: of all groups, in their order.
        generator: draws the pairs of Q, when alpha is first above 0, among parameters that then require a gradient.
        paired: whether the current is Q's.
        function, current_as, across: see ``optimizer.Langevin``.

    Attributes:
        pairs: partner and sign of each parameter, see ``currents.drawn_pairs``; None: not drawn.
        constants: LAYERED of each parameter tensor, as last seen.
    """

    def __init__(
        self,
        parameters: Sequence[Tensor],
        generator: torch.Generator,
        *,
        paired: bool,
        function: str,
        current_as: Literal["force", "drift"],
        across: bool,
    ) -> None:
        self._parameters, self._generator = list(parameters), generator
        self._sizes = [p.numel() for p in self._parameters]
        self._paired, self._function, self._current_as, self._across = paired, function, current_as, across
        self.pairs: tuple[Tensor, Tensor] | None = None
        self.constants: list[tuple[Any, ...]] = []
        self._made: dict[tuple[bool, ...], Dynamics] = {}

    def forget(self) -> None:
        """Make everything anew, from other pairs."""
        self.constants, self._made = [], {}

    def dynamics(self, groups: Groups, moving: Sequence[bool] | None = None) -> Dynamics:
        """The constants of motion.

        Args:
            groups: the optimiser's.
            moving: which parameter tensors move; None: all. A pair of which one does not is no pair.

        Raises:
            DlmError: a value out of its range, or friction for some groups only.
        """
        constants = [tuple(_number(g, name) for name in LAYERED) for g in groups for _ in g["params"]]
        if constants != self.constants:
            self._made, self.constants = {}, constants
        chosen = tuple(moving) if moving is not None else (True,) * len(self._sizes)
        if chosen not in self._made:
            whole = self._made.get((True,) * len(chosen))
            self._made = {} if whole is None else {(True,) * len(chosen): whole}
            self._made[chosen] = self._dynamics(chosen)
        return self._made[chosen]

    def _dynamics(self, moving: Sequence[bool]) -> Dynamics:
        temperature, friction, alpha, mobility, injection_rate = (list(x) for x in zip(*self.constants, strict=True))
        if any(f is None for f in friction) and any(f is not None for f in friction):
            raise DlmError("friction is set for some groups only; set it for all, or for none (overdamped)")
        return Dynamics(
            temperature=self._spread(temperature, moving),
            friction=None if friction[0] is None else self._spread(friction, moving),
            mobility=self._spread(mobility, moving),
            current=self._current(alpha, moving),
            current_as=self._current_as,
            injection_rate=self._spread(injection_rate, moving),
        )

    def _spread(self, values: Sequence[float], moving: Sequence[bool]) -> Tensor | float:
        """One number where all layers agree, else one for every parameter that moves."""
        if len(set(values)) == 1:
            return values[0]
        sizes = [n * here for n, here in zip(self._sizes, moving, strict=True)]
        there, dtype = self._parameters[0].device, self._parameters[0].dtype
        return torch.repeat_interleave(
            torch.tensor(values, dtype=dtype, device=there), torch.tensor(sizes, device=there)
        )

    def _current(self, alpha: Sequence[float], moving: Sequence[bool]) -> Paired | None:
        if not self._paired or not any(alpha):
            return None
        if self.pairs is None:
            self.pairs = self._drawn()
        partner, sign = self.pairs
        strength = pair_strengths(self._sizes, list(alpha), partner, sign)
        if all(moving):
            return Paired(partner, strength, self._function)
        here = self._each(moving)
        both = here & here[partner]
        place = here.cumsum(0) - 1
        others = torch.where(both, place[partner], place)
        return Paired(others[here], torch.where(both, strength, torch.zeros_like(strength))[here], self._function)

    def _drawn(self) -> tuple[Tensor, Tensor]:
        """Pairs of what requires a gradient; the others have no partner."""
        index = torch.nonzero(self._each([p.requires_grad for p in self._parameters])).flatten()
        sizes = [p.numel() if p.requires_grad else 0 for p in self._parameters]
        dtype = self._parameters[0].dtype
        drawn, sign = drawn_pairs(sizes, self._generator, across=self._across, dtype=dtype)
        partner, signs = torch.arange(sum(self._sizes), device=drawn.device), sign.new_zeros(sum(self._sizes))
        partner[index], signs[index] = index[drawn], sign
        return partner, signs

    def _each(self, layers: Sequence[bool]) -> Tensor:
        """What holds for a layer, for each of its parameters; where the pairs are."""
        there = self._generator.device
        return torch.repeat_interleave(torch.tensor(layers, device=there), torch.tensor(self._sizes, device=there))


def _number(group: Mapping[str, Any], name: str) -> float | None:
    value = group[name]
    if value is None and name == "friction":
        return None
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise DlmError(f"{name} = {value!r} in a parameter group is not a number") from error
