"""A network as plain data, over which its digest is taken and which its files hold; and its parts in a line each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import Any

import numpy as np
from numpy.typing import NDArray

OMITTED = {"described": "unless None"}
"""Metadata of a field that is left out where it is None, so that networks without it keep their digest."""


def describe(part: Any) -> tuple[Any, dict[str, NDArray]]:
    """A network as plain JSON data and its arrays by key; ``artifact`` writes both and reads them back."""
    arrays: dict[str, NDArray] = {}

    def plain(value: Any, key: str) -> Any:
        if isinstance(value, np.ndarray):
            arrays[key] = value
            return {"array": key}
        if isinstance(value, Mapping):
            return [{"name": name, **plain(item, f"{key}.{name}")} for name, item in value.items()]
        if isinstance(value, tuple) and value and not isinstance(value[0], int):
            return [plain(item, f"{key}.{i}") for i, item in enumerate(value)]
        if isinstance(value, tuple):
            return list(value)
        if isinstance(value, (bool, str, type(None))):
            return value
        if isinstance(value, (int, np.integer)):
            return int(value)
        if isinstance(value, (float, np.floating)):
            return float(value)
        given = {f.name: getattr(value, f.name) for f in fields(value)}
        kept = [f.name for f in fields(value) if f.metadata != OMITTED or given[f.name] is not None]
        return {"type": type(value).__name__, **{n: plain(given[n], f"{key}.{n}".lstrip(".")) for n in kept}}

    tree = plain(part, "")
    return tree, arrays


def digest(part: Any) -> str:
    """SHA-256 over what ``describe`` gives, the same on every machine."""
    tree, arrays = describe(part)
    content = hashlib.sha256(json.dumps(tree, sort_keys=True).encode())
    for key in sorted(arrays):
        array = np.ascontiguousarray(arrays[key])
        content.update(f"{key}{array.dtype.newbyteorder('<')}{array.shape}".encode())
        content.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    return content.hexdigest()


def short(value: Any) -> str:
    """A value in a few words: an array by its shape, type and range, never by its entries."""
    if isinstance(value, np.ndarray):
        bounds = f" {value.min():.4g}..{value.max():.4g}" if value.size and value.dtype.kind in "iufb" else ""
        return f"{value.shape} {value.dtype}{bounds}"
    if isinstance(value, (tuple, list)) and any(is_dataclass(part) for part in value):
        return f"({', '.join(map(short, value))})"
    return repr(value)


def told(part: Any) -> str:
    """A dataclass in one line, its ``__repr__``: the fields that are not what they are by default.

    It never fails, not even on a part whose making did: then fields are missing.
    """
    found = []
    for field in fields(part):
        value = getattr(part, field.name, MISSING)
        try:
            usual = value is MISSING or (not isinstance(value, np.ndarray) and value == field.default)
            found += [] if usual else [f"{field.name}={short(value)}"]
        except Exception as error:
            found.append(f"{field.name}=<{type(error).__name__}>")
    return f"{type(part).__name__}({', '.join(found)})"


def unfailing(text: Callable[[Any], str]) -> Callable[[Any], str]:
    """A ``__repr__`` that is Python's own where the object is not whole: debuggers look at it while it is made."""

    @wraps(text)
    def shown(self: Any) -> str:
        try:
            return text(self)
        except Exception:
            return object.__repr__(self)

    return shown
