"""NIR graphs that we wrote: the same network again, digest and all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import nir
import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.connection import Sparse
from dlm_snn.errors import DlmError
from dlm_snn.exchange.nir import folding
from dlm_snn.exchange.nir.writer import FORMAT, NOTE, graph_of
from dlm_snn.files.reading import parse_json
from dlm_snn.networks.artifact import build
from dlm_snn.networks.network import Network


def from_notes(graph: nir.NIRGraph, dt: float | None) -> Network:
    """The network that was written: structure and decays from the notes, weights from the nodes.

    It is written again and held against the graph, so that notes never win over what somebody changed.

    Raises:
        DlmError: notes that do not fit, a graph that was altered, or another dt.
    """
    remedy = f"delete the graph's metadata '{NOTE}' to import it as it stands"
    try:
        note = dict(parse_json(_text(graph.metadata[NOTE]), f"its notes '{NOTE}'", remedy))
    except (ValueError, TypeError) as error:
        raise DlmError(f"its notes '{NOTE}' are damaged; {remedy}") from error
    form = note.get("format")
    if type(form) is not int or not 1 <= form <= FORMAT:
        raise DlmError(f"its notes have the format {form!r}, this version reads 1..{FORMAT}; {remedy}")
    if dt is not None and dt != note.get("dt"):
        raise DlmError(f"it was written for dt = {note.get('dt')!r} s, not {dt!r} s; leave dt out")
    try:
        network = build(note["tree"], _arrays(graph, note))
        again = graph_of(network, note["dt"], form)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise DlmError(f"its notes '{NOTE}' do not fit its nodes ({' '.join(str(error).split())}); {remedy}") from error
    if note.get("digest", network.digest()) != network.digest():
        raise DlmError(f"its nodes or its notes '{NOTE}' were altered since it was written; {remedy}")
    if (place := same(again, graph)) is not None:
        raise DlmError(f"{place} was altered since it was written; {remedy}")
    return network


def _arrays(graph: nir.NIRGraph, note: Mapping[str, Any]) -> dict[str, NDArray]:
    """All arrays of the description by key."""
    values = {key: value for key, value in note["values"].items() if not key.endswith(".delay")}
    arrays = {key: np.asarray(value, dtype=np.float64) for key, value in values.items()}
    folded = note.get("folded", {})
    for i, names in enumerate(note["nodes"]):
        tree = note["tree"]["projections"][i]
        key = f"projections.{i}.connection"
        parts = tree["connection"].get("parts")
        trees = [(key, tree["connection"])] if parts is None else [(f"{key}.parts.{k}", p) for k, p in enumerate(parts)]
        for (own, part), nodes in zip(trees, names, strict=False):
            if part["type"] == "Pool2d":
                continue
            weight = np.asarray(graph.nodes[nodes[0]].weight, dtype=np.float64)
            if part is trees[-1][1] and str(i) in folded:
                weight = folding.undone(weight, _by(tree["post"], note, weight, arrays), folded[str(i)])
            if part["type"] == "Sparse":
                synapses = Sparse.from_dense(weight)
                arrays |= {f"{own}.{name}": getattr(synapses, name) for name in ("post", "pre", "weight")}
            else:
                arrays[f"{own}.weight"] = weight
        late = note["values"].get(f"projections.{i}.delay")
        if late is not None:
            before, after = (np.asarray(part, dtype=np.int64) for part in late)
            matrix = after[:, None] + before
            if trees[0][1]["type"] == "Sparse":
                post, pre = arrays[f"{key}.post"], arrays[f"{key}.pre"]
                n_post, n_pre = trees[0][1]["shape"]
                arrays[f"projections.{i}.delay"] = np.broadcast_to(matrix, (n_post, n_pre))[post, pre]
            else:
                arrays[f"projections.{i}.delay"] = np.broadcast_to(matrix, arrays[f"{key}.weight"].shape)
    return arrays


def _by(name: str, note: Mapping[str, Any], weight: NDArray, arrays: Mapping[str, NDArray]) -> NDArray:
    """dv of a population, in a form that multiplies the weights of the map before it: a row or a channel has one."""
    given = {p["name"]: p for p in note["tree"]["populations"]}[name]["dv"]
    dv = np.asarray(arrays[given["array"]] if isinstance(given, dict) else given, dtype=np.float64)
    rows = dv.reshape(len(weight), -1)[:, 0] if dv.ndim else dv
    return rows.reshape(-1, *[1] * (weight.ndim - 1)) if dv.ndim else rows


def _text(note: Any) -> str:
    return note.decode() if isinstance(note, bytes) else str(note)


def same(first: nir.NIRGraph, second: nir.NIRGraph) -> str | None:
    """The first node or edge in which two graphs differ; None: nowhere."""
    if first.nodes.keys() != second.nodes.keys():
        return f"node '{sorted(first.nodes.keys() ^ second.nodes.keys())[0]}'"
    for name, node in first.nodes.items():
        other = second.nodes[name]
        if type(node) is not type(other):
            return f"node '{name}'"
        for f in fields(node):
            if f.name not in ("metadata", "input_type", "output_type") and not np.array_equal(
                np.asarray(getattr(node, f.name)), np.asarray(getattr(other, f.name))
            ):
                return f"{f.name} of node '{name}'"
    differ = {tuple(e) for e in first.edges} ^ {tuple(e) for e in second.edges}
    return f"edge {sorted(differ)[0]}" if differ else None
