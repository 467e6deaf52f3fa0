"""Pooling of spikes by maximum: a population that spikes where any spike of its window arrives.

max of a window of spikes = [sum of the window > 1/2]: a LIF with dv = 1 and v_threshold = 1/2, exactly.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlm_snn.connections.connection import Connection
from dlm_snn.connections.pool2d import Pool2d
from dlm_snn.exchange.torch_modules.calls import Call
from dlm_snn.exchange.torch_modules.meaning import SPIKES, Affine, Element, Line, Meaning, Term
from dlm_snn.exchange.torch_modules.refusals import POOL_FORM, POOLED_CURRENT

HALF = 0.5
"""Between no spike and one."""


class Pools:
    """The poolings of a run: one population for what is pooled in one way from one source."""

    def __init__(self) -> None:
        self.lines: dict[Hashable, Line] = {}

    def __call__(self, call: Call) -> list[Meaning]:
        """The pooled spikes."""
        meaning = call.tracked[0][1]
        spikes = len(meaning.terms) == 1 and not bool((meaning.constant != 0).any())
        if not spikes or not _are_spikes(meaning.terms[0]):
            return call.opaque(POOLED_CURRENT)
        form = _unlike(call, meaning.shape)
        if form is not None:
            return call.opaque(POOL_FORM, form=form)
        (term,) = meaning.terms
        key = (id(term.source), term.path, call.name, call.signature)
        name = f"{term.line.name}_max"
        line = self.lines.setdefault(key, Line(name, role="pooling", pooled=lambda spikes: call.again(spikes)[0]))
        result = call.outputs[0]
        if term.step > len(line.entries):
            return call.opaque(POOL_FORM, form="spikes of some steps only")
        if term.step == len(line.entries):
            line.entries.append(meaning.through(_window(call, meaning.shape)))
            line.spikes.append(result.detach().clone())
            line.v.append(None)
        return [
            Affine((Term(line, term.step, SPIKES),), torch.zeros(result.shape[1:], dtype=torch.float64, device="cpu"))
        ]


def _are_spikes(term: Term) -> bool:
    return term.port == SPIKES and all(element.kind == "arranging" for element in term.path)


def _unlike(call: Call, shape: tuple[int, ...]) -> str | None:
    """What of the call Pool2d has not, in words."""
    if call.name != "max_pool2d" or len(shape) != 3:
        return f"the shape {shape}"
    if np.any(np.asarray(call.argument(4, "dilation", 1)) != 1):
        return "dilation"
    return "ceil_mode" if call.argument(5, "ceil_mode", False) else None


def _window(call: Call, shape: tuple[int, ...]) -> Element:
    """The sum over each window."""
    kernel, padding = call.argument(1, "kernel_size"), call.argument(3, "padding", 0)
    stride: Any = call.argument(2, "stride") or kernel
    image: Any = shape
    pool = Pool2d(image, kernel, stride, padding, np.ones(1))

    def make() -> Connection:
        return pool

    def push(constant: Tensor) -> Tensor:
        return torch.as_tensor(pool.apply(constant.reshape(1, -1).numpy()), device="cpu").reshape(pool.output_shape)

    return Element(("sums of windows", call.signature, shape), make, push)
