"""Balances of the weights' dynamics: heat, work, entropy production, information current; nothing here moves a weight.

All increments are taken at midpoints (Stratonovich). With E = L (+ |p|^2 / 2), gbar = (g_n + g_n+1) / 2 and the driving
force f = -D^-1 Q gbar (or -D^-1 of the mean of a function of Q g):

    overdamped    heat  q    = -(gbar - f) . d theta      d theta without kicks
                  work  w_nc = f . d theta
                  kicks w_in = gbar . kick
    underdamped   heat  q    = loss of |p|^2 / 2 in the bath's sub-step, exact
                  work  w_nc = fbar . d theta (force)
                  kicks w_in = gain of |p|^2 / 2, exact
    first law     dE = w_nc + w_in + w_sw + w_syn - q,    w_sw: a switch of batch or task, w_syn: synaptic dissipation

What fails to close is the ``residual``: an error of the discretization on smooth losses, the surrogate's work where the
gradient is a surrogate's (there it is no small term; see ThermodynamicState.surrogate_work).

Traps, refused or named: g.Qg is 0, so the current's work is taken against D^-1, not against the gradient; Ito products
give twice the heat; clipping and Adam break the relation of noise to friction.

Sources: Sekimoto, Stochastic Energetics (2010); Seifert, Rep. Prog. Phys. 75, 126001 (2012); Hatano and Sasa, Phys.
Rev. Lett. 86, 3463 (2001).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from dlm_snn.errors import DlmError
from dlm_snn.physics.weights.currents import Current
from dlm_snn.physics.weights.dynamics import Dynamics, Move


@dataclass(frozen=True, eq=False)
class ThermodynamicState:
    """What a step did; measured, never carried along. Tensors (...), sums over parameters.

    Attributes:
        energy: E after the step.
        entropy_production: rate of the medium's entropy, q / (T h), in nats per unit of time; NaN at T = 0.
        information_current: circulation, the sum over Q's planes of (theta_a o d theta_b - theta_b o d theta_a) / h.
        dissipation: heat to the bath per unit of time, q / h.
        temperature: the T that was set (the mean over parameters where layers differ).
        housekeeping: w_nc / (T h): overdamped, in a steady state, the total entropy production.
        excess: entropy_production - housekeeping: what a relaxation or a switch gives off.
        heat, work_current, work_injection: of this step, (..., layer) if layers are given, else (..., 1).
        work_switching, work_synaptic: (...), booked by the caller between steps; 0 here.
        residual: dE - (w_nc + w_in - q) of the step, (...).
        energy_change: dE of the step, (...).
        surrogate: description of the surrogate where the gradient is one's, else None.
    """

    energy: Tensor
    entropy_production: Tensor
    information_current: Tensor
    dissipation: Tensor
    temperature: float
    housekeeping: Tensor
    excess: Tensor
    heat: Tensor
    work_current: Tensor
    work_injection: Tensor
    work_switching: Tensor
    work_synaptic: Tensor
    residual: Tensor
    energy_change: Tensor
    surrogate: str | None = None

    @property
    def surrogate_work(self) -> Tensor | None:
        """The residual where the force was a surrogate's; None on smooth losses, where it is an error of the step."""
        return None if self.surrogate is None else self.residual

    def booked(self, switching: Tensor | float = 0.0, synaptic: Tensor | float = 0.0) -> ThermodynamicState:
        """The same with work that was done between the steps."""
        return replace(
            self, work_switching=self.work_switching + switching, work_synaptic=self.work_synaptic + synaptic
        )


def balance(
    move: Move,
    before: Tensor,
    after: Tensor,
    energy_before: Tensor,
    energy_after: Tensor,
    h: float,
    dynamics: Dynamics,
    layers: Sequence[int] | None = None,
    surrogate: str | None = None,
) -> ThermodynamicState:
    """The balance of one step.

    Args:
        move: of langevin.advance with ``book``.
        before, after: (..., parameter) gradients of one loss at both ends.
        energy_before, energy_after: (...) E at both ends, see langevin.total_energy.
        h: length of the step.
        dynamics: the constants.
        layers: parameters of each layer; heat and work are then given by layer.
        surrogate: name of the surrogate where the gradients are one's.

    Raises:
        DlmError: a move that kept no books.
    """
    if move.shift is None:
        raise DlmError("this move kept no books; advance(..., book=True)")
    sizes = list(layers) if layers is not None else [before.shape[-1]]
    driving, heat, injected = (_overdamped if move.heat is None else _underdamped)(move, before, after, dynamics)
    parts = {name: _by_layer(x, sizes) for name, x in (("q", heat), ("nc", driving), ("in", injected))}
    total = {name: part.sum(-1) for name, part in parts.items()}
    change = energy_after - energy_before
    entropy, housekeeping = (_over_temperature(x, dynamics.temperature) / h for x in (heat, driving))
    return ThermodynamicState(
        energy=energy_after,
        entropy_production=entropy,
        information_current=_circulation(move, dynamics.current) / h,
        dissipation=total["q"] / h,
        temperature=float(torch.as_tensor(dynamics.temperature, device="cpu").double().mean()),
        housekeeping=housekeeping,
        excess=entropy - housekeeping,
        heat=parts["q"],
        work_current=parts["nc"],
        work_injection=parts["in"],
        work_switching=torch.zeros_like(change),
        work_synaptic=torch.zeros_like(change),
        residual=change - (total["nc"] + total["in"] - total["q"]),
        energy_change=change,
        surrogate=surrogate,
    )


