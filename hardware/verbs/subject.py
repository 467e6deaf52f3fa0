"""What ``dlm-snn check`` looks at: a network, what it sent in a run, and samples to measure changes on."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.networks.network import IntegerNetwork, Network
from hardware.changes import changes, chip_neurons, neurons_changed

if TYPE_CHECKING:
    from dlm_snn.tasks.parts import Split

STEPS = 16
"""Of a sample, where nobody says."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A network in question.

    Attributes:
        path: where it lies.
        network: as it lies there.
        rates: population -> spikes per sample of each neuron in its run; empty: not known.
        n_steps: of a sample.
        data: whose test samples changes are measured on; why there are none; None: nobody asked.
        samples: how many of them, at most.
    """

    path: Path
    network: Network | IntegerNetwork
    rates: dict[str, NDArray[np.float64]]
    n_steps: int
    data: Split | str | None
    samples: int

    @cached_property
    def integer(self) -> IntegerNetwork:
        """The network in integers: of floats, with a chip's neurons and 8-bit weights."""
        from dlm_snn.conversion.quantization import quantize

        if isinstance(self.network, IntegerNetwork):
            return self.network
        floats: Any = chip_neurons(self.network)
        known = None if self.data is None or isinstance(self.data, str) else self.data.x_train[:300]
        calibration = None if known is None else self._stimulus(known)
        made: IntegerNetwork = quantize(floats, calibration=calibration, n_steps=self.n_steps)[0]
        return made

    @property
    def notes(self) -> list[str]:
        """What was done to it first."""
        return [] if self.network is self.integer else ["floats, laid out as 8-bit integers"]

    def obstacles(self) -> list[str]:
        """What the integers do not have any more."""
        return [] if isinstance(self.network, IntegerNetwork) else neurons_changed(self.network)

    def check_data(self) -> None:
        """Raise unless the network takes the samples, before the work."""
        from dlm_snn.backends import run

        if self.data is not None and not isinstance(self.data, str):
            run(self.network, self._stimulus(self.data.x_test[:0]), self.n_steps, backend="fast")

    def costs(self) -> Iterator[str]:
        """Accuracy as it is, and with each change alone, line by line; nothing where there are no samples."""
        if self.data is None:
            return
        if isinstance(self.data, str):
            yield f"accuracies are not measured: {self.data}"
            return
        labels = self.data.y_test[: self.samples]
        told = f"{len(labels)} test samples of {self.data.dataset.name}, weights as they are"
        yield f"accuracy on {told}:"
        yield f"  as it is, {self.n_steps} steps: {self._accuracy(self.network, self.n_steps):.1%}"
        for what, network, n_steps in changes(self.network, self.n_steps):
            yield f"  {what}: {self._accuracy(network, n_steps):.1%}"
        if self.integer is not self.network:
            yield f"  as 8-bit integers on a chip: {self._accuracy(self.integer, self.n_steps):.1%}"

    def _accuracy(self, network: Any, n_steps: int) -> float:
        from dlm_snn.backends import run
        from dlm_snn.runs.metrics import accuracy
        from dlm_snn.values import slices

        if self.data is None or isinstance(self.data, str):
            raise DlmError("there are no samples to measure on; give --dataset")
        x, y = self.data.x_test[: self.samples], self.data.y_test[: self.samples]
        right = 0.0
        for part in slices(len(x), 1000):
            right += accuracy(run(network, self._stimulus(x[part]), n_steps, backend="fast"), y[part]) * len(y[part])
        return right / len(y)

    def _stimulus(self, x: NDArray) -> dict[str, NDArray]:
        from dlm_snn.verbs.data_options import only_input

        return {only_input(self.network): x}


def subject(arguments: Namespace) -> Subject:
    """Read what the command line names.

    Raises:
        DlmError: no network, numbers that cannot be, data that are not there.
    """
    from dlm_snn.exchange.format import Options
    from dlm_snn.exchange.formats import read_path
    from dlm_snn.runs.run_folder import is_run, read_network

    for option, least in (("steps", 1), ("samples", 0)):
        if (given := getattr(arguments, option)) is not None and given < least:
            raise DlmError(f"--{option} {given}: at least {least}")
    path = arguments.network
    if is_run(path):
        rates, n_steps = _of_run(path)
        n_steps = arguments.steps or n_steps
        return Subject(path, read_network(path, "integer"), rates, n_steps, _data(arguments, path), arguments.samples)
    network = read_path(path, Options(None)).network
    if network is None:
        raise DlmError(f"{path} holds no network; give a run or a network")
    return Subject(path, network, {}, arguments.steps or STEPS, _data(arguments, None), arguments.samples)


def _of_run(folder: Path) -> tuple[dict[str, NDArray[np.float64]], int]:
    """What the integer network sent in a run, and its steps; nothing where no rasters are stored."""
    from dlm_snn.runs.run_folder import read_simulated, simulators, stored_arithmetic

    for name in simulators(folder):
        if stored_arithmetic(name) == "integer":
            _, rasters = read_simulated(folder, name)
            rates = {population: raster.counts().mean(axis=0) for population, raster in rasters.items()}
            return rates, next(iter(rasters.values())).n_steps
    return {}, STEPS


def _data(arguments: Namespace, run: Path | None) -> Split | str | None:
    """The dataset that is named; else that of the run, or why it is not at hand."""
    from dlm_snn.config import validated
    from dlm_snn.runs.run_folder import read_run
    from dlm_snn.tasks.parts import DataConfig, split
    from hardware.verbs.workload import run_data

    if not arguments.samples:
        return None
    if arguments.dataset is not None:
        return split(validated(DataConfig, {"dataset": arguments.dataset, "data_dir": arguments.data_dir}, "--"))
    if run is None:
        return None
    try:
        found: Split = run_data(read_run(run), arguments.data_dir)
    except DlmError as error:
        return str(error)
    return found
