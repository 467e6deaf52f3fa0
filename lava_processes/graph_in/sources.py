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
    return Feed(population, layout, arithmetic, values)


def _sent(data: Any, layout: Layout, arithmetic: Arithmetic, graded: bool) -> NDArray:
    """(step, neuron), as the connections behind it take it."""
    given: Any = np.asarray(data)
    if given.dtype.kind not in "biuf" or not np.isfinite(given).all():
        raise DlmError(f"data of type {given.dtype} holds what is no finite number; clean it")
    if arithmetic == "integer" and given.size and np.abs(given).max() >= 2**31:
        raise DlmError(f"data of magnitude {np.abs(given).max()} is beyond Lava's 32 bits")
    values = given.astype(np.int32 if arithmetic == "integer" else np.float64)
    values = values.reshape(-1, given.shape[-1])
    if len(values) != len(layout.order):
        raise DlmError(f"data of shape {given.shape} is for {len(values)} neurons, expected {len(layout.order)}")
    values = values[layout.order].T
    if not graded:
        return (values != 0).astype(np.uint8)
    return values.astype(np.int64) if np.all(values == np.round(values)) else values


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
