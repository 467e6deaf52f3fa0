"""Neuromorphic chips as data: what each has room for, every figure with its source and how far it can be trusted.

What is not public is None. Another package adds a chip by an entry point of the group ``dlm_snn.chips``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dlm_snn import plugins

GROUP = "dlm_snn.chips"
Mark = Literal["published", "printed", "derived", "fitted", "secondary"]
"""Who says so: the maker in a paper, brief or code; the maker's compiler in a public print-out; the only value under
which such print-outs come out; a value chosen so that they do; somebody who read it where we cannot."""


@dataclass(frozen=True)
class Figure:
    """A figure of a chip.

    Attributes:
        value: the figure.
        mark: who says so.
        source: where.
    """

    value: int
    mark: Mark
    source: str


@dataclass(frozen=True)
class Note:
    """What a figure cannot say of a chip, in words.

    Attributes:
        text: for people.
        mark: who says so.
        source: where.
    """

    text: str
    mark: Mark
    source: str

    def __str__(self) -> str:
        return f"{self.text} ({self.mark}: {self.source})"


def value_of(figure: Figure | None) -> int | None:
    """The figure's value; None where it is not known."""
    return None if figure is None else figure.value


@dataclass(frozen=True)
class System:
    """A board or machine of several chips of one kind."""

    name: str
    chips: Figure


@dataclass(frozen=True)
class Packing:
    """How a compiler spreads a population over cores.

    Attributes:
        name: for ``place(packing=)``.
        synapse_words: what a core holds of them.
        fill: percent of the synapse words to which one core is filled after another; None: all cores alike, and as
            many times more of them as what does not fit asks for, until it does.
    """

    name: str
    synapse_words: Figure
    fill: Figure | None = None


@dataclass(frozen=True)
class Chip:
    """Limits of a chip; per core where nothing else is said.

    Attributes:
        name: for the command line.
        title: for people.
        cores: of a chip.
        neurons: of a core.
        fan_in: synapses of a neuron.
        synapses: of a chip.
        weight_bits: of a weight, its sign included.
        delay: the longest, in steps.
        step_ns: the shortest step, in nanoseconds.
        axon_words, groups, axon_map_words, axon_memory_words, total_words: memory of a core as the maker's compiler
            counts it.
        model: how its neurons differ from ours.
        nir: what of its tools reads NIR, as 'dlm-snn export' writes it.
        packings: how populations are spread over cores, the newest first; empty: not known.
        systems: what is built of it.
    """

    name: str
    title: str
    cores: Figure | None = None
    neurons: Figure | None = None
    fan_in: Figure | None = None
    synapses: Figure | None = None
    weight_bits: Figure | None = None
    delay: Figure | None = None
    step_ns: Figure | None = None
    axon_words: Figure | None = None
    groups: Figure | None = None
    axon_map_words: Figure | None = None
    axon_memory_words: Figure | None = None
    total_words: Figure | None = None
    model: Note | None = None
    nir: Note | None = None
    packings: tuple[Packing, ...] = ()
    systems: tuple[System, ...] = ()


def chip(name: str) -> Chip:
    """The chip of a name.

    Raises:
        DlmError: no such chip; the nearest name is suggested.
    """
    return plugins.instance(GROUP, name, Chip)


def all_chips() -> dict[str, Chip]:
    """All chips by name, those of other packages too."""
    return plugins.instances(GROUP, Chip)


_PRINT_OUTS = "utilization tables of Intel's compiler in public notebooks of lava-dl (netx: mnist, oxford, pilotnet)"
_LAVA = "lava-nc 0.10.0, lava/proc"
_WIKICHIP = "WikiChip, Loihi 2"
_NENGO = "nengo-loihi 1.1, block.py, and forum.nengo.ai/t/927"

