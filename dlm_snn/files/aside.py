"""The place beside a result where it is made, and what a killed command left of such places.

``.NAME.dlm-XXXXXXXXXXXX/`` beside NAME holds ``new/`` (what takes its name at the end), ``old/`` (what stood there,
while several files change together) and ``placed/`` (what was renamed already). Its maker holds a lock on it: one
without a lock was left by a command that was killed, and the next one that writes into the folder takes it away. Where
several files change together, the head is renamed last; while it stands in ``new/``, the others say how to go back.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dlm_snn.errors import LossWarning
from dlm_snn.files import renaming
from dlm_snn.files.locks import left_folder, locked_file, locked_folder

_NEW, _OLD, _PLACED = "new", "old", "placed"
_LEFT = re.compile(r"\.(?P<head>.+)\.dlm-(?:[0-9a-f]{12}|lock)", re.DOTALL)


@dataclass(frozen=True)
class Aside:
    """The place where a result is made.

    Attributes:
        head: the final path; of several files, the one that names the others.
        folder: the place.
    """

    head: Path
    folder: Path

    def new(self, name: str) -> Path:
        """Where what shall be called ``name`` is made."""
        return self.folder / _NEW / name

    def put(self, others: Sequence[str] = (), replace: bool = False) -> None:
        """Give all that was made its name: ``others`` first (one that was not made gives way), the head last.

        Call it within ``turn``.

        Raises:
            FileExistsError: something has the head's name and ``replace`` is false.
            OSError: a name cannot be given; all is as it was.
        """
        _clear(self.head)
        try:
            for name in others:
                self._move(name)
            self._move_head(replace)
        except BaseException:
            _undo(self.folder, self.head)
            raise
        renaming.sync(self.head.parent)

    def _move(self, name: str) -> None:
        target = self.head.with_name(name)
        if target.exists():
            _keep(target, self.folder / _OLD / name)
        if self.new(name).exists():
            (self.folder / _PLACED / name).touch()
            os.replace(self.new(name), target)
        else:
            target.unlink(missing_ok=True)

    def _move_head(self, replace: bool) -> None:
        made = self.new(self.head.name)
        if not replace or not self.head.exists():
            renaming.give(made, self.head)
        elif not made.is_dir():
            os.replace(made, self.head)
        elif not renaming.exchange(made, self.head):
            os.rename(self.head, self.folder / _OLD / self.head.name)
            renaming.give(made, self.head)


@contextmanager
def aside(head: Path) -> Iterator[Aside]:
    """A place beside a path, gone when the block ends; what killed commands left in the folder goes first.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    recover(head.parent)
    folder, lock = locked_folder(lambda: _new_folder(head))
    try:
        for name in (_NEW, _OLD, _PLACED):
            (folder / name).mkdir()
        yield Aside(head, folder)
    finally:
        _remove(folder)
        os.close(lock)


@contextmanager
def turn(head: Path) -> Iterator[None]:
    """The right to change a name, one command after another."""
    path = head.with_name(f".{head.name}.dlm-lock")
    lock = locked_file(path)
    try:
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(lock)


def recover(folder: Path) -> None:
    """Take away what killed commands left in a folder, and bring back what they had set aside."""
    for name in sorted(os.listdir(folder)):
        if found := _LEFT.fullmatch(name):
            head = folder / found["head"]
            with suppress(OSError), turn(head):
                _clear(head)


def set_aside(head: Path, name: str) -> list[Path]:
    """Where a file may stand while several change together: a reader that comes in between finds it by its digest."""
    return [place / _OLD / name for place in _places(head)]


def _places(head: Path) -> list[Path]:
    beginning = f".{head.name}.dlm-"
    names = sorted(name for name in os.listdir(head.parent) if name.startswith(beginning) and _LEFT.fullmatch(name))
    return [head.with_name(name) for name in names if not name.endswith("lock")]


def _clear(head: Path) -> None:
    """What killed commands left of one name."""
    for folder in _places(head):
        lock = left_folder(folder)
        if lock is None:
            continue
        try:
            # What another user put there says nothing about what may be moved or removed.
            if os.fstat(lock).st_uid == os.geteuid():
                _undo(folder, head)
                _remove(folder)
        finally:
            os.close(lock)


def _undo(folder: Path, head: Path) -> None:
    """Back to what stood there, unless the head has been renamed."""
    if not os.path.lexists(folder / _NEW / head.name):
        return
    for placed in sorted((folder / _PLACED).iterdir()):
        if not (folder / _OLD / placed.name).exists() and not (folder / _NEW / placed.name).exists():
            head.with_name(placed.name).unlink(missing_ok=True)
        placed.unlink()
    for old in sorted((folder / _OLD).iterdir()):
        target = head.with_name(old.name)
        if not old.is_dir():
            os.replace(old, target)
        elif not target.exists():
            os.rename(old, target)


def _keep(path: Path, other: Path) -> None:
    """A second name for a file, so that the first is never without one; where there are no links, another name."""
    try:
        os.link(path, other)
    except OSError:
        os.rename(path, other)


def _new_folder(head: Path) -> Path:
    folder = head.with_name(f".{head.name}.dlm-{secrets.token_hex(6)}")
    folder.mkdir(0o700)
    return folder


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        warnings.warn(f"{folder} is left of a command that has ended; remove it", LossWarning, stacklevel=2)
