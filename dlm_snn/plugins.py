"""Parts found by entry point: our own and another package's come in by the same door."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any, TypeVar

from dlm_snn.errors import DlmError, MissingError, nearest

T = TypeVar("T")


@cache
def _installed() -> Any:
    """All entry points; looked up once a process, since that reads a file of every installed package."""
    return entry_points()


@cache
def names(group: str) -> Mapping[str, EntryPoint]:
    """The entry points of a group by name."""
    return MappingProxyType({point.name: point for point in _installed().select(group=group)})


def load(group: str, name: str) -> Any:
    """The module or object behind an entry point.

    Raises:
        DlmError: no such name in the group.
        MissingError: it needs a package that is not installed.
    """
    found = names(group)
    kind = group.rpartition(".")[2].removesuffix("s")
    if not found:
        raise MissingError("dlm-snn is not installed in this environment; run 'pip install -e .' or 'make demo'")
    if name not in found:
        raise DlmError(f"no {kind} '{name}'; {nearest(name, found)}")
    try:
        return found[name].load()
    except ModuleNotFoundError as error:
        raise MissingError(
            f"{kind} '{name}' needs the package '{error.name}', which is not installed; "
            "'dlm-snn doctor' says how to get it"
        ) from error


def instance(group: str, name: str, kind: type[T]) -> T:
    """What stands behind an entry point.

    Args:
        group, name: of the entry point.
        kind: what it must be.

    Raises:
        DlmError: it is something else; see ``load``.
    """
    one = load(group, name)
    if not isinstance(one, kind):
        value = names(group)[name].value
        raise DlmError(f"{value}, an entry point of {group}, is a {type(one).__name__}; give a {kind.__name__}")
    return one


def instances(group: str, kind: type[T]) -> dict[str, T]:
    """What stands behind all entry points of a group, by name; see ``instance``."""
    return {name: instance(group, name, kind) for name in names(group)}
