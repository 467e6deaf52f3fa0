"""The one way to write a result: a file or folder takes its name whole or not at all.

What exists is refused; with ``replace`` it gives way, if it is of the same kind (``dlm_snn.files.layouts``), once the
new one is whole. A link stays a link, and what it leads to is written. The umask decides who may read.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from dlm_snn.errors import DlmError
from dlm_snn.files import renaming
from dlm_snn.files.aside import Aside, aside, turn
from dlm_snn.files.layouts import FileKind, FolderKind, Kind

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of the system that say that there is no room."""


@contextmanager
def writing(path: Path, kind: FileKind | None = None, replace: bool = False) -> Iterator[IO[bytes]]:
    """A binary file that takes its name only when the block ends without an error.

    Args:
        path: the final file.
        kind: of it; without one nothing is ever replaced.
        replace: an existing file of that kind gives way.

    Raises:
        DlmError: it exists and must not be replaced; its folder is missing or cannot be written; the disk is full.
    """
    target = _free(path, kind, replace)
    with _begun(path, target) as made:
        new = made.new(target.name)
        with _room(path), new.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _put(path, made, kind, replace)


def write_text(path: Path, text: str, kind: FileKind | None = None, replace: bool = False) -> None:
    """Write a text file whole or not at all; see ``writing``."""
    with writing(path, kind, replace) as file:
        file.write(text.encode())


@contextmanager
def writing_folder(path: Path, kind: FolderKind | None = None, replace: bool = False) -> Iterator[Path]:
    """A folder that takes its name only when the block ends without an error; missing folders above it are made.

    Args:
        path: the final folder.
        kind: of it; without one nothing is ever replaced.
        replace: an existing folder of that kind, with nothing else in it, gives way.

    Raises:
        DlmError: as ``writing``; or it is the current folder, or one above that.
    """
    target = _free(path, kind, replace, folder=True)
    with _parents(path, target), _begun(path, target) as made:
        new = made.new(target.name)
        new.mkdir()
        with _room(path):
            yield new
            _sync_folder(new)
        _put(path, made, kind, replace, folder=True)


