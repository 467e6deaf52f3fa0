"""Langevin dynamics of weights, over- and underdamped: init, step -> (state, ThermodynamicState).

Overdamped:   d theta = -(D + Q) grad L dt + sqrt(2 T D) dW            (Euler-Maruyama)
Underdamped:  d theta = p dt,  dp = -grad L dt + J dt - gamma p dt + sqrt(2 gamma T) dW      (BAOAB, merged half kicks)

The current J stands in the underdamped form as a *force* -Q grad L on the momentum (driven: it does not keep the Gibbs
law), or as a *drift* of theta by -Q grad L, in a sub-step of its own (it keeps the Gibbs law as h -> 0).
At T = 0, without current and injection, these are torch's SGD: overdamped with lr = h; underdamped with momentum
c = exp(-gamma h) and lr = h^2 (1 + c) / 2.

Sources: Leimkuhler and Matthews, Appl. Math. Res. Express 2013, 34 (BAOAB); Ma, Chen and Fox, NIPS 2015 (D + Q).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from dlm_snn.errors import DlmError
from dlm_snn.physics.weights.dynamics import Dynamics, Move
from dlm_snn.physics.weights.thermodynamics import ThermodynamicState, balance

Loss = Callable[[Tensor], tuple[Tensor, Tensor]]
"""theta (..., parameter) -> (loss (...), gradient (..., parameter))."""


def flat_loss(parameters: Sequence[Tensor], compute: Callable[[], Tensor]) -> tuple[Tensor, Loss]:
    """The loss of any torch module as a function of one flat vector.

    Args:
        parameters: leaves that ``compute`` uses; they are overwritten by every evaluation.
        compute: the loss at their present values, with a graph.

    Returns:
        theta, where the parameters are now, and theta -> (loss, gradient).
    """
    held = list(parameters)
    sizes = [p.numel() for p in held]

    def loss(theta: Tensor) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            for parameter, part in zip(held, theta.split(sizes), strict=True):
                parameter.copy_(part.view_as(parameter))
        value = compute()
        gradients = torch.autograd.grad(value, held)
        return value.detach(), torch.cat([g.reshape(-1) for g in gradients])

    return torch.cat([p.detach().reshape(-1) for p in held]), loss


class State(NamedTuple):
    """Where the weights are.

    Attributes:
        theta: (..., parameter).
        momentum: (..., parameter) before the kick of theta's own gradient (a full BAOAB momentum p is
            momentum + h/2 times the force at theta); empty in the overdamped form.
        energy: (...) loss at theta.
        gradient: (..., parameter) of the loss at theta.
    """

    theta: Tensor
    momentum: Tensor
    energy: Tensor
    gradient: Tensor


def init(theta: Tensor, loss: Loss, dynamics: Dynamics, momentum: Tensor | None = None) -> State:
    """The state at theta, at rest unless a momentum (before its kick) is given.

    Raises:
        DlmError: a gradient that is not finite.
    """
    energy, gradient = loss(theta)
    if not dynamics.underdamped:
        momentum = theta.new_empty(0)
    elif momentum is None:
        momentum = torch.zeros_like(theta)
    return State(theta, momentum, energy, _finite(gradient))


def switch(state: State, loss: Loss, dynamics: Dynamics, h: float) -> tuple[State, Tensor]:
    """Go over to another loss at fixed theta (another batch or task): the state there, and the work w_sw done by it.

    In the underdamped form the energy counts the half kick by which the momentum is brought to theta's own time.
    """
    new = init(state.theta, loss, dynamics, state.momentum)
    return new, total_energy(new, dynamics, h) - total_energy(state, dynamics, h)


def total_energy(state: State, dynamics: Dynamics, h: float) -> Tensor:
    """L, and |p|^2 / 2 at theta's own time in the underdamped form, (...)."""
    if not dynamics.underdamped:
        return state.energy
    p = state.momentum + h / 2 * force(state.gradient, dynamics)
    return state.energy + (p * p).sum(-1, dtype=torch.float64) / 2


def force(gradient: Tensor, dynamics: Dynamics) -> Tensor:
    """What kicks the momentum: -grad L, and -Q grad L where the current is a force."""
    if dynamics.current is None or dynamics.current_as == "drift":
        return -gradient
    return -gradient - dynamics.current(gradient)


