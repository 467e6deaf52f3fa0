"""What a run measured, put together as its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

import torch
from numpy.typing import NDArray

from dlm_snn.backends import declared, run
from dlm_snn.conversion.loss_budget import PopulationLoss, ProjectionLoss, QuantizationReport
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.physics.membranes.ledger import membrane_ledger
from dlm_snn.runs.comparison import compare
from dlm_snn.runs.metrics import accuracy, silent, synaptic_operations
from dlm_snn.runs.recording import Recording
from dlm_snn.runs.run_metrics import (
    Activity,
    DatasetSize,
    LossBudget,
    LossPart,
    MembraneEnergy,
    Overflows,
    RunMetrics,
    SinglePrecision,
)
from dlm_snn.tasks.parts import Split
from dlm_snn.training.loop import Curve
from experiments.harness.progress import Show
from experiments.recipes.config import SimulationConfig
from experiments.road.agreement import Simulated
from experiments.road.evaluate import Evaluation, evaluate
from hardware.chips import chip
from hardware.on_chip import summary

CHIP = "loihi2"
"""What the report lays the integer network out on."""


def evaluated(
    networks: Mapping[str, Network | IntegerNetwork], data: Split, n_steps: int, show: Show
) -> dict[str, Evaluation]:
    """Each network on the whole test set, by its arithmetic."""
    found = {}
    for number, (arithmetic, network) in enumerate(networks.items()):
        show(f"measure on {len(data.y_test)} test samples", number, len(networks))
        found[arithmetic] = evaluate(network, data.x_test, data.y_test, n_steps)
    return found


def single_precision(floats: Simulated, config: SimulationConfig, data: Split) -> SinglePrecision:
    """Spikes that change when the same network is computed in float32: rounding, not a defect."""
    double = next(iter(floats.recordings.values()))
    stimulus = {"pixels": data.x_test[: config.samples]}
    comparison = compare(double, run(double.network, stimulus, config.n_steps, backend="torch", dtype=torch.float32))
    spikes = sum(counts[0] for counts in comparison.spikes.values())
    return SinglePrecision(samples=comparison.n_samples, spikes=spikes, differ=comparison.differ)


def measured(
    data: Split,
    whole: Mapping[str, Evaluation],
    report: QuantizationReport,
    curve: Curve,
    floats: Simulated,
    integers: Simulated,
    single: SinglePrecision,
) -> RunMetrics:
    """The metrics of a run.

    Args:
        data: what it learned and was tested on.
        whole: arithmetic -> what its network does on the whole test set.
        report: of the conversion.
        curve: of the training.
        floats, integers: both networks in their simulators.
        single: of ``single_precision``.
    """
    apart = {
        name: recording
        for part in (floats, integers)
        for name, (recording, _) in part.stored([s for s in part.recordings if declared(s).supervised]).items()
    }
    right = {name: result.accuracy for name, result in whole.items()}
    unanswered = {name: result.unanswered for name, result in whole.items()}
    return RunMetrics(
        dataset=DatasetSize(data.dataset.name, len(data.y_train), len(data.y_test), data.dataset.n_classes),
        accuracy=right | {name: accuracy(r.rasters["output"], data.y_test[: r.n_samples]) for name, r in apart.items()},
        accuracy_samples={name: result.samples for name, result in whole.items()}
        | {name: recording.n_samples for name, recording in apart.items()},
        silent={name: result.silent for name, result in whole.items()}
        | {name: silent(recording.rasters["output"]) for name, recording in apart.items()},
        overflow=Overflows(whole["integer"].wraps, whole["integer"].saturations),
        agreement=(*floats.rows, *integers.rows),
        activity={name: result.activity() for name, result in whole.items()}
        | {name: _activity(recording, _fed(data, floats)) for name, recording in apart.items()},
        loss_budget=_budget(replace(report, accuracy=right, unanswered=unanswered)),
        curve=tuple(curve),
        float32=single,
        membranes={part.arithmetic: _membranes(data, part) for part in (floats, integers)},
        on_chip=summary(next(iter(integers.recordings.values())), _fed(data, integers), chip(CHIP)),
    )


def _activity(recording: Recording, fed: Mapping[str, NDArray]) -> Activity:
    """What a network did in one simulator."""
    spikes = sum(map(len, recording.rasters.values())) / recording.n_samples
    rates = {name: raster.rate for name, raster in recording.rasters.items()}
    return Activity(spikes, synaptic_operations(recording, fed), rates)


def _fed(data: Split, part: Simulated) -> dict[str, NDArray]:
    """What the simulators were fed."""
    return {"pixels": data.x_test[: next(iter(part.recordings.values())).n_samples]}


def _budget(report: QuantizationReport) -> LossBudget:
    return LossBudget(
        bits=report.bits,
        projections=tuple(map(_part, report.projections)),
        populations=tuple(map(_part, report.populations)),
        samples=report.samples,
        accuracy=report.accuracy,
        unanswered=report.unanswered,
        warnings=tuple(report.warnings),
    )


def _part(of: ProjectionLoss | PopulationLoss) -> LossPart:
    return LossPart(of.name, {f.name: getattr(of, f.name) for f in fields(of) if f.name != "name"})


def _membranes(data: Split, part: Simulated) -> dict[str, MembraneEnergy]:
    """Energy of each population, per sample, in the float network's units."""
    recording = next(iter(part.states.values()))
    stimulus = {"pixels": data.x_test[: recording.n_samples]}
    found = {}
    for name, neuron in recording.network.neurons.items():
        totals = membrane_ledger(recording, stimulus, name).totals()
        # Integers keep 2E, and v in units of 64 times the scale.
        unit = 1.0 if part.arithmetic == "float" else 2.0 * (64 * neuron.scale) ** 2
        terms = (term.name for term in fields(MembraneEnergy))
        found[name] = MembraneEnergy(**{term: totals[term] / unit / recording.n_samples for term in terms})
    return found
