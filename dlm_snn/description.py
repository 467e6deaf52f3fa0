"""A network as plain data: what its digest is taken over, and what its files hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

OMITTED = {"described": "unless None"}
"""Metadata of a field that is left out where it is None, so that networks without it keep their digest."""


def describe(part: Any) -> tuple[Any, dict[str, NDArray]]:
    """A network as plain JSON data and its arrays by key; ``artefact`` writes both and reads them back."""
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
