"""A network on a whole test set, batch by batch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dlm_snn.backends import run
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.runs.metrics import read_out, silent_populations, synaptic_operations, verdict
from dlm_snn.runs.run_metrics import Activity
from dlm_snn.values import slices

BATCH = 1000


@dataclass(frozen=True)
class Evaluation:
    """What a network does on a test set.

    Attributes:
        samples: how many.
        accuracy: share of samples whose read-out is the label.
        silent: samples without an output spike.
        spikes, synaptic_operations: per sample.
        rates: population -> spikes per neuron and step.
        wraps, saturations: of u and of v, all populations together; 0 for a float network.
        answers: (sample,) the class that each got, -1 where no output neuron spiked.
    """

    samples: int
    accuracy: float
    silent: int
    spikes: float
    synaptic_operations: float
    rates: dict[str, float]
    wraps: int
    saturations: int
    answers: NDArray[np.int64] = field(repr=False, compare=False)

    @property
    def unanswered(self) -> float:
        """Share of the samples without an output spike."""
        return self.silent / self.samples

    def verdict(self, kind: str) -> str:
        """The accuracy on samples of some kind as a phrase, with what makes it no accuracy; see ``metrics.verdict``."""
        return verdict(self.accuracy, f"{self.samples} {kind} samples", self.unanswered, silent_populations(self.rates))

    def activity(self) -> Activity:
        """What of it is the network's activity."""
        return Activity(self.spikes, self.synaptic_operations, self.rates)


def evaluate(
    network: Network | IntegerNetwork, x: NDArray, y: NDArray, n_steps: int, backend: str = "torch"
) -> Evaluation:
    """Run every sample and count.

    Args:
        network: with one Input, "pixels", and a population "output".
        x, y: (sample, feature) integers and (sample,) labels.
        n_steps: steps of every window.
        backend: which simulator.
    """
    answers, operations = np.full(len(x), -1, np.int64), 0.0
    spikes: Counter[str] = Counter()
    wraps, saturations = 0, 0
    for part in slices(len(x), BATCH):
        stimulus = {"pixels": x[part]}
        recording = run(network, stimulus, n_steps, backend=backend)
        answers[part] = read_out(recording.rasters["output"])
        operations += synaptic_operations(recording, stimulus) * recording.n_samples
        spikes.update({name: len(raster) for name, raster in recording.rasters.items()})
        wraps += sum(o.wraps for o in recording.overflow.values())
        saturations += sum(o.saturations for o in recording.overflow.values())
    n = len(x)
    return Evaluation(
        samples=n,
        accuracy=float(np.mean(answers == y)),
        silent=int(np.count_nonzero(answers < 0)),
        spikes=spikes.total() / n,
        synaptic_operations=operations / n,
        rates={name: spikes[name] / (n * n_steps * neuron.n) for name, neuron in network.neurons.items()},
        wraps=wraps,
        saturations=saturations,
        answers=answers,
    )
