"""Results as JSON lines: appended row by row, so that a kill at any moment loses no row that was written.

A row is one line, written by one ``write`` at the end of the file and synchronized. A kill within that write can leave
a torn last line; a reader passes over it, and the next writer cuts it off. A file has one writer at a time. The last
key of a row, ``crc32``, is a checksum over the others; a row without it is of an earlier version.

What decides a row is looked up by ``Rows.find``: by the hash ``config`` of ``key_of``, or by fields.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

import numpy as np

from dlm_snn.continual.row import ContinualRow
from dlm_snn.errors import DlmError
from dlm_snn.files.kinds import Kind, check_kind
from dlm_snn.files.reading import parse_json, read_bytes, sealed, unsealed
from dlm_snn.provenance import to_json

Row = dict[str, Any]
R = TypeVar("R")
OURS = Path(__file__).resolve().parents[1] / "results"
"""The results files of this repository."""
LIMIT = 2**28
"""Bytes of a results file."""
_REMEDY = "mend or remove it"


@dataclass(frozen=True)
class RowFormat(Generic[R]):
    """How a program holds the rows of a file.

    Attributes:
        load: (plain data, where they stand, remedy) -> row; refuses what is none.
        dump: row -> plain data.
    """

    load: Callable[[Row, str, str], R]
    dump: Callable[[R], Mapping[str, Any]]


def of_kind(kind: Kind) -> RowFormat[Row]:
    """Rows as plain data of a kind, see ``kinds.check_kind``."""

    def load(row: Row, where: str, remedy: str) -> Row:
        check_kind(row, kind, where, remedy=remedy)
        return row

    return RowFormat(load, dict)


ROW = of_kind({"config?": str, "variant?": str, "seed?": int, "options?": dict, "figures?": dict, "info?": dict})
"""What every row of results is, as far as it has these keys."""
CONTINUAL_ROW = RowFormat(ContinualRow.from_json, ContinualRow.to_json)
"""A row of ``experiments.harness.continual``."""


def key_of(decides: Mapping[str, Any]) -> str:
    """What decides a row's figures, hashed: the ``config`` of the row."""
    return hashlib.sha256(json.dumps(decides, sort_keys=True, default=str).encode()).hexdigest()[:16]


def plain(value: Any) -> Any:
    """The value as JSON has it: arrays as lists, NaN as None, tuples as lists, anything else unknown as its text."""
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if isinstance(value, (str, int)) or value is None else str(value)


@overload
def read_rows(path: Path) -> list[Row]:
    """As plain data."""


@overload
def read_rows(path: Path, form: RowFormat[R]) -> list[R]:
    """As the format has them."""


def read_rows(path: Path, form: RowFormat[Any] = ROW) -> list[Any]:
    """The rows of a results file; none where it is not there. A torn last line is passed over.

    Args:
        path: of the file.
        form: what its rows are.

    Raises:
        DlmError: a damaged line that is not the torn last one, a row of another kind or that was changed.
    """
    return [row for _, row in _parsed(path, read_bytes(path, LIMIT), form)[0]] if path.exists() else []


class Rows(Generic[R]):
    """An open results file: its rows, how to ask for one, and the only way to add one.

    Attributes:
        path: of the file.
        rows: that it holds, in its order.
    """

    def __init__(self, path: Path, there: list[tuple[Row, R]], form: RowFormat[R], handle: int) -> None:
        self.path, self._form, self._handle = path, form, handle
        self.rows, self._stored = [row for _, row in there], [stored for stored, _ in there]

    def find(self, **decides: Any) -> R | None:
        """The row of these values, of several the last; None where there is none.

        Args:
            decides: key -> value: the hash ``config``, or where rows have none all that decides their figures.

        Raises:
            DlmError: a row that lacks one of the keys.
        """
        found = None
        for number, (row, stored) in enumerate(zip(self.rows, self._stored, strict=True), start=1):
            for key in decides.keys() - stored.keys():
                raise DlmError(f"{self.path}, row {number} has no '{key}': it is no result; remove it")
            if decides.items() <= stored.items():
                found = row
        return found

    def append(self, row: R) -> None:
        """Add a row; when this returns, it is on the disk.

        Raises:
            DlmError: a row that could not be read again; a full disk, then what was written of the row is taken back.
        """
        line = (to_json(sealed(self._form.dump(row))) + "\n").encode()
        stored, again = _row(self.path, len(self.rows) + 1, line, self._form)
        before = os.fstat(self._handle).st_size
        try:
            written = os.write(self._handle, line)
        except OSError as error:
            raise DlmError(f"cannot write {self.path} ({error.strerror}); the rows before stand") from error
        if written < len(line):
            os.ftruncate(self._handle, before)
            raise DlmError(f"cannot write {self.path} whole, the disk is full; the rows before stand")
        os.fsync(self._handle)
        self._stored.append(stored)
        self.rows.append(again)


