"""Checks of neuron parameters that the float and the integer neuron share."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from dlm_snn.errors import DlmError
from dlm_snn.values import as_array, is_whole


def checked_shape(shape: Sequence[int] | int) -> tuple[int, ...]:
    """A population shape as a tuple: (n,) or (channel, row, column), each at least 1."""
    given: Any = shape
    axes = tuple(given) if np.ndim(given) else (given,)
    if len(axes) not in (1, 3) or any(not is_whole(a) or a < 1 for a in axes):
        raise DlmError(f"shape {shape!r} is not (n,) or (channel, row, column) of positive integers")
    return tuple(int(a) for a in axes)


def checked_parameter(name: str, value: Any, n: int, dtype: type, low: float, high: float) -> Any:
    """A scalar, or an array with one value a neuron, inside [low, high] and finite.

    Arrays come back flat, copied and read-only; whole numbers are demanded where ``dtype`` is int.
    """
    array = as_array(value, name)
    if array.size not in (1, n):
        raise DlmError(f"{name} has {array.size} values for {n} neurons; give one, or one a neuron")
    if not np.isfinite(array).all():
        raise DlmError(f"{name} holds NaN or infinity; give finite numbers")
    if dtype is int and np.any(array != np.round(array)):
        raise DlmError(f"{name} = {value!r} must be whole; round it first (quantize does)")
    if np.any(array < low) or np.any(array > high):
        raise DlmError(f"{name} = {array.min()}..{array.max()} lies outside [{low:g}, {high:g}]")
    if array.ndim == 0:
        return dtype(array)
    flat = np.array(array.reshape(-1), dtype=np.int64 if dtype is int else np.float64)
    flat = np.full(n, flat[0]) if flat.size == 1 else flat
    flat.flags.writeable = False
    return flat


def check_competition(n: int, winners: int | None, groups: int) -> None:
    """Raise unless ``groups`` divides n and ``winners`` lies in 1..n/groups."""
    if not is_whole(groups) or groups < 1 or n % groups:
        raise DlmError(f"groups = {groups!r} does not divide the {n} neurons into equal blocks")
    if winners is None:
        if groups != 1:
            raise DlmError(f"groups = {groups} without winners; give winners, the spikes a group may send in a step")
        return
    if not is_whole(winners) or not 1 <= winners <= n // groups:
        raise DlmError(f"winners = {winners!r} is not in 1..{n // groups}, the neurons of a group")


def check_period(period: int | None) -> None:
    """Raise unless ``period`` is None or a number of steps >= 1."""
    if period is not None and (not is_whole(period) or period < 1):
        raise DlmError(f"period = {period!r} is not a number of steps >= 1; None: no periodic reset")


def reset_due(period: int | None, step: int) -> bool:
    """Whether u and v are set to 0 before a step, counted from rest."""
    return period is not None and step % period == 0


def size(shape: tuple[int, ...]) -> int:
    """Number of neurons of a shape."""
    return prod(shape)
