"""The backend ``lava-float``: stock Lava processes (floating_pt) and our k-WTA Process."""

from __future__ import annotations

from functools import partial

from lava_processes.runner import run as _run

ARITHMETICS = ("float",)
SUPERVISED = True
SPIKE_BYTES = 1
"""A raster is dense, a Boolean a neuron and step, until the run ends."""

run = partial(_run, "float")
