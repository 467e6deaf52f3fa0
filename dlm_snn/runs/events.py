"""Sorted arrays of events: whether they are in order and inside, where a part of them lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlm_snn.errors import DlmError
from dlm_snn.values import is_whole

EVENT = ("sample", "step", "neuron")
"""The arrays of a raster, in the order in which events are sorted."""
INDEX_LIMIT = 2**32 - 1
"""Indices are uint32, and so is the number after the last."""


def in_order(events: Sequence[NDArray[np.uint32]], extent: Sequence[int]) -> bool:
    """Whether uint32 events are inside and strictly sorted by sample, then step, then neuron."""
    sample, step, neuron = events
    if sample.size == 0:
        return True
    if sample[-1] >= extent[0] or step.max() >= extent[1] or neuron.max() >= extent[2]:
        return False
    later = step[1:] > step[:-1]
    later |= (step[1:] == step[:-1]) & (neuron[1:] > neuron[:-1])
    if sample[0] != sample[-1] or np.any(sample != sample[0]):
        later &= sample[1:] == sample[:-1]
        later |= sample[1:] > sample[:-1]
    return bool(later.all())


def give_back(array: NDArray) -> None:
    """Let the system take back the pages of a memory-mapped array that were read; nothing for others."""
    from mmap import MADV_DONTNEED, mmap

    while array.base is not None and isinstance(array.base, np.ndarray):
        array = array.base
    if isinstance(array.base, mmap):
        array.base.madvise(MADV_DONTNEED)


def check_indices(name: str, event: NDArray, extent: int) -> None:
    """Raise unless the indices of one array are integers inside its extent; names the first that is not."""
    if event.size and event.dtype.kind not in "iu":
        raise DlmError(f"raster {name} is an array of {event.dtype}; give integers")
    outside = (event < 0) | (event >= extent) if event.size else np.zeros(0, dtype=bool)
    if outside.any():
        at = int(np.argmax(outside))
        raise DlmError(f"raster {name}[{at}] = {event[at]} lies outside 0..{extent - 1}")


def bounds(axis: str, chosen: Any, extent: int) -> tuple[int, int]:
    """First and one past last of a slice without stride, or of one number."""
    if is_whole(chosen):
        if not -extent <= chosen < extent:
            raise DlmError(f"{axis} {chosen} lies outside 0..{extent - 1}")
        return int(chosen) % extent, int(chosen) % extent + 1
    if not isinstance(chosen, slice):
        raise DlmError(f"{axis}s are chosen by a slice or a number, not by {chosen!r}")
    start, stop, stride = chosen.indices(extent)
    if stride != 1:
        raise DlmError(f"{axis}s are chosen without stride, not by {chosen!r}")
    return start, max(start, stop)


def places(index: NDArray[np.uint32], bounds: ArrayLike) -> NDArray[np.int64]:
    """Where sorted indices pass bounds; of their own type, since others would make NumPy copy them all."""
    return np.searchsorted(index, np.asarray(bounds, dtype=np.uint32))


def since(index: NDArray[np.uint32], first: int) -> NDArray[np.uint32]:
    """Indices counted from the first of a part."""
    return index - np.uint32(first) if first else index
