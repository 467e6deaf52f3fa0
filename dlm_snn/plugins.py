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


def instances(group: str, kind: type[T]) -> dict[str, T]:
    """What stands behind all entry points of a group, by name.

    Args:
        group: of the entry points.
        kind: what each must be.

    Raises:
        DlmError: one is something else.
        MissingError: one needs a package that is not installed.
    """
    found = {}
    for name, point in names(group).items():
        found[name] = one = load(group, name)
        if not isinstance(one, kind):
            raise DlmError(f"{point.value}, an entry point of {group}, is a {type(one).__name__}; give a {kind.__name__}")
    return found
