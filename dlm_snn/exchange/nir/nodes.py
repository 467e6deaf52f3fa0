"""What one node of a NIR graph is among ours: linear maps, neurons, delays."""

from __future__ import annotations

from typing import Any, Literal

import nir
import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.chain import Chain
from dlm_snn.connections.connection import Connection, Sparse
from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.dense import Dense
from dlm_snn.connections.pool2d import Pool2d
from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.neurons.lif import LIF

TARGET = "a NIR import"
LINEAR = (nir.Affine, nir.Linear, nir.Conv1d, nir.Conv2d, nir.SumPool2d, nir.AvgPool2d, nir.Scale)
NEURONS = (nir.LIF, nir.CubaLIF, nir.IF)
PASSING = (nir.Flatten, nir.Input, nir.Output)
Reset = Literal["zero", "subtract"]
FLOAT32 = 2.0**-22
"""By which part a number in seconds may be off that went through float32: two roundings of 2^-23."""
TINY, HUGE, SLOW = 1e-2, 5.0, 2e-4
"""Factors of an IF's input below, of any input from, and decays below which dt is doubted: no writer known has them at
the dt that it wrote for, and the next one's dt is ten times away."""
WHOLE = 1e-6
"""How far a NIR delay may lie from a whole number of steps, in steps: what float32 seconds leave."""


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


def neuron(name: str, node: Any, dt: float, reset: Reset) -> tuple[LIF, NDArray[np.float64]]:
    """The population, and the factor of its input, one a neuron.

    Forward Euler with the current first: u += dt/tau_syn (w_in a - u); v += dt/tau_mem (v_leak - v + r u); v is counted
    from v_leak, where it starts and is reset to, and u as r dt/tau_mem times the current, so that

        du = dt/tau_syn, dv = dt/tau_mem, v_threshold = v_threshold - v_leak, factor = w_in r dt^2 / (tau_syn tau_mem).

    IF: dv = 0, factor = r dt. LIF: du = 1, factor = r dt/tau. A time constant that float32 cannot tell from dt is dt.

    Source: nir 1.0.8, nir/ir/neuron.py (the equations); Pedersen et al., Nature Communications 15:8122 (2024).

    Raises:
        UnsupportedError: v_reset other than v_leak, a time constant below dt.
        DlmError: parameters that are not finite, a threshold below the rest.
    """
    shape = shape_of(node.v_threshold.shape)
    n = int(np.prod(shape))
    values = {key: _checked(name, node, key, n) for key in ("r", "v_threshold", "v_reset")}
    leak = np.zeros(n) if isinstance(node, nir.IF) else _checked(name, node, "v_leak", n)
    if np.any(values["v_reset"] != leak):
        raise UnsupportedError(
            TARGET,
            f"node '{name}' with v_reset = {values['v_reset'][0]:g} and v_leak = {leak[0]:g}",
            "only a reset to the rest has an equal here",
        )
    threshold = values["v_threshold"] - leak
    if threshold.min() < 0:
        raise DlmError(f"node '{name}': v_threshold lies {-threshold.min():g} below its rest; it would fire on its own")
    du, dv, factor = np.ones(n), np.zeros(n), values["r"] * dt
    if isinstance(node, nir.LIF):
        dv = _decay(name, node, "tau", n, dt)
        factor = values["r"] * dv
    if isinstance(node, nir.CubaLIF):
        du, dv = _decay(name, node, "tau_syn", n, dt), _decay(name, node, "tau_mem", n, dt)
        factor = _checked(name, node, "w_in", n) * values["r"] * dv * du
    return LIF(shape, du=one_or_all(du), dv=one_or_all(dv), v_threshold=one_or_all(threshold), reset=reset), factor


def doubt(node: Any, population: LIF, factor: NDArray[np.float64]) -> str | None:
    """Why dt is hardly the one that a neuron was written for; None: nothing speaks against it.

    A writer's r is 1/dt for IF; for the others tau/dt (a factor of 1) or 1 (a factor of dv).
    """
    if factor.max() >= HUGE:
        return f"its input is multiplied by {factor.max():.4g}"
    if isinstance(node, nir.IF) and factor.min() < TINY:
        return f"its input is multiplied by {factor.min():.4g}"
    for key in ("dv", "du"):
        decay = np.asarray(getattr(population, key))
        if not isinstance(node, nir.IF) and decay.min() < SLOW:
            return f"its {key} is {decay.min():.4g}"
    return None


def _checked(name: str, node: Any, key: str, n: int) -> NDArray[np.float64]:
    values = np.asarray(getattr(node, key), dtype=np.float64).ravel()
    if values.size not in (1, n):
        raise DlmError(f"node '{name}': {key} has {values.size} numbers for {n} neurons")
    if not np.isfinite(values).all():
        at = int(np.argmin(np.isfinite(values)))
        raise DlmError(f"node '{name}': {key}[{at}] = {values[at]} is not finite")
    return np.broadcast_to(values, (n,))


def _decay(name: str, node: Any, key: str, n: int, dt: float) -> NDArray[np.float64]:
    tau = _checked(name, node, key, n)
    if tau.min() <= 0:
        raise DlmError(f"node '{name}': {key} = {tau.min():g} is no time")
    decay = dt / tau
    if decay.max() > 1 + FLOAT32:
        raise UnsupportedError(
            TARGET, f"node '{name}' with {key} = {tau.min():g} s, below dt = {dt:g} s", "choose a smaller dt"
        )
    rough = FLOAT32 if np.array_equal(tau, tau.astype(np.float32)) else 2.0**-50
    return np.where(decay > 1 - rough, 1.0, decay)


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
