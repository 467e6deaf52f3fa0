"""r = 1 in a file: what a LIF's input is multiplied by stands in the weights before it, and comes back bit for bit.

norse takes r for 1, whatever a file says; a reader that honors r gets the same neuron. A LIF's r dt/tau would be 1
here, so the weights are written as weight / dv. Multiplied by dv again they may lie some units in the last place beside
what they were: a digit a weight says how many.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.chain import Chain
from dlm_snn.connections.connection import Connection, Sparse
from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.dense import Dense
from dlm_snn.networks.network import Network
from dlm_snn.neurons.li import LI
from dlm_snn.neurons.lif import LIF

_ZERO = ord("4")
_FARTHEST = 4
"""Units in the last place that a digit tells, at most: 0..8 stand for -4..4."""


def last_of(connection: Connection) -> Connection:
    """The map that reaches the neurons."""
    return connection.parts[-1] if isinstance(connection, Chain) else connection


def matrix_of(part: Connection) -> NDArray[np.float64]:
    """The weights as a node holds them."""
    return part.dense() if isinstance(part, Sparse) else part.weight


def decays(dv: Any, part: Connection) -> NDArray[np.float64]:
    """dv in a form that divides the weights of the last map: one a row, or one a channel."""
    each = np.broadcast_to(np.asarray(dv, dtype=np.float64), (part.n_post,))
    if isinstance(part, Conv2d):
        return each.reshape(len(part.weight), -1)[:, :1, None, None]
    return each[:, None]


def foldable(network: Network, name: str) -> bool:
    """Whether every weight that reaches a population can hold its factor."""
    neuron = network.neurons[name]
    dv = np.asarray(neuron.dv)
    if not isinstance(neuron, (LIF, LI)) or np.any(np.asarray(neuron.du) != 1) or dv.min() <= 0:
        return False
    return all(_holds(last_of(p.connection), neuron.dv) for p in network.into(name))


def _holds(part: Connection, dv: Any) -> bool:
    if not isinstance(part, (Dense, Sparse, Conv2d)):
        return False
    if isinstance(part, Conv2d):
        by_channel = np.broadcast_to(np.asarray(dv), (part.n_post,)).reshape(len(part.weight), -1)
        if np.any(by_channel != by_channel[:, :1]):
            return False
    weight = part.weight
    least = np.asarray(dv).min()
    # Beyond these, weight / dv leaves the normal numbers and cannot come back.
    sizes = np.abs(weight[weight != 0])
    return sizes.size == 0 or bool(sizes.max() < least * 2.0**1000 and sizes.min() > 2.0**-1000)


def divided(part: Connection, dv: Any) -> Connection:
    """The last map with weight / dv."""
    by = decays(dv, part)
    return part.with_weight(part.weight / (by[part.post, 0] if isinstance(part, Sparse) else by))


def digits(part: Connection, dv: Any) -> str:
    """How far weight / dv dv lies beside the weight, a digit a weight as a node holds them; empty: nowhere."""
    weight = matrix_of(part)
    off = weight.view(np.int64) - (matrix_of(divided(part, dv)) * decays(dv, part)).view(np.int64)
    return (off.ravel() + _ZERO).astype(np.uint8).tobytes().decode("ascii") if np.any(off) else ""


def undone(written: NDArray[np.float64], by: NDArray[np.float64], told: str) -> NDArray[np.float64]:
    """The weights again.

    Args:
        written: as a node holds them.
        by: ``decays`` of the population behind.
        told: ``digits``.

    Raises:
        ValueError: digits for another number of weights.
    """
    weight = np.ascontiguousarray(written * by)
    if not told:
        return weight
    off = np.frombuffer(told.encode("ascii"), np.uint8).astype(np.int64) - _ZERO
    if off.size != weight.size or np.abs(off).max() > _FARTHEST:
        raise ValueError(f"{off.size} digits for {weight.size} weights")
    return (weight.view(np.int64) + off.reshape(weight.shape)).view(np.float64)
