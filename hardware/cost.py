"""What a sample costs, put together: operations, estimates, time, and what is measured; each says what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dlm_snn.networks.network import IntegerNetwork, Network
from hardware.energy import MICRO, Estimate, estimate, estimate_learned, landauer, of_dense
from hardware.iso_accuracy import AgainstDense
from hardware.latency import Latency, latency
from hardware.measured import Measured
from hardware.operations import Operations
from hardware.profiles import Profile

LEFT_OUT = (
    "in no profile: static power, the host, input and output. An estimate may be off by 5 to 100 times and more: "
    "'dlm-snn energy --calibration'"
)
ROOM = 300.0
"""Kelvin."""


@dataclass(frozen=True)
class Cost:
    """Of a sample.

    Attributes:
        operations: per sample.
        learning_events: per learned sample; None: nobody said.
        estimates: per inference, one a profile.
        learned: per learned sample, one a profile; empty where nobody gave learning events.
        latency: steps and time.
        landauer: joules of erasing one bit an operation and update.
        against: a dense network's accuracy beside this one's.
        dense: estimates of the dense network, where the accuracies are alike.
        measured: of this machine.
    """

    operations: Operations
    learning_events: float | None
    estimates: tuple[Estimate, ...]
    learned: tuple[Estimate, ...]
    latency: Latency
    landauer: float
    against: AgainstDense | None = None
    dense: tuple[Estimate, ...] = ()
    measured: Measured | None = None

    def lines(self) -> list[str]:
        """As text."""
        told = _operations(self.operations, self.learning_events)
        for number in range(len(self.estimates)):
            told += self._by_profile(number)
        told += [LEFT_OUT, *str(self.latency).splitlines()]
        told.append(
            f"least heat, a bit erased at each operation and update at {ROOM:g} K (Landauer): "
            f"{MICRO * self.landauer:.3g} uJ"
        )
        if self.against is not None:
            told.append(str(self.against))
        return [*told, *([str(self.measured)] if self.measured else [])]

    def _by_profile(self, number: int) -> list[str]:
        """What one profile makes of it; its boundary stands once."""
        spiking = self.estimates[number]
        by = spiking.profile
        told = [f"estimate by the profile {by.name}, {by.title}: {by.boundary}"]
        told += [f"  {one.told}" for one in (spiking, *self.learned[number : number + 1])]
        for dense in self.dense[number : number + 1]:
            told += [f"  {dense.told}", f"  spiking / dense: {_ratio(spiking, dense)}"]
        return told

    def to_json(self) -> dict[str, Any]:
        """As plain data: estimates and measurements apart, each with its method."""
        return {
            "operations": {
                **asdict(self.operations),
                "activation_sparsity": self.operations.activation_sparsity,
                "learning_events": self.learning_events,
            },
            "estimates": [one.to_json() for one in (*self.estimates, *self.learned)],
            "left_out": LEFT_OUT,
            "latency": self.latency.to_json(),
            "landauer": {"joules": self.landauer, "kelvin": ROOM, "bits": "one an operation and update"},
            "against_dense": None if self.against is None else self.against.to_json(),
            "dense": [one.to_json() for one in self.dense],
            "measured": None if self.measured is None else self.measured.to_json(),
        }


def cost(
    network: Network | IntegerNetwork,
    operations: Operations,
    profiles: Sequence[Profile],
    learning_events: float | None = None,
    step_time: float | None = None,
    against: AgainstDense | None = None,
    measured: Measured | None = None,
) -> Cost:
    """Everything that there is to say of a run's operations.

    Args:
        network: that ran.
        operations: of the run.
        profiles: to estimate by.
        learning_events: per learned sample.
        step_time: seconds, as measured on a chip.
        against: a dense network's accuracy beside this one's.
        measured: of this machine.

    Raises:
        DlmError: see ``estimate_learned`` and ``latency``.
    """
    alike = against is not None and against.alike
    return Cost(
        operations,
        learning_events,
        tuple(estimate(operations, by) for by in profiles),
        () if learning_events is None else tuple(estimate_learned(operations, learning_events, by) for by in profiles),
        latency(network, operations.steps, operations.input_events_a_step, step_time),
        landauer(operations.synaptic + operations.updates, ROOM),
        against,
        tuple(of_dense(operations, by) for by in profiles) if alike else (),
        measured,
    )


def _operations(found: Operations, learning_events: float | None) -> list[str]:
    rows = {
        "accumulates": found.accumulates,
        "multiplies": found.multiplies,
        "neuron updates": found.updates,
        "spikes": found.spikes,
        "input events": found.input_events,
        "learning events": learning_events,
    }
    table = [f"  {name:<16}{value:>14,.1f}" for name, value in rows.items() if value is not None]
    return ["operations per sample:", *table, f"  {'sparsity':<16}{found.activation_sparsity:>14.2%}"]


def _ratio(spiking: Estimate, dense: Estimate) -> str:
    return f"{spiking.joules / dense.joules:.3g}" if dense.joules else "-"
