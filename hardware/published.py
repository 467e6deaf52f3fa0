"""What was measured on Loihi and Loihi 2, as far as it is public: each point with its boundary, its source, its mark.

Points, not a model: they were measured by different people, at different boundaries, of different networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mark = Literal["vendor", "abstract", "secondary"]
"""Who says so: the maker, in a notebook or to the press; a paper's abstract; somebody who read it where we cannot."""
UNKNOWN_SYSTEM = "not stated"


@dataclass(frozen=True)
class Point:
    """A published measurement.

    Attributes:
        name, chip, system: of what.
        network: in words.
        boundary: what the figures hold.
        source, mark: where they stand, and who says so.
        per: what the energies are for.
        seconds: of one of these.
        total, dynamic: joules of one of these, static power included and not.
        static: watts.
        synaptic, updates: operations of one of these, where they were published.
        at_hand: the network's file, of lava-dl, in a folder of data.
        steps: of a sample, where the network is at hand.
        caution: what keeps it from being a measurement of what it seems to be.
    """

    name: str
    chip: str
    system: str
    network: str
    boundary: str
    source: str
    mark: Mark
    per: str = "inference"
    seconds: float | None = None
    total: float | None = None
    dynamic: float | None = None
    static: float | None = None
    synaptic: float | None = None
    updates: float | None = None
    at_hand: str | None = None
    steps: int | None = None
    caution: str = ""


_LOIHI2, _LOIHI1 = "Loihi 2", "Loihi"
_OHEO_GULCH = "Oheo Gulch, 1 chip"
_AUTOENCODER = "dense autoencoder 256-128-64-32-64-128-256, 8 bits"
_AUTOENCODER_PAPER = "arXiv 2608.18341, table 2"
_LLM = "language model of 370M parameters without matrix products, W8A16"
_LLM_PAPER = "arXiv 2503.18002, tables 1 to 3"
_Q_PAPER = "Nesbit et al., arXiv 2609.32317, table II"
_NXTF_PAPER = "Rueckauer et al., ACM JETC, 2022"