def write_set(files: Mapping[Path, FileKind], contents: Mapping[Path, bytes], replace: bool = False) -> None:
    """Write several files of one folder that belong together: all of them, or none.

    The first is the head, which tells the others by digest. It is renamed last; a reader that comes in between finds
    what it names by ``aside.set_aside``.

    Args:
        files: every path that a set of this kind may have -> its kind, the head first.
        contents: those that this one has; what another one had more gives way with it.
        replace: as for ``writing``.

    Raises:
        DlmError: as ``writing``; links that lead into several folders.
    """
    targets = check_set(files, replace)
    first, *others = targets
    with _begun(first, targets[first]) as made:
        with _room(first):
            for path, content in contents.items():
                with made.new(targets[path].name).open("xb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
        with _cannot(first), turn(made.head):
            check_set(files, replace)
            made.put([targets[path].name for path in others], replace)


def check_set(files: Mapping[Path, FileKind], replace: bool = False) -> dict[Path, Path]:
    """Refuse what ``write_set`` would refuse; path -> what it leads to.

    Raises:
        DlmError: as ``write_set``.
    """
    targets = {path: followed(path) for path in files}
    first, head = next(iter(targets.items()))
    led = head.name.removesuffix(first.suffix)
    for path, target in targets.items():
        if target.parent != head.parent:
            raise DlmError(f"{first} and {path} lead into two folders; choose another name, or remove the links")
        if target.name != led + path.name.removeprefix(first.stem):
            raise DlmError(
                f"{first} leads to {head.name}, {path} to {target.name}, which do not belong together; choose another "
                "name, or remove the links"
            )
        if os.path.lexists(target) and not os.path.lexists(head):
            raise DlmError(f"{path} exists, without {first.name} beside it; choose another name, or remove it")
        _free(path, files[path], replace)
    return targets


def check(path: Path, kind: Kind | None = None, replace: bool = False) -> None:
    """Refuse what ``writing`` or ``writing_folder`` would refuse, before the work that makes the result.

    Raises:
        DlmError: as they.
    """
    folder = isinstance(kind, FolderKind)
    target = _free(path, kind, replace, folder)
    with _begun(path, (_above(path, target) if folder else target.parent) / target.name):
        pass


def followed(path: Path) -> Path:
    """What a path leads to, links followed; it need not exist.

    Raises:
        DlmError: links that lead in a circle.
    """
    try:
        return Path(os.path.realpath(path))
    except OSError as error:
        raise DlmError(f"cannot write {path} ({error.strerror}); choose another name") from error
    except ValueError as error:
        raise DlmError(f"cannot write {str(path)!r} ({error}); choose another name") from error


def _free(path: Path, kind: Kind | None, replace: bool, folder: bool = False) -> Path:
    """The path with links followed, if it may be written."""
    target = followed(path)
    if folder and _is_here(target):
        raise DlmError(f"cannot write {path}, which is the current folder or one above it; choose another name")
    if not os.path.lexists(target):
        return target
    if target.is_dir() != folder:
        raise DlmError(f"cannot write {path}, which is a {'file' if folder else 'folder'}; choose another name")
    if kind is None:
        raise DlmError(f"{path} exists; choose another name, or remove it")
    if not replace:
        raise DlmError(f"{path} exists; choose another name, or give --replace (in Python replace=True)")
    if (reason := kind.refusal(target)) is not None:
        raise DlmError(f"{path} is not replaced: {reason}; choose another name, or remove it yourself")
    return target


def _is_here(target: Path) -> bool:
    try:
        here = Path.cwd()
    except FileNotFoundError:
        return False
    return target == here or target in here.parents


@contextmanager
def _begun(path: Path, target: Path) -> Iterator[Aside]:
    """A place beside the target; errors of its own making are told, those of the block go on."""
    with ExitStack() as stack:
        with _cannot(path):
            made = stack.enter_context(aside(target))
        yield made


def _put(path: Path, made: Aside, kind: Kind | None, replace: bool, folder: bool = False) -> None:
    """Give what was made its name, if that is still free or may still be replaced."""
    with _cannot(path), turn(made.head):
        _free(path, kind, replace, folder)
        made.put(replace=replace)


@contextmanager
def _cannot(path: Path) -> Iterator[None]:
    """Errors of the system as one line."""
    try:
        yield
    except FileExistsError as error:
        raise DlmError(f"{path} was made by another command in the meantime; choose another name") from error
    except OSError as error:
        if error.errno in FULL:
            raise _FullError(path, error.strerror) from error
        raise DlmError(f"cannot write {path} ({error.strerror}); choose a folder that exists and is yours") from error


@contextmanager
def _room(path: Path) -> Iterator[None]:
    """A full disk as one line; other errors are those of who makes the content."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise _FullError(path, error.strerror) from error
    except _FullError as error:
        # A file of this folder: its own path is none that the user gave.
        raise _FullError(path, error.reason) from error


class _FullError(DlmError):
    """There is no room."""

    def __init__(self, path: Path, reason: str | None) -> None:
        super().__init__(f"cannot write {path} ({reason}); make room, or choose another disk; nothing was replaced")
        self.reason = reason


@contextmanager
def _parents(path: Path, target: Path) -> Iterator[None]:
    """Missing folders above the target; they are taken away again where nothing comes of it."""
    there = _above(path, target)
    missing = [parent for parent in target.parents if there in parent.parents]
    with _cannot(path):
        target.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for parent in missing:
            try:
                parent.rmdir()
            except OSError:
                break
        raise


def _above(path: Path, target: Path) -> Path:
    """The nearest folder above the target that is there."""
    there = next(parent for parent in target.parents if os.path.lexists(parent))
    if not there.is_dir():
        raise DlmError(f"cannot write {path}: {there} is a file; choose another folder")
    return there


def _sync_folder(folder: Path) -> None:
    for root, _, files in os.walk(folder):
        for name in files:
            renaming.sync(Path(root, name))
        renaming.sync(Path(root))
