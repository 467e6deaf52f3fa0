"""What a run measured, put together as its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from dlm_snn.backends import declared, run
from dlm_snn.conversion.loss_budget import QuantizationReport
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.physics.membranes.ledger import membrane_ledger
from dlm_snn.runs.comparison import compare
from dlm_snn.runs.metrics import accuracy
from dlm_snn.tasks.split import Split
from dlm_snn.training.loop import Curve
from experiments.harness.progress import Show
from experiments.recipes.config import SimulationConfig
from experiments.road.agreement import Simulated
from experiments.road.evaluate import Evaluation, evaluate


def evaluated(
    networks: Mapping[str, Network | IntegerNetwork], data: Split, n_steps: int, show: Show
) -> dict[str, Evaluation]:
    """Each network on the whole test set, by its arithmetic."""
    found = {}
    for number, (arithmetic, network) in enumerate(networks.items()):
        show(f"measure on {len(data.y_test)} test samples", number, len(networks))
        found[arithmetic] = evaluate(network, data.x_test, data.y_test, n_steps)
    return found


def single_precision(floats: Simulated, config: SimulationConfig, data: Split) -> dict[str, int]:
    """Spikes that change when the same network is computed in float32: rounding, not a defect."""
    double = next(iter(floats.recordings.values()))
    stimulus = {"pixels": data.x_test[: config.samples]}
    comparison = compare(double, run(double.network, stimulus, config.n_steps, backend="torch", dtype=torch.float32))
    return {
        "samples": comparison.n_samples,
        "spikes": sum(counts[0] for counts in comparison.spikes.values()),
        "differ": comparison.differ,
    }


def measured(
    data: Split,
    whole: Mapping[str, Evaluation],
    report: QuantizationReport,
    curve: Curve,
    floats: Simulated,
    integers: Simulated,
    single: dict[str, int],
) -> dict[str, Any]:
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
    report = replace(
        report,
        accuracy={name: result.accuracy for name, result in whole.items()},
        unanswered={name: result.unanswered for name, result in whole.items()},
    )
    return {
        "dataset": {
            "name": data.dataset.name,
            "train": len(data.y_train),
            "test": len(data.y_test),
            "classes": data.dataset.n_classes,
        },
        "accuracy": {
            **{name: result.accuracy for name, result in whole.items()},
            **{name: accuracy(r.rasters["output"], data.y_test[: r.n_samples]) for name, r in apart.items()},
        },
        "accuracy_samples": {
            **{name: result.samples for name, result in whole.items()},
            **{name: recording.n_samples for name, recording in apart.items()},
        },
        "silent": {name: result.silent for name, result in whole.items()},
        "overflow": {"wraps": whole["integer"].wraps, "saturations": whole["integer"].saturations},
        "agreement": [*floats.rows, *integers.rows],
        "activity": {name: result.activity() for name, result in whole.items()},
        "loss_budget": report.to_dict(),
        "curve": curve,
        "float32": single,
        "membranes": {part.arithmetic: _membranes(data, part) for part in (floats, integers)},
    }


def _membranes(data: Split, part: Simulated) -> dict[str, dict[str, float]]:
    """Energy of each population, per sample, in the float network's units: population -> term."""
    recording = next(iter(part.states.values()))
    stimulus = {"pixels": data.x_test[: recording.n_samples]}
    found = {}
    for name, neuron in recording.network.neurons.items():
        totals = membrane_ledger(recording, stimulus, name).totals()
        # Integers keep 2E, and v in units of 64 times the scale.
        unit = 1.0 if part.arithmetic == "float" else 2.0 * (64 * neuron.scale) ** 2
        terms = ("injected", "leak", "reset", "clip", "stored", "residual")
        found[name] = {term: totals[term] / unit / recording.n_samples for term in terms}
    return found
