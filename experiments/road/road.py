"""The main job: data -> training -> Network -> IntegerNetwork -> every simulator -> comparison -> run folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dlm_snn.backends import run
from dlm_snn.config import dump_config
from dlm_snn.conversion.loss_budget import QuantizationReport
from dlm_snn.conversion.quantization import quantize
from dlm_snn.files.atomic import write_text, writing
from dlm_snn.files.names import file_of
from dlm_snn.files.packed import write_npz
from dlm_snn.networks import artefact
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.physics.membranes.ledger import membrane_ledger
from dlm_snn.provenance import RunRecord
from dlm_snn.report import write_report
from dlm_snn.runs.comparison import compare
from dlm_snn.runs.metrics import accuracy
from dlm_snn.runs.recording import Recording
from dlm_snn.tasks.split import Split, split
from dlm_snn.training.training import Curve, initial_network, train
from experiments.harness.progress import Show
from experiments.recipes.config import RunConfig, SimulationConfig
from experiments.road.again import Earlier, compared
from experiments.road.agreement import agreement, simulate
from experiments.road.evaluate import Evaluation, evaluate

STORED = ("reference", "lava-float", "lava-fixed")
"""Simulators whose rasters and traces go into the run folder."""


@dataclass(frozen=True, eq=False)
class Simulated:
    """One network in all its simulators.

    Attributes:
        recordings: simulator -> spikes on all chosen samples.
        states: simulator -> spikes, u and v on the first of them.
        rows: every pair compared, on spikes and, for the first samples, on u and v.
    """

    recordings: Mapping[str, Recording]
    states: Mapping[str, Recording]
    rows: list[dict[str, Any]]


def run_road(
    config: RunConfig, folder: Path, command: str, show: Show, earlier: Earlier | None = None
) -> dict[str, Any]:
    """Do the main job and write its run folder.

    Args:
        config: of the run.
        folder: existing and empty; the caller renames it when all is well.
        command: goes into the record.
        show: told of every stage.
        earlier: the run whose configuration this one takes.

    Returns:
        What ``metrics.json`` holds.

    Raises:
        DlmError: bad data, a simulator that is missing or refuses the network.
    """
    instruction_set = torch.backends.cpu.get_cpu_capability()
    record = RunRecord(command=command, seed=config.network.seed, instruction_set=instruction_set)
    with record.timing("data"):
        data = split(config.data)
        check_simulators(config, data)
    with record.timing("train"):
        network, curve = train_network(config, data, show)
    with record.timing("convert"):
        show("convert to integers", 0, 1)
        integer, report = convert(config, network, data)
    with record.timing("evaluate"):
        show(f"measure on {len(data.y_test)} test samples", 0, 2)
        whole = {"float": evaluate(network, data.x_test, data.y_test, config.simulation.n_steps)}
        show(f"measure on {len(data.y_test)} test samples", 1, 2)
        whole["integer"] = evaluate(integer, data.x_test, data.y_test, config.simulation.n_steps)
    report = replace(
        report,
        accuracy={name: result.accuracy for name, result in whole.items()},
        unanswered={name: result.unanswered for name, result in whole.items()},
    )
    with record.timing("simulate float"):
        floats = _simulated(network, config.simulation, config.simulation.float_backends, data, show)
        single = _single_precision(network, config.simulation, data, floats)
    with record.timing("simulate integer"):
        integers = _simulated(integer, config.simulation, config.simulation.integer_backends, data, show)
    metrics = _metrics(data, whole, report, floats, integers, curve)
    metrics["float32"] = single
    metrics["membranes"] = _membranes(data, floats, integers)
    record.digests = {"network": network.digest(), "integer": integer.digest(), "data": data.dataset.checksum}
    record.repetition = None if earlier is None else compared(earlier, config, record)
    show("write the report", 0, 1)
    write_text(folder / "config.yaml", dump_config(config))
    artefact.save(network, folder / "network")
    artefact.save(integer, folder / "integer")
    _write_rasters(folder, floats, integers)
    _write_traces(folder / "traces.npz", floats, integers)
    write_text(folder / "metrics.json", json.dumps(metrics, indent=1) + "\n")
    record.save(folder / "record.json")
    write_report(folder)
    return metrics


def check_simulators(config: RunConfig, data: Split) -> None:
    """Each simulator runs no samples of the untrained network, so that what it cannot do is told before the training.

    Raises:
        DlmError: a simulator that is missing or refuses the network.
    """
    network = _fresh_network(config, data)
    integer, _ = quantize(network, config.quantization.weight_bits)
    for form, backends in (
        (network, config.simulation.float_backends),
        (integer, config.simulation.integer_backends),
    ):
        for backend in backends:
            run(form, {"pixels": data.x_test[:0]}, config.simulation.n_steps, backend=backend)


def _fresh_network(config: RunConfig, data: Split) -> Network:
    return initial_network(
        data.x_train.shape[1],
        config.network.hidden,
        data.dataset.n_classes,
        np.random.default_rng(config.network.seed),
        dv=config.network.dv,
        du=config.network.du,
        v_threshold=config.network.v_threshold,
        winners=config.network.winners,
        groups=config.network.groups,
        graded_bits=data.dataset.graded_bits,
        scale=data.dataset.scale,
    )


def train_network(config: RunConfig, data: Split, show: Show) -> tuple[Network, Curve]:
    """A fresh network, trained on the training part."""
    first = _fresh_network(config, data)
    epochs = config.training.epochs
    show("train", 0, epochs)

    def told(epoch: Mapping[str, Any]) -> None:
        show(f"train: loss {epoch['loss']:.3f}, accuracy {epoch['train_accuracy']:.1%}", epoch["epoch"], epochs)

    n_steps = config.simulation.n_steps
    return train(first, data.x_train, data.y_train, config.training, n_steps, told, dynamics=config.dynamics)


def convert(config: RunConfig, network: Network, data: Split) -> tuple[IntegerNetwork, QuantizationReport]:
    """The integer network and its loss budget, measured on the first samples of the training part."""
    calibration = {"pixels": data.x_train[: config.quantization.samples]}
    return quantize(network, config.quantization.weight_bits, calibration, config.simulation.n_steps)


def _simulated(
    network: Network | IntegerNetwork, config: SimulationConfig, backends: tuple[str, ...], data: Split, show: Show
) -> Simulated:
    """Spikes on all chosen samples in every simulator; u and v on the first of them."""
    x = data.x_test[: config.samples]

    def on(samples: np.ndarray, names: tuple[str, ...], record: tuple[str, ...]) -> dict[str, Recording]:
        return simulate(network, {"pixels": samples}, config.n_steps, names, record, config.timeout, show)

    @cache
    def with_state(backend: str) -> Recording:
        return on(x, (backend,), ("s", "u", "v"))[backend]

    if config.state_samples >= len(x):
        states = recordings = on(x, backends, ("s", "u", "v"))
        return Simulated(recordings, states, agreement(recordings))
    recordings = on(x, backends, ("s",))
    states = on(x[: config.state_samples], backends, ("s", "u", "v"))
    rows = agreement(recordings, with_state)
    for row, few in zip(rows, agreement(states), strict=True):
        row["values"] = few.get("values", {})
        row["note"] = f"u and v compared on {config.state_samples} samples"
        row["equal"] = row["equal"] and few["equal"]
        if not few["equal"]:
            row["text"] = few["text"]
    return Simulated(recordings, states, rows)


def _single_precision(network: Network, config: SimulationConfig, data: Split, floats: Simulated) -> dict[str, int]:
    """Spikes that change when the same network is computed in float32: rounding, not a defect."""
    x = data.x_test[: config.samples]
    single = run(network, {"pixels": x}, config.n_steps, backend="torch", dtype=torch.float32)
    comparison = compare(next(iter(floats.recordings.values())), single)
    return {
        "samples": comparison.n_samples,
        "spikes": sum(counts[0] for counts in comparison.spikes.values()),
        "differ": comparison.differ,
    }


def _membranes(data: Split, floats: Simulated, integers: Simulated) -> dict[str, dict[str, dict[str, float]]]:
    """Energy of each population, per sample, in the float network's units: network -> population -> term."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for kind, part in (("float", floats), ("integer", integers)):
        recording = next(iter(part.states.values()))
        stimulus = {"pixels": data.x_test[: recording.n_samples]}
        found[kind] = {}
        for name, neuron in recording.network.neurons.items():
            totals = membrane_ledger(recording, stimulus, name).totals()
            # Integers keep 2E, and v in units of 64 times the scale.
            unit = 1.0 if kind == "float" else 2.0 * (64 * neuron.scale) ** 2
            terms = ("injected", "leak", "reset", "clip", "stored", "residual")
            found[kind][name] = {term: totals[term] / unit / recording.n_samples for term in terms}
    return found


