"""What a reader in a child process may do to it."""

from __future__ import annotations

import os

import numpy as np

from dlm_snn.errors import DlmError, MissingError
from dlm_snn.exchange.guarded.apart import answer


def _read(path):
    what = path.read_text()
    if what == "abort":
        print("about to abort", flush=True)
        os.abort()
    if what == "exit":
        os._exit(7)
    if what == "loop":
        while True:
            pass
    if what == "take":
        return {"x": np.ones(2**33, np.uint8)}
    if what == "refuse":
        raise DlmError("this one\nnot")
    if what == "lack":
        raise MissingError("no such package")
    return {"x": np.arange(3), "said": np.array(what)}


def main(*words):
    return answer(_read, *words)
