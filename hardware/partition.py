"""``cut``: cores spread over chips so that few messages cross from one chip to another.

The graph has a node for each block of cores and an edge for the messages between two; METIS cuts it (Karypis and Kumar,
SIAM J. Sci. Comput. 20, 359, 1998).
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, MissingError
from dlm_snn.values import is_whole
from hardware.messages import Traffic

LARGEST = 1_000_000
"""Messages of the heaviest edge, as METIS is told them: it takes integers."""


@dataclass(frozen=True, eq=False)
class Cut:
    """Which chip each core lies on.

    Attributes:
        chip: of each core, in the placement's order, (core,).
        chips: how many.
        across: messages per sample that cross from chip to chip.
        in_order: the same where each chip is filled with one core after another.
    """

    chip: NDArray[np.int64]
    chips: int
    across: float
    in_order: float

    def __str__(self) -> str:
        return (
            f"{self.chips} chips; {self.across:,.0f} messages cross between them per sample "
            f"({self.in_order:,.0f} with cores in the network's order)"
        )


def cut(traffic: Traffic, cores: int) -> Cut:
    """Spread the cores of a placement over as few chips as hold them.

    Args:
        traffic: between its cores.
        cores: of a chip.

    Raises:
        DlmError: a number of cores that is not a positive integer.
        MissingError: more than one chip is needed and pymetis is not installed.
    """
    if not is_whole(cores) or cores < 1:
        raise DlmError(f"cores = {cores!r} of a chip is not a positive integer")
    size = np.bincount(traffic.block)
    straight = _in_order(size, cores)
    in_order = _across(straight, traffic.between)
    best, across = straight, in_order
    if straight.max(initial=0) > 0:
        parts = _fitted(_metis(traffic.between, size, int(straight.max()) + 1), size, cores, traffic.between)
        if parts is not None and _across(parts, traffic.between) < across:
            best, across = parts, _across(parts, traffic.between)
    return Cut(best[traffic.block], int(best.max(initial=0)) + 1, across, in_order)


def _in_order(size: NDArray[np.int64], cores: int) -> NDArray[np.int64]:
    """The chip of each block, one chip filled after another."""
    chips = np.zeros(size.size, np.int64)
    used = 0
    for block, taken in enumerate(size.tolist()):
        chips[block] = chips[block - 1] if block else 0
        if used + taken > cores and used:
            chips[block] += 1
            used = 0
        used += taken
    return chips


def _across(chip: NDArray[np.int64], between: NDArray[np.float64]) -> float:
    """Messages between blocks of different chips."""
    return float(between.sum() - sum(between[np.ix_(part, part)].sum() for part in _members(chip)))


def _members(chip: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [np.flatnonzero(chip == number) for number in range(int(chip.max(initial=-1)) + 1)]


def _metis(between: NDArray[np.float64], size: NDArray[np.int64], chips: int) -> NDArray[np.int64]:
    """The part of each block: parts of about equal size, few messages between them."""
    if find_spec("pymetis") is None:
        raise MissingError("cores over several chips need pymetis; pip install 'dlm-snn[chips]'")
    from pymetis import CSRAdjacency, part_graph

    both = between + between.T
    np.fill_diagonal(both, 0)
    rows, columns = np.nonzero(both)
    weight = np.ceil(both[rows, columns] * (LARGEST / both.max(initial=1e-300))).astype(np.int64)
    begin = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=size.size))])
    graph = CSRAdjacency(begin.tolist(), columns.tolist())
    _, parts = part_graph(chips, graph, vweights=size.tolist(), eweights=weight.tolist())
    return np.array(parts)


def _fitted(
    chip: NDArray[np.int64], size: NDArray[np.int64], cores: int, between: NDArray[np.float64]
) -> NDArray[np.int64] | None:
    """Blocks of too full chips moved to where there is room, those first that lose least; None where some remain."""
    chip = chip.copy()
    both = between + between.T
    used = np.bincount(chip, size).astype(np.int64)
    for full in np.flatnonzero(used > cores).tolist():
        while used[full] > cores:
            here = np.flatnonzero(chip == full)
            gain = np.stack([both[np.ix_(here, part)].sum(axis=1) for part in _members(chip)], axis=1)
            gain -= gain[:, [full]]
            gain[size[here][:, None] + used[None, :] > cores] = -np.inf
            block, to = np.unravel_index(np.argmax(gain), gain.shape)
            if not np.isfinite(gain[block, to]):
                return None
            chip[here[block]] = to
            used[full] -= size[here[block]]
            used[to] += size[here[block]]
    return chip
