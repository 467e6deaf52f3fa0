"""Membranes of torch libraries, which fire at or above a threshold and reset before they decay, as populations.

All is in the unit of what enters: V = (v - v_reset) / gain, where the library computes v = ... + gain x. So the weights
stay as they are, and their sums are exact where the library's are; products with the gain would round, and with tau = 3
lose spikes of a v that lies on the threshold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.connection import Connection
from dlm_snn.exchange.snntorch.parameters import each
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
    try:
        return each(values, shape)
    except ValueError as error:
        inner = getattr(shape, "values", shape)
        raise RefusedError(SIZE, where, name=name, found=values.shape, shape=inner) from error


def firing(
    shape: tuple[int, ...],
    where: str,
    *,
    dv: Number,
    threshold: Number,
    at: bool,
    per: Number = 1.0,
    rest: Number = 0.0,
    du: Number = 1.0,
    subtracted: Number | None = None,
) -> ForeignNeuron:
    """A neuron that fires, resets, and only then decays.

    u = (1 - du) u + x;  h = v + dv (rest - v) + u / per;  s = h > threshold, or h >= threshold with ``at``;  then
    v = rest where it spikes, or v = h - subtracted s.

    The population has V = per (v - rest). ``at``: V >= threshold is V > the largest double below it. ``subtracted``: a
    LIF loses v_threshold after the decay, the module (1 - dv) ``subtracted``, so what is too much comes back one step
    later, from the neuron to itself; where the current is filtered, (1 - du) of that is taken away two steps later,
    and nothing of it stays in u.

    Args:
        shape: of the population.
        where: the layer, for messages.
        dv, du: shares lost per step; one, or one a neuron, as all that follow.
        threshold: of the module's v.
        at: whether it fires at the threshold too.
        per: what enters for 1 of the module's v, see ``per_unit``.
        rest: the module's v at first, and after a reset.
        subtracted: what a spike takes from the module's v; None: all above ``rest``.

    Raises:
        RefusedError: shares outside 0 to 1, or a threshold that is not above the reset.
    """
    _check_shares(where, dv=dv, du=du)
    above = (np.asarray(threshold) - rest) * per
    if np.any(above <= 0 if at else above < 0):
        raise RefusedError(AT_REST, where, value=float(np.min(above / per)))
    loops: list[tuple[Connection, int]] = []
    if subtracted is not None:
        back = above - (1 - np.asarray(dv)) * subtracted * per
        filtered = 1 - np.asarray(du)
        returned = {1: back, 2: -filtered * back}
        n = int(np.prod(shape))
        loops = [(diagonal(np.broadcast_to(w, n)), delay) for delay, w in returned.items() if np.any(w)]
    v_threshold = np.nextafter(above, -np.inf) if at else above
    population = LIF(shape, dv=dv, du=du, v_threshold=v_threshold, reset="zero" if subtracted is None else "subtract")
    return ForeignNeuron(population, loops=loops, unit=1 / np.asarray(per), rest=rest)


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


def per_unit(gain: Number, where: str) -> Number:
    """What enters for 1 of the module's v: 1 / gain.

    Args:
        gain: by which the module multiplies what enters.
        where: the layer, for messages.

    Raises:
        RefusedError: it is not above 0.
    """
    if not np.all(np.asarray(gain) > 0):
        raise RefusedError(GAIN, where, value=float(np.min(gain)))
    return 1 / gain


def _check_shares(where: str, **shares: Number) -> None:
    for name, value in shares.items():
        wrong = [x for x in np.ravel(value) if not 0 <= x <= 1]
        if wrong:
            raise RefusedError(SHARE, where, name=name, value=float(wrong[0]))
