"""How an image is cut into tiles, each on a core of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hardware.incoming import Kernel


class Tile(NamedTuple):
    """Columns, rows and channels of an image that lie on one core."""

    x: int
    y: int
    channels: int

    @property
    def n(self) -> int:
        """Neurons of a whole one."""
        return self.x * self.y * self.channels


def _halves(size: int) -> Iterator[int]:
    while size > 1:
        yield size
        size = -(-size // 2)
    yield 1


def cores_of(shape: tuple[int, ...], tile: Tile) -> int:
    """Tiles of an image (channel, row, column)."""
    channels, rows, columns = shape
    return -(-columns // tile.x) * -(-rows // tile.y) * -(-channels // tile.channels)


def best_tile(shape: tuple[int, ...], kernels: Sequence[Kernel], neurons: int, synapse_words: int) -> Tile | None:
    """The tile that needs the fewest cores; of two with as many, the taller one.

    x is a power of two, y the height halved some times, channels all of them, halved while the synapses do not fit.

    Args:
        shape: (channel, row, column).
        kernels: what leads into the image.
        neurons, synapse_words: what a core has room for.

    Returns:
        None where one channel of the kernels is too large for a core.
    """
    channels, rows, columns = shape
    widths = [1 << i for i in range(max(1, columns - 1).bit_length() + 1)]
    for c in _halves(channels):
        tiles = [tile for y in _halves(rows) for x in widths if (tile := Tile(x, y, c)).n <= neurons]
        if tiles and sum(kernel.words(c) for kernel in kernels) <= synapse_words:
            return min(tiles, key=lambda tile: (cores_of(shape, tile), -tile.y))
    return None
