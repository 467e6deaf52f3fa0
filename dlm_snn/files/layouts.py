"""Kinds of files and folders that we write, as data: what is replaced must be of the same kind, by its own record."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from zipfile import BadZipFile, ZipFile

from dlm_snn.errors import DlmError
from dlm_snn.files.reading import read_json

LISTING, FILES = "files.json", "files"
"""A record that names what lies beside it, and its key."""
_HEAD = 2**12
"""Bytes of a text that tell what it is."""


@dataclass(frozen=True)
class FileKind:
    """Files of one format.

    Attributes:
        name: with its article, for messages.
        is_one: whether a regular file is of this kind.
    """

    name: str
    is_one: Callable[[Path], bool]

    def refusal(self, path: Path) -> str | None:
        """Why what lies at a path must not give way; None where it may."""
        try:
            if path.is_file() and self.is_one(path):
                return None
        except OSError:
            pass
        return f"it is not {self.name} that this program wrote"


@dataclass(frozen=True)
class FolderKind:
    """Folders of one layout.

    Attributes:
        name: with its article, for messages.
        entries: pattern of a path in the folder -> what the file must be; None: its name tells enough.
        record: the file without which it is none; None: any file of the entries will do.
        listed: whether the record names what we put there (``list_files``): nothing else is part of it.
    """

    name: str
    entries: Mapping[str, FileKind | None]
    record: tuple[str, FileKind] | None = None
    listed: bool = False

    def refusal(self, path: Path) -> str | None:
        """Why what lies at a path must not give way; None where it may."""
        if not path.is_dir():
            return f"it is not {self.name}"
        if self.record is not None and self.record[1].refusal(path / self.record[0]) is not None:
            return f"it has no {self.record[0]} of {self.name}"
        found = False
        names = self._names(path)
        for folder, folders, files in os.walk(path):
            for name in sorted([*folders, *files]):
                entry = Path(folder, name)
                relative = entry.relative_to(path)
                if (names is not None and relative.parts[0] not in names) or not self._holds(entry, relative):
                    return f"it holds '{entry.relative_to(path)}', which is no part of {self.name}"
            found = found or bool(files)
        return None if found else f"it is empty, not {self.name}"

    def _names(self, path: Path) -> set[str] | None:
        """What the record says that is in the folder; None where it says nothing."""
        if not self.listed or self.record is None:
            return None
        names = read_json(path / self.record[0])[FILES]
        return {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()

    def _holds(self, entry: Path, relative: PurePath) -> bool:
        if entry.is_symlink():
            return False
        if entry.is_dir():
            return any(_alike(relative.parts, PurePath(pattern).parent.parts) for pattern in self.entries)
        kinds = [kind for pattern, kind in self.entries.items() if _matches(relative, pattern)]
        return bool(kinds) and (kinds[0] is None or kinds[0].refusal(entry) is None)


Kind = FileKind | FolderKind
OTHERS = FileKind("a file", lambda path: True)
"""Where the name alone decides: of files that no user has, such as those of the cache."""


def _alike(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Whether a folder is on the way to a pattern."""
    return len(parts) <= len(pattern) and all(map(fnmatchcase, parts, pattern))


def _matches(relative: PurePath, pattern: str) -> bool:
    wanted = PurePath(pattern).parts
    return len(wanted) == len(relative.parts) and all(map(fnmatchcase, relative.parts, wanted))


def json_file(name: str, *keys: str, equal: Mapping[str, object] | None = None) -> FileKind:
    """Files of JSON that hold a mapping with these keys, some with these values."""

    def is_one(path: Path) -> bool:
        try:
            content = read_json(path)
        except DlmError:
            return False
        wanted = equal or {}
        return content.keys() >= {*keys, *wanted} and all(content[key] == wanted[key] for key in wanted)

    return FileKind(name, is_one)


def npz_file(name: str, is_ours: Callable[[set[str]], bool]) -> FileKind:
    """Archives of NumPy whose arrays have the right names."""

    def is_one(path: Path) -> bool:
        try:
            with ZipFile(path) as archive:
                names = archive.namelist()
        except (BadZipFile, ValueError, NotImplementedError):
            return False
        return all(one.endswith(".npy") for one in names) and is_ours({one.removesuffix(".npy") for one in names})

    return FileKind(name, is_one)


LISTED = (LISTING, json_file("a list of files", FILES))


def list_files(folder: Path) -> None:
    """Write the record of a folder that is filled, with a kind that is ``listed``."""
    names = sorted([*os.listdir(folder), LISTING])
    (folder / LISTING).write_text(json.dumps({FILES: names}) + "\n")


def text_file(name: str, begins: str = "", holds: str = "") -> FileKind:
    """Texts that begin so, and hold a mark near their beginning."""

    def is_one(path: Path) -> bool:
        with path.open("rb") as file:
            head = file.read(_HEAD).decode("utf-8", "replace")
        return head.startswith(begins) and holds in head

    return FileKind(name, is_one)


def binary_file(name: str, begins: bytes) -> FileKind:
    """Files that begin with these bytes."""

    def is_one(path: Path) -> bool:
        with path.open("rb") as file:
            return file.read(len(begins)) == begins

    return FileKind(name, is_one)
