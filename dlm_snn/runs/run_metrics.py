"""What a run measured, as data: to and from the JSON of its folder. Any key may be missing, in a run of before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dlm_snn.files.json_objects import NULL, as_json, from_json
from dlm_snn.files.reading import REMEDY

Number = float | None
Numbers = Mapping[str, Number]


@dataclass(frozen=True)
class DatasetSize:
    """The data: their name, training and test samples, classes."""

    name: str | None = None
    train: int | None = None
    test: int | None = None
    classes: int | None = None


@dataclass(frozen=True)
class Overflows:
    """How often u wrapped and v saturated on the test samples, in integers."""

    wraps: Number = None
    saturations: Number = None


@dataclass(frozen=True)
class Agreement:
    """One network in two simulators.

    Attributes:
        network: its arithmetic.
        first, second: the simulators.
        samples: that both ran.
        spikes: population -> spikes in the first, in the second, and how many differ.
        ties: samples that only rounding decided.
        equal: the verdict.
        text: the verdict in words.
        values: population -> largest difference of u and of v, where both recorded them.
        note: what else there is to say.
        extra: keys of another version.
    """

    network: str | None = None
    first: str | None = None
    second: str | None = None
    samples: Number = None
    spikes: Mapping[str, tuple[float, ...]] | None = None
    ties: Number = None
    equal: bool | None = None
    text: str | None = None
    values: Mapping[str, tuple[float, ...]] | None = None
    note: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Activity:
    """What a network does per sample.

    Attributes:
        spikes, synaptic_operations: per sample.
        rates: population -> spikes per neuron and step.
    """

    spikes: Number = None
    synaptic_operations: Number = None
    rates: Numbers = field(default_factory=dict)


@dataclass(frozen=True)
class LossPart:
    """What a projection or a population lost in the conversion.

    Attributes:
        name: of the part.
        extra: quantity -> value, as ``conversion.loss_budget`` names them.
    """

    name: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LossBudget:
    """What the conversion to integers cost.

    Attributes:
        bits: of a weight.
        projections, populations: part by part.
        samples: that it was measured on.
        accuracy, unanswered: arithmetic -> accuracy, and share of the samples without an output spike.
        warnings: a line each.
    """

    bits: int | None = None
    projections: tuple[LossPart, ...] | None = None
    populations: tuple[LossPart, ...] | None = None
    samples: int | None = None
    accuracy: Numbers | None = None
    unanswered: Numbers | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Books:
    """Thermodynamics of an epoch: means of the state's fields, then sums of heat and works, by layer where they have.

    See ``physics.weights.thermodynamics.ThermodynamicState``; a mean is None where it is not defined.
    """

    energy: Number = field(default=None, metadata=NULL)
    entropy_production: Number = field(default=None, metadata=NULL)
    information_current: Number = field(default=None, metadata=NULL)
    dissipation: Number = field(default=None, metadata=NULL)
    temperature: Number = field(default=None, metadata=NULL)
    housekeeping: Number = field(default=None, metadata=NULL)
    heat: Numbers | None = None
    work_current: Numbers | None = None
    work_injection: Numbers | None = None
    work_switching: Number = None
    work_synaptic: Number = None
    surrogate_work: Number = None
    energy_change: Number = None


@dataclass(frozen=True)
class Epoch:
    """An epoch of training.

    Attributes:
        epoch: its number, from 1.
        loss, train_accuracy: over its batches, each before its step.
        validation_accuracy: after it; None without validation.
        thermodynamics: its books, where they were kept.
        extra: keys of another version.
    """

    epoch: Number = None
    loss: Number = None
    train_accuracy: Number = None
    validation_accuracy: Number = field(default=None, metadata=NULL)
    thermodynamics: Books | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SinglePrecision:
    """Spikes that change when the float network is computed in float32: of how many, on how many samples."""

    samples: float
    spikes: float
    differ: float


@dataclass(frozen=True)
class MembraneEnergy:
    """Energy of a population's membranes per sample, in the float network's units; see ``membranes.ledger``."""

    injected: Number = None
    leak: Number = None
    reset: Number = None
    clip: Number = None
    stored: Number = None
    residual: Number = None


@dataclass(frozen=True)
class OnChip:
    """The integer network on a chip, as far as a laptop can tell.

    Attributes:
        chip: its title.
        fits: whether it goes there as it is.
        verdict: in a line.
        cores: population -> percent of a core's memory, of each core that it lies on.
        messages: population -> messages per sample that reach each of these cores.
        table: a line for each population, column -> text.
        changes: what has to change, a line each.
        doubts: what may differ from the simulators there, a line each.
        notes: energy, time and load, a line each.
        extra: keys of another version.
    """

    chip: str | None = None
    fits: bool | None = None
    verdict: str | None = None
    cores: Mapping[str, tuple[float, ...]] | None = None
    messages: Mapping[str, tuple[float, ...]] | None = None
    table: tuple[Mapping[str, str], ...] | None = None
    changes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunMetrics:
    """The metrics of a run.

    Attributes:
        dataset: what it learned.
        accuracy, accuracy_samples: of each arithmetic on the test set, and of supervised simulators on what they ran.
        silent: of the same, samples without an output spike.
        overflow: of the integer network.
        agreement: every pair of simulators.
        activity: of the same, what the network does per sample.
        loss_budget: of the conversion.
        curve: of the training.
        float32: what single precision changes.
        membranes: arithmetic -> population -> energy.
        on_chip: of the integer network.
        extra: keys of another version.
    """

    dataset: DatasetSize | None = None
    accuracy: Numbers | None = None
    accuracy_samples: Numbers | None = None
    silent: Numbers | None = None
    overflow: Overflows | None = None
    agreement: tuple[Agreement, ...] | None = None
    activity: Mapping[str, Activity | None] | None = None
    loss_budget: LossBudget | None = None
    curve: tuple[Epoch, ...] | None = None
    float32: SinglePrecision | None = None
    membranes: Mapping[str, Mapping[str, MembraneEnergy]] | None = None
    on_chip: OnChip | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, content: Mapping[str, Any], where: object = "metrics", remedy: str = REMEDY) -> RunMetrics:
        """The metrics that plain data hold, see ``json_objects.from_json``.

        Raises:
            DlmError: a value of another kind.
        """
        return from_json(cls, content, where, remedy)

    def to_json(self) -> dict[str, Any]:
        """The metrics as plain data."""
        found: dict[str, Any] = as_json(self)
        return found

    def unanswered(self, arithmetic: str) -> float:
        """Share of the test samples without an output spike; 0 where it is not known."""
        silent, samples = ((of or {}).get(arithmetic) for of in (self.silent, self.accuracy_samples))
        return silent / samples if silent and samples else 0.0

    def active(self, arithmetic: str) -> Activity | None:
        """What the network of an arithmetic does, where it was measured."""
        return (self.activity or {}).get(arithmetic)

    @property
    def books(self) -> list[tuple[Number, Books]]:
        """The number of each epoch that kept books, and its books."""
        return [(epoch.epoch, epoch.thermodynamics) for epoch in self.curve or () if epoch.thermodynamics]
