"""Why a torch module does not come in, and what to change: every refusal as data, which the documents list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dlm_snn.errors import UnsupportedError


@dataclass(frozen=True)
class Refusal:
    """One reason why a module is refused.

    Attributes:
        why: what the module does that no network does, in words; fields in braces are filled in where it is raised.
        remedy: what to change in the module, or in the call.
    """

    why: str
    remedy: str


class RefusedError(UnsupportedError):
    """A module that is not taken: one line with the layer, the reason and the remedy.

    Attributes:
        refusal: the reason, whatever layer it met.
    """

    def __init__(self, refusal: Refusal, where: str, **values: Any) -> None:
        why, remedy = refusal.why.format(**values), refusal.remedy.format(**values)
        super().__init__("a Network", f"{where}: {why}", remedy)
        self.args = (f"{where}: {why}; {remedy}",)
        self.refusal = refusal
