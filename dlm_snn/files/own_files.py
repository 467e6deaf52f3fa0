"""What is given as FILE.py:NAME: a class or function in a Python file of the user's."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from dlm_snn.errors import DlmError, MissingError, nearest
from dlm_snn.files.reading import one_line, read_bytes, regular_file

LIMIT = 2**24
"""Bytes of such a file."""


class OwnFile(NamedTuple):
    """Where a class or function of the user's stands.

    Attributes:
        path: of the file.
        name: of the class or function in it.
        content: of the file: another content is another one.
    """

    path: Path
    name: str
    content: bytes

    def __str__(self) -> str:
        """FILE.py:NAME, wherever the file lies."""
        return f"{self.path.name}:{self.name}"

    @property
    def sha256(self) -> str:
        """Of the content."""
        return hashlib.sha256(self.content).hexdigest()

    def load(self) -> Any:
        """The class or function.

        Raises:
            DlmError: the file has none of that name, or cannot be imported.
        """
        module = _module(self.path, self.content)
        if not callable(getattr(module, self.name, None)):
            known = [name for name, one in vars(module).items() if getattr(one, "__module__", "") == module.__name__]
            raise DlmError(f"{self.path} has no class or function '{self.name}'; {nearest(self.name, known)}")
        return getattr(module, self.name)


def own_file(text: str, what: str) -> OwnFile | None:
    """The file of FILE.py:NAME; None for any other text.

    Args:
        text: as it was given.
        what: the class or function is, in words.

    Raises:
        DlmError: no such file, or one that cannot be read.
    """
    place, _, name = text.rpartition(":")
    if not place.endswith(".py"):
        return None
    path = regular_file(place, f"no file {place}; give FILE.py:NAME, {what}")
    return OwnFile(path.resolve(), name, read_bytes(path, LIMIT))


@cache
def _module(path: Path, content: bytes) -> ModuleType:
    """What the file defines; made once for each content."""
    module = ModuleType(f"file_of_{hashlib.sha256(content).hexdigest()[:16]}")
    module.__file__ = str(path)
    # Dataclasses and pickles look their module up.
    sys.modules[module.__name__] = module
    try:
        exec(compile(content, str(path), "exec"), vars(module))
    except (Exception, SystemExit) as error:
        del sys.modules[module.__name__]
        if isinstance(error, DlmError):
            raise
        if isinstance(error, ModuleNotFoundError):
            raise MissingError(f"{path} needs the package '{error.name}', which is not installed") from error
        told = f"line {_line(error, path)}: {type(error).__name__}: {one_line(error)}"
        raise DlmError(f"{path} cannot be imported, {told}; mend it") from error
    return module


def _line(error: BaseException, path: Path) -> int | None:
    """Where in the file it was raised."""
    if isinstance(error, SyntaxError):
        return error.lineno
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
