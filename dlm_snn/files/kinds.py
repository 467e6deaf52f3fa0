"""Of what kind the values in a JSON file have to be: looked at before anybody computes with them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dlm_snn.errors import DlmError
from dlm_snn.files.reading import REMEDY, one_line

Kind = Any
"""What a value has to be, see ``check_kind``."""
_NAMED: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}


def check_kind(value: Any, kind: Kind, where: object, key: str = "", remedy: str = REMEDY) -> None:
    """Raise unless a value that came out of JSON is of a kind.

    Args:
        value: of ``json.loads``.
        kind: a type; a tuple of kinds, any of which may hold (None: null); a list of one kind, for each item; a
            dictionary key -> kind, where a key that ends in "?" may be missing, "*" stands for every other key, and
            keys that are not named may hold anything.
        where: the file, for the message.
        key: where in the file, for the message.
        remedy: the end of the message.

    Raises:
        DlmError: names the file, the key, the value and what is wanted.
    """
    if isinstance(kind, tuple):
        if not any(_fits(value, one) for one in kind):
            _refuse_kind(value, " or ".join(map(_kind_name, kind)), where, key, remedy)
        for one in kind:
            if isinstance(one, (list, dict)) and _fits(value, one):
                check_kind(value, one, where, key, remedy)
        return
    if not _fits(value, kind):
        _refuse_kind(value, _kind_name(kind), where, key, remedy)
    if isinstance(kind, list):
        for i, item in enumerate(value):
            check_kind(item, kind[0], where, f"{key}[{i}]", remedy)
    elif isinstance(kind, dict):
        _check_keys(value, kind, where, key, remedy)


def _check_keys(value: Mapping[str, Any], kinds: Mapping[str, Kind], where: object, key: str, remedy: str) -> None:
    prefix = f"{key}." if key else ""
    for name, kind in kinds.items():
        bare = name.removesuffix("?")
        if bare in value and name != "*":
            check_kind(value[bare], kind, where, prefix + bare, remedy)
        elif bare == name != "*":
            raise DlmError(f"{where}: '{prefix}{name}' is missing; {remedy}")
    if "*" in kinds:
        for name in value.keys() - {name.removesuffix("?") for name in kinds}:
            check_kind(value[name], kinds["*"], where, prefix + name, remedy)


def _fits(value: Any, kind: Kind) -> bool:
    if kind is None:
        return value is None
    if isinstance(kind, (list, dict)):
        return isinstance(value, type(kind))
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _kind_name(kind: Kind) -> str:
    return "null" if kind is None else _NAMED[type(kind) if isinstance(kind, (list, dict)) else kind]


def _refuse_kind(value: Any, wanted: str, where: object, key: str, remedy: str) -> None:
    shown = one_line(json.dumps(value, default=str), 60)
    raise DlmError(f"{where}: {f'{key!r} is' if key else 'it holds'} {shown}, where {wanted} is wanted; {remedy}")
