"""A training that diverges: noticed in loss and weights, and named with the key that caused it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch import Tensor

from dlm_snn.errors import DivergenceError, DivergenceWarning

BLOWN_UP = 100.0
"""Size of weights, in thresholds of the neurons that they reach (or in their first size, if that is larger), from which
on they have diverged: what one event does is then a hundred times what a spike takes."""
GUESSING = 1.5
"""Share of right answers, in those of guessing, below which a training whose loss is above that of equal chances has
learned nothing."""
EXPLAINED = 1 / 3
"""Part of the size of weights that a term alone must reach to be named as the cause."""

Cause = Callable[[int, float], str]
"""(layer, its size) -> the key that made it so large, with its value."""


def size(weight: Tensor) -> float:
    """Root mean square, in float64: infinite or NaN where a weight is."""
    return float(weight.detach().double().pow(2).mean().sqrt()) if weight.numel() else 0.0


class Watched(NamedTuple):
    """A layer that must not blow up.

    Attributes:
        name: of it.
        weight: as it is trained.
        unit: what its weights are measured by: the threshold of its neurons, or their first size.
    """

    name: str
    weight: Tensor
    unit: float

    @classmethod
    def of(cls, name: str, weight: Tensor, threshold: float) -> Watched:
        """A layer as it starts."""
        return cls(name, weight, max(threshold, size(weight)))


def check_finite(layers: Sequence[Watched], loss: float, epoch: int, cause: Cause) -> None:
    """Raise where loss or weights have diverged after an epoch.

    Raises:
        DivergenceError: what did, and the key that caused it.
    """
    sizes = [size(layer.weight) for layer in layers]
    shares = [s / layer.unit if math.isfinite(s) else math.inf for s, layer in zip(sizes, layers, strict=True)]
    worst = shares.index(max(shares))
    if math.isfinite(loss) and shares[worst] <= BLOWN_UP:
        return
    found = f"the loss is {loss:g}"
    if shares[worst] > BLOWN_UP:
        grown = f"have grown to {sizes[worst]:.3g}" if math.isfinite(sizes[worst]) else "are not finite"
        found = f"the weights of '{layers[worst].name}' {grown}"
    remedy = f"lower {cause(worst, sizes[worst])}"
    raise DivergenceError(f"the training diverged: {found} in epoch {epoch}", remedy, worst)


def warn_of_guessing(layers: Sequence[Watched], loss: float, right: float, n_classes: int, cause: Cause) -> None:
    """Warn of a training that ended no better than guessing: large weights, a loss above that of equal chances."""
    chance = math.log(n_classes)
    if loss <= chance * 1.001 or right * n_classes > GUESSING:
        return
    sizes = [size(layer.weight) for layer in layers]
    worst = max(range(len(layers)), key=lambda i: sizes[i] / layers[i].unit)
    # One that has hardly begun is no better either.
    if sizes[worst] <= layers[worst].unit:
        return
    warnings.warn(
        f"the training ended no better than guessing: loss {loss:.3g} (equal chances: {chance:.3g}), {right:.1%} of "
        f"the training samples right; lower {cause(worst, sizes[worst])}",
        DivergenceWarning,
        stacklevel=2,
    )


def diffusion(temperature: float, friction: float | None, time: float) -> float:
    """How far a weight without a force gets by noise, root mean square.

    sqrt(2 T t); with a momentum from rest in the mean sqrt(2 T (gamma t - 1 + exp(-gamma t))) / gamma (Ornstein and
    Uhlenbeck), which is sqrt(T) t at first.
    """
    if friction is None:
        return math.sqrt(2 * temperature * time)
    turned = friction * time
    # Below, the difference of nearly equal numbers would be rounding alone.
    spread = turned**2 / 2 if turned < 1e-4 else turned - 1 + math.exp(-turned)
    return math.sqrt(2 * temperature) * math.sqrt(spread) / friction


def dominant(noises: dict[str, float], alpha: float, reached: float) -> str:
    """Which constant made weights as large as they are: a noise that alone gets there, a current, or the step.

    Args:
        noises: key -> what its noise alone reaches, see ``diffusion``.
        alpha: the current's force, in the gradient's own.
        reached: size of the weights.
    """
    loudest = max(noises, key=lambda key: noises[key])
    least = reached if math.isfinite(reached) else BLOWN_UP
    if noises[loudest] >= EXPLAINED * least:
        return loudest
    return "alpha" if alpha > 1 else "step"
