"""One figure of an estimator, with everything that it stands on; and whether it says anything."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from dlm_snn.errors import how_many

NOT_RESOLVED: Final = "not resolved"
"""What stands where a number would mislead."""
LEVEL = 0.95
"""Of every interval."""


@dataclass(frozen=True)
class Control:
    """The same estimator on data whose answer is known or must be empty.

    Attributes:
        name: of the control, such as "white noise".
        value: what the estimator says there.
        interval: where 95 % of such controls lie; None where there is only one.
    """

    name: str
    value: float
    interval: tuple[float, float] | None = None

    def __str__(self) -> str:
        return f"{self.name} {_number(self.value)}{_between(self.interval)}"


@dataclass(frozen=True)
class Finding:
    """One figure of an estimator.

    Attributes:
        name: what is estimated, such as "spectral slope".
        estimate: what the estimator returned, believed or not; None where it could not be computed.
        interval: 95 % interval of the estimate; None where the estimator has none.
        unit: of the estimate; empty for a pure number.
        estimator: how it was computed, in one line.
        size: what it was computed from: name -> how many, such as {"steps": 100000, "segments": 15}.
        controls: the same estimator on data with a known answer.
        doubts: why it is not resolved, a line each; empty where it is.
    """

    name: str
    estimate: float | None
    interval: tuple[float, float] | None = None
    unit: str = ""
    estimator: str = ""
    size: Mapping[str, int] = field(default_factory=dict)
    controls: tuple[Control, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def resolved(self) -> bool:
        """Whether there is a number to believe."""
        return self.value is not None

    @property
    def value(self) -> float | None:
        """The estimate where it is resolved, else None."""
        known = self.estimate is not None and math.isfinite(self.estimate) and not self.doubts
        return self.estimate if known else None

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.name}: {NOT_RESOLVED}{' (' + '; '.join(self.doubts) + ')' if self.doubts else ''}"
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.name}: {_number(self.value)}{_between(self.interval)}{unit}"

    def row(self) -> dict[str, str]:
        """The cells of a table, by column."""
        value = NOT_RESOLVED if self.value is None else _number(self.value)
        return {
            "figure": self.name,
            "value": value,
            "95 % interval": "" if self.value is None else _between(self.interval).strip(" []"),
            "unit": self.unit,
            "estimator": self.estimator,
            "sample": ", ".join(how_many(count, what) for what, count in self.size.items()),
            "control": "; ".join(map(str, self.controls)),
            "doubt": "; ".join(self.doubts),
        }

    def to_json(self) -> dict[str, Any]:
        """As plain data; ``value`` is null where the figure is not resolved."""
        return {
            "name": self.name,
            "value": self.value,
            "resolved": self.resolved,
            "interval": list(self.interval) if self.interval and self.value is not None else None,
            "unit": self.unit,
            "estimator": self.estimator,
            "size": dict(self.size),
            "controls": [
                {"name": c.name, "value": c.value, "interval": list(c.interval) if c.interval else None}
                for c in self.controls
            ],
            "doubts": list(self.doubts),
        }


def _number(value: float) -> str:
    return f"{value:.4g}"


def _between(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f" [{_number(interval[0])}, {_number(interval[1])}]"