def _metrics(
    data: Split,
    whole: Mapping[str, Evaluation],
    report: QuantizationReport,
    floats: Simulated,
    integers: Simulated,
    curve: Curve,
) -> dict[str, Any]:
    lava = {n: r for n, r in _named(floats, integers, lambda part: part.recordings) if n.startswith("lava-")}
    return {
        "dataset": {
            "name": data.dataset.name,
            "train": len(data.y_train),
            "test": len(data.y_test),
            "classes": data.dataset.n_classes,
        },
        "accuracy": {
            **{name: result.accuracy for name, result in whole.items()},
            **{name: accuracy(r.rasters["output"], data.y_test[: r.n_samples]) for name, r in lava.items()},
        },
        "accuracy_samples": {
            **{name: result.samples for name, result in whole.items()},
            **{name: recording.n_samples for name, recording in lava.items()},
        },
        "silent": {name: result.silent for name, result in whole.items()},
        "overflow": {"wraps": whole["integer"].wraps, "saturations": whole["integer"].saturations},
        "agreement": floats.rows + integers.rows,
        "activity": {name: result.activity() for name, result in whole.items()},
        "loss_budget": report.to_dict(),
        "curve": curve,
    }


def _named(floats: Simulated, integers: Simulated, pick: Callable[[Simulated], Mapping[str, Recording]]) -> Any:
    """(name in the run folder, recording) of every simulator; most have both arithmetics."""
    yield from pick(floats).items()
    for name, recording in pick(integers).items():
        yield (name if name == "lava-fixed" else f"{name}-integer"), recording


def _write_rasters(folder: Path, floats: Simulated, integers: Simulated) -> None:
    for name, recording in _named(floats, integers, lambda part: part.recordings):
        if not name.startswith(STORED):
            continue
        (folder / "rasters" / name).mkdir(parents=True)
        for population, raster in recording.rasters.items():
            raster.save(file_of(folder / "rasters" / name, population, ".npz"))


def _write_traces(path: Path, floats: Simulated, integers: Simulated) -> None:
    """v of the first sample, in units of the threshold's own."""
    arrays = {}
    for name, recording in _named(floats, integers, lambda part: part.states):
        if not name.startswith(STORED):
            continue
        unit = 64 if isinstance(recording.network, IntegerNetwork) else 1
        for population, v in recording.v.items():
            neuron: Any = recording.network.populations[population]
            arrays[f"{name}/{population}/v"] = v[0] / unit
            arrays[f"{name}/{population}/v_threshold"] = np.asarray(neuron.v_threshold, dtype=float)
    with writing(path) as file:
        write_npz(file, arrays)
