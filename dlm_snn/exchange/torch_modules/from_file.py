"""A torch module that a function of the user's file makes: imported, and its proof as a file beside the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from dlm_snn.errors import DlmError
from dlm_snn.exchange.torch_modules.reading import Imported, from_torch
from dlm_snn.files.own_files import OwnFile

WHAT = "the function that returns a module and a sample"
FORMS = "return (module, sample), (module, sample, check), or a dictionary of from_torch's arguments"


def imported_from(own: OwnFile) -> Imported:
    """Call the function, and import what it returns.

    torch's generator is seeded with 0 before the file is run, and before the call.

    Raises:
        DlmError: the function fails or returns something else.
        UnsupportedError: as ``from_torch``.
    """
    torch.manual_seed(0)
    with own.running() as make:
        torch.manual_seed(0)
        return from_torch(**_arguments(own, make()))


def _arguments(own: OwnFile, made: Any) -> dict[str, Any]:
    names = ("module", "sample", "check")
    known = {*names, "call", "neurons", "outside", "branches"}
    if isinstance(made, Mapping) and {"module", "sample"} <= made.keys() <= known:
        return dict(made)
    if isinstance(made, tuple) and len(made) in (2, 3):
        return dict(zip(names, made, strict=False))
    told = f"a dictionary of {', '.join(map(str, made))}" if isinstance(made, Mapping) else f"a {type(made).__name__}"
    raise DlmError(f"{own} returns {told}; {FORMS}")


def proof_of(own: OwnFile, imported: Imported) -> dict[str, Any]:
    """What the file of a proof holds; ``networks.artifact`` writes it beside the network."""
    return {"module": str(own), "sha256": own.sha256, **imported.proof.told()}
