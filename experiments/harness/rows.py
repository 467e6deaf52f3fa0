"""Results as JSON lines: appended row by row, so that a kill at any moment loses no row that was written.

A row is one line, written by one ``write`` at the end of the file and synchronised. A kill within that write can leave
a torn last line; a reader passes over it, and the next writer cuts it off. A file has one writer at a time. The last
key of a row, ``crc32``, is a checksum over the others; a row without it is of an earlier version.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dlm_snn.errors import DlmError
from dlm_snn.files.kinds import Kind, check_kind
from dlm_snn.files.reading import parse_json, read_bytes, sealed, unsealed
from dlm_snn.provenance import to_json

Row = dict[str, Any]
OURS = Path(__file__).resolve().parents[1] / "results"
"""The results files of this repository."""
LIMIT = 2**28
"""Bytes of a results file."""
_REMEDY = "mend or remove it"
_UNDEFINED = (float, None)
ROW: Kind = {"config?": str, "variant?": str, "seed?": int, "options?": dict, "figures?": dict, "info?": dict}
"""What every row of results is, as far as it has these keys."""
REPEATED_ROW: Kind = {"config": str, "variant": str, "seed": int, "figures": {"*": _UNDEFINED}}
"""A row of ``experiments.road.repeat``."""
CONTINUAL_ROW: Kind = {
    **dict.fromkeys(("protocol", "variant", "learner", "config", "date", "machine"), str),
    **{"commit": (str, None), "seed": int, "validation": bool, "joint": bool, "options": dict},
    "declaration": {
        **dict.fromkeys(("front_end", "normalisation", "winner", "replay", "pre_training"), str),
        **{"boundary": bool, "label_at_test": bool, "stored_samples": int, "joint": bool},
    },
    "told": {"boundary": bool, "label_at_test": bool},
    "beyond_protocol": [str],
    "figures": {
        **{"matrix": [[_UNDEFINED]], "seconds": {"*": float}},
        **dict.fromkeys(("acc", "forgetting", "bwt", "la"), _UNDEFINED),
    },
    "info": dict,
}
"""A row of ``experiments.harness.continual``."""


def read_rows(path: Path, kind: Kind = ROW) -> list[Row]:
    """The rows of a results file; none where it is not there. A torn last line is passed over.

    Args:
        path: of the file.
        kind: what its rows are.

    Raises:
        DlmError: a damaged line that is not the torn last one, a row of another kind or that was changed.
    """
    return _parsed(path, read_bytes(path, LIMIT), kind)[0] if path.exists() else []


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
        line = (to_json(sealed(row)) + "\n").encode()
        before = os.fstat(self._handle).st_size
        try:
            written = os.write(self._handle, line)
        except OSError as error:
            raise DlmError(f"cannot write {self.path} ({error.strerror}); the rows before stand") from error
        if written < len(line):
            os.ftruncate(self._handle, before)
            raise DlmError(f"cannot write {self.path} whole, the disk is full; the rows before stand")
        os.fsync(self._handle)
        self.rows.append(_row(self.path, len(self.rows) + 1, line, ROW))


@contextmanager
def writing_rows(path: Path, kind: Kind = ROW) -> Iterator[Rows]:
    """Open a results file for appending; it is made where there is none, and is gone again if no row comes.

    Args:
        path: of the file.
        kind: what its rows are.

    Raises:
        DlmError: another process writes it at this moment; a damaged line or row; a folder that cannot be written.
    """
    made = [place for place in (path, *path.parents) if not os.path.lexists(place)]
    handle = _locked(path)
    try:
        content = read_bytes(path, LIMIT)
        rows, whole = _parsed(path, content, kind)
        _mend(handle, content, whole)
        yield Rows(path, rows, handle)
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


def _parsed(path: Path, content: bytes, kind: Kind) -> tuple[list[Row], int]:
    """The rows, and how many bytes of the content are whole lines, a last one that lacks only its newline included."""
    *lines, last = content.split(b"\n")
    rows = [_row(path, number, line, kind) for number, line in enumerate(lines, start=1)]
    try:
        json.loads(last)
    except (ValueError, RecursionError):
        return rows, len(content) - len(last)
    # No beginning of an object is an object: this row is whole.
    return [*rows, _row(path, len(lines) + 1, last, kind)], len(content)


def _row(path: Path, number: int, line: bytes, kind: Kind) -> Row:
    where = f"{path}, line {number}"
    row = parse_json(line, f"{where} is no row of JSON:", _REMEDY)
    if not isinstance(row, dict):
        raise DlmError(f"{where} is no row of JSON: it is no object; {_REMEDY}")
    row = unsealed(row, where, f"{_REMEDY}, or remove its 'crc32' to take it as it stands")
    check_kind(row, kind, where, remedy=_REMEDY)
    return row


def _mend(handle: int, content: bytes, whole: int) -> None:
    """Cut a torn last line off, or end a whole one."""
    if whole < len(content):
        os.ftruncate(handle, whole)
    elif content and not content.endswith(b"\n"):
        os.write(handle, b"\n")
