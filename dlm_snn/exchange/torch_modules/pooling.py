"""Pooling of spikes by maximum: a population that spikes where any spike of its window arrives.

max of a window of spikes = [sum of the window > 1/2]: a LIF with dv = 1 and v_threshold = 1/2, exactly.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlm_snn.connections.connection import Connection, Sparse
from dlm_snn.connections.pool2d import Pool2d
from dlm_snn.exchange.torch_modules.calls import Call
from dlm_snn.exchange.torch_modules.meaning import SPIKES, Affine, Element, Line, Meaning, Term
from dlm_snn.exchange.torch_modules.refusals import FUNCTION, POOL_FORM, POOLED_CURRENT

HALF = 0.5
"""Between no spike and one."""


class Pools:
    """The poolings of a run: one population for what is pooled in one way from one source."""

    def __init__(self) -> None:
        self.lines: dict[Hashable, Line] = {}

    def __call__(self, call: Call) -> list[Meaning]:
        """The pooled spikes."""
        meaning = call.tracked[0][1]
        if (
            len(call.tracked) != 1
            or call.argument(0, "input") is not call.tracked[0][0]
            or _decides(call, meaning.shape)
        ):
            return call.opaque(FUNCTION)
        spikes = len(meaning.terms) == 1 and not bool((meaning.constant != 0).any())
        if not spikes or not _are_spikes(meaning.terms[0]):
            return call.opaque(POOLED_CURRENT)
        window = window_of(call, meaning.shape, meaning.terms[0])
        if isinstance(window, str):
            return call.opaque(POOL_FORM, form=window)
        (term,) = meaning.terms
        key = (id(term.source), term.path, call.name, call.signature)
        name = f"{term.line.name}_max"
        line = self.lines.setdefault(key, Line(name, role="pooling", pooled=lambda spikes: call.again(spikes)[0]))
        result = call.outputs[0]
        if term.step > len(line.entries):
            return call.opaque(POOL_FORM, form="spikes of some steps only")
        if term.step == len(line.entries):
            line.entries.append(meaning.through(window))
            line.spikes.append(result.detach().clone())
            line.v.append(None)
        nothing = torch.zeros(result.shape[1:], dtype=torch.float64, device="cpu")
        # Behind the maxima stand their places, where they are asked for.
        return [Affine((Term(line, term.step, SPIKES),), nothing), *call.opaque(FUNCTION)[1:]]


def _are_spikes(term: Term) -> bool:
    return term.port == SPIKES and all(element.kind == "arranging" for element in term.path)


def _decides(call: Call, shape: tuple[int, ...]) -> bool:
    """Whether a maximum is not taken over windows: over all values, over neurons without a place, of two tensors."""
    if call.name not in ("amax", "max"):
        return False
    dim = call.argument(1, "dim", call.kwargs.get("axis"))
    return len(shape) < 2 or dim is None or isinstance(dim, Tensor) or 0 in _axes(dim, len(shape) + 1)


def _axes(dim: Any, count: int) -> list[int]:
    return sorted(axis % count for axis in ([dim] if isinstance(dim, int) else dim))


def window_of(call: Call, shape: tuple[int, ...], term: Term) -> Element | str:
    """The sum over each window; or what of the call no pooling of ours has, in words."""
    name = call.name.removesuffix("_with_indices")
    if name in ("amax", "max"):
        return _whole_axes(call, shape)
    axes = 1 if name.endswith("1d") else 2
    if len(shape) != axes + 1 or name.endswith("3d"):
        return f"the shape {shape}"
    sizes = shape[1:]
    if name.startswith("adaptive"):
        wanted = _each(call.argument(1, "output_size"), axes, sizes)
        if any(size % own for size, own in zip(sizes, wanted, strict=True)):
            return f"windows of different sizes, {sizes} to {tuple(wanted)}"
        kernel = stride = [size // own for size, own in zip(sizes, wanted, strict=True)]
        padding = [0] * axes
    else:
        kernel = _each(call.argument(1, "kernel_size"), axes)
        stride = _each(call.argument(2, "stride") or kernel, axes)
        padding = _each(call.argument(3, "padding", 0), axes)
        if np.any(np.asarray(call.argument(4, "dilation", 1)) != 1):
            return "dilation"
    image: Any = (shape[0], 1, shape[1]) if axes == 1 else shape
    if axes == 1:
        kernel, stride, padding = [1, *kernel], [1, *stride], [0, *padding]
    pool = Pool2d(image, _pair(kernel), _pair(stride), _pair(padding), np.ones(1))
    made = tuple(call.outputs[0].shape[1:])
    if tuple(pool.output_shape) != ((made[0], 1, made[1]) if axes == 1 else made):
        return "ceil_mode"
    whole = term.line.spikes[term.step]
    plain = axes == 2 and whole is not None and tuple(whole.shape[1:]) == shape
    return _element(call, shape, pool if plain else pool.sparse(), made)


def _pair(values: Sequence[int]) -> tuple[int, int]:
    first, second = values
    return first, second


def _each(value: Any, axes: int, default: Sequence[int] = ()) -> list[int]:
    """A number for each axis, as torch takes one for all."""
    values = [value] * axes if isinstance(value, int) or value is None else list(value)
    values = values * axes if len(values) == 1 else values
    return [default[axis] if own is None else own for axis, own in enumerate(values)]


def _whole_axes(call: Call, shape: tuple[int, ...]) -> Element:
    """Windows that are whole axes."""
    axes = _axes(call.argument(1, "dim", call.kwargs.get("axis")), len(shape) + 1)
    kept = [1 if axis + 1 in axes else size for axis, size in enumerate(shape)]
    post = np.broadcast_to(np.arange(prod(kept)).reshape(kept), shape).reshape(-1)
    order = np.argsort(post, kind="stable")
    sums = Sparse((prod(kept), prod(shape)), post[order], order, np.ones(order.size))
    return _element(call, shape, sums, tuple(call.outputs[0].shape[1:]))


def _element(call: Call, shape: tuple[int, ...], sums: Connection, made: tuple[int, ...]) -> Element:
    def push(constant: Tensor) -> Tensor:
        return torch.as_tensor(sums.apply(constant.reshape(1, -1).numpy()), device="cpu").reshape(made)

    return Element(("sums of windows", call.name, call.signature, shape), lambda: sums, push)
