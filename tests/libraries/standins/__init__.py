"""The equations of three libraries' neurons under the libraries' names, for tests where they are not installed.

``tests/test_neuron_tables.py`` holds them to spikes that the libraries made themselves.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


@contextmanager
def installed(library: str) -> Iterator[None]:
    """The stand-ins of a library as its modules; what was imported of them, and of ours on them, is forgotten."""
    before = set(sys.modules)
    contents: Mapping[str, Iterable[Any]] = import_module(f"tests.libraries.standins.{library}_modules").MODULES
    for name, members in contents.items():
        _module(name)
        for member in members:
            member.__module__ = name
            setattr(sys.modules[name], member.__name__, member)
    try:
        yield
    finally:
        for name in set(sys.modules) - before:
            if library in name.replace("_", ".").split("."):
                del sys.modules[name]


def _module(name: str) -> ModuleType:
    """The module of this name, within those of its packages."""
    if name not in sys.modules:
        package, _, own = name.rpartition(".")
        sys.modules[name] = ModuleType(name)
        if package:
            setattr(_module(package), own, sys.modules[name])
    return sys.modules[name]
