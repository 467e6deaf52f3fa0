"""Lets lava-nc 0.10.0 be imported on Python 3.11 and later, and in processes that have started others.

Its module ``lava.magma.compiler.var_model`` has a dataclass field whose default is an instance without a hash;
Python 3.11 refuses such defaults as mutable. While that one module is imported, the class of the refused default is
lent ``object.__hash__``.

Its module ``lava.magma.runtime.message_infrastructure.multiprocessing`` chooses to fork processes, which Python refuses
once any was started, even where that was a fork. Such a choice is taken back just before that one module is imported.

Nothing else is touched.
"""

import dataclasses
import importlib
import multiprocessing
import sys
from typing import Any

_HASHES = "lava.magma.compiler.var_model"
_FORKS = "lava.magma.runtime.message_infrastructure.multiprocessing"


def mend_hashes() -> None:
    """Import the one module that needs it, with the default's class made hashable. Idempotent."""
    if sys.version_info < (3, 11) or _HASHES in sys.modules:
        return
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
        importlib.import_module(_HASHES)
    finally:
        dataclasses._get_field = original  # type: ignore[attr-defined]


def mend_forks() -> None:
    """Import the module that chooses to fork, where that is chosen already. Idempotent."""
    if _FORKS not in sys.modules and multiprocessing.get_start_method(allow_none=True) in (None, "fork"):
        multiprocessing.set_start_method(None, force=True)
        importlib.import_module(_FORKS)


mend_hashes()
mend_forks()