def step(
    state: State, loss: Loss, h: float, dynamics: Dynamics, generator: torch.Generator | None = None
) -> tuple[State, ThermodynamicState]:
    """One step of length h and its balance; one gradient, at the new place.

    Args:
        state: of ``init``, ``switch`` or an earlier step, of this loss.
        loss: theta -> (loss, gradient).
        h: length of the step.
        dynamics: the constants.
        generator: draws the noise.

    Raises:
        DlmError: a gradient that is not finite, or a step that is not positive.
    """
    if not (math.isfinite(h) and h > 0):
        raise DlmError(f"h = {h}: a step is positive")
    move = advance(state.theta, state.momentum, state.gradient, h, dynamics, generator, book=True)
    energy, gradient = loss(move.theta)
    new = State(move.theta, move.momentum, energy, _finite(gradient))
    before, after = (total_energy(s, dynamics, h) for s in (state, new))
    return new, balance(move, state.gradient, new.gradient, before, after, h, dynamics)


def advance(
    theta: Tensor,
    momentum: Tensor,
    gradient: Tensor,
    h: float,
    dynamics: Dynamics,
    generator: torch.Generator | None,
    drive: Tensor | None = None,
    book: bool = False,
) -> Move:
    """Move by one step; a pure function.

    Args:
        theta, momentum, gradient: (..., parameter), see State.
        h: length of the step.
        dynamics: the constants.
        generator: draws the noise.
        drive: a further force or drift (such as the Hebbian current), (..., parameter).
        book: whether heat and injection are kept for a balance.
    """
    if dynamics.underdamped:
        return _baoab(theta, momentum, gradient, h, dynamics, generator, drive, book)
    return _euler_maruyama(theta, momentum, gradient, h, dynamics, generator, drive, book)


def _euler_maruyama(
    theta: Tensor,
    momentum: Tensor,
    gradient: Tensor,
    h: float,
    dynamics: Dynamics,
    generator: torch.Generator | None,
    drive: Tensor | None,
    book: bool,
) -> Move:
    mobility = dynamics.mobility
    drift = mobility * gradient
    if dynamics.current is not None:
        drift = drift + dynamics.current(gradient)
    if drive is not None:
        drift = drift - drive
    shift = -h * drift
    if _any(dynamics.temperature):
        shift = shift + _root(2 * h * dynamics.temperature * mobility) * _normal(theta, generator)
    kick = None
    if _any(dynamics.injection_rate):
        kick = mobility * _root(2 * h * dynamics.injection_rate) * _normal(theta, generator)
    moved = theta + shift if kick is None else theta + shift + kick
    return Move(moved, momentum, shift if book else None, kick, None, None)


def _baoab(
    theta: Tensor,
    momentum: Tensor,
    gradient: Tensor,
    h: float,
    dynamics: Dynamics,
    generator: torch.Generator | None,
    drive: Tensor | None,
    book: bool,
) -> Move:
    pushed = force(gradient, dynamics) if drive is None else force(gradient, dynamics) + drive
    p = momentum + h * pushed
    place = theta
    if dynamics.current is not None and dynamics.current_as == "drift":
        place = theta - h * dynamics.current(gradient)
    half = place + h / 2 * p
    friction = dynamics.friction if dynamics.friction is not None else 0.0
    c = torch.exp(-h * friction) if isinstance(friction, Tensor) else math.exp(-h * friction)
    after = c * p
    if _any(dynamics.temperature):
        after = after + _root((1 - c * c) * dynamics.temperature) * _normal(theta, generator)
    heat = (p * p - after * after) / 2 if book else None
    injected = None
    if _any(dynamics.injection_rate):
        kicked = after + _root((1 - c * c) * dynamics.injection_rate / friction) * _normal(theta, generator)
        injected = (kicked * kicked - after * after) / 2 if book else None
        after = kicked
    moved = half + h / 2 * after
    return Move(moved, after, moved - theta if book else None, None, heat, injected)


def _any(value: Tensor | float) -> bool:
    return bool((value != 0).any()) if isinstance(value, Tensor) else value != 0


def _root(value: Tensor | float) -> Tensor | float:
    return value.sqrt() if isinstance(value, Tensor) else math.sqrt(value)


def _normal(like: Tensor, generator: torch.Generator | None) -> Tensor:
    return torch.randn(like.shape, dtype=like.dtype, device=like.device, generator=generator)


def _finite(gradient: Tensor) -> Tensor:
    if not torch.isfinite(gradient).all():
        raise DlmError("the gradient is not finite; lower the step, or look for a division by 0 in the loss")
    return gradient
