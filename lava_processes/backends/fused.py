"""The backend ``lava-fused``: a whole network as one Lava Process, float or integer."""

from __future__ import annotations

from lava_processes.fused_run import run

__all__ = ["run"]

SUPERVISED = True
SPIKE_BYTES = 1
"""A raster is dense, a Boolean a neuron and step, until the run ends."""
