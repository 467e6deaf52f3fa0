"""A quadratic well around old weights, entered by an implicit step."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Anchor:
    """The penalty 1/2 sum_i c_i (theta_i - a_i)^2, whose step is solved exactly.

    theta <- argmin 1/(2h) |x - theta|^2 + penalty(x) = (theta + h c a) / (1 + h c): stable for every curvature c and
    step h, where the explicit step diverges beyond h c = 2. Adam's own scaling does not touch it, as AdamW's decay.

    Attributes:
        curvature: c, one tensor a parameter, not negative.
        place: a.

    Args:
        parameters: that are held.
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self.parameters = list(parameters)
        self.curvature = [torch.zeros_like(p) for p in self.parameters]
        self.place = [p.detach().clone() for p in self.parameters]

    @torch.no_grad()
    def settle(self) -> None:
        """The weights as they are now become the place."""
        for place, parameter in zip(self.place, self.parameters, strict=True):
            place.copy_(parameter)

    @torch.no_grad()
    def pull(self, h: float) -> None:
        """One implicit step of length h."""
        for p, c, a in zip(self.parameters, self.curvature, self.place, strict=True):
            p.add_((a - p) * (h * c / (1 + h * c)))
