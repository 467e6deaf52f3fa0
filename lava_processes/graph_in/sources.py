"""A source RingBuffer -> an Input of ours, and what it sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError
from dlm_snn.networks.network import Input
from lava_processes.graph_in.cells import Layout
from lava_processes.graph_in.stock import Arithmetic
from lava_processes.graph_in.walk import called

WIDEST = 24
"""Bits that an event may have."""


@dataclass(frozen=True, eq=False)
class Feed:
    """An Input, and one round of its RingBuffer.

    Attributes:
        population: the Input.
        layout: how its neurons lie in the RingBuffer.
        arithmetic: of the graph.
        values: (step, neuron): step k is sent in Lava's step k + 1, and again a round later.
    """

    population: Input
    layout: Layout
    arithmetic: Arithmetic
    values: NDArray

    def read(self, data: Any) -> NDArray:
        """What a RingBuffer with other data would send, (step, neuron)."""
        return _sent(data, self.layout, self.arithmetic, self.population.graded_bits is not None)


def feed(process: Any, arithmetic: Arithmetic, layout: Layout, message_bits: int | None) -> Feed:
    """Read a RingBuffer.

    Args:
        process: the RingBuffer.
        arithmetic: of the graph.
        layout: of its Input.
        message_bits: of its events, as the connections behind it declare them; None: they are taken as 0 or 1.

    Raises:
        DlmError: values that no event of ours carries, with the Process's name.
    """
    try:
        values = _sent(process.data.init, layout, arithmetic, message_bits is not None)
        population = Input(layout.shape) if message_bits is None else _graded(values, layout, message_bits)
    except DlmError as error:
        raise DlmError(f"{called(process)}: {error}") from error
    values.flags.writeable = False
    return Feed(population, layout, arithmetic, values)


def _sent(data: Any, layout: Layout, arithmetic: Arithmetic, graded: bool) -> NDArray:
    """(step, neuron), as the connections behind it take it."""
    values: Any = np.asarray(data)
    integer, real = arithmetic == "integer", values.dtype.kind == "f"
    if values.dtype.kind not in "biuf" or not (values.ndim and values.size) or (real and not np.isfinite(values).all()):
        raise DlmError(f"data of shape {values.shape} and type {values.dtype} hold what is no finite number; clean it")
    if integer and not -(2**31) <= values.min() <= values.max() < 2**31:
        raise DlmError(f"data hold {values.min()}..{values.max()}, beyond Lava's 32 bits")
    if graded or (integer and real):
        values = values.astype(np.int32 if integer else np.float64)
    if not graded:
        values = values != 0
    if values[..., 0].size != len(layout.order):
        raise DlmError(f"data of shape {values.shape} are for {values[..., 0].size} neurons, not {len(layout.order)}")
    values = np.ascontiguousarray(values.reshape(len(layout.order), -1).T)
    if np.any(layout.order != np.arange(len(layout.order))):
        values = values[:, layout.order]
    if not graded:
        return values.view(np.uint8)
    return values.astype(np.int64) if integer or np.all(values == np.round(values)) else values


def _graded(values: NDArray, layout: Layout, message_bits: int) -> Input:
    """An Input whose events may carry these values, and others of as many bits."""
    most = np.abs(values).max(initial=0)
    signed = bool(values.min(initial=0) < 0)
    if values.dtype.kind == "i":
        bits = max(int(most).bit_length() + signed, min(message_bits + signed, WIDEST), 1)
        if bits > WIDEST:
            raise DlmError(f"data of magnitude {most} needs {bits} bits; events carry {WIDEST}")
        return Input(layout.shape, graded_bits=bits, signed=signed)
    # Real values are taken as they are; the scale only says how large they may be.
    room = 2 ** (WIDEST - 1 if signed else WIDEST) - 1
    return Input(layout.shape, graded_bits=WIDEST, signed=signed, scale=2.0 ** np.floor(np.log2(room / most)))
