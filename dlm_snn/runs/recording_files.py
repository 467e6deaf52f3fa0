"""Recordings as folders, so that runs of different simulators can be compared later."""

from __future__ import annotations

import json
from pathlib import Path

from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.files.atomic import write_text, writing
from dlm_snn.files.kinds import check_kind
from dlm_snn.files.layouts import FolderKind, json_file, npz_file
from dlm_snn.files.names import file_of
from dlm_snn.files.packed import read_npz, write_npz
from dlm_snn.files.reading import read_json, sealed, settled, unsealed
from dlm_snn.networks import artifact
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.raster_files import RASTER
from dlm_snn.runs.recording import Recording

_REMEDY = "simulate again"
_KIND = {"n_samples": int, "n_steps": int, "backend?": str}
_KEYS = ("u", "v", "v_before_reset", "v_threshold")
TRACES = npz_file("traces", lambda names: all(name.rpartition("/")[2] in _KEYS for name in names))
_EXTENT = json_file("a recording", "n_samples", "n_steps", "backend")
RECORDING = FolderKind(
    "a recording",
    {
        "recording.json": _EXTENT,
        "network.json": None,
        "network.safetensors": None,
        "traces.npz": TRACES,
        "*.npz": RASTER,
    },
    ("recording.json", _EXTENT),
)


def save_recording(recording: Recording, folder: Path, backend: str) -> None:
    """Write a recording into an existing, empty folder.

    ``network.json``, ``network.safetensors``: what ran. ``POPULATION.npz``: its raster. ``traces.npz``: arrays
    ``POPULATION/u`` and ``POPULATION/v``, (sample, step, neuron), where recorded. ``recording.json``: the extent, the
    backend and a checksum over them; written last.

    Raises:
        DlmError: the folder cannot be written.
    """
    artifact.save(recording.network, folder / "network")
    for name, raster in recording.rasters.items():
        raster.save(file_of(folder, name, ".npz"))
    traces = {f"{name}/{key}": array for key in ("u", "v") for name, array in getattr(recording, key).items()}
    if traces:
        with writing(folder / "traces.npz") as file:
            write_npz(file, traces)
    extent = {"n_samples": recording.n_samples, "n_steps": recording.n_steps, "backend": backend}
    write_text(folder / "recording.json", json.dumps(sealed(extent)) + "\n")


def load_recording(folder: Path) -> Recording:
    """Read what ``save_recording`` wrote.

    Raises:
        MissingError: no recording in the folder.
        DlmError: a truncated file.
    """
    return settled(folder, _load)


def _load(folder: Path) -> Recording:
    path = folder / "recording.json"
    held = read_json(path, _REMEDY, f"no recording in {folder}; 'dlm-snn simulate' writes one")
    extent = unsealed(held, path, _REMEDY)
    check_kind(extent, _KIND, path, remedy=_REMEDY)
    n_samples, n_steps = extent["n_samples"], extent["n_steps"]
    network = artifact.load(folder / "network")
    rasters = {name: SpikeRaster.load(file) for name in network.neurons if (file := folder / f"{name}.npz").exists()}
    for name, raster in rasters.items():
        _check_shape(folder / f"{name}.npz", "the raster", raster.extent, network, name, n_samples, n_steps)
    traces = _read_traces(folder / "traces.npz", network, n_samples, n_steps)
    return Recording(network, n_samples, n_steps, rasters, traces["u"], traces["v"])


def _read_traces(
    path: Path, network: Network | IntegerNetwork, n_samples: int, n_steps: int
) -> dict[str, dict[str, NDArray]]:
    traces: dict[str, dict[str, NDArray]] = {"u": {}, "v": {}}
    for place, array in (read_npz(path, remedy=_REMEDY) if path.exists() else {}).items():
        name, _, key = place.rpartition("/")
        if key not in traces or name not in network.neurons or array.dtype.kind not in "iuf":
            raise DlmError(f"{path} holds '{place}' of {array.dtype}, which no population records; {_REMEDY}")
        _check_shape(path, f"'{place}'", array.shape, network, name, n_samples, n_steps)
        traces[key][name] = array
    return traces


def _check_shape(
    path: Path,
    what: str,
    shape: tuple[int, ...],
    network: Network | IntegerNetwork,
    name: str,
    n_samples: int,
    n_steps: int,
) -> None:
    wanted = (n_samples, n_steps, network.populations[name].n)
    if shape != wanted:
        raise DlmError(f"{path}: {what} has (samples, steps, neurons) = {shape}, the recording {wanted}; {_REMEDY}")
