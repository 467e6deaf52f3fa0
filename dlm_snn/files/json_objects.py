"""Frozen dataclasses as JSON objects and back; what their values have to be is read from the annotations.

A field with a default may be missing in a file: files of before lack what came later. One whose default is None is left
out where it is None, unless it says ``metadata=NULL``. Keys that a class does not know are kept in its field ``extra``
and written again behind the others; of a class without such a field the object around it keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from dlm_snn.files.kinds import Kind, check_kind
from dlm_snn.files.reading import REMEDY

T = TypeVar("T")
EXTRA = "extra"
"""The field of a class for what it does not know."""
NULL = {"null": True}
"""Metadata of a field that is written where it is None."""
WHOLE = {"whole": True}
"""Metadata of a field whose object has to hold every key, whatever defaults its class has."""
KEY = "key"
"""Metadata of a field that files call otherwise than we do now."""


@cache
def kind_of(cls: Any) -> dict[str, Kind]:
    """What an object has to be to be read as a class, for ``kinds.check_kind``.

    Raises:
        TypeError: an annotation that says nothing of JSON, or a list of objects that could not keep what they do not
            know.
    """
    hints = _hints(cls)
    kinds = {
        f: _whole(_kind(hints[f.name])) if WHOLE.items() <= f.metadata.items() else _kind(hints[f.name])
        for f in _fields(cls)
    }
    return {f"{_key(f)}?" if _optional(f) else _key(f): kind for f, kind in kinds.items()}


def from_json(cls: type[T], content: Any, where: object, remedy: str = REMEDY) -> T:
    """An object of a class.

    Args:
        cls: a dataclass.
        content: of ``json.loads``.
        where: what it came from, for the message.
        remedy: the end of the message.

    Raises:
        DlmError: see ``kinds.check_kind``.
    """
    wanted: Any = cls
    check_kind(content, kind_of(wanted), where, remedy=remedy)
    made: T = _object(wanted, content)[0]
    return made


def as_json(value: Any) -> Any:
    """An object of a dataclass, with all that it holds, as plain data: dictionaries, lists, numbers and texts."""
    if is_dataclass(value):
        held = [(f, getattr(value, f.name)) for f in _fields(value)]
        known = {_key(f): as_json(inner) for f, inner in held if inner is not None or _written_null(f)}
        return _with(known, getattr(value, EXTRA, {}))
    if isinstance(value, Mapping):
        return {name: as_json(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(inner) for inner in value]
    return value.item() if isinstance(value, np.generic) else value


def _key(one: Field[Any]) -> str:
    """What files call a field."""
    return str(one.metadata.get(KEY, one.name))


def _fields(cls: Any) -> list[Any]:
    return [f for f in fields(cls) if f.name != EXTRA]


def _is_class(hint: Any) -> bool:
    return is_dataclass(hint)


def _optional(one: Field[Any]) -> bool:
    return one.default is not MISSING or one.default_factory is not MISSING


def _written_null(one: Field[Any]) -> bool:
    return one.default is not None or NULL.items() <= one.metadata.items()


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def _kind(hint: Any) -> Kind:
    outer, inner = get_origin(hint), get_args(hint)
    if _is_class(hint):
        return kind_of(hint)
    if outer in (Union, UnionType):
        return tuple(None if one is NoneType else _kind(one) for one in inner)
    if outer in (tuple, list, Sequence):
        if _is_class(inner[0]) and EXTRA not in _hints(inner[0]):
            raise TypeError(f"{inner[0]} stands in a list and has no field '{EXTRA}'; give it one")
        return [_kind(inner[0])]
    if outer in (dict, Mapping):
        return dict if inner[1] is Any else {"*": _kind(inner[1])}
    if hint in (str, int, float, bool):
        return hint
    raise TypeError(f"{hint} says nothing of JSON")


def _whole(kind: Any) -> Kind:
    return {key.removesuffix("?"): inner for key, inner in kind.items()}


def _object(cls: Any, content: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """An object, and what of the content neither it nor what it holds knows."""
    hints = _hints(cls)
    names = {_key(f): f.name for f in _fields(cls)}
    known = {}
    left = {key: value for key, value in content.items() if key not in names}
    for key, name in names.items():
        if key in content:
            known[name], unknown = _value(hints[name], content[key])
            if unknown:
                left[key] = unknown
    return (cls(**known, **{EXTRA: left}), {}) if EXTRA in hints else (cls(**known), left)


def _value(hint: Any, value: Any) -> tuple[Any, dict[str, Any]]:
    """A checked value as its annotation has it, and what is not known of it."""
    outer, inner = get_origin(hint), get_args(hint)
    if _is_class(hint):
        return _object(hint, value)
    if outer in (Union, UnionType):
        if value is None or len(chosen := [one for one in inner if one is not NoneType]) > 1:
            return value, {}
        return _value(chosen[0], value)
    if outer in (tuple, list, Sequence):
        return tuple(_value(inner[0], item)[0] for item in value), {}
    if outer in (dict, Mapping) and inner[1] is not Any:
        return {name: _value(inner[1], item)[0] for name, item in value.items()}, {}
    return value, {}


def _with(known: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """The known with the others behind them, object in object."""
    found = dict(known)
    for name, inner in extra.items():
        within = isinstance(found.get(name), dict) and isinstance(inner, Mapping)
        found[name] = _with(found[name], inner) if within else inner
    return found
