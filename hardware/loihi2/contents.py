"""What a bundle holds: read and checked. NumPy and the standard library only."""

from __future__ import annotations

import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np

FORMAT, VERSION = "dlm-snn deployment bundle", 1
RECORD, NETWORK, STIMULUS, EXPECTED = "bundle.json", "network.npz", "stimulus.npz", "expected.npz"
TEXTS = ("README.md", "placement.txt")
"""What people read, and no run needs: it may be changed."""
SEAL = "crc32"
"""Key of the record's checksum over the rest of itself."""
AGAIN = "copy it again, or ask who made it"


class BundleError(Exception):
    """Why a bundle cannot be run, in one line."""


def read(folder: Path) -> dict[str, Any]:
    """A bundle's record, its arrays in their places.

    Raises:
        BundleError: no bundle, one of another version, or a file that was changed since it was written.
    """
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(f"{folder} is no complete bundle ({error}); {AGAIN}") from error
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise BundleError(f"{folder / RECORD} is not the record of a bundle; {AGAIN}")
    if record.get("version") != VERSION:
        raise BundleError(
            f"{folder} is a bundle of version {record.get('version')}, this is for {VERSION}; ask who made it"
        )
    bare = json.dumps({key: value for key, value in record.items() if key != SEAL}, separators=(",", ":"))
    if record.get(SEAL) != f"{zlib.crc32(bare.encode()):08x}":
        raise BundleError(f"{folder / RECORD} was changed since it was written, its checksum differs; {AGAIN}")
    try:
        _check(record, folder)
        _filled(record, folder)
    except (AttributeError, KeyError, TypeError, ValueError, OSError) as error:
        raise BundleError(f"{folder} is no bundle that this script can run ({error!r}); {AGAIN}") from error
    return record


def _check(record: dict[str, Any], folder: Path) -> None:
    """Numbers that a run counts with, and all files that it needs."""
    for key in ("n_windows", "n_steps", "period"):
        if type(record[key]) is not int or record[key] < 1:
            raise ValueError(f"{key} = {record[key]!r}")
    if not record["populations"] or not {NETWORK, STIMULUS, EXPECTED} <= set(record["files"]):
        raise ValueError("no populations, or no files")
    for name, digest in record["files"].items():
        path = folder / name
        if name in TEXTS:
            continue
        if not path.is_file():
            raise BundleError(f"{folder} lacks {name}; {AGAIN}")
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise BundleError(f"{path} was changed since it was written, its checksum differs; {AGAIN}")


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
