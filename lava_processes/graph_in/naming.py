"""Names of populations for Processes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dlm_snn.errors import DlmError
from dlm_snn.files.names import check_identifier, identifiers
from lava_processes.graph_in.walk import called

_NOT_GIVEN = re.compile(r"Process_\d+")
"""What Lava calls a Process without a name; the number counts what the interpreter has made."""
_KINDS = {"RingBuffer": "input"}


def named(parts: Sequence[Any], given: Mapping[Any, str]) -> dict[Any, str]:
    """Process -> an identifier: as asked for, else the Process's own name, else what it is, with a number.

    Raises:
        DlmError: a name that is no identifier, or twice there; a Process that becomes no population.
    """
    for part, name in given.items():
        if part not in parts:
            what = called(part) if hasattr(part, "in_ports") else repr(part)
            raise DlmError(f"names has {what}, which is no LIF or source RingBuffer of this graph; leave it out")
        check_identifier(name)
    if len(set(given.values())) < len(given):
        raise DlmError(f"names gives one name twice: {', '.join(sorted(given.values()))}; make them different")
    chosen = dict(given)
    for part in parts:
        if part not in chosen:
            wanted = part.name if not _NOT_GIVEN.fullmatch(part.name) else _numbered(part, chosen.values())
            chosen[part] = identifiers([wanted], chosen.values())[wanted]
    return chosen


def _numbered(part: Any, taken: Any) -> str:
    kind = _KINDS.get(type(part).__name__, "lif")
    number = 1
    while f"{kind}{number}" in taken:
        number += 1
    return f"{kind}{number}"
