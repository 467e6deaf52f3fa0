"""What kind of value each key has that a report shows: any key may be missing, others are let be."""

from __future__ import annotations

from typing import Any

from dlm_snn.files.kinds import Kind

NUMBER: Kind = (float, None)
_TEXT: Kind = (str, None)


def _optional(keys: dict[str, Any]) -> Kind:
    """A group of keys that may be missing, or null."""
    return ({f"{key}?": kind for key, kind in keys.items()}, None)


_NUMBERS: Kind = ({"*": NUMBER}, None)
_VALUE: Kind = (float, str, bool, list, dict, None)
_PARTS: Kind = ([{"name?": _TEXT, "*": _VALUE}], None)
_BOOKS: Kind = {"*": (float, {"*": NUMBER}, None)}
METRICS: Kind = {
    "dataset?": _optional({"name": str, "train": int, "test": int, "classes": int}),
    "accuracy?": _NUMBERS,
    "accuracy_samples?": _NUMBERS,
    "silent?": _NUMBERS,
    "overflow?": _NUMBERS,
    "float32?": ({"samples": float, "spikes": float, "differ": float}, None),
    "agreement?": (
        [
            {
                **dict.fromkeys(("network?", "first?", "second?", "text?", "note?"), _TEXT),
                **{"equal?": (bool, None), "samples?": NUMBER, "ties?": NUMBER},
                **{"spikes?": ({"*": [float]}, None), "values?": ({"*": [float]}, None)},
            }
        ],
        None,
    ),
    "activity?": ({"*": _optional({"spikes": NUMBER, "synaptic_operations": NUMBER, "rates": {"*": NUMBER}})}, None),
    "loss_budget?": _optional(
        {"bits": (int, None), "samples": (int, None), "projections": _PARTS, "populations": _PARTS, "warnings": [str]}
    ),
    "curve?": (
        [
            {
                "epoch?": NUMBER,
                **dict.fromkeys(("loss?", "train_accuracy?", "validation_accuracy?"), NUMBER),
                "thermodynamics?": (_BOOKS, None),
            }
        ],
        None,
    ),
    "membranes?": ({"*": {"*": {"*": NUMBER}}}, None),
}
RECORD: Kind = {
    **dict.fromkeys(("command?", "created?", "commit?", "machine?"), _TEXT),
    "seed?": (int, None),
    **dict.fromkeys(("digests?", "versions?"), ({"*": _TEXT}, None)),
    "seconds?": _NUMBERS,
}
_POPULATION: Kind = {"name?": str, "type?": str, "winners?": (int, None), "scale?": NUMBER}
NETWORK: Kind = {
    "populations?": ([{**_POPULATION, "name": str}], {"*": _POPULATION}),
    "projections?": [{"pre?": str, "post?": str, "weight_exp?": int}],
}
