"""NIR graphs as they lie in a file: looked at before they are read, nested ones taken apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import nir
from nir.serialization import hdf2dict

from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.exchange.guarded import hdf5
from dlm_snn.exchange.nir.nodes import TARGET


def from_file(path: Path) -> nir.NIRGraph:
    """The graph of a file, as it stands.

    Raises:
        MissingError: no such file.
        DlmError: a damaged or incomplete file, an unknown type of node, a shape that the file cannot hold.
    """
    with hdf5.opened(path, "NIR graph (.nir)") as file:
        if not isinstance(file.get("node"), h5py.Group):
            raise DlmError(f"{path} has no group 'node'; it is not a NIR graph")
        _check_nodes(path, file["node"])
    try:
        with h5py.File(path, "r") as file:
            return nir.dict2NIRNode(_as_today(hdf2dict(file["node"])))
    except Exception as error:
        # nir checks by assert, KeyError and others.
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise DlmError(f"{path} is not a complete NIR graph ({reason}); write it again") from error


def _as_today(node: dict[str, Any]) -> dict[str, Any]:
    """A node's fields as nir 1.0.8 takes them, graphs without its check of types, which knows no axes of a batch.

    Source: nir 0.1.0 and 0.2.0, nir/ir.py: convolutions without input_shape, which nothing here needs.
    """
    if node["type"] in ("Conv1d", "Conv2d"):
        return {"input_shape": None, **node}
    if node["type"] != "NIRGraph":
        return node
    return {**node, "nodes": {name: _as_today(inner) for name, inner in node["nodes"].items()}, "type_check": False}


def _check_nodes(path: Path, group: h5py.Group) -> None:
    """Look at every declared shape and type before any memory is taken."""
    kind = hdf5.text(path, group, "type")
    known = {cls.__name__ for cls in vars(nir).values() if isinstance(cls, type) and issubclass(cls, nir.NIRNode)}
    if kind not in known:
        raise DlmError(f"{path}: node '{group.name}' has the type {kind!r}, which this nir {nir.version} does not know")
    for key, item in group.items():
        if isinstance(item, h5py.Dataset):
            hdf5.check_size(path, group, key)
        elif key != "nodes" and isinstance(item, h5py.Group):
            hdf5.check_sizes(path, item)
    nodes = group.get("nodes")
    if isinstance(nodes, h5py.Group):
        for node in nodes.values():
            if not isinstance(node, h5py.Group):
                raise DlmError(f"{path}: {nodes.name} holds an array, expected nodes")
            _check_nodes(path, node)


def expanded(graph: nir.NIRGraph, prefix: str = "") -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Nodes and edges with nested graphs put in place: their Inputs and Outputs only pass on."""
    nodes: dict[str, Any] = {}
    edges: list[tuple[str, str]] = []
    starts: dict[str, str] = {}
    ends: dict[str, str] = {}
    for name, node in graph.nodes.items():
        own = f"{prefix}{name}"
        if not isinstance(node, nir.NIRGraph):
            nodes[own] = node
            continue
        inner_nodes, inner_edges = expanded(node, f"{own}.")
        nodes |= inner_nodes
        edges += inner_edges
        doors = [[n for n, k in node.nodes.items() if isinstance(k, kind)] for kind in (nir.Input, nir.Output)]
        if [len(names) for names in doors] != [1, 1]:
            raise UnsupportedError(TARGET, f"the graph '{own}' with several Inputs or Outputs", "take it apart")
        starts[own], ends[own] = (f"{own}.{names[0]}" for names in doors)
    for pre, post in graph.edges:
        a, b = f"{prefix}{pre}", f"{prefix}{post}"
        edges.append((ends.get(a, a), starts.get(b, b)))
    return nodes, edges
