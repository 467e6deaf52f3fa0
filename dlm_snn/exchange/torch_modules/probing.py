"""What a function does, found by giving it values that tell where they came from."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from math import prod
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from dlm_snn.connections.connection import Connection, Sparse
from dlm_snn.exchange.torch_modules.meaning import Element

Function = Callable[..., list[Tensor]]
"""Tensors in, tensors out, other arguments bound."""
LARGEST = 2**27
"""Entries of a matrix that is found by probing: 1 GiB of float64."""
NEAR = 1e-9


class Arranged(NamedTuple):
    """What an arranging function made of its inputs, for one of its outputs.

    Attributes:
        elements: one an input.
        added: what stands where no input's value came to, without the sample axis.
    """

    elements: list[Element]
    added: Tensor


def arrangement(function: Function, shapes: Sequence[tuple[int, ...]]) -> list[Arranged | None]:
    """How a function puts values to other places.

    Every value is labeled, in two ways: a result that changes between them by the difference came from one value.

    Args:
        function: to be probed.
        shapes: of its inputs, with the sample axis.

    Returns:
        for each output; None: it moves values from one sample to another, or computes with them.
    """
    sizes = [prod(shape) for shape in shapes]
    total = sum(sizes)
    starts = np.cumsum([0, *sizes])
    labels = [
        torch.arange(start, start + size, dtype=torch.float64, device="cpu").reshape(shape)
        for start, size, shape in zip(starts, sizes, shapes, strict=False)
    ]
    plain = function(*[torch.zeros_like(label) for label in labels])
    first = function(*[label + 1 for label in labels])
    second = function(*[label + 1 + total for label in labels])
    return [_arranged(*results, shapes, starts) for results in zip(plain, first, second, strict=True)]


def _arranged(
    zero: Tensor, one: Tensor, two: Tensor, shapes: Sequence[tuple[int, ...]], starts: np.ndarray
) -> Arranged | None:
    batch = shapes[0][0]
    if zero.ndim == 0 or zero.shape[0] != batch or any(shape[0] != batch for shape in shapes):
        return None
    moved = (two - one).numpy().reshape(batch, -1)
    total = starts[-1]
    if not np.isin(moved, (0, total)).all() or (moved != moved[:1]).any() or (zero != zero[:1]).any():
        return None
    places = np.where(moved == total, one.numpy().reshape(batch, -1) - 1, -1).astype(np.int64)
    shape = tuple(zero.shape[1:])
    elements = []
    for start, whole in zip(starts, shapes, strict=False):
        n = prod(whole[1:])
        inside = (places >= start) & (places < start + batch * n)
        own = np.where(inside, places - start - np.arange(batch)[:, None] * n, -1)
        if (own[inside] < 0).any() or (own[inside] >= n).any() or (own != own[:1]).any():
            return None
        elements.append(_arranging(own[0], n, shape))
    return Arranged(elements, zero[0].clone())


def _arranging(places: np.ndarray, n: int, shape: tuple[int, ...]) -> Element:
    """The element that puts value ``places[i]`` to place i, and nothing where it is -1."""

    def make() -> Connection:
        post = np.flatnonzero(places >= 0)
        return Sparse((places.size, n), post, places[post], np.ones(post.size))

    def push(constant: Tensor) -> Tensor:
        values = constant.reshape(-1)[torch.as_tensor(np.maximum(places, 0), device="cpu")]
        return torch.where(torch.as_tensor(places >= 0, device="cpu"), values, 0.0).reshape(shape)

    key = ("arranging", places.tobytes(), n)
    return Element(key, make, push, "arranging", identity=np.array_equal(places, np.arange(n)), entering=n)


def linear(function: Callable[[Tensor], Tensor], shape: tuple[int, ...], key: Hashable) -> Element | None:
    """A function that is linear in one input, up to a constant.

    Args:
        function: of (sample, ...) to (sample, ...).
        shape: of its input, with the sample axis.
        key: of the element.

    Returns:
        None where it is not linear, mixes samples, or is too large to be probed.
    """
    batch, inner = shape[0], shape[1:]
    n = prod(inner)
    generator = torch.Generator(device="cpu").manual_seed(0)
    trial = torch.rand(shape, dtype=torch.float64, device="cpu", generator=generator)
    zero, seen = function(torch.zeros_like(trial)), function(trial)
    if seen.ndim == 0 or seen.shape[0] != batch or n * prod(seen.shape[1:]) > LARGEST or (zero != zero[:1]).any():
        return None
    columns = [
        function(torch.eye(n, dtype=torch.float64, device="cpu")[i : i + batch].reshape(-1, *inner))
        if n - i >= batch
        else function(_padded(n, i, shape))[: n - i]
        for i in range(0, n, batch)
    ]
    matrix = (torch.cat(columns) - zero[:1]).reshape(n, -1).T
    if not torch.allclose(trial.reshape(batch, -1) @ matrix.T + zero.reshape(batch, -1), seen.reshape(batch, -1), NEAR):
        return None
    outer = tuple(seen.shape[1:])

    def make() -> Connection:
        return Sparse.from_dense(matrix.numpy())

    def push(constant: Tensor) -> Tensor:
        return (matrix @ constant.reshape(-1) + zero[0].reshape(-1)).reshape(outer)

    return Element(key, make, push)


def _padded(n: int, start: int, shape: tuple[int, ...]) -> Tensor:
    """The last rows of the unit matrix, as many as there are samples."""
    rows = torch.zeros(shape[0], n, dtype=torch.float64, device="cpu")
    rows[torch.arange(n - start, device="cpu"), torch.arange(start, n, device="cpu")] = 1
    return rows.reshape(shape)
