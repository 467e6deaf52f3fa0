"""What ``dlm-snn energy`` counts: a network, what it was fed, and its spikes; of a run, a recording or a network."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.verbs.data_options import chosen_split, only_input

STEPS, SAMPLES = 20, 20
PREFERRED = ("reference-integer", "lava-fixed", "reference")
"""Whose rasters of a run are counted, where none is named: integers first, as a chip computes."""


@dataclass(frozen=True, eq=False)
class Workload:
    """A network that ran.

    Attributes:
        title: in words.
        network, recording, stimulus: of the run.
        right: accuracy, and of how many samples; None: not known.
        run: the RunFolder, where it is one.
        data: the samples that a run learned from.
    """

    title: str
    network: Any
    recording: Any
    stimulus: Mapping[str, Any]
    right: tuple[float, int] | None = None
    run: Any = None
    data: Any = None


def workload(arguments: Namespace) -> Workload:
    """What the command line names.

    Raises:
        DlmError: nothing that can be counted, or options that do not fit.
    """
    from dlm_snn.runs.run_folder import is_run

    path: Path = arguments.target
    if is_run(path):
        given = next((name for name in _of_networks(arguments) if getattr(arguments, name) is not None), None)
        if given is not None:
            raise DlmError(f"--{given} is for networks; {path} is a run, with its own samples: leave it out")
        return _of_run(path, arguments)
    if arguments.simulator is not None:
        raise DlmError(f"--simulator chooses among the rasters of a run, and {path} is none")
    if (path / "recording.json").is_file():
        return _of_recording(path, arguments)
    return _of_network(path, arguments)


def _of_networks(arguments: Namespace) -> tuple[str, ...]:
    """Options that a run leaves no choice of; what is measured needs a simulator again."""
    always = ("stimulus", "dataset", "steps", "samples")
    return always if arguments.measure else (*always, "backend")


def _of_run(path: Path, arguments: Namespace) -> Workload:
    from dlm_snn.runs.recording import Recording
    from dlm_snn.runs.run_folder import read_run, read_simulated, simulators, stored_arithmetic

    stored = simulators(path)
    if not stored:
        raise DlmError(f"{path} has no rasters to count; write it again with 'dlm-snn run'")
    name = arguments.simulator or next((one for one in PREFERRED if one in stored), stored[0])
    network, rasters = read_simulated(path, name)
    if not rasters:
        raise DlmError(f"{path} has no rasters of '{name}' to count; write it again with 'dlm-snn run'")
    folder = read_run(path)
    first = next(iter(rasters.values()))
    data = run_data(folder, arguments.data_dir)
    stimulus = {only_input(network): data.x_test[: first.n_samples]}
    arithmetic = stored_arithmetic(name)
    right, of = ((kind or {}).get(arithmetic) for kind in (folder.metrics.accuracy, folder.metrics.accuracy_samples))
    return Workload(
        f"{path}, {name}: {first.n_samples} samples of {first.n_steps} steps",
        network,
        Recording(network, first.n_samples, first.n_steps, rasters),
        stimulus,
        None if right is None or not of else (right, int(of)),
        folder,
        data,
    )


def run_data(folder: Any, data_dir: Path | None) -> Any:
    """The samples of a run, by its configuration.

    Raises:
        DlmError: other samples than it had, or none.
    """
    from dlm_snn.config import validated
    from dlm_snn.files.yaml_text import parse_yaml
    from dlm_snn.tasks.parts import DataConfig, split

    settings = dict(parse_yaml(folder.config, str(folder.path)).get("data") or {})
    if data_dir is not None:
        settings["data_dir"] = str(data_dir)
    data = split(validated(DataConfig, settings, f"{folder.path}: data."))
    known = (folder.record.get("digests") or {}).get("data")
    if known is not None and known != data.dataset.checksum:
        raise DlmError(f"{folder.path} ran on other data than '{data.dataset.name}' is here; give its --data-dir")
    return data


def _of_recording(path: Path, arguments: Namespace) -> Workload:
    from dlm_snn.runs.recording_files import load_recording

    for option in _of_networks(arguments):
        if option not in ("stimulus", "dataset") and getattr(arguments, option) is not None:
            raise DlmError(f"--{option} is for networks; {path} is a recording: leave it out")
    recording = load_recording(path)
    fed, labels = _fed(arguments, path, recording.n_samples)
    stimulus = {only_input(recording.network): fed}
    title = f"{path}: {recording.n_samples} samples of {recording.n_steps} steps"
    return Workload(title, recording.network, recording, stimulus, _right(recording, labels))


def _of_network(path: Path, arguments: Namespace) -> Workload:
    from dlm_snn.backends import run
    from dlm_snn.exchange.format import Options
    from dlm_snn.exchange.formats import read_path

    network = read_path(path, Options(None)).network
    if network is None:
        raise DlmError(f"{path} holds no network; give a run, a recording or a network")
    samples = SAMPLES if arguments.samples is None else arguments.samples
    if samples < 1:
        raise DlmError(f"--samples {samples}: at least 1")
    fed, labels = _fed(arguments, path, samples)
    n_steps = _steps(arguments, fed, labels is not None)
    stimulus = {only_input(network): fed}
    recording = run(network, stimulus, n_steps, backend=arguments.backend or "reference")
    title = f"{path}, {recording.n_samples} samples of {n_steps} steps"
    return Workload(title, network, recording, stimulus, _right(recording, labels))


def _fed(arguments: Namespace, path: Path, samples: int) -> tuple[Any, NDArray | None]:
    """The stimulus, and labels where there are some."""
    if (arguments.stimulus is None) == (arguments.dataset is None):
        raise DlmError(f"{path} does not say what is fed in; give either --stimulus FILE.npy or --dataset NAME")
    if arguments.dataset is not None:
        data = chosen_split(arguments)
        return data.x_test[:samples], data.y_test[:samples]
    if arguments.samples is not None:
        raise DlmError("--samples is for --dataset; a stimulus is fed in whole")
    file: Path = arguments.stimulus
    if file.suffix == ".npy":
        from dlm_snn.files.packed import read_array

        return read_array(file, f"no stimulus at {file}"), None
    from dlm_snn.exchange.formats import read_path

    rasters = read_path(file).rasters
    if len(rasters) != 1:
        raise DlmError(f"{file} holds {len(rasters)} rasters, not one; give an array FILE.npy, or one raster")
    return next(iter(rasters.values())), None


def _steps(arguments: Namespace, fed: Any, of_dataset: bool) -> int:
    if arguments.steps is not None:
        return int(arguments.steps)
    if of_dataset:
        return STEPS
    if hasattr(fed, "n_steps"):
        return int(fed.n_steps)
    if fed.ndim != 3:
        raise DlmError(f"{arguments.stimulus} of shape {fed.shape} does not say how many steps; give --steps N")
    return int(fed.shape[1])


def _right(recording: Any, labels: NDArray | None) -> tuple[float, int] | None:
    """Accuracy and samples, where there are labels and the answer is read of spikes."""
    from dlm_snn.neurons.models import spikes
    from dlm_snn.runs.metrics import accuracy, answering

    name = answering(recording.network)
    if labels is None or name not in recording.rasters or not spikes(recording.network.populations[name]):
        return None
    return accuracy(recording, labels), len(labels)
