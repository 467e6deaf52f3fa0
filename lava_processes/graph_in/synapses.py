"""Stock Dense, DelayDense, Sparse, DelaySparse and Conv -> connections of ours, with the weights that Lava uses."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.connection import Connection, Sparse
from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.dense import Dense
from dlm_snn.errors import DlmError
from dlm_snn.networks.clocked import CONV_LIMIT
from lava_processes.graph_in.stock import Arithmetic, leaf
from lava_processes.graph_in.walk import Places, called, refuse

SUM_LIMIT = 2**31
"""Lava adds up in 32 bits."""


@dataclass(frozen=True, eq=False)
class Synapses:
    """A connection between the ports of its Process.

    Attributes:
        process: the Process.
        connection: between values in the order of ``pre`` and ``post``.
        pre, post: value i of the connection is value pre[i] of s_in, post[i] of a_out; they differ from 0, 1, 2 ...
            where the connection has its channels first and Lava has them last.
        delay: steps from s_in to a neuron behind a_out, >= 1: one number, or one a synapse in the shape of the weights.
        form: weight_exp, num_weight_bits and sign_mode of an IntegerProjection; {} in floats.
        message_bits: 0: what arrives counts as 0 or 1; else as what it is.
    """

    process: Any
    connection: Connection
    pre: Places
    post: Places
    delay: int | NDArray[np.int64] = 1
    form: dict[str, Any] = field(default_factory=dict)
    message_bits: int = 0

    @property
    def most(self) -> int:
        """What the magnitudes of the sums stay below, or Lava computes something else."""
        return CONV_LIMIT if isinstance(self.connection, Conv2d) else SUM_LIMIT


def synapses(process: Any, arithmetic: Arithmetic) -> Synapses:
    """Read a connection Process.

    Raises:
        UnsupportedError, DlmError: weights or a format that our connections do not hold, with the Process's name.
    """
    inside = leaf(process)
    buffer = inside.a_buf if hasattr(inside, "a_buf") else inside.a_buff
    if np.any(buffer.init):
        refuse(f"{called(process)} with something on its way at the start", f"leave {buffer.name} at 0")
    try:
        if not hasattr(inside, "kernel_size"):
            return _matrix(process, arithmetic)
        found = _convolution(inside, arithmetic)
    except DlmError as error:
        raise DlmError(f"{called(process)}: {error}") from error
    if inside is process:
        return found
    # The ports of a Convolution of ours are flat, with the channels first.
    return replace(found, process=process, pre=np.arange(process.s_in.size), post=np.arange(process.a_out.size))


def _convolution(process: Any, arithmetic: Arithmetic) -> Synapses:
    """Lava's Conv turns its kernel by half a turn and has the channel last; it ignores weight_exp and the bits."""
    weight = np.array(process.weight.init, dtype=np.float64 if arithmetic == "float" else np.int32)
    stride, padding, dilation = (_pair(getattr(process, name)) for name in ("stride", "padding", "dilation"))
    across, down, channels = process.s_in.shape
    kernel = np.flip(weight, (1, 2)).transpose(0, 3, 1, 2)
    if arithmetic == "integer":
        kernel = kernel.astype(np.int64)
    groups = int(np.ravel(process.groups.init)[0])
    connection = Conv2d(kernel, (channels, across, down), stride, padding, dilation, groups)
    form = {"sign_mode": _sign_mode(weight)} if arithmetic == "integer" else {}
    pre, post = (_channel_first(port.shape) for port in (process.s_in, process.a_out))
    return Synapses(process, connection, pre, post, form=form, message_bits=_message_bits(process))


def _matrix(process: Any, arithmetic: Arithmetic) -> Synapses:
    """Dense and Sparse, with delays or without."""
    weights = process.weights.init
    form: dict[str, Any] = {}
    if arithmetic == "integer":
        weights, form = _clipped(process, weights)
    if isinstance(weights, np.ndarray):
        kind = np.int64 if arithmetic == "integer" else np.float64
        connection: Any = Dense(np.asarray(weights).astype(kind))
    else:
        connection = Sparse.from_scipy(weights)
        if arithmetic == "integer":
            connection = connection.astype(np.int64)
    pre, post = np.arange(connection.n_pre), np.arange(connection.n_post)
    delay = _delay(process, connection)
    return Synapses(process, connection, pre, post, delay, form, _message_bits(process))


def _clipped(process: Any, weights: Any) -> tuple[Any, dict[str, Any]]:
    """The weights that the fixed-point models compute with, by Lava's own functions, and their format."""
    from lava.utils.weightutils import clip_weights, determine_sign_mode, truncate_weights

    if isinstance(weights, np.ndarray):
        weights = weights.astype(np.int32)
    bits = process.proc_params.get("num_weight_bits", 8)
    if bits not in range(1, 9):
        raise DlmError(f"num_weight_bits = {bits!r} is not in 1..8")
    mode = process.proc_params.get("sign_mode") or determine_sign_mode(weights)
    with warnings.catch_warnings():
        # SciPy warns of comparisons that Lava makes with whole sparse matrices.
        warnings.simplefilter("ignore")
        weights = truncate_weights(clip_weights(weights, mode, num_bits=8), mode, bits)
    # NULL is clipped and truncated as EXCITATORY is.
    name = "excitatory" if mode.name == "NULL" else mode.name.lower()
    exponent = process.proc_params.get("weight_exp", 0)
    return weights, {"weight_exp": exponent, "num_weight_bits": bits, "sign_mode": name}


def _delay(process: Any, connection: Any) -> int | NDArray[np.int64]:
    """Lava counts the step that a connection takes anyway apart."""
    if not hasattr(process, "delays") or not connection.weight.size:
        return 1
    given = process.delays.init
    if np.max(given) >= process.a_buff.shape[-1]:
        raise DlmError(f"delays up to {np.max(given)} exceed max_delay = {process.a_buff.shape[-1] - 1}")
    if np.ndim(given) == 2 or hasattr(given, "tocsr"):
        places = (connection.post, connection.pre) if isinstance(connection, Sparse) else ...
        given = np.asarray(given.tocsr()[places] if hasattr(given, "tocsr") else given[places])
        given = given.reshape(connection.weight.shape).astype(np.int64)
    steps = np.unique(given)
    return int(steps[0]) + 1 if steps.size == 1 else given + 1


def _sign_mode(weight: NDArray) -> str:
    if weight.min() >= 0:
        return "excitatory"
    return "inhibitory" if weight.max() <= 0 else "mixed"


def _message_bits(process: Any) -> int:
    return int(np.ravel(process.num_message_bits.init)[0])


def _pair(var: Any) -> tuple[int, int]:
    across, down = (int(value) for value in np.ravel(var.init))
    return across, down


def _channel_first(shape: tuple[int, ...]) -> Places:
    """Value i of an image with the channel first is this value of Lava's, which has it last."""
    return np.arange(np.prod(shape)).reshape(shape).transpose(2, 0, 1).reshape(-1)
