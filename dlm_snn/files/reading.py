"""The door for files that come in: opened only where regular, read in bounded memory, refused in one line.

Every reader here raises a DlmError for whatever a damaged or hostile file makes the libraries below raise.
"""

from __future__ import annotations

import json
import os
import re
import stat
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

from dlm_snn.errors import DlmError, MissingError

TEXT_LIMIT = 2**25
"""Bytes of a text that is held whole."""
DEPTH_LIMIT = 60
"""Brackets within brackets; no file of ours has ten."""
REMEDY = "write it again"
Result = TypeVar("Result")
_TURNS = 20
"""Times that a folder is read which changes meanwhile."""

_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_POINTER, _POINTER_BYTES = b"version https://git-lfs.github.com/spec/", 1024
"""How a pointer file of Git LFS begins, and the bytes that it stays below (git-lfs, docs/spec.md)."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def one_line(error: object, length: int = 160) -> str:
    """The words of an error without line breaks, shortened."""
    text = " ".join(str(error).split()) or (type(error).__name__ if isinstance(error, Exception) else "")
    return text if len(text) <= length else text[: length - 3] + "..."


@contextmanager
def refused(where: object, remedy: str = REMEDY, what: str = "is damaged") -> Iterator[None]:
    """Turn whatever a block raises about a file into one line; a DlmError passes as it is."""
    try:
        yield
    except DlmError:
        raise
    except Exception as error:
        # What damaged files make zipfile, zlib, NumPy and json raise has no common name.
        raise DlmError(f"{where} {what} ({one_line(error)}); {remedy}") from error


def regular_file(path: str | os.PathLike[str], missing: str | None = None) -> Path:
    """The path of a file that can be opened without waiting for anybody.

    Args:
        path: of the file.
        missing: the line for a file that is not there.

    Raises:
        MissingError: nothing is there.
        DlmError: a folder, a pipe, a socket or a device is there, or it cannot be reached; a pointer file of Git LFS.
    """
    path = Path(path)
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingError(missing or f"no file {path}") from error
    except (OSError, ValueError) as error:
        raise DlmError(f"cannot read {path} ({one_line(getattr(error, 'strerror', None) or error)})") from error
    _check_kind(path, found.st_mode)
    if found.st_size < _POINTER_BYTES and _begins(path, _POINTER):
        raise DlmError(f"{path} is a pointer of Git LFS, not the file itself; get it with 'git lfs pull'")
    return path


def _begins(path: Path, start: bytes) -> bool:
    """Whether a file begins with some bytes; one that may not be read does not."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    with os.fdopen(handle, "rb") as file:
        return stat.S_ISREG(os.fstat(handle).st_mode) and file.read(len(start)) == start


def settled(folder: Path, read: Callable[[Path], Result]) -> Result:
    """What is read of a folder's files, of one folder: again, if another one took its name in the meantime.

    Args:
        folder: whose files are read one after another.
        read: reads them.
    """
    for _ in range(_TURNS):
        before = _state(folder)
        try:
            found = read(folder)
        except Exception:
            if _state(folder) == before:
                raise
            continue
        if _state(folder) == before:
            return found
    raise DlmError(f"{folder} changes all the time; read it when nobody writes it")


def _state(folder: Path) -> tuple[int, ...] | None:
    try:
        there = folder.stat()
    except (OSError, ValueError):
        return None
    # A folder that was moved away and one made later can have one number.
    return there.st_dev, there.st_ino, there.st_ctime_ns


def _check_kind(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = next((name for test, name in _KINDS if test(mode)), "something else")
        raise DlmError(f"{path} is {kind}, where a file is wanted; give a file")


@contextmanager
def opened(path: str | os.PathLike[str], missing: str | None = None) -> Iterator[IO[bytes]]:
    """A regular file, open for reading.

    Raises:
        MissingError, DlmError: as ``regular_file``; a file that may not be read.
    """
    path = regular_file(path, missing)
    try:
        # A pipe put there since would make an ordinary open wait.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise DlmError(f"cannot read {path} ({error.strerror})") from error
    with os.fdopen(handle, "rb") as file:
        _check_kind(path, os.fstat(handle).st_mode)
        yield file


def read_bytes(path: str | os.PathLike[str], limit: int = TEXT_LIMIT, missing: str | None = None) -> bytes:
    """The bytes of a file.

    Raises:
        MissingError, DlmError: as ``opened``; more than ``limit`` bytes.
    """
    with opened(path, missing) as file, refused(path, what="cannot be read"):
        content = file.read(limit + 1)
    if len(content) > limit:
        raise DlmError(f"{path} has more than {limit} bytes; such a file has fewer")
    return content


def read_text(path: str | os.PathLike[str], limit: int = TEXT_LIMIT, missing: str | None = None) -> str:
    """The text of a file in UTF-8.

    Raises:
        MissingError, DlmError: as ``read_bytes``; bytes that are no UTF-8.
    """
    content = read_bytes(path, limit, missing)
    with refused(path, what="is no text in UTF-8"):
        return content.decode("utf-8")


def read_json(path: str | os.PathLike[str], remedy: str = REMEDY, missing: str | None = None) -> dict[str, Any]:
    """The object that a JSON file holds.

    Raises:
        MissingError, DlmError: as ``read_text`` and ``parse_json``; something other than an object.
    """
    content = parse_json(read_text(path, missing=missing), path, remedy)
    if not isinstance(content, dict):
        raise DlmError(f"{path} holds no JSON object; {remedy}")
    return content


def parse_json(text: str | bytes, where: object, remedy: str = REMEDY, nan: bool = True) -> Any:
    """What a JSON text holds.

    Args:
        text: at most ``TEXT_LIMIT`` long.
        where: what it came from, for the message.
        remedy: the end of the message.
        nan: whether NaN and Infinity, which Python writes and JSON does not know, are taken.

    Raises:
        DlmError: no JSON, a key that stands twice, brackets deeper than ``DEPTH_LIMIT``, half a character.
    """
    with refused(where, remedy, "is not complete JSON"):
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        if len(text) > TEXT_LIMIT:
            raise ValueError(f"more than {TEXT_LIMIT} characters")
        try:
            value = json.loads(text, object_pairs_hook=_object, parse_constant=None if nan else _refuse_constant)
        except RecursionError as error:
            raise ValueError(f"brackets deeper than {DEPTH_LIMIT}") from error
        if text.count("[") + text.count("{") > DEPTH_LIMIT:
            _check_depth(value)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
        return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"key {twice!r} stands twice")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEPTH_LIMIT):
        level = [
            inner
            for outer in level
            if isinstance(outer, (list, dict))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (list, dict))
        ]
        if not level:
            return
    raise ValueError(f"brackets deeper than {DEPTH_LIMIT}")


SEAL = "crc32"
"""Key of the checksum over the rest of a JSON object."""


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """JSON data with a checksum over it under ``crc32``, which ``unsealed`` looks at."""
    return {**content, SEAL: _seal(content)}


def _seal(content: Mapping[str, Any]) -> str:
    return f"{zlib.crc32(json.dumps(content, separators=(',', ':')).encode()):08x}"


def unsealed(content: Mapping[str, Any], where: object, remedy: str = REMEDY) -> dict[str, Any]:
    """The data without the checksum; data that have none, of earlier versions, pass.

    Raises:
        DlmError: another checksum.
    """
    bare = {key: value for key, value in content.items() if key != SEAL}
    if SEAL in content and content[SEAL] != _seal(bare):
        raise DlmError(f"{where} was changed since it was written, its checksum differs; {remedy}")
    return bare