@overload
def writing_rows(path: Path) -> AbstractContextManager[Rows[Row]]:
    """As plain data."""


@overload
def writing_rows(path: Path, form: RowFormat[R]) -> AbstractContextManager[Rows[R]]:
    """As the format has them."""


@contextmanager
def writing_rows(path: Path, form: RowFormat[Any] = ROW) -> Iterator[Rows[Any]]:
    """Open a results file for appending; it is made where there is none, and is gone again if no row comes.

    Args:
        path: of the file.
        form: what its rows are.

    Raises:
        DlmError: another process writes it at this moment; a damaged line or row; a folder that cannot be written.
    """
    made = [place for place in (path, *path.parents) if not os.path.lexists(place)]
    handle = _locked(path)
    try:
        content = read_bytes(path, LIMIT)
        rows, whole = _parsed(path, content, form)
        _mend(handle, content, whole)
        yield Rows(path, rows, form, handle)
    finally:
        if path in made and not os.fstat(handle).st_size:
            _taken_back(made)
        os.close(handle)


def _locked(path: Path) -> int:
    """The file's handle, held by this process alone and gone with it, however it ends: workers do not inherit it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
    except OSError as error:
        raise DlmError(f"cannot write {path} ({error.strerror}); choose another --results") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between opening and locking another run may have taken its empty file back.
        held = os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        held = False
    if not held:
        os.close(handle)
        raise DlmError(f"another run is writing {path}; wait for it, or choose another --results")
    return handle


def _taken_back(made: list[Path]) -> None:
    """Remove an empty file and the folders that were made for it, as far as nobody else uses them."""
    with suppress(OSError):
        made[0].unlink()
        for folder in made[1:]:
            folder.rmdir()


def _parsed(path: Path, content: bytes, form: RowFormat[R]) -> tuple[list[tuple[Row, R]], int]:
    """The rows, as they stand and as they are held; how many bytes are whole lines, a last one without newline too."""
    *lines, last = content.split(b"\n")
    rows = [_row(path, number, line, form) for number, line in enumerate(lines, start=1)]
    try:
        json.loads(last)
    except (ValueError, RecursionError):
        return rows, len(content) - len(last)
    # No beginning of an object is an object: this row is whole.
    return [*rows, _row(path, len(lines) + 1, last, form)], len(content)


def _row(path: Path, number: int, line: bytes, form: RowFormat[R]) -> tuple[Row, R]:
    where = f"{path}, line {number}"
    row = parse_json(line, f"{where} is no row of JSON:", _REMEDY)
    if not isinstance(row, dict):
        raise DlmError(f"{where} is no row of JSON: it is no object; {_REMEDY}")
    row = unsealed(row, where, f"{_REMEDY}, or remove its 'crc32' to take it as it stands")
    return row, form.load(row, where, _REMEDY)


def _mend(handle: int, content: bytes, whole: int) -> None:
    """Cut a torn last line off, or end a whole one."""
    if whole < len(content):
        os.ftruncate(handle, whole)
    elif content and not content.endswith(b"\n"):
        os.write(handle, b"\n")
