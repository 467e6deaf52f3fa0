"""The weights of each projection before and after quantization, in one unit where the files say how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.runs.run_folder import StoredNetwork


@dataclass(frozen=True)
class Weights:
    """The weights of one projection.

    Attributes:
        name: ``pre->post``.
        before: float weights, or None.
        after: quantized weights, in float units where ``unit`` is known, else integers; or None.
        unit: float value of one integer step, w_float = unit * w_int; None where the files do not say.
        grain: distance between neighboring quantized weights, in the units of ``after``.
    """

    name: str
    before: NDArray | None
    after: NDArray | None
    unit: float | None
    grain: float

    @property
    def comparable(self) -> bool:
        """Whether both are there, in one unit."""
        return self.before is not None and self.after is not None and self.unit is not None


def by_projection(networks: Mapping[str, StoredNetwork]) -> list[Weights]:
    """The weights of all projections, in the order of the network."""
    columns = [_projections(networks.get(name)) for name in ("float", "integer")]
    return [_paired(before, after, networks.get("integer")) for before, after in zip_longest(*columns)]


def _projections(stored: StoredNetwork | None) -> list[tuple[Mapping[str, Any], NDArray]]:
    if stored is None:
        return []
    found = []
    for i, projection in enumerate(stored.tree.get("projections", [])):
        key = f"projections.{i}.connection.weight"
        if key in stored.arrays and stored.arrays[key].size:
            found.append((projection, stored.arrays[key].ravel()))
    return found


def _paired(before: Any, after: Any, integer: StoredNetwork | None) -> Weights:
    projection = (before or after)[0]
    name = f"{projection.get('pre', '?')}->{projection.get('post', '?')}"
    if after is None or integer is None:
        return Weights(name, before[1], None, None, 1.0)
    unit = _unit(after[0], integer)
    scale = 1.0 if unit is None else unit
    grain = max(int(np.gcd.reduce(np.abs(after[1].astype(np.int64)))), 1)
    return Weights(name, before[1] if before else None, after[1] * scale, unit, grain * scale)


def _unit(projection: Mapping[str, Any], integer: StoredNetwork) -> float | None:
    """w_float = w_int * 2^weight_exp * scale_pre / scale_post; scale_pre is the Input's, 1 for spikes."""
    pre = integer.populations.get(projection.get("pre", ""), {})
    scale_post = integer.populations.get(projection.get("post", ""), {}).get("scale")
    if not scale_post:
        return None
    scale_pre = pre.get("scale", 1.0) if pre.get("type") == "Input" else 1.0
    return float(2.0 ** projection.get("weight_exp", 0) * scale_pre / scale_post)
