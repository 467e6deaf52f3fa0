"""Chips checked on a laptop: limits, placement. Nothing of a vendor is needed."""

from typing import TYPE_CHECKING

from dlm_snn.lazy import exports

_HOME = {
    "Chip": "chips",
    "Placement": "placement",
    "chip": "chips",
    "all_chips": "chips",
    "place": "placement",
}

__all__ = ["Chip", "Placement", "all_chips", "chip", "place"]

if TYPE_CHECKING:
    from hardware.chips import Chip, all_chips, chip
    from hardware.placement import Placement, place

__getattr__, __dir__ = exports(__name__, _HOME)
