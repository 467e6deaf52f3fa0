"""From layer to layer: what the spikes of a few neurons say about those of a few others, in nats per step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dlm_snn.analysis.estimators.information import mutual_information
from dlm_snn.analysis.estimators.pools import liveliest
from dlm_snn.analysis.finding import Finding
from dlm_snn.analysis.taking import raster_of
from dlm_snn.errors import DlmError
from dlm_snn.physics.membranes.irreversibility import spikes_of_few, words
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.values import is_whole

POOL = 2
"""Neurons of a pool: 4 words each, 16 pairs."""


def pool_information(
    first: Any,
    second: Any,
    rng: np.random.Generator,
    lag: int = 0,
    neurons: tuple[ArrayLike, ArrayLike] | None = None,
    name: str = "pool information",
) -> Finding:
    """I(words of a pool of the first layer; words of one of the second, ``lag`` steps later), nats per step.

    Pools and not layers: the words of a layer are nearly all different, and their information is the logarithm of the
    number of steps. The control exchanges samples (fewer than 10: shifts them in time), so what both layers owe to the
    same course of a sample is in the control too. From fewer than 10 samples it is not resolved where both pools drift.

    Args:
        first, second: SpikeRasters, or what ``raster_of`` takes; of the same samples and steps.
        rng: of the control.
        lag: steps >= 0 of window time from the first to the second.
        neurons: 1 to 4 indices of each; None: the 2 whose spikes vary most.
        name: of the finding.

    Raises:
        DlmError: rasters of other samples or steps, no step left, too many neurons, another number of pools than 2.
    """
    rasters = raster_of(first), raster_of(second)
    _check(rasters, lag)
    chosen = tuple(liveliest(raster, POOL) for raster in rasters) if neurons is None else neurons
    if not isinstance(chosen, Sequence | np.ndarray) or len(chosen) != len(rasters):
        raise DlmError(f"neurons = {neurons!r} are no pools of two layers; give (indices of the first, of the second)")
    before, after = (words(spikes_of_few(raster, own)) for raster, own in zip(rasters, chosen, strict=True))
    return mutual_information(before[:, : before.shape[1] - lag], after[:, lag:], rng, "miller-madow", name)


def _check(rasters: tuple[SpikeRaster, SpikeRaster], lag: int) -> None:
    extents = [raster.extent[:2] for raster in rasters]
    if extents[0] != extents[1]:
        raise DlmError(f"rasters of (samples, steps) {extents[0]} and {extents[1]}; give two of the same run")
    if not is_whole(lag) or not 0 <= lag < max(extents[0][1], 1):
        raise DlmError(f"lag = {lag!r} is not a number of steps in 0..{extents[0][1] - 1}")
