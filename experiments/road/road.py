"""The main job: data -> training -> Network -> IntegerNetwork -> every simulator -> comparison -> run folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from dlm_snn.backends import run
from dlm_snn.config import dump_config
from dlm_snn.conversion.loss_budget import QuantizationReport
from dlm_snn.conversion.quantization import quantize
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.provenance import Provenance
from dlm_snn.report import write_report
from dlm_snn.runs.answers import kept as kept_answers
from dlm_snn.runs.run_folder import KEPT, write_run
from dlm_snn.runs.run_metrics import Epoch, RunMetrics
from dlm_snn.tasks.parts import Split, split
from dlm_snn.training.inhibition import with_counting, with_lateral
from dlm_snn.training.initial import initial_network
from dlm_snn.training.loop import Curve
from dlm_snn.training.training import train
from experiments.harness.progress import Show
from experiments.recipes.config import RunConfig
from experiments.road.again import Earlier, compared
from experiments.road.agreement import simulated
from experiments.road.measured import evaluated, measured, single_precision


def run_road(
    config: RunConfig, folder: Path, command: str, show: Show, earlier: Earlier | None = None, place: Path | None = None
) -> RunMetrics:
    """Do the main job and write its run folder.

    Args:
        config: of the run.
        folder: existing and empty; the caller renames it when all is well.
        command: goes into the record.
        show: told of every stage.
        earlier: the run whose configuration this one takes.
        place: where the folder will lie, see ``write_report``.

    Returns:
        What it measured.

    Raises:
        DlmError: bad data, a simulator that is missing or refuses the network.
    """
    instruction_set = torch.backends.cpu.get_cpu_capability()
    record = Provenance(command=command, seed=config.network.seed, instruction_set=instruction_set)
    with record.timing("data"):
        data = split(config.data)
        check_simulators(config, data)
    with record.timing("train"):
        network, curve = train_network(config, data, show)
    with record.timing("convert"):
        show("convert to integers", 0, 1)
        integer, report = convert(config, network, data)
    with record.timing("evaluate"):
        whole = evaluated({"float": network, "integer": integer}, data, config.simulation.n_steps, show)
    with record.timing("simulate float"):
        floats = simulated(network, config.simulation, data, show)
        single = single_precision(floats, config.simulation, data)
    with record.timing("simulate integer"):
        integers = simulated(integer, config.simulation, data, show)
    metrics = measured(data, whole, report, curve, floats, integers, single)
    record.digests = {"network": network.digest(), "integer": integer.digest(), "data": data.dataset.checksum}
    record.repetition = None if earlier is None else compared(earlier, config, record)
    show("write the report", 0, 1)
    kept = {**floats.stored(KEPT), **integers.stored(KEPT)}
    given = {name: result.answers for name, result in whole.items()}
    answers = kept_answers(data.y_test, given, data.x_test, data.dataset.shape, data.dataset.scale)
    write_run(folder, dump_config(config), {"float": network, "integer": integer}, kept, metrics, record, answers)
    write_report(folder, place)
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
    network = initial_network(
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
    inhibition = config.network.inhibition
    if inhibition is None:
        return network
    for name in list(network.neurons)[:-1]:
        if inhibition.kind == "lateral":
            network = with_lateral(network, name, inhibition.weight)
        else:
            network = with_counting(network, name, inhibition.weight, inhibition.neurons, inhibition.spacing)
    return network


def _fixed(config: RunConfig, first: Network) -> list[str]:
    """The projections that are not trained: those of an inhibition, which stand behind the others."""
    inhibition = config.network.inhibition
    if inhibition is None or inhibition.learned:
        return []
    return [projection.name for projection in first.projections[len(config.network.hidden) + 1 :]]


def train_network(config: RunConfig, data: Split, show: Show) -> tuple[Network, Curve]:
    """A fresh network, trained on the training part."""
    first = _fresh_network(config, data)
    epochs = config.training.epochs
    show("train", 0, epochs)

    def told(epoch: Epoch) -> None:
        show(f"train: loss {epoch.loss:.3f}, accuracy {epoch.train_accuracy:.1%}", int(epoch.epoch or 0), epochs)

    n_steps = config.simulation.n_steps
    return train(
        first,
        data.x_train,
        data.y_train,
        config.training,
        n_steps,
        told,
        dynamics=config.dynamics,
        fixed=_fixed(config, first),
    )


def convert(config: RunConfig, network: Network, data: Split) -> tuple[IntegerNetwork, QuantizationReport]:
    """The integer network and its loss budget, measured on the first samples of the training part."""
    calibration = {"pixels": data.x_train[: config.quantization.samples]}
    return quantize(network, config.quantization.weight_bits, calibration, config.simulation.n_steps)
