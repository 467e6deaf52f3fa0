"""Parameters of torch neurons, one or one a neuron, as torch broadcasts them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class Shape(tuple[int, ...]):
    """The shape of a population, which may flatten the values of its module.

    Attributes:
        values: the shape of the module's values, without the sample axis.
    """

    values: tuple[int, ...]

    def __new__(cls, shape: Sequence[int], values: Sequence[int]) -> Shape:
        """The shape of a population, beside that of the values."""
        made = super().__new__(cls, tuple(shape))
        made.values = tuple(values)
        return made


def each(values: NDArray[np.float64], shape: Sequence[int]) -> float | NDArray[np.float64]:
    """A parameter: one number, or one a neuron in the order of the population.

    Args:
        values: as stored; it may have an axis of one for the samples.
        shape: of the population, with that of the module's values where they differ (``Shape``).

    Raises:
        ValueError: torch would broadcast it to something else, or to samples that differ.
    """
    inner = tuple(getattr(shape, "values", shape))
    if values.ndim > len(inner) + 1 or (values.ndim > len(inner) and values.shape[0] != 1):
        raise ValueError(f"{values.shape} is not one of {inner}")
    if values.size == 1:
        return float(values.reshape(()))
    own = values[0] if values.ndim > len(inner) else values
    return np.broadcast_to(own, inner).ravel()
