"""What the options of the columns may be: types and ranges, in spikes, in Lava, with a stage on the host, in floats.

Ranges are those of the integers of a frozen network: thresholds of 17 bits, weights and gains of 8, leaks of 12.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

_Count = Annotated[int, Field(ge=0)]
_Positive = Annotated[int, Field(ge=1)]
_Threshold = Annotated[int, Field(ge=1, lt=2**17)]
_Directions = Annotated[int, Field(ge=1, le=64)] | None
_Share = Annotated[float, Field(ge=0)]

CONSTANTS: dict[str, Any] = {
    "form": str,
    "neurons": int,
    "directions": _Directions,
    "pixel_steps": _Positive,
    "pixel_threshold": _Threshold,
    "edge_threshold": Annotated[int, Field(ge=1, le=2**16)],
    "inhibition": Annotated[int, Field(ge=0, le=127)],
    "inhibition_delay": int,
    "leak": Annotated[int, Field(ge=0, le=4095)],
    "competition": bool,
    "window": _Positive,
    "stride": _Positive,
    "padding": _Count,
    "latency": _Threshold,
    "flush": _Positive,
    "active": _Positive,
    "levels": Annotated[int, Field(ge=1, le=255)],
    "threshold": int,
    "ramp": int,
    "ramp_steps": _Positive,
    "novelty": _Count,
    "gain": Annotated[int, Field(ge=1, le=255)],
    "shift": Annotated[int, Field(ge=1, le=30)],
    "slowest": Annotated[int, Field(ge=0, le=30)],
    "evidence": Annotated[int, Field(ge=1, le=2**17)],
}
"""Of a Chain and a ColumnRule, which themselves refuse what does not fit together."""
COLUMNS: dict[str, Any] = {**CONSTANTS, "kept": bool}
COLUMNS_LAVA: dict[str, Any] = {**CONSTANTS, "stepwise": bool}
COLUMNS_HOST: dict[str, Any] = {
    "stage": Literal["rate", "edges", "code", "winner"],
    **{name: CONSTANTS[name] for name in ("neurons", "novelty")},
}
OF_STAGE: dict[str, dict[str, Any]] = {
    "rate": {"pixel_threshold": _Threshold},
    "edges": {"latency": _Threshold},
    "code": {"gain": CONSTANTS["gain"]},
    "winner": {},
}
"""What ``columns-host`` takes besides, by the stage on the host."""
COLUMNS_FLOAT: dict[str, Any] = {
    "directions": _Directions,
    "floor": _Share,
    "window": _Positive,
    "stride": _Positive,
    "neurons": int,
    "novelty": _Share,
    "slowest_rate": Annotated[float, Field(gt=0, le=1)],
    "burst": _Count,
    "surprise": _Share,
    "patience": Annotated[float, Field(gt=0)],
}


def nearest_multiple(neurons: int, n_classes: int) -> int:
    """So many neurons, or a few fewer, that every class has as many: at least one each."""
    return max(neurons // n_classes, 1) * n_classes
