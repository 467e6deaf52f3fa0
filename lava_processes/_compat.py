"""Lets lava-nc 0.10.0 be imported on Python 3.11 and later, and in processes that have started others.

Its module ``lava.magma.compiler.var_model`` has a dataclass field whose default is an instance without a hash;
Python 3.11 refuses such defaults as mutable. While that one module is executed, the class of the refused default is
lent ``object.__hash__``.

Its module ``lava.magma.runtime.message_infrastructure.multiprocessing`` chooses to fork processes, which Python refuses
once a way is chosen, and needs it, since its processes cannot be pickled. While that one module is executed no way is
chosen; afterwards its own processes are forked, and those of others are started as they were.

Nothing else is touched.
"""

import dataclasses
import multiprocessing
import multiprocessing.context
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

Mend = Callable[[ModuleType], AbstractContextManager[None]]
"""What a module is executed in."""


@contextmanager
def _lent_hashes(module: ModuleType) -> Iterator[None]:
    original = dataclasses._get_field  # type: ignore[attr-defined]

    def get_field(cls: type, name: str, *rest: Any) -> Any:
        try:
            return original(cls, name, *rest)
        except ValueError:
            default_type: Any = type(getattr(cls, name))
            before = default_type.__hash__
            default_type.__hash__ = object.__hash__
            try:
                return original(cls, name, *rest)
            finally:
                default_type.__hash__ = before

    dataclasses._get_field = get_field  # type: ignore[attr-defined]
    try:
        yield
    finally:
        dataclasses._get_field = original  # type: ignore[attr-defined]


@contextmanager
def _own_forks(module: ModuleType) -> Iterator[None]:
    chosen = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method(None, force=True)
    try:
        yield
        module.SystemProcess._Popen = staticmethod(multiprocessing.context.ForkProcess._Popen)  # type: ignore[attr-defined]
    finally:
        if chosen is not None:
            multiprocessing.set_start_method(chosen, force=True)


_MENDS: dict[str, Mend] = {
    "lava.magma.compiler.var_model": _lent_hashes,
    "lava.magma.runtime.message_infrastructure.multiprocessing": _own_forks,
}


class _Mended(SourceFileLoader):
    """Executes a module inside its mend."""

    def exec_module(self, module: ModuleType) -> None:
        """As any module else."""
        with _MENDS[module.__name__](module):
            super().exec_module(module)


class _Mender:
    """Finds those modules where they are."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name in _MENDS else None
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Mended(spec.loader.name, spec.loader.path)
        return spec


def mend() -> None:
    """Have those modules mended when they are imported. Idempotent."""
    if _Mender not in sys.meta_path:
        sys.meta_path.insert(0, _Mender)
