"""What is given as FILE.py:NAME: a class or function in a Python file of the user's."""

from __future__ import annotations

import hashlib
import importlib
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
        """The class or function, of a file that stands alone.

        Raises:
            DlmError: the file has none of that name, or cannot be imported.
        """
        return self._named(_module(self.path, self.content))

    @contextmanager
    def running(self) -> Iterator[Callable[..., Any]]:
        """The class or function, made anew, of a file that may import what lies beside it, here and inside.

        Raises:
            DlmError: as ``load``; whatever a call of it raises, ``sys.exit`` too, in one line.
        """
        with _beside(self.path.parent):
            made = self._named(_run(self.path, self.content))

            def call(*given: Any) -> Any:
                try:
                    return made(*given)
                except DlmError:
                    raise
                except (Exception, SystemExit) as error:
                    raise _told(error, self.path, f"{self} fails") from error

            yield call

    def _named(self, module: ModuleType) -> Any:
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


def ended(stop: SystemExit, where: str | None = None) -> DlmError:
    """What is raised in place of the ``sys.exit`` of code that we run for the user: it must not end us, nor in silence.

    Args:
        stop: that was raised.
        where: it stands; None: where it was called.
    """
    frames = [frame for frame in traceback.extract_tb(stop.__traceback__) if "_sitebuiltins" not in frame.filename]
    where = where or f"{frames[-1].filename}, line {frames[-1].lineno}"
    code = "" if stop.code is None else one_line(repr(stop.code), 60)
    return DlmError(f"{where}: sys.exit({code}) ends the program; take it out")


@contextmanager
def _beside(folder: Path) -> Iterator[None]:
    """Inside, what lies in a folder can be imported, as by ``python FILE.py`` there; behind it nobody finds it."""
    path, before = list(sys.path), dict(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = path
        new = {name: module for name, module in sys.modules.items() if before.get(name) is not module}
        ours = {name for name, module in new.items() if "." not in name and _lies_in(module, folder)}
        for name in new:
            if name.partition(".")[0] in ours:
                del sys.modules[name]


def _lies_in(module: Any, folder: Path) -> bool:
    """Whether a module was found right in a folder; not what is installed somewhere below it."""
    places = getattr(module, "__path__", None) or [getattr(module, "__file__", None)]
    return any(Path(place).parent == folder for place in places if place is not None)


@cache
def _module(path: Path, content: bytes) -> ModuleType:
    """What the file defines; made once for each content."""
    return _run(path, content)


def _run(path: Path, content: bytes) -> ModuleType:
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
        raise _told(error, path, f"{path} cannot be imported") from error
    return module


def _told(error: BaseException, path: Path, what: str) -> DlmError:
    """What a file of the user's raised, in a line."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        top = error.name.partition(".")[0]
        if top not in sys.modules and _is_beside(path.parent, top) and str(path.parent) not in sys.path:
            remedy = f"put it into {path.name}, which must stand alone, or install it as a package"
            return MissingError(f"{path} needs '{top}', which lies beside it; {remedy}")
        return MissingError(f"{path} needs the package '{error.name}', which is not installed")
    line = _line(error, path)
    at = what if line is None else f"{what}, line {line}"
    if isinstance(error, SystemExit):
        return ended(error, at)
    return DlmError(f"{at}: {type(error).__name__}: {one_line(error)}; mend it")


def _is_beside(folder: Path, name: str) -> bool:
    return (folder / f"{name}.py").is_file() or (folder / name).is_dir()


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
