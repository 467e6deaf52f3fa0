"""Chips checked on a laptop: limits, placement, operations and energy. Nothing of a vendor is needed."""

from typing import TYPE_CHECKING

from dlm_snn.lazy import exports

_HOME = {
    "Chip": "chips",
    "Placement": "placement",
    "all_chips": "chips",
    "chip": "chips",
    "compared": "limits",
    "count": "operations",
    "doubts": "subset",
    "estimate": "energy",
    "obstacles": "subset",
    "place": "placement",
    "profile": "energy",
}

__all__ = [
    "Chip",
    "Placement",
    "all_chips",
    "chip",
    "compared",
    "count",
    "doubts",
    "estimate",
    "obstacles",
    "place",
    "profile",
]

if TYPE_CHECKING:
    from hardware.chips import Chip, all_chips, chip
    from hardware.energy import estimate, profile
    from hardware.limits import compared
    from hardware.operations import count
    from hardware.placement import Placement, place
    from hardware.subset import doubts, obstacles

__getattr__, __dir__ = exports(__name__, _HOME)