POINTS: tuple[Point, ...] = (
    Point(
        "pilotnet_snn",
        _LOIHI2,
        _OHEO_GULCH,
        "PilotNet of LIF neurons, 8 bits, its input layer included",
        "chip; one frame that stays there, no input or output; the board's own probes",
        "lava-dl, tutorials, netx/pilotnet_snn/benchmark.ipynb",
        "vendor",
        seconds=2445.5e-6,
        total=1661.103e-6,
        dynamic=1093.544e-6,
        static=0.232078,
        updates=2_536_144,
        at_hand="netx/pilotnet_snn/network.net",
        steps=16,
    ),
    Point(
        "pilotnet_sdnn",
        _LOIHI2,
        _OHEO_GULCH,
        "PilotNet of sigma-delta neurons, without its input layer",
        "chip, waiting for the host's input and output; the board's own probes",
        "lava-dl, tutorials, netx/pilotnet_sdnn/benchmark.ipynb",
        "vendor",
        seconds=59_276e-6,
        total=16_343.833e-6,
        static=0.281775,
        updates=118_909,
        caution="dynamic power was not resolved (printed -0.006 W); sigma-delta neurons are not imported here",
    ),
    Point(
        "autoencoder_preloaded",
        _LOIHI2,
        "VPX, 16 chips",
        _AUTOENCODER,
        "16 chips; the input was there before; mean of a million inferences",
        _AUTOENCODER_PAPER,
        "secondary",
        seconds=48.3e-6,
        total=816e-6,
        dynamic=40.6e-6,
        static=16.05,
        synaptic=3.0e5,
        updates=1.0e4,
    ),
    Point(
        "autoencoder_ethernet",
        _LOIHI2,
        "VPX, 16 chips",
        _AUTOENCODER,
        "16 chips; input and output by Ethernet included",
        _AUTOENCODER_PAPER,
        "secondary",
        seconds=281e-6,
        total=4554e-6,
        dynamic=42.6e-6,
        static=16.05,
        synaptic=3.0e5,
        updates=1.0e4,
    ),
    Point(
        "clp_snn",
        _LOIHI2,
        UNKNOWN_SYSTEM,
        "CLP-SNN, a continual learner",
        "all that a sample takes",
        "arXiv 2511.01553v2",
        "abstract",
        per="sample, learned or answered",
        seconds=330e-6,
        total=50e-6,
    ),
    Point(
        "shd_delays",
        _LOIHI2,
        "1 chip",
        "a network with delays, on spoken digits and commands",
        "all that an inference takes; 280 to 460 uJ in 1,460 to 1,540 us",
        "Meszaros et al., arXiv 2510.13757",
        "secondary",
    ),
    Point(
        "llm_370m_generate",
        _LOIHI2,
        "Alia Point, 24 of 32 chips",
        _LLM,
        "system",
        _LLM_PAPER,
        "secondary",
        per="token that is generated",
        seconds=24_096e-6,
        total=405_000e-6,
    ),
    Point(
        "llm_370m_prefill",
        _LOIHI2,
        "Alia Point, 24 of 32 chips",
        _LLM,
        "system",
        _LLM_PAPER,
        "secondary",
        per="token that is read",
        seconds=150.8e-6,
        total=3700e-6,
    ),
    Point(
        "llm_1chip_estimate",
        _LOIHI2,
        "1 chip",
        _LLM,
        "system, as its authors estimate it",
        _LLM_PAPER,
        "secondary",
        per="token that is generated",
        seconds=14_025e-6,
        total=59_000e-6,
        caution="an estimate, not a measurement",
    ),
    Point(
        "q_learning_train",
        _LOIHI2,
        _OHEO_GULCH,
        "tabular Q-learning of 72 states, with its world on the chip",
        "board; of its 104.75 uJ the neuro-cores take 14.25, the x86 cores 90.51",
        _Q_PAPER,
        "secondary",
        per="move",
        seconds=58.42e-6,
        total=104.75e-6,
        dynamic=1.32e-6,
        static=1.78,
    ),
    Point(
        "q_learning_infer",
        _LOIHI2,
        _OHEO_GULCH,
        "tabular Q-learning of 72 states, with its world on the chip",
        "board",
        _Q_PAPER,
        "secondary",
        per="move",
        seconds=12.86e-6,
        total=23.23e-6,
    ),
    Point(
        "peg_in_hole",
        _LOIHI2,
        UNKNOWN_SYSTEM,
        "a policy that controls forces",
        "dynamic energy alone",
        "a paper of 2024, cited in a survey",
        "secondary",
        seconds=1.5e-3,
        dynamic=53e-6,
    ),
    Point(
        "eeg_seizure",
        _LOIHI2,
        UNKNOWN_SYSTEM,
        "a predictor of seizures, with graded spikes",
        UNKNOWN_SYSTEM,
        "cited in a survey",
        "secondary",
        per="input",
        total=25_100e-6,
    ),
    Point(
        "hala_point",
        _LOIHI2,
        "Hala Point, 1,152 chips",
        "none: peak figures",
        "the chassis at its most, and its peak rates",
        "Intel newsroom, April 2024",
        "vendor",
        per="second",
        seconds=1.0,
        total=2600.0,
        synaptic=3.8e14,
        updates=2.4e14,
        caution="the most power and the peak rates were not said to be of one run",
    ),
    Point(
        "nxtf_mnist",
        _LOIHI1,
        "Nahuku, 14 cores",
        "a convolutional network of four layers, rate coded",
        "chip",
        _NXTF_PAPER,
        "secondary",
        seconds=6650e-6,
        total=660e-6,
    ),
    Point(
        "nxtf_cifar_mobilenet",
        _LOIHI1,
        "14 chips",
        "MobileNet, rate coded",
        "chips",
        _NXTF_PAPER,
        "secondary",
        seconds=0.34,
        total=0.102,
    ),
    Point(
        "olfaction",
        _LOIHI1,
        "Nahuku",
        "a circuit of the olfactory bulb",
        UNKNOWN_SYSTEM,
        "Imam and Cleland, 2020",
        "secondary",
        per="sniff",
        seconds=2750e-6,
        total=430e-6,
    ),
)
