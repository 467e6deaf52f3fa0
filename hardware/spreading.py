"""How many neurons of a population go on each core, where its synapses are lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hardware.chips import Packing
from hardware.incoming import Incoming, Load
from hardware.layers import Room


def spread(n: int, loads: Sequence[Incoming], rule: Packing, room: Room) -> NDArray[np.int64]:
    """Neurons of each core; one a core where not even that fits.

    With a fill, one core after another takes as many as fit. Without, all take as many, and where the synapses of one
    do not fit, there are ceil(asked / room) times as many cores.

    Args:
        n: neurons of the population.
        loads: what leads into it.
        rule: of the compiler.
        room: of a core.
    """
    if rule.fill is not None:
        return _filled(n, loads, replace(room, synapses=room.synapses * rule.fill.value // 100))
    cores = -(-n // min(n, room.neurons or n))
    while cores < n:
        size = -(-n // cores)
        worst = max(load_of(loads, first, min(first + size, n)).synapses for first in range(0, n, size))
        if worst <= room.synapses:
            break
        cores = min(n, cores * -(-worst // room.synapses))
    return chunks(n, -(-n // cores))


def chunks(n: int, size: int) -> NDArray[np.int64]:
    """Blocks of so many neurons, the last one with what is left."""
    return np.array([min(size, n - first) for first in range(0, n, size)])


def _filled(n: int, loads: Sequence[Incoming], room: Room) -> NDArray[np.int64]:
    """One core after another, each with as many neurons as fit, at least one."""
    sizes: list[int] = []
    first = 0
    while first < n:
        fits = partial(_within, loads, room, first)
        sizes.append(_largest(fits, n - first, sizes[-1] if sizes else 1))
        first += sizes[-1]
    return np.array(sizes)


def _within(loads: Sequence[Incoming], room: Room, first: int, size: int) -> bool:
    return room.takes(size, load_of(loads, first, first + size))


def _largest(fits: Callable[[int], bool], most: int, guess: int) -> int:
    """The largest k in 1..most that fits, 1 where none does; the search begins at the guess."""
    low, high, probe = 1, most + 1, guess
    while high - low > 1:
        probe = max(low + 1, min(probe, high - 1))
        if fits(probe):
            low = probe
            probe = 2 * probe if high > most else (low + high) // 2
        else:
            high = probe
            probe = (low + high) // 2
    return low


def load_of(loads: Sequence[Incoming], first: int, last: int) -> Load:
    """What neurons first, ..., last - 1 on one core ask for, through all projections."""
    parts = [load.load(first, last) for load in loads]
    return Load(sum(part.synapses for part in parts), sum(part.axons for part in parts))
