"""Where a step or a weight is too large: limits by the largest curvature of the loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from dlm_snn.errors import DlmError
from dlm_snn.physics.weights.currents import Current, Matrix, Paired
from dlm_snn.physics.weights.dynamics import Dynamics
from dlm_snn.physics.weights.langevin import advance
from dlm_snn.physics.weights.thermodynamics import differentiable_gradient, drag

STABLE = 1 + 1e-9
"""Spectral radius up to which rounding is granted."""
CURVATURES = 64
"""Curvatures between 1/1000 of the largest and the largest at which a radius is taken."""


def strength_of(current: Current | None) -> float:
    """alpha, the largest singular value of Q.

    Raises:
        DlmError: a current of another kind, whose strength is not known here.
    """
    if current is None:
        return 0.0
    if isinstance(current, Paired):
        return float(current.strength.abs().max()) if len(current.strength) else 0.0
    if isinstance(current, Matrix):
        return float(torch.linalg.matrix_norm(current.matrix, 2))
    raise DlmError(f"the strength of a {type(current).__name__} is not known; give Paired or Matrix")


def spectral_radius(dynamics: Dynamics, h: float, curvature: float) -> float:
    """Largest factor by which a step changes a deviation where the loss is curvature * |theta|^2 / 2 in a plane of Q.

    The worst case: a plane of Q whose other direction is flatter is more stable; ``measured_radius`` takes the loss as
    it is.
    Overdamped: |1 - h D lambda - i h alpha lambda|. Underdamped, the eigenvalues of one step on (theta, momentum).
    """
    alpha = strength_of(dynamics.current)
    if not dynamics.underdamped:
        return max(abs(1 - h * curvature * complex(mobility, alpha)) for mobility in _extremes(dynamics.mobility))
    c = math.exp(-h * float(torch.as_tensor(dynamics.friction, device="cpu").min()))
    half = h / 2 * (1 + c)
    kick, drift = (complex(1, alpha), 0j) if dynamics.current_as == "force" else (complex(1, 0), complex(0, alpha))
    one_step = np.array(
        [
            [1 - h * curvature * drift - half * h * curvature * kick, half],
            [-c * h * curvature * kick, c],
        ]
    )
    return float(np.abs(np.linalg.eigvals(one_step)).max())


def largest_step(dynamics: Dynamics, curvature: float) -> float:
    """The largest stable h where no direction is more curved than ``curvature``; 0 where none is stable.

    Overdamped, without Q's planes mixing curvatures: 2 D / (lambda (D^2 + alpha^2)). A current as force is stable for
    alpha sqrt(lambda) < friction only, whatever h.

    Raises:
        DlmError: a curvature that is not positive.
    """
    if not (math.isfinite(curvature) and curvature > 0):
        raise DlmError(f"curvature = {curvature}: give the loss's largest curvature, a number > 0")
    curvatures = np.geomspace(curvature / 1000, curvature, CURVATURES)

    def stable(h: float) -> bool:
        return all(spectral_radius(dynamics, h, float(c)) <= STABLE for c in curvatures)

    low, high = 0.0, 4 / math.sqrt(curvature) if dynamics.underdamped else 4 / curvature
    if not dynamics.underdamped:
        alpha = strength_of(dynamics.current)
        return min(2 * d / (curvature * (d**2 + alpha**2)) for d in _extremes(dynamics.mobility))
    for h in np.linspace(high / 64, high, 64):
        if not stable(float(h)):
            high = float(h)
            break
        low = float(h)
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if stable(middle) else (low, middle)
    return low


def _extremes(value: Tensor | float) -> tuple[float, float]:
    """The smallest and the largest over parameters: a limit is that of one of them."""
    values = torch.as_tensor(value, device="cpu")
    return float(values.min()), float(values.max())


def measured_radius(
    loss: Callable[[Tensor], Tensor],
    theta: Tensor,
    dynamics: Dynamics,
    h: float,
    generator: torch.Generator,
    iterations: int = 200,
) -> float:
    """The factor by which deviations from theta grow in a step, by iterating the step on Hessian-vector products.

    Args:
        loss: theta (parameter,) -> scalar, twice differentiable.
        theta: (parameter,).
        dynamics: the constants; noise is left out.
        h: length of the step.
        generator: draws the first deviation.
        iterations: steps; the growth of their second half is taken.
    """
    point = theta.detach().requires_grad_()
    (gradient,) = differentiable_gradient(loss(point), [point])
    cold = replace(dynamics, temperature=0.0, injection_rate=0.0)
    place, momentum = (
        torch.randn(theta.shape, dtype=theta.dtype, generator=generator, device=theta.device) for _ in range(2)
    )
    if not dynamics.underdamped:
        momentum = torch.zeros_like(place)
    grown = 0.0
    for i in range(iterations):
        (curved,) = torch.autograd.grad(gradient, point, place, retain_graph=True)
        place, momentum, *_ = advance(place, momentum, curved, h, cold, None)
        size = float((place.square().sum() + momentum.square().sum()).sqrt())
        place, momentum = place / size, momentum / size
        grown += math.log(size) if i >= iterations // 2 else 0.0
    return math.exp(grown / (iterations - iterations // 2))


def check_step(dynamics: Dynamics, h: float, curvature: float) -> None:
    """Refuse a step beyond the stability limit of the worst case.

    Raises:
        DlmError: naming the limit.
    """
    limit = largest_step(dynamics, curvature)
    if h > limit:
        remedy = "lower h" if limit > 1e-6 else "no step is stable: lower alpha or raise the friction"
        raise DlmError(f"h = {h:g} is beyond the stability limit {limit:.4g} at the curvature {curvature:g}; {remedy}")


def largest_curvature(
    loss: Callable[[Tensor], Tensor], theta: Tensor, generator: torch.Generator, iterations: int = 30
) -> float:
    """The largest |eigenvalue| of the Hessian at theta, by power iteration on Hessian-vector products.

    Args:
        loss: theta (parameter,) -> scalar, twice differentiable.
        theta: (parameter,).
        generator: draws the first direction.
        iterations: how many products.
    """
    point = theta.detach().requires_grad_()
    return curvature_of(loss(point), [point], generator, iterations)


def curvature_of(loss: Tensor, parameters: Sequence[Tensor], generator: torch.Generator, iterations: int = 20) -> float:
    """The same of a loss that has its graph, over several parameters."""
    gradients = differentiable_gradient(loss, parameters)
    direction = [torch.randn(p.shape, dtype=p.dtype, generator=generator, device=p.device) for p in parameters]
    size = _norm(direction)
    for _ in range(iterations):
        direction = [d / size for d in direction]
        products = torch.autograd.grad(
            gradients, list(parameters), direction, retain_graph=True, materialize_grads=True
        )
        direction = [p.detach() for p in products]
        size = _norm(direction)
        if size == 0:
            break
    return size


def _norm(parts: Sequence[Tensor]) -> float:
    return math.sqrt(sum(float(part.square().sum()) for part in parts))


def largest_sigma_weight(dynamics: Dynamics, curvature: float) -> float:
    """The weight of sigma in the objective beyond which it turns a direction of that curvature around.

    L - w sigma with sigma = alpha^2 |g|^2 / (D T) has the gradient (1 - 2 w alpha^2 lambda / (D T)) g there; D is the
    friction in the underdamped form, see ``thermodynamics.drag``.
    """
    alpha = strength_of(dynamics.current)
    if alpha == 0 or curvature == 0:
        return math.inf
    resistance, temperature = _extremes(drag(dynamics))[0], _extremes(dynamics.temperature)[0]
    return temperature * resistance / (2 * alpha**2 * curvature)


def check_sigma_weight(dynamics: Dynamics, weight: float, curvature: float) -> None:
    """Refuse a weight of sigma that turns the loss's gradient around.

    Raises:
        DlmError: naming the limit.
    """
    limit = largest_sigma_weight(dynamics, curvature)
    if not 0 <= weight < limit:
        raise DlmError(
            f"sigma_weight = {weight:g} is not below its stability limit {limit:.4g} (D T / (2 alpha^2 lambda) at the "
            f"curvature {curvature:g}, D: friction, if any): L - w sigma would have no minimum; lower it, or raise T"
        )
