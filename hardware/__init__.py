"""Chips checked on a laptop: limits, placement, operations and energy. Nothing of a vendor is needed."""

from typing import TYPE_CHECKING

from dlm_snn.lazy import exports

_HOME = {
    "Chip": "chips",
    "Placement": "placement",
    "chip": "chips",
    "all_chips": "chips",
    "count": "operations",
    "estimate": "energy",
    "profile": "energy",
    "place": "placement",
}

__all__ = ["Chip", "Placement", "all_chips", "chip", "count", "estimate", "place", "profile"]

if TYPE_CHECKING:
    from hardware.chips import Chip, all_chips, chip
    from hardware.energy import estimate, profile
    from hardware.operations import count
    from hardware.placement import Placement, place

__getattr__, __dir__ = exports(__name__, _HOME)
