"""Lengths of time as steps of a raster."""

from __future__ import annotations

from typing import Any

from dlm_snn.errors import DlmError
from dlm_snn.values import check_seconds

NEAR = 1e-6
"""A length may miss a whole number of steps by this share of a step."""


def steps_of(seconds: Any, dt: float, name: str, longest: int | None = None) -> int:
    """A length in seconds as a whole number of steps.

    Args:
        seconds: the length.
        dt: seconds per step.
        name: of the length, for errors.
        longest: steps that it may have, those of a sample.

    Raises:
        DlmError: no number of seconds, less than a step, no whole number of steps, or longer than a sample.
    """
    check_seconds(seconds, name)
    steps = round(float(seconds) / dt)
    if abs(steps - seconds / dt) > NEAR * max(steps, 1) or steps < 1:
        raise DlmError(f"{name} = {seconds:g} s is no whole number of steps of {dt:g} s; give a multiple")
    if longest is not None and steps > longest:
        raise DlmError(f"{name} = {seconds:g} s is longer than a sample, which has {longest * dt:g} s; give less")
    return steps
