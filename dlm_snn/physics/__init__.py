"""Thermodynamics of learning: of the weights (slow), and of the membranes (fast)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlm_snn.lazy import exports

_HOME = {
    "Dynamics": "weights.dynamics",
    "Langevin": "weights.optimizer",
    "MembraneLedger": "membranes.ledger",
    "ThermodynamicState": "weights.thermodynamics",
    "dissipate": "weights.dissipation",
    "membrane_ledger": "membranes.ledger",
    "simulate_events": "membranes.event_driven",
    "spike_flux": "membranes.flux",
    "with_integer_noise": "membranes.noise",
    "with_noise": "membranes.noise",
}

__all__ = [
    "Dynamics",
    "Langevin",
    "MembraneLedger",
    "ThermodynamicState",
    "dissipate",
    "membrane_ledger",
    "simulate_events",
    "spike_flux",
    "with_integer_noise",
    "with_noise",
]

if TYPE_CHECKING:
    from dlm_snn.physics.membranes.event_driven import simulate_events
    from dlm_snn.physics.membranes.flux import spike_flux
    from dlm_snn.physics.membranes.ledger import MembraneLedger, membrane_ledger
    from dlm_snn.physics.membranes.noise import with_integer_noise, with_noise
    from dlm_snn.physics.weights.dissipation import dissipate
    from dlm_snn.physics.weights.dynamics import Dynamics
    from dlm_snn.physics.weights.optimizer import Langevin
    from dlm_snn.physics.weights.thermodynamics import ThermodynamicState

__getattr__, __dir__ = exports(__name__, _HOME)