def _overdamped(move: Move, before: Tensor, after: Tensor, dynamics: Dynamics) -> tuple[Tensor, Tensor, Tensor]:
    """Work by the current, heat and injected work of each parameter."""
    shift: Any = move.shift
    mean = (before + after) / 2
    driving = -_mean_current(dynamics.current, before, after, mean) / dynamics.mobility * shift
    injected = torch.zeros_like(mean) if move.kick is None else mean * move.kick
    return driving, driving - mean * shift, injected


def _underdamped(move: Move, before: Tensor, after: Tensor, dynamics: Dynamics) -> tuple[Tensor, Tensor, Tensor]:
    """The same with a momentum; a drift moves along a level set and its work is what it fails to."""
    shift: Any = move.shift
    mean = (before + after) / 2
    current = _mean_current(dynamics.current, before, after, mean)
    driving = -current * shift if dynamics.current_as == "force" else torch.zeros_like(mean)
    heat: Any = move.heat
    return driving, heat, torch.zeros_like(mean) if move.injected is None else move.injected


def _mean_current(current: Current | None, before: Tensor, after: Tensor, mean: Tensor) -> Tensor:
    if current is None:
        return torch.zeros_like(mean)
    return current(mean) if current.linear else (current(before) + current(after)) / 2


def _by_layer(x: Tensor, sizes: Sequence[int]) -> Tensor:
    return torch.stack([part.sum(-1, dtype=torch.float64) for part in x.split(list(sizes), dim=-1)], dim=-1)


def _over_temperature(x: Tensor, temperature: Tensor | float) -> Tensor:
    """Sum over parameters of x / T; NaN where a T is 0, since entropy production is undefined there."""
    if isinstance(temperature, Tensor):
        return torch.where(temperature > 0, x / temperature, torch.nan).sum(-1, dtype=torch.float64)
    total = x.sum(-1, dtype=torch.float64)
    return total / temperature if temperature > 0 else torch.full_like(total, torch.nan)


def _circulation(move: Move, current: Current | None) -> Tensor:
    """sum over planes of theta_a o d theta_b - theta_b o d theta_a, positive in the sense in which Q turns."""
    shift: Any = move.shift
    if current is None:
        return torch.zeros_like(shift[..., 0])
    moved = shift if move.kick is None else shift + move.kick
    return ((move.theta - moved / 2) * current.planes(moved)).sum(-1, dtype=torch.float64)


def surrogate_work_by_layer(
    loss: Callable[[Tensor], tuple[Tensor, Tensor]], before: Tensor, after: Tensor, sizes: Sequence[int]
) -> Tensor:
    """dL - gbar . d theta along the path that moves the first layer, then the second, and so on; (layer,).

    On hard spikes it depends on the path, so that a share of a layer means nothing without it.

    Args:
        loss: theta -> (loss, gradient).
        before, after: (parameter,), the ends of a step.
        sizes: parameters of each layer.
    """
    here, (energy, gradient) = before.clone(), loss(before)
    found = []
    start = 0
    for size in sizes:
        there = here.clone()
        there[start : start + size] = after[start : start + size]
        reached, slope = loss(there)
        found.append(reached - energy - ((gradient + slope) / 2 * (there - here)).sum())
        here, energy, gradient, start = there, reached, slope, start + size
    return torch.stack(found)


def entropy_production_rate(
    gradient: Tensor, current: Current, temperature: Tensor | float, mobility: Tensor | float = 1.0
) -> Tensor:
    """sigma = |D^-1/2 Q g|^2 / T at a point, (...): its mean is the steady state's entropy production (overdamped).

    Overdamped, T times this is the mean rate of the current's work, in a steady state or not. Differentiable.

    Raises:
        DlmError: T = 0, where it is undefined, or a function of the current, for which it does not hold.
    """
    if not current.linear:
        raise DlmError("sigma = |Q g|^2 / T holds for function 'linear' only; measure heat and work instead")
    if bool((torch.as_tensor(temperature, device="cpu") <= 0).any()):
        raise DlmError(f"temperature = {temperature}: sigma is undefined at T = 0; give T > 0")
    flow = current(gradient)
    return (flow * flow / mobility / temperature).sum(-1)


