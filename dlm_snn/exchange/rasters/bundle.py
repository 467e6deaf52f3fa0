"""Deployment bundles: the spikes that a network on a chip must make, and the file of those that it made.

A bundle's files are written and described in docs/deploy.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dlm_snn.errors import DlmError, MissingError, UnlikeError, nearest
from dlm_snn.exchange.rasters.csv_files import COLUMNS, columns_of, populations_of, read_csv
from dlm_snn.files.checksums import check_checksums
from dlm_snn.files.kinds import check_kind
from dlm_snn.files.packed import npz_names, read_npz
from dlm_snn.files.reading import SEAL, read_json, unsealed
from dlm_snn.runs.events import EVENT
from dlm_snn.runs.raster import SpikeRaster

FORMAT, VERSION = "dlm-snn deployment bundle", 1
RECORD, EXPECTED = "bundle.json", "expected.npz"
NEURONS = ".n_neurons"
_AGAIN = "copy the bundle again, or ask who made it"
_KIND = {"populations": {"*": {"depth": int}}, "files": {"*": str}}


def is_bundle(folder: Path) -> bool:
    """Whether a folder is a bundle, of whatever version."""
    return (folder / RECORD).is_file()


def read_expected(folder: Path) -> dict[str, SpikeRaster]:
    """The spikes that must come out, population by population in the order in which they are computed.

    Raises:
        MissingError, DlmError: a bundle of another version, a file that is not there or was changed.
    """
    record = read_json(folder / RECORD, _AGAIN)
    if record.get("format") != FORMAT or record.get("version") != VERSION:
        found = f"version {record.get('version')} of '{record.get('format')}'"
        raise DlmError(f"{folder} is a bundle of another kind ({found}; wanted: {VERSION} of '{FORMAT}'); {_AGAIN}")
    if SEAL not in record:
        raise DlmError(f"{folder / RECORD} has no checksum of its own; {_AGAIN}")
    record = unsealed(record, folder / RECORD, _AGAIN)
    check_kind(record, _KIND, folder / RECORD, remedy=_AGAIN)
    if not (folder / EXPECTED).is_file():
        raise MissingError(f"{folder} lacks {EXPECTED}; {_AGAIN}")
    check_checksums(folder, record["files"], folder / RECORD, _AGAIN, EXPECTED)
    held = _held(folder / EXPECTED)
    depths = {name: told["depth"] for name, told in record["populations"].items()}
    if depths.keys() != held.keys():
        raise DlmError(f"{folder / EXPECTED} has not the populations of {RECORD}; {_AGAIN}")
    return {name: held[name].at_depth(depth) for name, depth in depths.items()}


def read_answer(path: Path, expected: Mapping[str, SpikeRaster]) -> dict[str, SpikeRaster]:
    """The spikes that a machine made.

    Args:
        path: an npz with the arrays ``P.sample``, ``P.step``, ``P.neuron`` of each population P and the numbers
            ``P.n_neurons``, ``n_samples``, ``n_steps``; or a CSV with the columns population, sample, step, neuron,
            in which a population without a row is silent.
        expected: of ``read_expected``.

    Returns:
        Some of the populations, perhaps of fewer samples.

    Raises:
        MissingError: no such file.
        DlmError: damaged; populations, steps or neurons of another network.
    """
    if path.is_dir():
        raise DlmError(f"{path} is a folder; give the npz or CSV that a board made of the bundle")
    if path.suffix == ".csv":
        if not set(COLUMNS) <= set(columns_of(path)):
            raise DlmError(f"{path} has another title line; its first line must be {','.join(COLUMNS)}")
        unknown = set(populations_of(path)) - set(expected)
        if unknown:
            raise DlmError(f"{path} has spikes of '{min(unknown)}'; {nearest(min(unknown), expected)}")
        extents = {
            name: {"n_samples": r.n_samples, "n_steps": r.n_steps, "n_neurons": r.n_neurons}
            for name, r in expected.items()
        }
        return read_csv(path, extents)
    found = _held(path)
    for name, raster in found.items():
        if name not in expected:
            raise DlmError(f"{path} has spikes of '{name}'; {nearest(name, expected)}")
        wanted = expected[name].extent
        if raster.extent[1:] != wanted[1:] or raster.n_samples > wanted[0]:
            raise UnlikeError(
                f"{path} has (samples, steps, neurons) = {raster.extent} of '{name}', the bundle {wanted}; give what "
                "its run.py wrote, or a raster of that extent"
            )
    return {name: found[name] for name in expected if name in found}


def _held(path: Path) -> dict[str, SpikeRaster]:
    """The rasters of an npz file."""
    if not path.is_file():
        raise MissingError(f"no file {path}; give the raster that a bundle's run.py wrote")
    names = [name[: -len(NEURONS)] for name in npz_names(path) if name.endswith(NEURONS)]
    if not names:
        raise DlmError(f"{path} has no number P{NEURONS} of any population P; give what a bundle's run.py wrote")
    arrays: dict[str, Any] = read_npz(
        path, ["n_samples", "n_steps", *(f"{name}.{key}" for name in names for key in (*EVENT, "n_neurons"))]
    )
    numbers = {key: _number(array, path, key) for key, array in arrays.items() if key.rpartition(".")[2][:2] == "n_"}
    rasters = {}
    for name in names:
        sample, step, neuron = (arrays[f"{name}.{key}"] for key in EVENT)
        try:
            rasters[name] = SpikeRaster(
                sample, step, neuron, numbers["n_samples"], numbers["n_steps"], numbers[f"{name}.n_neurons"]
            )
        except DlmError as error:
            raise DlmError(f"{path}, population '{name}': {error}") from error
    return rasters


def _number(array: Any, path: Path, key: str) -> int:
    if np.size(array) != 1 or array.dtype.kind not in "iu":
        raise DlmError(f"{path}: '{key}' is not one whole number; give what a bundle's run.py wrote")
    return int(array.reshape(())) if np.ndim(array) else int(array)
