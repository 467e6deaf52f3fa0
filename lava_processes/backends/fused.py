"""The backend ``lava-fused``: a whole network as one Lava Process, float or integer."""

from __future__ import annotations

from lava_processes.fused_run import run

__all__ = ["run"]
