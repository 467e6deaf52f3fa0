"""What a machine with a clock makes of a projection: its delay there, and whether Lava's Conv computes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dlm_snn.connections.conv2d import Conv2d
from dlm_snn.connections.pool2d import Pool2d

if TYPE_CHECKING:
    from dlm_snn.networks.network import IntegerNetwork, IntegerProjection, Network, Projection

CONV_LIMIT = 2**23
"""Lava's Conv clamps its sums to 24 bits, sign included (PyConvModelFixed)."""


def clocked_delay(network: Network | IntegerNetwork, p: Projection | IntegerProjection) -> Any:
    """Delay of a projection on a machine with a clock, in steps.

    delay = depth(post) for an aligned Input, which waits until the window of whom it reaches begins; else p.delay.
    """
    return network.depth[p.post] if getattr(network.populations[p.pre], "aligned", False) else p.delay


def as_convolution(network: Network | IntegerNetwork, p: Projection | IntegerProjection) -> Conv2d | None:
    """The convolution that Lava's Conv computes in this projection's place; None where Sparse has to.

    Conv has no delay and no weight exponent, and clamps its sums to 24 bits.
    """
    connection = p.connection.convolution() if isinstance(p.connection, Pool2d) else p.connection
    if not isinstance(connection, Conv2d) or np.any(np.asarray(clocked_delay(network, p)) != 1):
        return None
    weight_exp = getattr(p, "weight_exp", None)
    if weight_exp is None:
        return connection
    largest = max(map(abs, getattr(network.populations[p.pre], "bounds", (0, 1))))
    sums = int(connection.absolute_sums().max(initial=0)) * largest
    return connection if weight_exp == 0 and sums < CONV_LIMIT else None
