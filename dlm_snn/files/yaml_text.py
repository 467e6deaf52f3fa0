"""YAML as it is written: the core schema of YAML 1.2, without anchors, tags or a key that stands twice.

``017`` is seventeen, ``0o17`` fifteen, ``1:30``, ``yes`` and ``2001-01-01`` are texts; YAML 1.1, which PyYAML reads by
itself, makes 15, 90, true and a date of them.

Importing this module imports PyYAML.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import yaml

from dlm_snn.errors import DlmError
from dlm_snn.files.reading import DEPTH_LIMIT, one_line

LENGTH_LIMIT = 2**18
"""Characters; PyYAML reads about 100,000 of them in a second."""
_DECIMAL = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
_CORE: tuple[tuple[str, Callable[[str], Any]], ...] = (
    (r"|~|null|Null|NULL", lambda text: None),
    (r"true|True|TRUE|false|False|FALSE", lambda text: text.lower() == "true"),
    (r"[-+]?[0-9]+", int),
    (r"0o[0-7]+", lambda text: int(text[2:], 8)),
    (r"0x[0-9a-fA-F]+", lambda text: int(text, 16)),
    (_DECIMAL, float),
    (r"[-+]?\.(?:inf|Inf|INF)", lambda text: float(text.replace(".", ""))),
    (r"\.(?:nan|NaN|NAN)", lambda text: math.nan),
)
"""What a plain scalar means (YAML 1.2.2, section 10.3.2); any other is a text."""
_SCALARS = [(re.compile(pattern), make) for pattern, make in _CORE]
_KEY = object()
"""Stands where a mapping waits for its next key."""


class Dumper(yaml.SafeDumper):
    """Quotes whatever YAML 1.1 or 1.2 would read as something else than a text."""


Dumper.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(f"^(?:{_DECIMAL})$"), list("-+.0123456789"))
Dumper.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^0o[0-7]+$"), ["0"])


class _Fault(Exception):
    """What is wrong, and in which line."""


def parse_yaml(text: str | bytes, where: str) -> Any:
    """What a YAML text holds, in JSON's terms: keys are texts, as they are written.

    Args:
        text: one document.
        where: what it came from, the beginning of the message.

    Raises:
        DlmError: no YAML, more than ``LENGTH_LIMIT`` characters, brackets or indentation deeper than ``DEPTH_LIMIT``,
            an anchor, an alias, a tag, a key that stands twice; names the line.
    """
    if len(text) > LENGTH_LIMIT:
        raise DlmError(f"{where}: more than {LENGTH_LIMIT} characters; a configuration is a page or two")
    try:
        return _Builder().built(text)
    except _Fault as fault:
        raise DlmError(f"{where}{fault}") from fault
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise DlmError(f"{where}{line}: {one_line(error.problem or error.context)}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DlmError(f"{where}: {one_line(error)}") from error


class _Builder:
    """Puts PyYAML's events together, which come without recursion and before anything is built."""

    def __init__(self) -> None:
        self.outer: list[Any] = []
        self.keys: list[Any] = []
        self.documents: list[Any] = []

    def built(self, text: str | bytes) -> Any:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
                raise _fault(event, "an anchor (&) or alias (*); write the value out")
            tag = getattr(event, "tag", None)
            if tag not in (None, "!"):
                raise _fault(event, f"the tag {tag!r}; write the value without it")
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._start(event, {} if isinstance(event, yaml.MappingStartEvent) else [])
            elif isinstance(event, yaml.CollectionEndEvent):
                self.outer.pop()
                self.keys.pop()
            elif isinstance(event, yaml.DocumentStartEvent) and self.documents:
                raise _fault(event, "a second document; write one")
        return self.documents[0] if self.documents else None

    def _start(self, event: yaml.Event, collection: Any) -> None:
        if len(self.outer) == DEPTH_LIMIT:
            raise _fault(event, f"deeper than {DEPTH_LIMIT} brackets or indentations")
        self._put(event, collection)
        self.outer.append(collection)
        self.keys.append(_KEY)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if self.outer and isinstance(self.outer[-1], dict) and self.keys[-1] is _KEY:
            if event.value in self.outer[-1]:
                raise _fault(event, f"key '{event.value}' stands twice")
            self.keys[-1] = event.value
            return
        self._put(event, _meaning(event) if event.implicit[0] and event.style is None else _text(event))

    def _put(self, event: yaml.Event, value: Any) -> None:
        if not self.outer:
            self.documents.append(value)
        elif isinstance(self.outer[-1], list):
            self.outer[-1].append(value)
        elif self.keys[-1] is _KEY:
            raise _fault(event, "a key that is no text")
        else:
            self.outer[-1][self.keys[-1]] = value
            self.keys[-1] = _KEY


def _meaning(event: yaml.ScalarEvent) -> Any:
    for pattern, make in _SCALARS:
        if pattern.fullmatch(event.value):
            try:
                value = make(event.value)
            except ValueError as error:
                raise _fault(event, one_line(error)) from error
            if isinstance(value, float) and math.isinf(value) and "inf" not in event.value.lower():
                raise _fault(
                    event, f"{one_line(event.value, 30)} is beyond the largest number; write .inf for infinity"
                )
            return value
    return _text(event)


def _text(event: yaml.ScalarEvent) -> str:
    text: str = event.value
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _fault(event, "half a character; write it whole") from error
    return text


def _fault(event: Any, problem: str) -> _Fault:
    return _Fault(f", line {event.start_mark.line + 1}: {problem}")
