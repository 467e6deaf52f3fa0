"""Lets lava-nc 0.10.0 be imported on Python 3.11 and later.

Its module ``lava.magma.compiler.var_model`` has a dataclass field whose default is an instance without a hash;
Python 3.11 refuses such defaults as mutable. While that one module is imported, the class of the refused default is
lent ``object.__hash__``; nothing else is touched.
"""

import dataclasses
import importlib
import sys
from typing import Any

_MODULE = "lava.magma.compiler.var_model"


def mend() -> None:
    """Import the one module that needs it, with the default's class made hashable. Idempotent."""
    if sys.version_info < (3, 11) or _MODULE in sys.modules:
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
        importlib.import_module(_MODULE)
    finally:
        dataclasses._get_field = original  # type: ignore[attr-defined]


mend()
