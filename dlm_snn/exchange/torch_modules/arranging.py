"""Functions that put values to other places: views, permutations, slices, padding, concatenation, dropout in eval."""

from __future__ import annotations

from collections.abc import Hashable

import torch

from dlm_snn.exchange.torch_modules.calls import Call
from dlm_snn.exchange.torch_modules.meaning import Affine, Meaning, Opaque
from dlm_snn.exchange.torch_modules.probing import Arranged, arrangement
from dlm_snn.exchange.torch_modules.refusals import ALL_AT_ONCE, DROPOUT, MIXED

SINGLING = frozenset({"unbind", "iter", "getitem", "select", "split", "chunk", "tensor_split", "narrow"})
"""They take a tensor apart."""


def _layer(meaning: Affine) -> str | None:
    """The function with weights that made something; None: there is none, or another in each part."""
    keys = [element.key for term in meaning.terms for element in term.path if element.kind == "weighting"]
    names = {str(key[0]) for key in keys if isinstance(key, tuple)}
    return names.pop() if len(names) == 1 else None


class Arrangements:
    """What calls did, kept by their arguments: a loop over time makes the same ones in every step."""

    def __init__(self) -> None:
        self._known: dict[Hashable, list[Arranged | None]] = {}

    def __call__(self, call: Call) -> list[Meaning]:
        """What the outputs of an arranging function mean."""
        shapes = [tuple(tensor.shape) for tensor, _ in call.tracked]
        key = (call.name, call.signature)
        if key not in self._known:
            self._known[key] = arrangement(call.again, shapes)
        return [_arranged(call, found) for found in self._known[key]]


def _arranged(call: Call, found: Arranged | None) -> Meaning:
    if found is None:
        parts_of = tuple(meaning for _, meaning in call.tracked)
        layer = _layer(parts_of[0]) if call.name in SINGLING and len(parts_of) == 1 else None
        if layer is not None:
            return Opaque(ALL_AT_ONCE, {"name": call.name, "layer": layer}, parts_of)
        return Opaque(MIXED, {"name": call.name}, parts_of)
    parts = [meaning.through(element) for (_, meaning), element in zip(call.tracked, found.elements, strict=True)]
    terms = tuple(term for part in parts for term in part.terms)
    constant = torch.stack([part.constant for part in parts]).sum(0) + found.added
    gathered = tuple(meaning for _, meaning in call.tracked)
    return Affine(terms, constant, addends=parts[0].addends if len(parts) == 1 else gathered)


def dropped(call: Call, arrange: Arrangements) -> list[Meaning]:
    """Dropout: nothing in eval mode."""
    rate, training = call.argument(1, "p", 0.5), call.kwargs.get("training", call.argument(2, "train", True))
    return call.opaque(DROPOUT) if training and rate else arrange(call)
