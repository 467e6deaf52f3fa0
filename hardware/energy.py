"""``estimate``, for use as a library: operations times published energies, always with the name of what they are of.

No energy per operation of Loihi 2 is public. What a profile gives is an estimate for the chip that it names, and for
what its boundary holds; measured totals of whole systems are larger by factors of ten to a hundred.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from dlm_snn.errors import DlmError, nearest
from hardware.operations import Operations

BOLTZMANN = 1.380649e-23
"""J / K, exact by the definition of the kelvin (SI, 2019)."""


@dataclass(frozen=True)
class Profile:
    """Energies of one technology, in picojoules.

    Attributes:
        name, title: of it.
        boundary: what they hold, and what they leave out.
        source: where they stand.
        accumulate, multiply: of a synaptic operation of a binary, of a graded event.
        update: of a neuron in a step; None: not known, and left out.
        spike: of a spike that is sent; None: not known, and left out.
    """

    name: str
    title: str
    boundary: str
    source: str
    accumulate: float
    multiply: float
    update: float | None = None
    spike: float | None = None


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            Profile(
                "loihi1-davies2018",
                "Intel Loihi, 14 nm",
                "neuro-cores alone, simulated before silicon; no static power, embedded processors, input or output",
                "Davies et al., IEEE Micro 38(1), 2018, table 2, as keras-spiking and PMC10326429 table 3 quote it",
                accumulate=23.6,
                multiply=23.6,
                update=81.0,
                spike=1.7,
            ),
            Profile(
                "truenorth-akopyan2015",
                "IBM TrueNorth, 28 nm",
                "chip at its peak rate; ten times as much per event at low activity",
                "Akopyan et al., 2015, as PMC10326429 table 3 quotes it",
                accumulate=2.5,
                multiply=2.5,
            ),
            Profile(
                "spinnaker2",
                "SpiNNaker2, 22 nm",
                "per synaptic operation, all that it takes included",
                "PMC10326429 table 3",
                accumulate=10.0,
                multiply=10.0,
            ),
            Profile(
                "45nm-float32",
                "arithmetic in 45 nm, float32",
                "adders and multipliers alone; no memory, which costs more than the arithmetic",
                "Horowitz, ISSCC 2014, as PMC10242054 quotes it",
                accumulate=0.9,
                multiply=4.6,
            ),
        )
    }
)


@dataclass(frozen=True)
class Estimate:
    """Joules per inference that a profile gives; a model, not a measurement.

    Attributes:
        profile: what of.
        parts: what takes them -> joules.
        unknown: what the profile has no energy for.
    """

    profile: Profile
    parts: Mapping[str, float]
    unknown: tuple[str, ...]

    @property
    def joules(self) -> float:
        """Of all parts."""
        return sum(self.parts.values())

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {1e6 * joules:.3g}" for name, joules in self.parts.items())
        left = f"; not known and left out: {', '.join(self.unknown)}" if self.unknown else ""
        return (
            f"estimate by the profile {self.profile.name}: {1e6 * self.joules:.3g} uJ per inference ({parts})\n"
            f"of {self.profile.title}: {self.profile.boundary}{left}"
        )


def profile(name: str) -> Profile:
    """The profile of a name.

    Raises:
        DlmError: no such profile; the nearest name is suggested.
    """
    if name not in PROFILES:
        raise DlmError(f"no profile '{name}'; {nearest(name, PROFILES)}")
    return PROFILES[name]


def estimate(operations: Operations, by: Profile) -> Estimate:
    """E = accumulates E_ac + multiplies E_mac + updates E_update + spikes E_spike.

    Args:
        operations: per sample.
        by: a profile.
    """
    asked = {
        "accumulates": (operations.accumulates, by.accumulate),
        "multiplies": (operations.multiplies, by.multiply),
        "neuron updates": (operations.updates, by.update),
        "spikes": (operations.spikes, by.spike),
    }
    parts = {name: number * each * 1e-12 for name, (number, each) in asked.items() if each is not None}
    return Estimate(by, MappingProxyType(parts), tuple(name for name, (_, each) in asked.items() if each is None))


def of_dense(operations: Operations, by: Profile) -> Estimate:
    """The same connections as one dense network of multiplications that runs once, zeros included.

    Hold accuracy of both beside it: the comparison is fair only where they are equal.
    """
    once = operations.dense / operations.steps
    parts = MappingProxyType({"multiplies": once * by.multiply * 1e-12})
    return Estimate(by, parts, ("neuron updates",))


def landauer(bits: float, temperature: float = 300.0) -> float:
    """The least heat of erasing so many bits, bits k T ln 2, in joules; temperature in kelvin.

    Raises:
        DlmError: a temperature that is not above 0.
    """
    from math import log

    if not temperature > 0:
        raise DlmError(f"temperature = {temperature!r} K is not above 0")
    return bits * BOLTZMANN * temperature * log(2)
