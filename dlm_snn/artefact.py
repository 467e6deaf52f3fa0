"""Networks as files: ``NAME.json`` (structure) and ``NAME.safetensors`` (arrays). Never pickle."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.atomic import write_text, writing
from dlm_snn.connections.chain import Chain
from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.dense import Dense
from dlm_snn.connections.pool2d import Pool2d
from dlm_snn.connections.sparse import Sparse
from dlm_snn.description import describe
from dlm_snn.errors import DlmError, MissingError, nearest
from dlm_snn.network import Input, IntegerNetwork, IntegerProjection, Network, Projection
from dlm_snn.neurons.integer_lif import IntegerLIF
from dlm_snn.neurons.lif import LIF

FORMAT = "dlm-snn-network-1"
_TYPES = {
    t.__name__: t
    for t in (
        *(Network, IntegerNetwork, Input, LIF, IntegerLIF, Projection, IntegerProjection),
        *(Dense, Sparse, Conv2d, Pool2d, Chain),
    )
}


def save(network: Network | IntegerNetwork, path: str | os.PathLike[str]) -> None:
    """Write a network as ``path.json`` and ``path.safetensors``.

    The JSON holds ``format``, ``digest`` and ``tree``; an array stands there as {"array": key}, its values in the
    safetensors file under that key. Arrays are written first, so a JSON that exists has its arrays.

    Raises:
        DlmError: the folder cannot be written.
    """
    from safetensors.numpy import save as tensors_to_bytes

    tree, arrays = describe(network)
    with writing(_tensors(path)) as file:
        file.write(tensors_to_bytes({key: np.ascontiguousarray(value) for key, value in arrays.items()}))
    manifest = {"format": FORMAT, "digest": network.digest(), "tree": tree}
    write_text(_manifest(path), json.dumps(manifest, indent=1) + "\n")


def load(path: str | os.PathLike[str]) -> Network | IntegerNetwork:
    """Read a network that ``save`` wrote, and check it against its digest.

    Args:
        path: with or without the ending.

    Raises:
        MissingError: one of the two files is not there.
        DlmError: truncated, altered or of another format.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    for file in (_manifest(path), _tensors(path)):
        if not file.is_file():
            raise MissingError(f"no network at {file}; 'dlm-snn train' and 'dlm-snn convert' write one")
    try:
        manifest = json.loads(_manifest(path).read_text())
        arrays = load_file(_tensors(path))
        stored, digest, tree = manifest["format"], manifest["digest"], manifest["tree"]
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise DlmError(f"{_manifest(path)} is not a complete network ({error}); write it again") from error
    if stored != FORMAT:
        raise DlmError(f"{_manifest(path)} has format {stored!r}, this version reads {FORMAT!r}")
    try:
        network = build(tree, arrays)
    except (KeyError, TypeError) as error:
        raise DlmError(f"{_manifest(path)} lacks {error}; write it again") from error
    except DlmError as error:
        raise DlmError(f"{_manifest(path)}: {error}") from error
    if not isinstance(network, (Network, IntegerNetwork)) or network.digest() != digest:
        raise DlmError(f"{_manifest(path)} and its arrays do not match their digest; write them again")
    return network


def build(tree: Any, arrays: dict[str, NDArray]) -> Any:
    """What ``describe`` took apart, put together again.

    Raises:
        DlmError: an unknown type, or values that no network has.
        KeyError, TypeError: a part that is missing or of another kind.
    """
    if isinstance(tree, list):
        return tuple(build(item, arrays) for item in tree)
    if not isinstance(tree, dict):
        return tree
    if "array" in tree:
        return arrays[tree["array"]]
    if tree["type"] not in _TYPES:
        raise DlmError(f"a network file names the type {tree['type']!r}; {nearest(tree['type'], _TYPES)}")
    values = {key: value for key, value in tree.items() if key not in ("type", "name")}
    if "populations" in values:
        values["populations"] = {item["name"]: build(item, arrays) for item in values["populations"]}
        values["projections"] = build(values["projections"], arrays)
        return _TYPES[tree["type"]](**values)
    return _TYPES[tree["type"]](**{key: build(value, arrays) for key, value in values.items()})


def _stem(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    return path.with_suffix("") if path.suffix in (".json", ".safetensors") else path


def _manifest(path: str | os.PathLike[str]) -> Path:
    return _stem(path).parent / f"{_stem(path).name}.json"


def _tensors(path: str | os.PathLike[str]) -> Path:
    return _stem(path).parent / f"{_stem(path).name}.safetensors"