def kinetic_temperature(gradient: Tensor, laplacian: Tensor | float) -> Tensor:
    """T_kin = <|grad L|^2> / tr H, which is T in equilibrium (equipartition); the mean runs over the leading axes.

    Args:
        gradient: (..., parameter).
        laplacian: the mean of tr H, see ``hutchinson_trace``.
    """
    return (gradient * gradient).sum(-1).mean() / laplacian


def hutchinson_trace(
    loss: Callable[[Tensor], Tensor], theta: Tensor, generator: torch.Generator, probes: int = 32
) -> Tensor:
    """tr H of a loss at theta, the mean of z.Hz over random signs z.

    Args:
        loss: theta (parameter,) -> scalar, twice differentiable.
        theta: (parameter,).
        generator: draws the signs.
        probes: how many.
    """
    point = theta.detach().requires_grad_()
    gradient = differentiable_gradient(loss(point), [point])[0]
    found = []
    for _ in range(probes):
        z = torch.randint(0, 2, theta.shape, generator=generator, device=generator.device).to(theta) * 2 - 1
        (hz,) = torch.autograd.grad(gradient, point, z, retain_graph=True)
        found.append((z * hz).sum())
    return torch.stack(found).mean()


def differentiable_gradient(loss: Tensor, parameters: Sequence[Tensor]) -> list[Tensor]:
    """The gradient as a differentiable function of the parameters.

    Raises:
        DlmError: a function on the way whose backward pass can be taken only once: its second derivative would be left
            out in silence.
    """
    gradients = torch.autograd.grad(loss, list(parameters), create_graph=True, materialize_grads=True)
    once = _once_differentiable(loss)
    if once is not None:
        raise DlmError(
            f"the backward pass of {once} is marked once_differentiable: a gradient of the entropy production would be "
            "wrong; write that backward in differentiable operations"
        )
    return list(gradients)


def _once_differentiable(loss: Tensor) -> str | None:
    """Name of a custom function in a loss's graph whose backward is wrapped in once_differentiable."""
    seen: set[Any] = set()
    waiting: list[Any] = [loss.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        backward = getattr(getattr(node, "_forward_cls", None), "backward", None)
        # torch.autograd.function.once_differentiable replaces the backward by a wrapper of its own module.
        wrapper = getattr(backward, "__globals__", {}).get("__name__")
        if hasattr(backward, "__wrapped__") and wrapper == "torch.autograd.function":
            return str(node._forward_cls.__qualname__)
        waiting += [parent for parent, _ in node.next_functions]
    return None


def sigma_of(loss: Tensor, parameters: Iterable[Tensor], dynamics: Dynamics) -> tuple[Tensor, Tensor]:
    """sigma of a loss, as a differentiable function of its parameters, and the loss's gradient (parameter,).

    d sigma / d theta = (2 / T) H Q^T D^-1 Q g. For a full pairing of strength alpha and D = 1, Q^T Q = alpha^2, so that
    sigma = alpha^2 |g|^2 / T whatever the pairing: a norm of the gradient. On hard spikes g is a surrogate's, and this
    is a surrogate of a surrogate. In the underdamped form the friction stands for D, see ``drag``.

    Raises:
        DlmError: no linear current, T = 0, a current as drift of a momentum's weights, or a function that is
            differentiable only once.
    """
    if dynamics.current is None:
        raise DlmError("sigma needs an information current of the antisymmetric form; give alpha > 0")
    resistance = drag(dynamics)
    gradients = differentiable_gradient(loss, list(parameters))
    flat = torch.cat([g.reshape(-1) for g in gradients])
    return entropy_production_rate(flat, dynamics.current, dynamics.temperature, resistance), flat


def drag(dynamics: Dynamics) -> Tensor | float:
    """What |Q g|^2 is divided by in the current's power: D, or the friction where the current is a force on momenta.

    Overdamped: force D^-1 Q g times speed Q g. Underdamped: force Q g times its speed Q g / gamma, exact in a steady
    state of equal curvatures and for a large friction.

    Raises:
        DlmError: a current as drift in the underdamped form: it does no work.
    """
    if dynamics.friction is None:
        return dynamics.mobility
    if dynamics.current_as == "drift":
        raise DlmError("a current as 'drift' does no work, so that it has no sigma; current_as='force', or no friction")
    return dynamics.friction
