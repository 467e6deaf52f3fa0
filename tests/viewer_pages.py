"""Rasters for the viewer's tests, and what a page of it holds."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

import dlm_snn as dlm

BUSY = dlm.SpikeRaster.from_dense(np.random.default_rng(5).random((2, 60, 7)) < 0.2)
"""2 samples, 60 steps, 7 neurons."""


def changed(raster: dlm.SpikeRaster, seed: int = 6, share: float = 0.02) -> dlm.SpikeRaster:
    """Some places turned over: spikes lost, and others added."""
    dense = raster.dense()
    return dlm.SpikeRaster.from_dense(dense ^ (np.random.default_rng(seed).random(dense.shape) < share), raster.dt)


LOST = changed(BUSY)


def held_in(text: str) -> dict[str, Any]:
    """The data of a page."""
    _, _, rest = text.partition('<script id="data" type="application/json">')
    return json.loads(rest.partition("</script>")[0])
