"""The constants of motion of weights, and one step of it as it was made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from dlm_snn.errors import DlmError, nearest
from dlm_snn.physics.weights.currents import Current


@dataclass(frozen=True, eq=False)
class Dynamics:
    """The constants of motion. Numbers, or tensors (parameter,) for values that differ between layers.

    Attributes:
        temperature: T >= 0, in units of the loss.
        friction: gamma > 0 of the underdamped form; None: overdamped.
        mobility: D > 0, the diagonal; 1 in the underdamped form.
        current: Q; None: no current.
        current_as: "force" or "drift", in the underdamped form.
        injection_rate: P >= 0, the power of random kicks outside the bath: <p^2> = T + P / gamma where the loss is
            flat; overdamped, kicks of the variance 2 P D^2 h.

    Raises:
        DlmError: values outside these ranges.
    """

    temperature: Tensor | float = 0.0
    friction: Tensor | float | None = None
    mobility: Tensor | float = 1.0
    current: Current | None = None
    current_as: Literal["force", "drift"] = "force"
    injection_rate: Tensor | float = 0.0

    def __post_init__(self) -> None:
        _require("temperature", self.temperature, zero=True, remedy="give T >= 0")
        _require("injection_rate", self.injection_rate, zero=True, remedy="give P >= 0")
        _require("mobility", self.mobility, zero=False, remedy="D is positive")
        if self.friction is not None:
            remedy = "the underdamped form needs a bath; friction=None is the overdamped form"
            _require("friction", self.friction, zero=False, remedy=remedy)
            if torch.any(torch.as_tensor(self.mobility, device="cpu") != 1):
                raise DlmError("mobility is for the overdamped form; in the underdamped one it is 1 / friction")
        if self.current_as not in ("force", "drift"):
            raise DlmError(f"current_as = '{self.current_as}'; {nearest(str(self.current_as), ('force', 'drift'))}")

    @property
    def underdamped(self) -> bool:
        """Whether there is a momentum."""
        return self.friction is not None


def _require(name: str, value: Tensor | float, zero: bool, remedy: str) -> None:
    given = torch.as_tensor(value, device="cpu")
    if not torch.isfinite(given).all() or bool((given < 0).any()) or (not zero and bool((given == 0).any())):
        raise DlmError(f"{name} = {value}: {remedy}")


class Move(NamedTuple):
    """One step of the dynamics, with what its balance needs; see langevin.advance.

    Attributes:
        theta, momentum: afterwards.
        shift: d theta without kicks, None where nothing is booked.
        kick: the part of d theta from outside the bath (overdamped), or None.
        heat, injected: (..., parameter) losses of |p|^2 / 2 to the bath and gains by kicks (underdamped), or None.
    """

    theta: Tensor
    momentum: Tensor
    shift: Tensor | None
    kick: Tensor | None
    heat: Tensor | None
    injected: Tensor | None
