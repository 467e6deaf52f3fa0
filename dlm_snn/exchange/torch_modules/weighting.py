"""Functions with weights: Linear and convolutions as connections, BatchNorm as a scaling, the rest by probing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dlm_snn.connections.connection import Connection, Sparse
from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.dense import Dense
from dlm_snn.connections.pool2d import Pool2d
from dlm_snn.exchange.torch_modules.calls import Call
from dlm_snn.exchange.torch_modules.functions import LINEAR
from dlm_snn.exchange.torch_modules.meaning import Affine, Element, Meaning, Term
from dlm_snn.exchange.torch_modules.probing import LARGEST, NEAR, linear
from dlm_snn.exchange.torch_modules.refusals import (
    BATCH_STATISTICS,
    COMPUTED_WEIGHTS,
    NOT_LINEAR,
    OVER_SAMPLES,
    TOO_LARGE,
    UNBATCHED_CALL,
)
from dlm_snn.exchange.torch_modules.summing import scaling

ADDING = frozenset({"addmm", "addmv", "baddbmm", "addbmm", "index_add", "scatter_add"})
"""They add a product to something, both of which may come from layers."""


class Weights:
    """Elements by what they were called with, so that a loop over time makes each once."""

    def __init__(self) -> None:
        self._known: dict[Any, Element | None] = {}

    def __call__(self, call: Call) -> list[Meaning]:
        """What a linear function makes of the one value that depends on the sample."""
        tensor, meaning = call.tracked[0]
        if len(call.outputs) != 1 or (len(call.tracked) != 1 and call.name not in ADDING):
            return call.opaque(COMPUTED_WEIGHTS)
        if len(call.tracked) != 1:
            return self._added(call)
        if call.name == "batch_norm" and call.argument(5, "training", False):
            return call.opaque(BATCH_STATISTICS)
        key = (call.name, call.signature)
        if key not in self._known:
            made = self._element(call, tensor, meaning, key)
            if made is not None and call.name in LINEAR:
                made = replace(made, kind="averaging")
            self._known[key] = made
        element = self._known[key]
        if element is None:
            return _refused(call, tensor)
        return [meaning.through(element)]

    def _added(self, call: Call) -> list[Meaning]:
        """What is added to a product, both of which depend on the sample."""
        values = [torch.zeros_like(tensor, dtype=torch.float64) for tensor, _ in call.tracked]
        generator = torch.Generator(device="cpu").manual_seed(0)
        trials = [torch.rand(value.shape, dtype=torch.float64, device="cpu", generator=generator) for value in values]
        still, terms = call.again(*values)[0], list[Term]()
        total, constant = still, still[0].clone()
        if bool((still != still[:1]).any()):
            return call.opaque(NOT_LINEAR)
        for place, (tensor, meaning) in enumerate(call.tracked):

            def alone(value: Tensor, place: int = place) -> Tensor:
                return call.again(*values[:place], value, *values[place + 1 :])[0]

            key = (call.name, call.signature, place)
            if key not in self._known:
                self._known[key] = linear(alone, tuple(tensor.shape), key)
            element = self._known[key]
            if element is None:
                return call.opaque(NOT_LINEAR)
            own = meaning.through(element)
            terms += own.terms
            constant += own.constant - still[0]
            total = total + alone(trials[place]) - still
        if not torch.allclose(total, call.again(*trials)[0], NEAR):
            return call.opaque(COMPUTED_WEIGHTS)
        return [Affine(tuple(terms), constant)]

    @staticmethod
    def _element(call: Call, tensor: Tensor, meaning: Affine, key: Any) -> Element | None:
        maker = MAKERS.get(call.name)
        first = call.argument(0, "input") is tensor
        made = maker(call, meaning.shape) if maker is not None and first else None
        if made is None:
            return linear(lambda value: call.again(value)[0], tuple(tensor.shape), key)
        if isinstance(made, Element):
            return made

        def push(constant: Tensor) -> Tensor:
            return call.again(constant[None])[0][0]

        return Element(key, made, push)


def _refused(call: Call, tensor: Tensor) -> list[Meaning]:
    """Why a function is no linear map of each sample's values."""
    axes = AXES.get(call.name.removeprefix("conv_transpose").removeprefix("conv"))
    if call.name.startswith("conv") and tensor.ndim == axes:
        return call.opaque(UNBATCHED_CALL, axes=axes)
    out = call.outputs[0]
    if _over_samples(call, tensor):
        return call.opaque(OVER_SAMPLES)
    sizes = prod(tensor.shape[1:]) * prod(out.shape[1:])
    return call.opaque(NOT_LINEAR if sizes <= LARGEST else TOO_LARGE)


AXES = {"1d": 2, "2d": 3, "3d": 4}
"""Of what a convolution takes as one sample."""


