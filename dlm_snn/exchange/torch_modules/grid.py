"""The grid of integers that a graded Input carries: real value = integer / scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.networks.network import Input

SCALES = (1.0, 255.0, *(2.0**k for k in range(1, 20)))
"""Tried in this order: spikes and counts, bytes, binary fractions."""
NEAR = 1e-7
"""How near values lie to a grid that holds them, as a share of the largest: float32 has 6e-8."""
MANTISSA = 22
"""Bits of the largest value on the grid of last resort; an Input has 24 with the sign."""


@dataclass(frozen=True)
class Grid:
    """The integers of an Input.

    Attributes:
        scale: integers per unit.
        bits: of an integer, the sign's included.
        signed: whether any is below 0.
        exact: whether the values lie on the grid; else they were rounded to it.
    """

    scale: float
    bits: int
    signed: bool
    exact: bool

    def integers(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """round(value * scale)."""
        return np.rint(values * self.scale).astype(np.int64)

    def snapped(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The nearest values that the Input can carry."""
        return self.integers(values) / self.scale

    def exactly(self, values: NDArray[np.float64], where: str) -> NDArray[np.int64]:
        """The integers of values that were not there when the grid was chosen.

        Raises:
            DlmError: values that it does not hold.
        """
        integers = self.integers(values)
        low = -(2 ** (self.bits - 1)) if self.signed else 0
        high = 2 ** (self.bits - self.signed) - 1
        if integers.size and (integers.min() < low or integers.max() > high):
            held = f"{low / self.scale:g}..{high / self.scale:g}"
            raise DlmError(f"{where} holds {held}, not {values.min():g}..{values.max():g}; import with a wider sample")
        if self.exact and np.abs(integers / self.scale - values).max(initial=0) > NEAR * max(1.0, np.abs(values).max()):
            raise DlmError(f"{where} holds multiples of {1 / self.scale:g} alone; import with a sample that is finer")
        return integers

    def population(self, shape: tuple[int, ...]) -> Input:
        """Of spikes where the values are 0 and 1, else graded."""
        if (self.bits, self.scale, self.signed) == (1, 1.0, False):
            return Input(shape)
        return Input(shape, graded_bits=self.bits, scale=self.scale, signed=self.signed)


def grid_of(values: NDArray[np.float64]) -> Grid:
    """The coarsest grid of ``SCALES`` that holds all values; else a binary one of up to 2^22 steps to the largest."""
    top = max(float(np.abs(values).max(initial=0)), 1e-30)
    for scale in SCALES:
        if top * scale >= 2.0 ** (MANTISSA + 1):
            break
        if np.abs(np.rint(values * scale) / scale - values).max(initial=0) < NEAR * top:
            return _grid(values, scale, exact=True)
    return _grid(values, 2.0 ** (MANTISSA - int(np.ceil(np.log2(top)))), exact=False)


def _grid(values: NDArray[np.float64], scale: float, exact: bool) -> Grid:
    integers = np.rint(values * scale).astype(np.int64)
    signed = bool((integers < 0).any())
    return Grid(scale, max(int(np.abs(integers).max(initial=0)).bit_length() + signed, 1), signed, exact)
