"""Membranes of torch libraries, which fire at or above a threshold and reset before they decay, as populations.

All is in the unit of what enters: V = (v - v_reset) / gain, where the library computes v = ... + gain x. So the weights
stay as they are, and each sum of them is the library's own, bit for bit, where a product with the gain would round:
with tau = 3 and weights in quarters, 1 spike in 100 lies on the threshold and would be lost.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.connection import Connection
from dlm_snn.exchange.snntorch.recurrence import diagonal
from dlm_snn.exchange.torch_modules.neurons import ForeignNeuron
from dlm_snn.exchange.torch_modules.refusals import Refusal, RefusedError
from dlm_snn.neurons.li import LI
from dlm_snn.neurons.lif import LIF
from dlm_snn.values import as_array

Number = float | NDArray[np.float64]
"""One for all neurons, or one a neuron."""

SIZE = Refusal("{name} of shape {found} does not fit neurons of the shape {shape}", "give one value, or one a neuron")
SHARE = Refusal("{name} = {value} a step is outside 0 to 1", "give a time constant of one step or more")
GAIN = Refusal("{value} of what enters reaches the membrane", "give a finite time constant, which lets more than 0 in")
AT_REST = Refusal("the threshold {value} above the reset makes it spike at rest", "give a threshold above the reset")
MEMBRANES = (SIZE, SHARE, GAIN, AT_REST)
"""What is refused here."""


def one_or_each(name: str, value: Any, shape: tuple[int, ...], where: str) -> Number:
    """A parameter as stored: one number, or one a neuron in the order of the population.

    Args:
        name: of the parameter, for messages.
        value: a number or tensor.
        shape: of the population.
        where: the layer, for messages.

    Raises:
        RefusedError: its shape does not fit.
    """
    values = as_array(value, f"{name} of {where}").astype(np.float64)
    if values.size == 1:
        return float(values.reshape(()))
    try:
        return np.broadcast_to(values, shape).ravel()
    except ValueError as error:
        raise RefusedError(SIZE, where, name=name, found=values.shape, shape=shape) from error


def firing(
    shape: tuple[int, ...],
    where: str,
    *,
    dv: Number,
    threshold: Number,
    at: bool,
    du: Number = 1.0,
    subtracted: Number | None = None,
) -> ForeignNeuron:
    """A neuron that fires, resets, and only then decays.

    U = (1 - du) U + x;  H = (1 - dv) V + U;  s = H > threshold, or H >= threshold with ``at``;  then V = 0 where it
    spikes, or V = H - subtracted s.

    ``at``: v >= threshold is v > the largest double below it. ``subtracted``: a LIF loses v_threshold after the decay,
    the module (1 - dv) ``subtracted``, so what is too much comes back one step later, from the neuron to itself; where
    the current is filtered, (1 - du) of that is taken away two steps later, and nothing of it stays in u.

    Args:
        shape: of the population.
        where: the layer, for messages.
        dv, du: shares lost per step; one, or one a neuron, as all that follow.
        threshold: in the unit of what enters.
        at: whether it fires at the threshold too.
        subtracted: in the unit of what enters; None: reset to zero.

    Raises:
        RefusedError: shares outside 0 to 1, or a threshold that is not above the reset.
    """
    _check_shares(where, dv=dv, du=du)
    if np.any(np.asarray(threshold) <= 0 if at else np.asarray(threshold) < 0):
        raise RefusedError(AT_REST, where, value=float(np.min(threshold)))
    v_threshold = np.nextafter(threshold, -np.inf) if at else threshold
    loops: list[tuple[Connection, int]] = []
    if subtracted is not None:
        back = np.asarray(threshold) - (1 - np.asarray(dv)) * subtracted
        filtered = 1 - np.asarray(du)
        returned = {1: back, 2: -filtered * back}
        n = int(np.prod(shape))
        loops = [(diagonal(np.broadcast_to(w, n)), delay) for delay, w in returned.items() if np.any(w)]
    population = LIF(shape, dv=dv, du=du, v_threshold=v_threshold, reset="zero" if subtracted is None else "subtract")
    return ForeignNeuron(population, loops=loops)


def integrating(shape: tuple[int, ...], where: str, *, dv: Number, gain: Number, du: Number = 1.0) -> ForeignNeuron:
    """A membrane that is read and never fires, in the module's own unit.

    u = (1 - du) u + gain x;  v = (1 - dv) v + u.

    Args:
        shape, where, dv, du: as in ``firing``.
        gain: by which the module multiplies what enters.

    Raises:
        RefusedError: shares outside 0 to 1.
    """
    _check_shares(where, dv=dv, du=du)
    return ForeignNeuron(LI(shape, dv=dv, du=du), gain)


def check_gain(gain: Number, where: str) -> Number:
    """The gain, where it lets something in.

    Raises:
        RefusedError: it is not above 0.
    """
    if not np.all(np.asarray(gain) > 0):
        raise RefusedError(GAIN, where, value=float(np.min(gain)))
    return gain


def _check_shares(where: str, **shares: Number) -> None:
    for name, value in shares.items():
        wrong = [x for x in np.ravel(value) if not 0 <= x <= 1]
        if wrong:
            raise RefusedError(SHARE, where, name=name, value=float(wrong[0]))
