"""What one node of a NIR graph without a state is among ours: linear maps, delays."""

from __future__ import annotations

from typing import Any

import nir
import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.chain import Chain
from dlm_snn.connections.connection import Connection, Sparse
from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.dense import Dense
from dlm_snn.connections.pool2d import Pool2d
from dlm_snn.errors import DlmError, UnsupportedError

TARGET = "a NIR import"
LINEAR = (nir.Affine, nir.Linear, nir.Conv1d, nir.Conv2d, nir.SumPool2d, nir.AvgPool2d, nir.Scale)
SILENT = (nir.LI, nir.CubaLI, nir.I)
"""Neurons that never spike, and whose v is read."""
NEURONS = (nir.LIF, nir.CubaLIF, nir.IF, *SILENT)
PASSING = (nir.Flatten, nir.Input, nir.Output)
WHOLE = 1e-6
"""How far a time may lie from a whole number of steps, in steps: what float32 seconds leave."""


def shape_of(axes: Any) -> tuple[int, ...]:
    """A NIR shape as one of ours: (n,) or (channel, row, column); (channel, place) is an image of one row."""
    shape = tuple(int(n) for n in np.ravel(axes))
    if len(shape) == 2:
        return shape[0], 1, shape[1]
    return shape if len(shape) == 3 else (int(np.prod(shape)),)


def linear(name: str, node: Any, shape: tuple[int, ...]) -> Connection:
    """A stateless node behind an image or vector of the given shape.

    Raises:
        UnsupportedError: padding that is not symmetric.
        DlmError: shapes that do not chain, values that are not finite.
    """
    try:
        return _linear(node, shape)
    except UnsupportedError as error:
        raise UnsupportedError(TARGET, f"node '{name}' with {error.thing}", error.remedy) from error
    except DlmError as error:
        raise DlmError(f"node '{name}' ({type(node).__name__}): {error}") from error


def _linear(node: Any, shape: tuple[int, ...]) -> Connection:
    if isinstance(node, (nir.Affine, nir.Linear)):
        return Dense(np.asarray(node.weight, dtype=np.float64))
    if isinstance(node, nir.Scale):
        n = int(np.prod(shape))
        values = np.asarray(node.scale, dtype=np.float64).ravel()
        if values.size not in (1, n):
            raise DlmError(f"{values.size} factors for {n} values")
        return diagonal(np.broadcast_to(values, (n,)))
    if len(shape) != 3:
        raise DlmError(f"needs an image (channel, row, column), gets the shape {shape}")
    image: Any = shape
    if isinstance(node, (nir.SumPool2d, nir.AvgPool2d)):
        summed: Any = 1.0 if isinstance(node, nir.SumPool2d) else None
        kernel, stride, padding = (_pair(getattr(node, key)) for key in ("kernel_size", "stride", "padding"))
        return Pool2d(image, kernel, stride, padding, summed)
    weight = np.asarray(node.weight, dtype=np.float64)
    one = isinstance(node, nir.Conv1d)
    if one:
        weight = weight[:, :, None, :]
    stride, dilation = (_pair(getattr(node, key), one, 1) for key in ("stride", "dilation"))
    padding = _padding(node.padding, weight.shape[2:], stride, dilation, one)
    return Conv2d(weight, image, stride, padding, dilation, int(node.groups))


def _pair(value: Any, one: bool = False, alone: int = 0) -> tuple[int, int]:
    """(row, column) of a number or two; of a Conv1d (``alone``, number)."""
    numbers = [int(n) for n in np.ravel(value)]
    if one:
        return alone, numbers[0]
    return numbers[0], numbers[-1]


def _padding(padding: Any, kernel: Any, stride: Any, dilation: Any, one: bool) -> tuple[int, int]:
    if isinstance(padding, bytes):
        padding = padding.decode()
    if not isinstance(padding, str):
        return _pair(padding, one)
    around = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    if padding == "valid":
        return 0, 0
    if padding != "same" or any(n % 2 for n in around) or stride != (1, 1):
        raise UnsupportedError(TARGET, f"padding '{padding}' that is not equal on both sides", "give numbers")
    return around[0] // 2, around[1] // 2


def bias(node: Any, connection: Connection) -> NDArray[np.float64] | None:
    """What a node adds to its output, (post,); None: nothing."""
    given = getattr(node, "bias", None)
    if given is None or not np.any(given):
        return None
    values = np.asarray(given, dtype=np.float64).ravel()
    if isinstance(connection, Conv2d):
        values = np.repeat(values, connection.n_post // len(connection.weight))
    return values


def steps(name: str, node: nir.Delay, dt: float) -> NDArray[np.int64]:
    """A Delay in whole steps, flat.

    Raises:
        UnsupportedError: no whole number of steps.
    """
    delay = np.asarray(node.delay, dtype=np.float64).ravel() / dt
    whole = np.round(delay)
    off = np.abs(delay - whole) > WHOLE * np.maximum(1, whole)
    if not np.isfinite(delay).all() or np.any(off) or np.any(whole < 0):
        at = int(np.argmax(off | (whole < 0) | ~np.isfinite(delay)))
        raise UnsupportedError(TARGET, f"node '{name}', a delay of {delay[at]:g} steps of {dt:g} s", "change dt")
    return whole.astype(np.int64)


def one_or_all(values: NDArray[np.float64]) -> Any:
    """One number where all are equal."""
    return float(values[0]) if values.size and np.all(values == values[0]) else np.array(values)


def diagonal(values: NDArray[np.float64]) -> Sparse:
    """One synapse from each neuron to its own."""
    index = np.arange(values.size)
    return Sparse((values.size, values.size), index, index, values)


def joined(parts: list[Connection], n: int) -> Connection:
    """Connections one after another as one; none: one synapse to each neuron's own."""
    if not parts:
        return diagonal(np.ones(n))
    return parts[0] if len(parts) == 1 else Chain(parts)


def scaled(connection: Connection, factor: NDArray[np.float64]) -> Connection:
    """factor_i times what reaches each postsynaptic neuron."""
    if np.all(factor == factor[0]):
        if factor[0] == 1:
            return connection
        if isinstance(connection, Chain):
            return Chain((*connection.parts[:-1], scaled(connection.parts[-1], np.full(1, factor[0]))))
        return connection.with_weight(connection.weight * factor[0])
    if isinstance(connection, Dense):
        return Dense(connection.weight * factor[:, None])
    if isinstance(connection, Sparse):
        return connection.with_weight(connection.weight * factor[connection.post])
    if isinstance(connection, Conv2d):
        by_channel = factor.reshape(len(connection.weight), -1)
        if np.all(by_channel == by_channel[:, :1]):
            return connection.with_weight(connection.weight * by_channel[:, 0, None, None, None])
    parts = connection.parts if isinstance(connection, Chain) else (connection,)
    return Chain((*parts, diagonal(factor)))
