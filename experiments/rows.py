"""Results as JSON lines: appended row by row, so that a kill at any moment loses no row that was written.

A row is one line, written by one ``write`` at the end of the file and synchronised. A kill within that write can leave
a torn last line; a reader passes over it, and the next writer cuts it off. A file has one writer at a time.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dlm_snn.errors import DlmError
from dlm_snn.record import to_json

Row = dict[str, Any]


def read_rows(path: Path) -> list[Row]:
    """The rows of a results file; none where it is not there. A torn last line is passed over.

    Raises:
        DlmError: a damaged line that is not the torn last one.
    """
    return _parsed(path, path.read_bytes())[0] if path.is_file() else []


class Rows:
    """An open results file: its rows, and the only way to add one.

    Attributes:
        path: of the file.
        rows: that it holds, in its order.
    """

    def __init__(self, path: Path, rows: list[Row], handle: int) -> None:
        self.path, self.rows, self._handle = path, rows, handle

    def by_config(self) -> dict[str, Row]:
        """The rows by what decides their figures, the hash ``config``.

        Raises:
            DlmError: a row without one.
        """
        for number, row in enumerate(self.rows, start=1):
            if "config" not in row:
                raise DlmError(f"{self.path}, row {number} has no 'config': it is no result; remove it")
        return {row["config"]: row for row in self.rows}

    def append(self, row: Mapping[str, Any]) -> None:
        """Add a row; when this returns, it is on the disk.

        Raises:
            DlmError: the disk is full; what was written of the row is taken back.
        """
        line = (to_json(row) + "\n").encode()
        before = os.fstat(self._handle).st_size
        try:
            written = os.write(self._handle, line)
        except OSError as error:
            raise DlmError(f"cannot write {self.path} ({error.strerror}); the rows before stand") from error
        if written < len(line):
            os.ftruncate(self._handle, before)
            raise DlmError(f"cannot write {self.path} whole, the disk is full; the rows before stand")
        os.fsync(self._handle)
        self.rows.append(json.loads(line))


@contextmanager
def writing_rows(path: Path) -> Iterator[Rows]:
    """Open a results file for appending; it is made where there is none.

    Raises:
        DlmError: another process writes it at this moment; a damaged line; a folder that cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    except OSError as error:
        raise DlmError(f"cannot write {path} ({error.strerror}); choose another --results") from error
    try:
        # Held by this process alone, and gone with it, however it ends: workers are spawned and do not inherit it.
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DlmError(f"another run is writing {path}; wait for it, or choose another --results") from error
        content = path.read_bytes()
        rows, whole = _parsed(path, content)
        _mend(handle, content, whole)
        yield Rows(path, rows, handle)
    finally:
        os.close(handle)


def _parsed(path: Path, content: bytes) -> tuple[list[Row], int]:
    """The rows, and how many bytes of the content are whole lines, a last one that lacks only its newline included."""
    *lines, last = content.split(b"\n")
    rows = []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(_row(line))
        except ValueError as error:
            raise DlmError(f"{path}, line {number} is no row of JSON ({error}); mend or remove it") from error
    try:
        # No beginning of an object is an object: this row is whole.
        return [*rows, _row(last)], len(content)
    except ValueError:
        return rows, len(content) - len(last)


def _row(line: bytes) -> Row:
    row = json.loads(line)
    if not isinstance(row, dict):
        raise ValueError("not an object")
    return row


def _mend(handle: int, content: bytes, whole: int) -> None:
    """Cut a torn last line off, or end a whole one."""
    if whole < len(content):
        os.ftruncate(handle, whole)
    elif content and not content.endswith(b"\n"):
        os.write(handle, b"\n")
