"""Loops compiled by numba."""

from __future__ import annotations

from typing import Any

from numba import njit


def compiled(function: Any) -> Any:
    """Compile at the first call; keep the result on disk where there is a place for it."""
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:
        # numba found no folder that it may write to.
        return njit(nogil=True)(function)
