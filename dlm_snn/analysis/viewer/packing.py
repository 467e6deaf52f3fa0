"""Spike times as text for a page: gaps between spikes, their high parts deflated, their low bits as they are.

Each neuron's spikes stand together, so that a gap is an interspike interval. The low bits of intervals are close to
random, and their high parts are small numbers of uneven frequency: deflate's Huffman code takes the high parts close
to their entropy, and bits that no code can shorten are not given to one. How many bits are low is tried out; none are
where the spikes are regular, and deflate then finds what repeats.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.values import slices

MANY = 2**20
"""Numbers packed together; a multiple of 8, so that their low bits fill whole bytes."""
TRIED = 2**14
"""Numbers of each of four places that are tried."""
LOW = range(13)
"""Numbers of low bits that are tried."""
STRATEGIES = zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY


def packed(gaps: NDArray[Any]) -> dict[str, Any]:
    """Whole numbers from 0 on as text.

    Args:
        gaps: below 2^53, so that a browser's numbers hold their sums.

    Returns:
        ``size``: how many; ``low``: bits of each that stand in ``bits``, least significant first, eight to a byte;
        ``high``: the rest of each as LEB128 (seven bits to a byte, lowest first, the top bit set on all but the last),
        deflated. Both as base64.
    """
    low, strategy = _cheapest(_tried(gaps))
    deflate = zlib.compressobj(9, zlib.DEFLATED, 15, 9, strategy)
    high, bits = bytearray(), bytearray()
    for part in slices(gaps.size, MANY):
        high += deflate.compress(leb128(gaps[part] >> low))
        bits += low_bits(gaps[part], low)
    high += deflate.flush()
    return {"size": int(gaps.size), "low": low, "high": as_text(high), "bits": as_text(bits)}


def as_text(data: bytes | bytearray) -> str:
    """Bytes as base64."""
    return base64.b64encode(data).decode("ascii")


def deflated(data: bytes) -> str:
    """Bytes deflated, as base64."""
    return as_text(zlib.compress(data, 9))


def leb128(numbers: NDArray[Any]) -> bytes:
    """Whole numbers from 0 on as LEB128, one after another."""
    lengths = np.ones(numbers.size, dtype=np.int64)
    for at in _shifts(numbers):
        lengths += numbers >> at > 0
    ends = np.cumsum(lengths)
    starts = ends - lengths
    out = np.zeros(int(ends[-1]) if ends.size else 0, dtype=np.uint8)
    out[starts] = numbers & 127
    for place, at in enumerate(_shifts(numbers), start=1):
        longer = lengths > place
        out[starts[longer] + place - 1] |= 128
        out[starts[longer] + place] = numbers[longer] >> at & 127
    return out.tobytes()


def low_bits(numbers: NDArray[Any], low: int) -> bytes:
    """The lowest bits of each number, least significant first, eight to a byte from the lowest on."""
    if not low:
        return b""
    bits = (numbers[:, None] >> np.arange(low, dtype=numbers.dtype) & 1).astype(np.uint8)
    return np.packbits(bits.ravel(), bitorder="little").tobytes()


def _shifts(numbers: NDArray[Any]) -> Iterator[int]:
    """7, 14, ... as far as the largest number reaches."""
    largest = int(numbers.max(initial=0))
    at = 7
    while largest >> at:
        yield at
        at += 7


def _tried(gaps: NDArray[Any]) -> NDArray[Any]:
    """Some of the gaps, in pieces that keep what repeats."""
    if gaps.size <= 4 * TRIED:
        return gaps
    starts = np.linspace(0, gaps.size - TRIED, 4).astype(int)
    return np.concatenate([gaps[start : start + TRIED] for start in starts])


def _cheapest(gaps: NDArray[Any]) -> tuple[int, int]:
    """The number of low bits and the strategy that make the least of some gaps."""

    def size(choice: tuple[int, int]) -> int:
        low, strategy = choice
        deflate = zlib.compressobj(6, zlib.DEFLATED, 15, 9, strategy)
        return len(deflate.compress(leb128(gaps >> low))) + len(deflate.flush()) + low * gaps.size // 8

    return min(((low, strategy) for low in LOW for strategy in STRATEGIES), key=size)
