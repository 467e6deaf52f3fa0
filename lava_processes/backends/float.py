"""The backend ``lava-float``: stock Lava processes (floating_pt) and our k-WTA Process."""

from __future__ import annotations

from functools import partial

from lava_processes.runner import run as _run

run = partial(_run, "float")
