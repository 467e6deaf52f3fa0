"""Networks as files: ``NAME.json`` (structure) and ``NAME.safetensors`` (arrays). Never pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.atomic import write_text, writing
from dlm_snn.description import describe
from dlm_snn.errors import DlmError, nearest
from dlm_snn.kinds import check_kind
from dlm_snn.known import CONNECTIONS, NETWORKS, PROJECTIONS, check_known
from dlm_snn.network import Input, IntegerNetwork, Network
from dlm_snn.neurons.models import MODELS
from dlm_snn.packed import check_size
from dlm_snn.reading import opened, read_json, refused, regular_file

FORMAT = "dlm-snn-network-1"
_TYPES: dict[str, type] = {t.__name__: t for t in (*NETWORKS, Input, *MODELS, *PROJECTIONS, *CONNECTIONS)}


def save(network: Network | IntegerNetwork, path: str | os.PathLike[str]) -> None:
    """Write a network as ``path.json`` and ``path.safetensors``.

    The JSON holds ``format``, ``digest`` and ``tree``; an array stands there as {"array": key}, its values in the
    safetensors file under that key. Arrays are written first, so a JSON that exists has its arrays.

    Raises:
        DlmError: the folder cannot be written.
    """
    from safetensors.numpy import save as tensors_to_bytes

    check_known(network, "a network's files")
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
    from safetensors.numpy import load

    manifest = _manifest(path)
    missing = "no network at {}; 'dlm-snn train' and 'dlm-snn convert' write one"
    regular_file(_tensors(path), missing.format(_tensors(path)))
    held = read_json(manifest, missing=missing.format(manifest))
    check_kind(held, {"format": str, "digest": str, "tree": dict}, manifest)
    if held["format"] != FORMAT:
        raise DlmError(f"{manifest} has format {held['format']!r}, this version reads {FORMAT!r}")
    with opened(_tensors(path)) as file, refused(_tensors(path), what="is not a complete network"):
        check_size(os.fstat(file.fileno()).st_size, _tensors(path))
        arrays = load(file.read())
    try:
        network = build(held["tree"], arrays)
    except DlmError as error:
        raise DlmError(f"{manifest}: {error}") from error
    if not isinstance(network, (Network, IntegerNetwork)) or network.digest() != held["digest"]:
        raise DlmError(f"{manifest} and its arrays do not match their digest; write them again")
    return network


def build(tree: Any, arrays: Mapping[str, NDArray], key: str = "tree") -> Any:
    """What ``describe`` took apart, put together again.

    Args:
        tree: plain JSON data.
        arrays: by the keys under which the tree names them.
        key: where the tree stands in its file, for the message.

    Raises:
        DlmError: an unknown type, a part that is missing, unknown or of another kind, or values that no network has;
            names the key.
    """
    if isinstance(tree, list):
        return tuple(build(item, arrays, f"{key}[{i}]") for i, item in enumerate(tree))
    if not isinstance(tree, dict):
        return tree
    if "array" in tree:
        check_kind(tree, {"array": str}, key)
        if tree["array"] not in arrays:
            raise DlmError(f"{key}: no array '{tree['array']}' lies beside it")
        return arrays[tree["array"]]
    check_kind(tree, {"type": str, "name?": str}, key)
    kind = _TYPES.get(tree["type"])
    if kind is None:
        raise DlmError(f"{key}: a network file names the type {tree['type']!r}; {nearest(tree['type'], _TYPES)}")
    given = {name: value for name, value in tree.items() if name not in ("type", "name")}
    _check_fields(kind, given, key)
    if kind in (Network, IntegerNetwork):
        check_kind(tree, {"populations": [{"name": str}], "projections": list}, key)
    values = {name: build(value, arrays, f"{key}.{name}") for name, value in given.items()}
    if kind in (Network, IntegerNetwork):
        names = [item["name"] for item in tree["populations"]]
        if len(set(names)) < len(names):
            raise DlmError(f"{key}.populations names one population twice")
        values["populations"] = dict(zip(names, values["populations"], strict=True))
    with _named(key), refused(f"{key} ({tree['type']})", "mend it", "has a value of the wrong kind"):
        return kind(**values)


def _check_fields(kind: type, given: Mapping[str, Any], key: str) -> None:
    known = {field.name: field for field in fields(kind) if field.init}
    odd = next((name for name in given if name not in known), None)
    if odd is not None:
        raise DlmError(f"{key} ({kind.__name__}) has no field '{odd}'; {nearest(odd, known)}")
    needed = (name for name, f in known.items() if f.default is MISSING and f.default_factory is MISSING)
    lacking = next((name for name in needed if name not in given), None)
    if lacking is not None:
        raise DlmError(f"{key} ({kind.__name__}) lacks '{lacking}'")


@contextmanager
def _named(key: str) -> Iterator[None]:
    """Tell where in the file a value stands that its type refused."""
    try:
        yield
    except DlmError as error:
        raise DlmError(str(error) if str(error).startswith(key) else f"{key}: {error}") from error


def _stem(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    return path.with_suffix("") if path.suffix in (".json", ".safetensors") else path


def _manifest(path: str | os.PathLike[str]) -> Path:
    return _stem(path).parent / f"{_stem(path).name}.json"


def _tensors(path: str | os.PathLike[str]) -> Path:
    return _stem(path).parent / f"{_stem(path).name}.safetensors"
