"""The cases of a library, with the library itself or with its stand-ins, and what was kept of it."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

import pytest

import dlm_snn as dlm
from tests.libraries.make_golden import FOLDER, NAMES, cases
from tests.libraries.nets import Library, Net, sample
from tests.libraries.standins import installed

OWN = "DLM_LIBRARIES" in os.environ
"""Whether the libraries themselves are tried."""
GOLDEN: dict[str, Any] = {name: json.loads((FOLDER / f"{name}.json").read_text()) for name in NAMES}
TAKEN = [(library, case) for library in NAMES for case in GOLDEN[library]["taken"]]
REFUSED = [(library, case) for library in NAMES for case in GOLDEN[library]["refused"]]
OFF_GRID = ("tau 3", "own taus", "by its tau")
"""Cases whose decays are no powers of two: v meets the threshold by chance only, and float32 rounds otherwise."""
ON_GRID = [(library, case) for library, case in TAKEN if not any(words in case for words in OFF_GRID)]


@contextmanager
def tried(library: str) -> Iterator[Library]:
    """The cases of a library, which is there meanwhile."""
    with nullcontext() if OWN else installed(library), warnings.catch_warnings():
        if OWN:
            warnings.simplefilter("ignore", DeprecationWarning)
        yield cases(library)


def known(case: str, cases: Mapping[str, Any]) -> None:
    """Skip what an older version of a library does not have."""
    if OWN and case not in cases:
        pytest.skip("not in this version of the library")


@cache
def taken(library: str, case: str) -> dlm.Imported:
    """A case as a network; made once."""
    with tried(library) as found:
        known(case, found.taken)
        return dlm.from_torch(Net(found.taken[case], found.call), sample(), check=sample(1))
