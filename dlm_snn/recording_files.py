"""Recordings as folders, so that runs of different simulators can be compared later."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from dlm_snn import artefact
from dlm_snn.atomic import write_text, writing
from dlm_snn.errors import DlmError, MissingError
from dlm_snn.names import file_of
from dlm_snn.raster import SpikeRaster
from dlm_snn.recording import Recording


def save_recording(recording: Recording, folder: Path, backend: str) -> None:
    """Write a recording into an existing, empty folder.

    ``network.json``, ``network.safetensors``: what ran. ``POPULATION.npz``: its raster. ``traces.npz``: arrays
    ``POPULATION/u`` and ``POPULATION/v``, (sample, step, neuron), where recorded. ``recording.json``: the extent and
    the backend; written last.

    Raises:
        DlmError: the folder cannot be written.
    """
    artefact.save(recording.network, folder / "network")
    for name, raster in recording.rasters.items():
        raster.save(file_of(folder, name, ".npz"))
    traces = {f"{name}/{key}": array for key in ("u", "v") for name, array in getattr(recording, key).items()}
    if traces:
        with writing(folder / "traces.npz") as file:
            np.savez_compressed(file, **traces)
    extent = {"n_samples": recording.n_samples, "n_steps": recording.n_steps, "backend": backend}
    write_text(folder / "recording.json", json.dumps(extent) + "\n")


def load_recording(folder: Path) -> Recording:
    """Read what ``save_recording`` wrote.

    Raises:
        MissingError: no recording in the folder.
        DlmError: a truncated file.
    """
    if not (folder / "recording.json").is_file():
        raise MissingError(f"no recording in {folder}; 'dlm-snn simulate' writes one")
    try:
        extent = json.loads((folder / "recording.json").read_text())
        n_samples, n_steps = int(extent["n_samples"]), int(extent["n_steps"])
    except (ValueError, KeyError, TypeError) as error:
        raise DlmError(f"{folder / 'recording.json'} is damaged ({error}); simulate again") from error
    network = artefact.load(folder / "network")
    rasters = {
        name: SpikeRaster.load(folder / f"{name}.npz") for name in network.neurons if (folder / f"{name}.npz").is_file()
    }
    traces: dict[str, dict[str, np.ndarray]] = {"u": {}, "v": {}}
    if (folder / "traces.npz").is_file():
        try:
            with np.load(folder / "traces.npz", allow_pickle=False) as stored:
                for path in stored.files:
                    name, _, key = path.rpartition("/")
                    traces[key][name] = stored[path]
        except (OSError, ValueError, KeyError, BadZipFile, EOFError) as error:
            raise DlmError(f"{folder / 'traces.npz'} is damaged ({error}); simulate again") from error
    return Recording(network, n_samples, n_steps, rasters, traces["u"], traces["v"])
