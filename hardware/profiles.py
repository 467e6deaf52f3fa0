"""Energies per operation as they were published, by technology; none of Loihi 2 is public."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from dlm_snn.errors import DlmError, nearest


@dataclass(frozen=True)
class Profile:
    """Energies of one technology, in picojoules.

    Attributes:
        name, title: of it.
        boundary: what they hold, and what they leave out.
        source: where they stand; all were read where others quote them.
        accumulate, multiply: of a synaptic operation of a binary, of a graded event.
        update: of a neuron in a step; None: not known, and left out.
        spike: of a spike that is sent; None: not known, and left out.
        learning: of a synapse whose weight a learning rule updates; None: not known, and left out.
    """

    name: str
    title: str
    boundary: str
    source: str
    accumulate: float
    multiply: float
    update: float | None = None
    spike: float | None = None
    learning: float | None = None


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            Profile(
                "loihi1-davies2018",
                "Intel Loihi, 14 nm",
                "neuro-cores alone, simulated before silicon, every update as that of an active neuron; no static "
                "power, hops between tiles, embedded processors, input or output",
                "Davies et al., IEEE Micro 38(1), 2018, table 2, as keras-spiking and PMC10326429 table 3 quote it; "
                "spikes and learning as models of Loihi quote it",
                accumulate=23.6,
                multiply=23.6,
                update=81.0,
                spike=1.7,
                learning=120.0,
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


def profile(name: str) -> Profile:
    """The profile of a name.

    Raises:
        DlmError: no such profile; the nearest name is suggested.
    """
    if name not in PROFILES:
        raise DlmError(f"no profile '{name}'; {nearest(name, PROFILES)}")
    return PROFILES[name]
