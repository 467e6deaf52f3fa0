"""Networks as files: ``NAME.json`` (structure) and ``NAME.safetensors`` (arrays). Never pickle."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.description import describe
from dlm_snn.errors import DlmError, MissingError, nearest
from dlm_snn.files import atomic
from dlm_snn.files.aside import set_aside
from dlm_snn.files.kinds import check_kind
from dlm_snn.files.layouts import FileKind, json_file
from dlm_snn.files.packed import check_size
from dlm_snn.files.reading import opened, read_json, refused
from dlm_snn.networks.known import ARITHMETICS, CONNECTIONS, PROJECTIONS, check_known
from dlm_snn.networks.network import Input, IntegerNetwork, Network
from dlm_snn.neurons.models import MODELS, type_named

FORMAT = "dlm-snn-network-1"
_MISSING = "no network at {}; 'dlm-snn train', 'convert' and 'import' write one"
_AGAIN = "remove it and import again: dlm-snn import FILE.py:NAME --replace"
_TYPES: dict[str, type] = {t.__name__: t for t in (*ARITHMETICS.values(), Input, *MODELS, *PROJECTIONS, *CONNECTIONS)}


def _network_kind(name: str, tree_type: type) -> FileKind:
    ours = json_file(name, "tree", equal={"format": FORMAT})

    def is_one(path: Path) -> bool:
        if not ours.is_one(path):
            return False
        tree = read_json(path)["tree"]
        return isinstance(tree, dict) and tree.get("type") == tree_type.__name__

    return FileKind(name, is_one)


def _is_safetensors(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(9)
    return head[8:] == b"{" and int.from_bytes(head[:8], "little") <= path.stat().st_size - 8


KINDS = {
    t: _network_kind(name, t) for t, name in ((Network, "a float network"), (IntegerNetwork, "an integer network"))
}
TENSORS = FileKind("the arrays of a network", _is_safetensors)
LOSS = json_file("a loss budget", "bits", "projections", "populations")
PROOF = json_file("the proof of an import", "digest", "module", "layers")


def save(
    network: Network | IntegerNetwork,
    path: str | os.PathLike[str],
    replace: bool = False,
    loss: Mapping[str, Any] | None = None,
    proof: Mapping[str, Any] | None = None,
) -> Path:
    """Write a network as ``path.json`` and ``path.safetensors``, both or none.

    The JSON holds ``format``, ``digest``, ``tensors`` (the SHA-256 of the safetensors file) and ``tree``; an array
    stands there as {"array": key}, its values in the safetensors file under that key.

    Args:
        network: to be written.
        path: with or without the ending.
        replace: a network of that name and of the same arithmetic gives way.
        loss: its loss budget, written as ``path.loss.json``.
        proof: what its import compared, written as ``path.proof.json``.

    Returns:
        the path of the JSON.

    Raises:
        DlmError: the files exist and must not be replaced, or cannot be written.
    """
    from safetensors.numpy import save as tensors_to_bytes

    check_known(network, "a network's files")
    tree, arrays = describe(network)
    tensors = tensors_to_bytes({key: np.ascontiguousarray(value) for key, value in arrays.items()})
    manifest = {"format": FORMAT, "digest": network.digest(), "tensors": _sha256(tensors), "tree": tree}
    contents = {_manifest(path): _json(manifest), _tensors(path): tensors}
    if loss is not None:
        contents[_loss(path)] = _json(loss)
    if proof is not None:
        contents[_proof(path)] = _json(proof)
    atomic.write_set(_files(path, type(network), proof is not None), contents, replace)
    return _manifest(path)


def check(
    path: str | os.PathLike[str],
    arithmetic: type[Network | IntegerNetwork],
    replace: bool = False,
    proof: bool = False,
) -> None:
    """Refuse what ``save`` would refuse, before the work that makes the network.

    Args:
        path, replace: as for ``save``.
        arithmetic: of the network that will be written.
        proof: whether it will be written with a proof.

    Raises:
        DlmError: as ``save``.
    """
    files = _files(path, arithmetic, proof)
    atomic.check_set(files, replace)
    atomic.check(_manifest(path), files[_manifest(path)], replace)


def _files(
    path: str | os.PathLike[str], arithmetic: type[Network | IntegerNetwork], proof: bool
) -> dict[Path, FileKind]:
    """The files that are written, or give way; an old proof goes with the network that it was of."""
    if _stem(path).name in ("", ".."):
        raise DlmError(f"'{os.fspath(path)}' names no network; give a name, such as network")
    files: dict[Path, FileKind] = {_manifest(path): KINDS[arithmetic], _tensors(path): TENSORS, _loss(path): LOSS}
    return files | ({_proof(path): PROOF} if proof or os.path.lexists(_proof(path)) else {})


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=1) + "\n").encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def load(path: str | os.PathLike[str]) -> Network | IntegerNetwork:
    """Read a network that ``save`` wrote, and check it against its digest.

    Args:
        path: with or without the ending.

    Raises:
        MissingError: one of the two files is not there.
        DlmError: truncated, altered or of another format.
    """
    from safetensors.numpy import load

    held, tensors = _read(path)
    with refused(_tensors(path), what="is not a complete network"):
        arrays = load(tensors)
    try:
        network = build(held["tree"], arrays)
    except DlmError as error:
        raise DlmError(f"{_manifest(path)}: {error}") from error
    if not isinstance(network, (Network, IntegerNetwork)) or network.digest() != held["digest"]:
        raise DlmError(f"{_manifest(path)} and its arrays do not match their digest; write them again")
    return network


def load_proof(path: str | os.PathLike[str], network: Network | IntegerNetwork) -> dict[str, Any] | None:
    """What the import of a network compared; None where it was not imported with a proof.

    Args:
        path: of the network.
        network: that lies there.

    Raises:
        DlmError: damaged, or the proof of another network.
    """
    place = _proof(path)
    if not place.exists():
        return None
    held = read_json(place, _AGAIN)
    wanted = {"digest": str, "module": str, "sha256": str, "layers": list}
    if any(type(held.get(key)) is not kind for key, kind in wanted.items()):
        raise DlmError(f"{place} is no complete proof of an import; {_AGAIN}")
    if held["digest"] != network.digest():
        raise DlmError(f"{place} is the proof of another network; {_AGAIN}")
    return held


def _read_manifest(path: Path) -> dict[str, Any]:
    """The JSON of a network; what lies beside one is told so."""
    try:
        held = read_json(path, missing=_MISSING.format(path))
        check_kind(held, {"format": str, "digest": str, "tensors?": str, "tree": dict}, path)
    except MissingError:
        raise
    except DlmError as error:
        for ending, kind in ((".proof.json", "the proof of an import"), (".loss.json", "a loss budget")):
            if path.name.endswith(ending):
                network = path.with_name(path.name.removesuffix(ending) + ".json")
                raise DlmError(f"{path} is {kind}, not a network; give {network}") from error
        raise
    return held


def _read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], bytes]:
    """The JSON, and the bytes of the arrays that it names.

    Between the renamings of two files that are replaced, and after a kill there, the ones that it names stand aside.
    """
    manifest = _manifest(path)
    before = None
    while True:
        held = _read_manifest(manifest)
        if held["format"] != FORMAT:
            raise DlmError(f"{manifest} has format {held['format']!r}, this version reads {FORMAT!r}")
        found = False
        for content in filter(None, map(_content, _candidates(path))):
            if held.get("tensors") in (None, _sha256(content)):
                return held, content
            found = True
        if held == before:
            if not found:
                raise MissingError(_MISSING.format(_tensors(path)))
            raise DlmError(f"{manifest} and its arrays do not match their digest; write them again")
        before = held


def _content(path: Path) -> bytes | None:
    """All of a file; None where there is none."""
    try:
        with opened(path) as file, refused(path, what="is not a complete network"):
            check_size(os.fstat(file.fileno()).st_size, path)
            return file.read()
    except MissingError:
        return None


def _candidates(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Where the arrays may be."""
    yield _tensors(path)
    yield from set_aside(atomic.followed(_manifest(path)), atomic.followed(_tensors(path)).name)


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
    kind = _TYPES.get(tree["type"]) or type_named(tree["type"])
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


def _loss(path: str | os.PathLike[str]) -> Path:
    return _stem(path).parent / f"{_stem(path).name}.loss.json"


def _proof(path: str | os.PathLike[str]) -> Path:
    return _stem(path).parent / f"{_stem(path).name}.proof.json"
