"""The neuron models, and who knows each: one table."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import NamedTuple

from dlm_snn.neurons import integer_lif, lif


class Model(NamedTuple):
    """A line of the table.

    Attributes:
        module: has ``State``, ``rest`` and ``step`` of the model.
        known_to: names of what computes or writes it, as their messages have them.
    """

    module: ModuleType
    known_to: frozenset[str]


OTHERS = "backends of other packages"
"""Stands for a backend that does not say by itself what it knows."""
ALL = frozenset(
    {
        *("reference", "fast", "torch", "snntorch", "brian2", "lava-float", "lava-fixed", "lava-fused", OTHERS),
        *("quantize", "the membrane ledger", "the event-driven simulator", "a thermal bath"),
        *("NIR", "a .net file", "snnTorch", "a network's files"),
    }
)
"""Whether a Network or an IntegerNetwork is taken is each one's own affair."""
MODELS: Mapping[type, Model] = {lif.LIF: Model(lif, ALL), integer_lif.IntegerLIF: Model(integer_lif, ALL)}
"""Exact type -> what computes it. A type derived from one of these is another model, which nobody here knows."""
