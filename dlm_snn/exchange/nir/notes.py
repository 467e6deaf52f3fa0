"""NIR graphs that we wrote: the same network again, digest and all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import nir
import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.connection import Sparse
from dlm_snn.errors import DlmError
from dlm_snn.exchange.nir.writer import FORMAT, NOTE, same, write_nir
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
    if note.get("format") != FORMAT:
        raise DlmError(f"its notes have the format {note.get('format')!r}, this version reads {FORMAT!r}; {remedy}")
    if dt is not None and dt != note.get("dt"):
        raise DlmError(f"it was written for dt = {note.get('dt')!r} s, not {dt!r} s; leave dt out")
    try:
        network = build(note["tree"], _arrays(graph, note))
        again = write_nir(network, dt=note["dt"])
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
    for i, names in enumerate(note["nodes"]):
        tree = note["tree"]["projections"][i]
        key = f"projections.{i}.connection"
        parts = tree["connection"].get("parts")
        trees = [(key, tree["connection"])] if parts is None else [(f"{key}.parts.{k}", p) for k, p in enumerate(parts)]
        for (own, part), nodes in zip(trees, names, strict=False):
            if part["type"] == "Pool2d":
                continue
            weight = np.asarray(graph.nodes[nodes[0]].weight, dtype=np.float64)
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


def _text(note: Any) -> str:
    return note.decode() if isinstance(note, bytes) else str(note)