def _over_samples(call: Call, tensor: Tensor) -> bool:
    """Whether what the first sample has changes the results of others."""
    out = call.outputs[0]
    if out.ndim == 0 or len(out) != len(tensor):
        return True
    generator = torch.Generator(device="cpu").manual_seed(0)
    one = torch.rand(tensor.shape, dtype=torch.float64, device="cpu", generator=generator)
    other = torch.cat([one[:1] + 1, one[1:]])
    return not torch.equal(call.again(one)[0][1:], call.again(other)[0][1:])


def matrix(weight: Tensor) -> Element:
    """A matrix (post, pre) of values (neuron,)."""
    kept = _array(weight)
    key = ("multiplied by", kept.shape, kept.tobytes())
    return Element(key, lambda: Dense(kept), lambda constant: torch.from_numpy(kept) @ constant)


Maker = Callable[[], Connection]


def _dense(call: Call, shape: tuple[int, ...]) -> Maker | None:
    weight = _matrix(call)
    if weight is None or (len(shape) != 1 and call.name != "linear"):
        return None
    kept, rows = _array(weight), prod(shape[:-1])
    return lambda: Dense(kept) if rows == 1 else _by_row(kept, rows)


def _by_row(weight: NDArray[np.float64], rows: int) -> Connection:
    """A matrix on the last axis of several."""
    post, pre = np.nonzero(weight)
    outer, inner = (np.arange(rows)[:, None] * n for n in weight.shape)
    values = np.tile(weight[post, pre], rows)
    size = (rows * weight.shape[0], rows * weight.shape[1])
    return Sparse(size, (outer + post).ravel(), (inner + pre).ravel(), values)


def _array(tensor: Tensor) -> NDArray[np.float64]:
    """As it is now: forward may change it later."""
    return tensor.detach().double().clone().numpy()


def _matrix(call: Call) -> Tensor | None:
    """(post, pre)"""
    if call.name == "linear":
        return call.argument(1, "weight")
    other = call.argument(1, "other", call.argument(1, "mat2"))
    return other.T if isinstance(other, Tensor) and other.ndim == 2 else None


def _convolution(call: Call, shape: tuple[int, ...]) -> Maker | None:
    weight, padding = call.argument(1, "weight"), call.argument(4, "padding", 0)
    stride, dilation = call.argument(3, "stride", 1), call.argument(5, "dilation", 1)
    groups = call.argument(6, "groups", 1)
    if len(shape) != 3 or isinstance(padding, str):
        return None
    image: Any = shape
    kept = _array(weight)
    return lambda: Conv2d(kept, image, _pair(stride), _pair(padding), _pair(dilation), groups)


def _pair(value: Any) -> Any:
    """A number or a pair, as torch takes (n,) too."""
    values = (value,) if isinstance(value, int) else tuple(value)
    return values[0] if len(values) == 1 else values


def _pool(call: Call, shape: tuple[int, ...]) -> Maker | None:
    kernel, padding = call.argument(1, "kernel_size"), call.argument(3, "padding", 0)
    stride = call.argument(2, "stride") or kernel
    whole = call.argument(5, "count_include_pad", True) or not any(_whole(padding))
    if len(shape) != 3 or call.argument(4, "ceil_mode", False) or not whole:
        return None
    divisor = call.argument(6, "divisor_override")
    image: Any = shape
    window = _whole(kernel) * (2 // len(_whole(kernel)))
    return lambda: Pool2d(
        image, _pair(kernel), _pair(stride), _pair(padding), np.array([1 / (divisor or prod(window))])
    )


def _sum_pool(call: Call, shape: tuple[int, ...]) -> Maker | None:
    """lp_pool2d of norm 1, sinabs' SumPool2d: the sum of each window, sign(x) relu(|x|) being x."""
    kernel, stride = call.argument(2, "kernel_size"), call.argument(3, "stride")
    if call.argument(1, "norm_type") != 1 or len(shape) != 3 or call.argument(4, "ceil_mode", False):
        return None
    image: Any = shape
    return lambda: Pool2d(image, _pair(kernel), _pair(stride or kernel), 0, np.ones(1))


def _whole(value: Any) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else tuple(value)


def _normalization(call: Call, shape: tuple[int, ...]) -> Element:
    mean, variance = call.argument(1, "running_mean"), call.argument(2, "running_var")
    weight, eps = call.argument(3, "weight"), call.argument(7, "eps", 1e-5)
    factors = (variance + eps).rsqrt() * (1.0 if weight is None else weight)
    whole = factors.reshape(-1, *[1] * (len(shape) - 1)).expand(shape)
    element = scaling(whole)

    def push(constant: Tensor) -> Tensor:
        return call.again(constant[None])[0][0]

    key = ("batch_norm", element.key, mean.numpy().tobytes())
    return Element(key, element.make, push, "scaling", whole, entering=whole.numel())


MAKERS: dict[str, Callable[[Call, tuple[int, ...]], Any]] = {
    "linear": _dense,
    "matmul": _dense,
    "mm": _dense,
    "conv2d": _convolution,
    "avg_pool2d": _pool,
    "lp_pool2d": _sum_pool,
    "batch_norm": _normalization,
}
"""Functions that have a connection of their own; None from them: their form has none."""
