"""A spiking network beside a dense one: energies are compared only where their accuracies cannot be told apart."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

from dlm_snn.errors import DlmError

Z_95 = 1.959963984540054
"""Standard normal quantile of .975."""


@dataclass(frozen=True)
class AgainstDense:
    """Two accuracies on the same number of samples.

    Attributes:
        spiking, dense: shares.
        samples: of each.
        low, high: 95 % interval of spiking - dense.
    """

    spiking: float
    dense: float
    samples: int
    low: float
    high: float

    @property
    def alike(self) -> bool:
        """Whether 0 lies in the interval: so many samples of one run do not tell them apart; it is not "equal"."""
        return self.low <= 0 <= self.high

    def __str__(self) -> str:
        told = (
            f"accuracy {self.spiking:.2%} spiking, {self.dense:.2%} dense, {self.samples} samples each: difference "
            f"{100 * (self.spiking - self.dense):+.2f} points, 95 % interval {100 * self.low:+.2f} to "
            f"{100 * self.high:+.2f}"
        )
        if self.alike:
            return f"{told}: not told apart by these samples"
        better = "spiking" if self.spiking > self.dense else "dense"
        points = 100 * abs(self.spiking - self.dense)
        return f"{told}: the {better} network is better by {points:.2f} points, so their energies are not compared"

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "spiking": self.spiking,
            "dense": self.dense,
            "samples": self.samples,
            "interval": [self.low, self.high],
            "alike": self.alike,
        }


def against_dense(spiking: float, dense: float, samples: int) -> AgainstDense:
    """Hold two accuracies against each other.

    The interval is that of Agresti and Caffo (The American Statistician 54, 280, 2000): one right and one wrong sample
    are added to each, and the normal interval of the difference taken. It takes the samples of both as independent;
    where they are the same ones it is too wide rather than too narrow.

    Args:
        spiking, dense: shares of right answers, 0 to 1.
        samples: of each.

    Raises:
        DlmError: shares outside 0 to 1, no samples.
    """
    for name, share in (("spiking", spiking), ("dense", dense)):
        if not 0 <= share <= 1:
            raise DlmError(f"{name} accuracy = {share!r} is no share; give 0 to 1")
    if samples < 1:
        raise DlmError(f"samples = {samples!r}: at least 1")
    one, other = ((share * samples + 1) / (samples + 2) for share in (spiking, dense))
    half = Z_95 * sqrt((one * (1 - one) + other * (1 - other)) / (samples + 2))
    return AgainstDense(spiking, dense, samples, one - other - half, one - other + half)