LOIHI2_STEP = Figure(200, "secondary", "Intel's brief on Loihi 2, as others quote it")
"""Nanoseconds; what a step takes with a network on the chip is longer."""
LOIHI2 = Chip(
    name="loihi2",
    title="Intel Loihi 2",
    cores=Figure(128, "secondary", f"{_WIKICHIP}; several papers use 120"),
    neurons=Figure(4095, "derived", f"{_PRINT_OUTS}; the most, 8,192, is published"),
    synapses=Figure(120_000_000, "secondary", f"{_WIKICHIP}; open-neuromorphic.org"),
    weight_bits=Figure(9, "published", f"{_LAVA}: 8 bits and the sign, even where signs are mixed"),
    delay=Figure(62, "published", "lava-dl 0.6.0, netx/hdf5.py: longer ones are clamped"),
    step_ns=LOIHI2_STEP,
    axon_words=Figure(16_000, "derived", _PRINT_OUTS),
    groups=Figure(8, "derived", _PRINT_OUTS),
    axon_map_words=Figure(16_000, "derived", _PRINT_OUTS),
    axon_memory_words=Figure(16_000, "derived", _PRINT_OUTS),
    total_words=Figure(20_000, "derived", f"{_PRINT_OUTS}; the plain sum of all columns"),
    packings=(
        Packing("2023", Figure(16_000, "derived", _PRINT_OUTS), Figure(80, "fitted", "the mnist table of them")),
        Packing("2022", Figure(12_000, "printed", "the pilotnet tables of them")),
    ),
    systems=(
        System("Oheo Gulch", Figure(1, "published", "lava-nc 0.10.0, core/resources.py")),
        System("Kapoho Point", Figure(8, "published", "lava-dl, netx benchmark notebook; lava-nc's docstring says 4")),
        System("Hala Point", Figure(1152, "published", "Intel newsroom, April 2024")),
    ),
)

LOIHI1 = Chip(
    name="loihi1",
    title="Intel Loihi",
    cores=Figure(128, "published", "Davies et al., IEEE Micro 38(1), 2018"),
    neurons=Figure(1024, "published", _NENGO),
    weight_bits=Figure(9, "published", "Davies et al., IEEE Micro 38(1), 2018"),
    synapses=Figure(128_000_000, "published", "Davies et al., IEEE Micro 38(1), 2018: with weights of one bit"),
    model=Note(
        "the same LIF; Lava's fixed-point model is not equal to it in every threshold", "secondary", "lava #322"
    ),
)

TRUENORTH = Chip(
    name="truenorth",
    title="IBM TrueNorth",
    cores=Figure(4096, "published", "Merolla et al., Science 345, 668, 2014"),
    neurons=Figure(256, "published", "Merolla et al., Science 345, 668, 2014"),
    fan_in=Figure(256, "published", "Merolla et al., Science 345, 668, 2014: a crossbar of 256 axons"),
    synapses=Figure(256 * 256 * 4096, "published", "Merolla et al., Science 345, 668, 2014"),
    model=Note(
        "synapses are on or off, with one weight for each of 4 types of axon; the leak is a constant, not a share of v",
        "published",
        "Cassidy et al., IJCNN 2013",
    ),
)

SPINNAKER2 = Chip(
    name="spinnaker2",
    title="SpiNNaker2",
    cores=Figure(152, "published", "Gonzalez et al., arXiv 2401.04491, 2024: processing elements"),
    model=Note(
        "neurons are programs, so that LIF can be as it is here", "published", "Gonzalez et al., arXiv 2401.04491"
    ),
    nir=Note("its Python package reads NIR", "published", "Pedersen et al., Nature Communications 15, 8122, 2024"),
)

BRAINSCALES2 = Chip(
    name="brainscales2",
    title="BrainScaleS-2",
    cores=Figure(1, "published", "Pehle et al., Front. Neurosci. 16, 795876, 2022"),
    neurons=Figure(512, "published", "Pehle et al., Front. Neurosci. 16, 795876, 2022"),
    synapses=Figure(131_072, "published", "Pehle et al., Front. Neurosci. 16, 795876, 2022"),
    weight_bits=Figure(6, "published", "Pehle et al., Front. Neurosci. 16, 795876, 2022: the sign by synapse row"),
    model=Note(
        "analog AdEx neurons that differ from one to the next and run a thousand times as fast as biology; no steps",
        "published",
        "Pehle et al., Front. Neurosci. 16, 795876, 2022",
    ),
)
