"""``estimate``, for use as a library: operations times published energies, always with the name of what they are of.

No energy per operation of Loihi 2 is public. What a profile gives is an estimate for the chip that it names, and for
what its boundary holds; measured totals of whole systems are larger by factors of five to a hundred.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, log
from types import MappingProxyType
from typing import Any

from dlm_snn.errors import DlmError
from hardware.operations import Operations
from hardware.profiles import Profile

BOLTZMANN = 1.380649e-23
"""J / K, exact by the definition of the kelvin (SI, 2019)."""
PICO, MICRO = 1e-12, 1e6
MODEL = "model"
"""The method of every estimate; a measurement has another."""


@dataclass(frozen=True)
class Estimate:
    """Joules that a profile gives; a model, not a measurement.

    Attributes:
        profile: what of.
        parts: what takes them -> joules.
        unknown: what the profile has no energy for.
        per: what the joules are for.
    """

    profile: Profile
    parts: Mapping[str, float]
    unknown: tuple[str, ...]
    per: str = "inference"

    @property
    def joules(self) -> float:
        """Of all parts."""
        return sum(self.parts.values())

    @property
    def told(self) -> str:
        """The joules and their parts; not to be shown without the profile and its boundary."""
        parts = ", ".join(f"{name} {MICRO * joules:.3g}" for name, joules in self.parts.items() if joules)
        left = f"; not known and left out: {', '.join(self.unknown)}" if self.unknown else ""
        return f"{MICRO * self.joules:.3g} uJ per {self.per} ({parts or 'nothing happened'}){left}"

    def __str__(self) -> str:
        by = self.profile
        return f"estimate by the profile {by.name}: {self.told}\nof {by.title}: {by.boundary}"

    def to_json(self) -> dict[str, Any]:
        """As plain data, with all that it must not be shown without."""
        return {
            "method": MODEL,
            "per": self.per,
            "profile": self.profile.name,
            "of": self.profile.title,
            "boundary": self.profile.boundary,
            "source": self.profile.source,
            "joules": self.joules,
            "parts": dict(self.parts),
            "left_out": list(self.unknown),
        }


def estimate(operations: Operations, by: Profile) -> Estimate:
    """E = accumulates E_ac + multiplies E_mac + updates E_update + spikes E_spike.

    Args:
        operations: per sample.
        by: a profile.

    Raises:
        DlmError: no Profile.
    """
    return _estimate(_asked(operations, by), by, "inference")


def estimate_learned(operations: Operations, learning_events: float, by: Profile) -> Estimate:
    """Per learned sample: what an inference takes, and learning events times E_learning.

    Args:
        operations: per sample.
        learning_events: synapses at which a rule is evaluated, per sample; see ``learning_events``.
        by: a profile.

    Raises:
        DlmError: fewer events than none.
    """
    if not (isfinite(learning_events) and learning_events >= 0):
        raise DlmError(f"learning_events = {learning_events!r} per sample; give a number from 0 on")
    learning = {"learning events": (learning_events, by.learning)}
    return _estimate(_asked(operations, by) | learning, by, "learned sample")


def _asked(operations: Operations, by: Profile) -> dict[str, tuple[float, float | None]]:
    if not isinstance(by, Profile):
        raise DlmError(f"{by!r} is no Profile; give hardware.profile('loihi1-davies2018')")
    return {
        "accumulates": (operations.accumulates, by.accumulate),
        "multiplies": (operations.multiplies, by.multiply),
        "neuron updates": (operations.updates, by.update),
        "spikes": (operations.spikes, by.spike),
    }


def _estimate(asked: Mapping[str, tuple[float, float | None]], by: Profile, per: str) -> Estimate:
    parts = {name: number * each * PICO for name, (number, each) in asked.items() if each is not None}
    unknown = tuple(name for name, (_, each) in asked.items() if each is None)
    return Estimate(by, MappingProxyType(parts), unknown, per)


def of_dense(operations: Operations, by: Profile) -> Estimate:
    """The same connections as one dense network of multiplications that runs once, zeros included.

    Hold accuracy of both beside it, as ``against_dense`` does: the comparison is fair only where they are equal.
    """
    once = operations.dense / operations.steps
    parts = MappingProxyType({"multiplies": once * by.multiply * PICO})
    return Estimate(by, parts, ("neuron updates",), "inference of the dense network")


def landauer(bits: float, temperature: float = 300.0) -> float:
    """The least heat of erasing so many bits, bits k T ln 2, in joules; temperature in kelvin.

    Raises:
        DlmError: bits below 0, or a temperature that is not above 0.
    """
    if not (isfinite(temperature) and temperature > 0):
        raise DlmError(f"temperature = {temperature!r} K is not above 0")
    if not (isfinite(bits) and bits >= 0):
        raise DlmError(f"bits = {bits!r} is not a number of at least 0")
    return bits * BOLTZMANN * temperature * log(2)
