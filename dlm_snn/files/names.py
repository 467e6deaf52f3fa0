"""Names of populations: what one may be before it becomes part of a file's name or of a network."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

from dlm_snn.errors import DlmError

LONGEST = 200
"""Bytes of UTF-8. File systems take 255; an ending and what a file's temporary name adds must fit too."""
_INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode categories: control, format (it turns the direction of text), half of a pair, line and paragraph."""
_WINDOWS = re.compile(r'[<>:"|?*]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE)
"""What Windows gives a meaning of its own."""


def check_name(name: object) -> str:
    """The name of a population out of a file of others; it may have spaces and marks, but is never a path.

    Raises:
        DlmError: empty, too long, with '/', a backslash, a leading dot or invisible characters.
    """
    fault = None
    if not isinstance(name, str) or not name.strip():
        fault = "is empty"
    elif any(mark in name for mark in "/\\") or name.startswith("."):
        fault = "could be a path"
    elif any(unicodedata.category(character) in _INVISIBLE for character in name):
        fault = "holds invisible characters"
    elif len(name.encode()) > LONGEST:
        fault = f"has more than {LONGEST} bytes"
    elif os.name == "nt" and _WINDOWS.search(name):
        fault = "is none that Windows lets a file have"
    if fault is not None:
        raise DlmError(f"population name {shown(name)} {fault}; rename it (letters, digits, _ always do)")
    return str(name)


def check_names(names: Iterable[object]) -> None:
    """``check_name`` of each."""
    for name in names:
        check_name(name)


def check_identifier(name: object) -> None:
    """The name of a population in a network.

    Raises:
        DlmError: it is not an identifier, or too long for a file's name.
    """
    if not isinstance(name, str) or not name.isidentifier():
        raise DlmError(f"population name {shown(name)} is not an identifier (letters, digits, _)")
    if len(name.encode()) > LONGEST:
        raise DlmError(f"population name {shown(name)} has more than {LONGEST} bytes; shorten it")


def identifiers(names: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """A population's name for each name of others: an identifier, no two alike, none of ``taken``."""
    chosen: dict[str, str] = {}
    used = set(taken)
    for name in names:
        plain = "".join(c if f"_{c}".isidentifier() else "_" for c in name)
        plain = plain.encode()[: LONGEST // 2].decode(errors="ignore")
        plain = plain if plain.isidentifier() else f"n{plain}"
        while plain in used:
            plain += "_"
        used.add(plain)
        chosen[name] = plain
    return chosen


def told_identifiers(chosen: Mapping[str, str]) -> str:
    """Which names had to change; empty where none had."""
    return ", ".join(f"{shown(old)} is {new}" for old, new in chosen.items() if old != new)


def file_of(folder: Path, name: str, ending: str, before: str = "") -> Path:
    """Where the file of a population lies in a folder that is being filled: ``before``, the name, and the ending.

    Raises:
        DlmError: a name that no file may have, or one that the file system takes for another's (case, accents).
    """
    path = folder / f"{before}{check_name(name)}{ending}"
    if os.path.lexists(path):
        raise DlmError(f"population {shown(name)} would be one file with another's in {folder}; rename one of them")
    return path


def shown(name: object) -> str:
    """A name for a message: quoted, short, on one line."""
    text = ascii(name) if not isinstance(name, str) or not name.isprintable() else repr(name)
    return text if len(text) <= 60 else f"{text[:40]}...{text[-10:]}"
