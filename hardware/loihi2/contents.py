"""What a bundle holds: read and checked. NumPy and the standard library only."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

FORMAT, VERSION = "dlm-snn deployment bundle", 1
RECORD, NETWORK, STIMULUS, EXPECTED = "bundle.json", "network.npz", "stimulus.npz", "expected.npz"


class BundleError(Exception):
    """Why a bundle cannot be run, in one line."""


def read(folder: Path) -> dict[str, Any]:
    """A bundle's record, its arrays in their places.

    Raises:
        BundleError: no bundle, one of another version, or a file that was changed since it was written.
    """
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BundleError(f"{folder} is no complete bundle ({error}); write it again") from error
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise BundleError(f"{folder / RECORD} is not the record of a bundle; write it again")
    if record.get("version") != VERSION:
        raise BundleError(
            f"{folder} is a bundle of version {record.get('version')}, this is for {VERSION}; write it again"
        )
    for name, digest in record["files"].items():
        path = folder / name
        if not path.is_file():
            raise BundleError(f"{folder} lacks {name}; write the bundle again")
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise BundleError(f"{path} was changed since it was written, its checksum differs; write the bundle again")
    _filled(record, folder)
    return record


def _filled(record: dict[str, Any], folder: Path) -> None:
    """Put arrays where the record names them."""
    with np.load(folder / NETWORK, allow_pickle=False) as arrays:
        for name, told in record["populations"].items():
            if told["bias_mant"] is None:
                told["bias_mant"] = arrays[f"{name}.bias_mant"]
        for number, told in enumerate(record["projections"]):
            for key in told.pop("arrays"):
                told[key] = arrays[f"{number}.{key}"]
    with np.load(folder / STIMULUS, allow_pickle=False) as arrays:
        for name, told in record["inputs"].items():
            told["values"] = arrays[name]
