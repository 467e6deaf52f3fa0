"""Chips checked on a laptop: limits, placement, operations and energy. Nothing of a vendor is needed."""

from typing import TYPE_CHECKING

from dlm_snn.lazy import exports

_HOME = {
    "Chip": "chips",
    "Meter": "measured",
    "Placement": "placement",
    "against_dense": "iso_accuracy",
    "all_chips": "chips",
    "as_stock": "stock",
    "chip": "chips",
    "compared": "limits",
    "count": "operations",
    "cut": "partition",
    "doubts": "subset",
    "estimate": "energy",
    "estimate_learned": "energy",
    "joined": "stock",
    "landauer": "energy",
    "learning_events": "plasticity",
    "obstacles": "subset",
    "place": "placement",
    "profile": "profiles",
    "rates": "messages",
    "stock_parts": "stock",
    "summary": "on_chip",
    "traffic": "messages",
}

__all__ = [
    "Chip",
    "Meter",
    "Placement",
    "against_dense",
    "all_chips",
    "as_stock",
    "chip",
    "compared",
    "count",
    "cut",
    "doubts",
    "estimate",
    "estimate_learned",
    "joined",
    "landauer",
    "learning_events",
    "obstacles",
    "place",
    "profile",
    "rates",
    "stock_parts",
    "summary",
    "traffic",
]

if TYPE_CHECKING:
    from hardware.chips import Chip, all_chips, chip
    from hardware.energy import estimate, estimate_learned, landauer
    from hardware.iso_accuracy import against_dense
    from hardware.limits import compared
    from hardware.measured import Meter
    from hardware.messages import rates, traffic
    from hardware.on_chip import summary
    from hardware.operations import count
    from hardware.partition import cut
    from hardware.placement import Placement, place
    from hardware.plasticity import learning_events
    from hardware.profiles import profile
    from hardware.stock import as_stock, joined, stock_parts
    from hardware.subset import doubts, obstacles

__getattr__, __dir__ = exports(__name__, _HOME)
