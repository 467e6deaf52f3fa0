"""``windows``, for use as a library: samples one after another on a chip, each from rest, with nothing in flight.

docs/windows.md has the rule and why it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.connections.dense import Dense
from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.networks.known import check_known
from dlm_snn.networks.network import Input, IntegerNetwork, IntegerProjection
from dlm_snn.neurons.integer_lif import ALIGNMENT, STATE_LIMIT, IntegerLIF
from dlm_snn.neurons.li import IntegerLI
from dlm_snn.runs.stimulus import prepare
from dlm_snn.values import is_whole
from hardware.bounds import EffortError, Sweep
from hardware.subset import SYNAPSES

TARGET = "a chip with windows one after another"
STRONGEST = 255 << 7
"""What one inhibitory synapse takes from a sum: 8 bits, and the largest weight_exp."""
WEAKEST = SYNAPSES["weight_exp"][0]
LARGEST = STATE_LIMIT >> ALIGNMENT
"""A sum of weights beyond which u wraps."""
HELD = LARGEST // STRONGEST * STRONGEST
"""The strongest inhibition that does not wrap u by itself."""
ATTEMPTS = 40
TRIED = 2**27
"""Synapses summed, each time that they are, for a period of half the length: about 1 s of Dense, 4 s of Sparse."""
ALONE = "run one sample at a time"


@dataclass(frozen=True)
class Windows:
    """A network whose samples follow one another on a clock.

    Attributes:
        network: every population is set to rest by its own ``period`` (in window time: before every step t with
            t % period = 0), with an Input of ours, aligned, where something has to be silenced.
        n_steps: of a sample's window. Inputs are silent in all other steps, constants too.
        period: steps from one window to the next, a power of two, and a multiple of every population's own.
        events: Inputs of ours -> their events (step of the period, neuron), the same in every window.
    """

    network: IntegerNetwork
    n_steps: int
    period: int
    events: Mapping[str, NDArray[np.uint8]]

    def stimulus(self, given: Mapping[str, Any]) -> dict[str, NDArray]:
        """What the network takes: (sample, step of the period, neuron) for every Input, ours too.

        Args:
            given: of the network as it was, for ``n_steps``; see ``stimulus.prepare``.
        """
        ours = self.events
        theirs = {name: p for name, p in self.network.populations.items() if name not in ours}
        projections = [p for p in self.network.projections if p.pre not in ours]
        prepared, n_samples = prepare(IntegerNetwork(theirs, projections), given, self.n_steps)
        found: dict[str, NDArray] = {}
        for name, one in prepared.items():
            found[name] = np.zeros((n_samples, self.period, one.values.shape[2]), one.values.dtype)
            found[name][:, : self.n_steps] = one.values
        return found | {name: np.broadcast_to(e, (n_samples, *e.shape)) for name, e in ours.items()}


def windows(network: IntegerNetwork, n_steps: int, begin: int = 0) -> Windows:
    """A period, resets and, where needed, inhibition by which no sample reaches the next one's window.

    Balanced: period = the next power of two >= n_steps. Lags of Inputs alone: >= n_steps + lag; of neurons too, where
    bounds over all samples prove that nobody with a lag spikes in the period's last steps, with inhibition of ours if
    need be. Else all populations are set to rest at R, the next power of two >= n_steps, too, and the same is proved of
    what is in flight then.

    The bounds sum all synapses of a projection anew where what it may carry changes from one step to the next. A whole
    window gets 2^27 such synapses in all, up to 4 s, and is given up beyond. From R on there is no end: at worst
    (period - R) times all synapses are summed in each attempt, 10^8 in about 1 s if they are Dense, 3 s if Sparse.

    Args:
        network: of integers.
        n_steps: of a sample's window.
        begin: by how many steps the first window begins later on the chip's clock than in a simulator, as through a
            board's adapters: a bias works for so much longer before it.

    Raises:
        UnsupportedError: names the projection that cannot be cleared, or the population whose own period or bias is in
            the way.
        DlmError: n_steps or begin is no such number.
    """
    check_known(network, TARGET, (IntegerLIF, IntegerLI))
    if not is_whole(n_steps) or n_steps < 1:
        raise DlmError(f"n_steps = {n_steps!r} is not a positive integer")
    if not is_whole(begin) or begin < 0:
        raise DlmError(f"begin = {begin!r} is not a whole number >= 0")
    n_steps = int(n_steps)
    of_neurons = max((network.memory(name) for name in network.neurons), default=0)
    of_inputs = max((network.memory(name) for name in network.inputs), default=0)
    if not of_neurons:
        period = _power(n_steps + of_inputs)
        return Windows(_reset_every(network, n_steps, period), n_steps, period, {})
    apart = _power(n_steps)
    network = _reset_every(network, n_steps, apart)
    _check_beginning(network, int(begin))
    if n_steps + max(of_neurons, of_inputs) <= apart:
        with suppress(UnsupportedError, EffortError):
            sweep, awake = _cleared(network, n_steps, 0, apart, TRIED)
            if awake is None:
                return _silenced(network, n_steps, apart, sweep)
    period = _power(max(apart + of_neurons, n_steps + of_inputs))
    sweep, awake = _cleared(network, n_steps, apart, period)
    if awake is not None:
        remedy = _remedy(sweep, awake, lambda weaker, effort: _cleared(weaker, n_steps, apart, period, effort))
        raise UnsupportedError(TARGET, _wraps(sweep, awake), remedy)
    return _silenced(network, n_steps, period, sweep)


def _power(number: int) -> int:
    """The next power of two."""
    return 1 << (number - 1).bit_length()


def _reset_every(network: IntegerNetwork, n_steps: int, period: int) -> IntegerNetwork:
    """The same with periodic resets; a population's own stay where they come more often."""
    populations: dict[str, Any] = {}
    for name, population in network.populations.items():
        own = getattr(population, "period", None)
        if own is not None and own < n_steps and period % own:
            raise UnsupportedError(TARGET, f"a period of {own} ('{name}')", f"{own} -> {_power(own)}")
        if isinstance(population, Input) or (own is not None and own < n_steps):
            populations[name] = population
        else:
            populations[name] = replace(population, period=period)
    return IntegerNetwork(populations, network.projections)


def _own_periods(network: IntegerNetwork) -> dict[str, int]:
    return {name: neuron.period for name, neuron in network.neurons.items()}


def _check_beginning(network: IntegerNetwork, more: int) -> None:
    """Before its first window a population is at rest, but for a bias."""
    begin = {name: -network.depth[name] - more for name in network.neurons}
    sweep = Sweep(network, begin, _own_periods(network), fed=0, in_flight=False, silence={})
    sweep.run(0)
    for name, last in sweep.last.items():
        if last + network.memory(name) >= 0:
            raise UnsupportedError(
                TARGET,
                f"the bias before the first window, by which '{name}' may spike into an open one "
                f"('{_late(network, name).name}')",
                "give the bias through an aligned constant Input",
            )


def _cleared(
    network: IntegerNetwork, n_steps: int, start: int, period: int, effort: float = np.inf
) -> tuple[Sweep, str | None]:
    """The steps from the resets at ``start`` to the period's end, with as much inhibition as they need.

    And who may reach the next window all the same, since its u may wrap; None: nobody. From 0 the whole window is gone
    through: nothing is in flight when it begins, as the end of the period proves.
    """
    begin = dict.fromkeys(network.neurons, start)
    resets = _own_periods(network)
    silence: dict[str, int] = {}
    for _ in range(ATTEMPTS):
        sweep = Sweep(network, begin, resets, n_steps, start > 0, silence, open=n_steps, effort=effort)
        sweep.run(period)
        effort = sweep.effort
        awake = [name for name, last in sweep.last.items() if last + network.memory(name) >= period]
        if not awake:
            return sweep, None
        wider = silence | {name: 1 for name in awake if name not in silence}
        for name, (strength, _) in sweep.lacking.items():
            wider[name] = max(wider[name], _realized(min(strength, HELD)))
        if wider == silence:
            return sweep, awake[0]
        silence = wider
    raise UnsupportedError(TARGET, f"'{_late(network, awake[0]).name}', whose spikes go on", ALONE)


def _late(network: IntegerNetwork, name: str) -> IntegerProjection:
    """The projection of a population whose spikes are longest in flight."""
    return max((p for p in network.projections if p.pre == name), key=lambda p: max(network.lags(p)))


def _ranges(sweep: Sweep, name: str) -> tuple[tuple[int, int], dict[int, float]]:
    """The neuron whose sums vary most where u may wrap: their ends, and by how much they vary by each projection."""
    step = sweep.wrapped.get(name, sweep.lacking.get(name, (0, 0))[1])
    shares = sweep.shares(name, step)
    low, high = sum(shares.values(), np.zeros((2, sweep.network.neurons[name].n)))
    neuron = int(np.argmax(high - low))
    varying = {position: float(np.ptp(ends[:, neuron])) for position, ends in shares.items()}
    return (int(low[neuron]), int(high[neuron])), {position: by for position, by in varying.items() if by}


def _needed(sweep: Sweep, name: str) -> int:
    """The inhibition that u would have to hold."""
    return max(sweep.silence[name], sweep.lacking.get(name, (0, 0))[0])


def _wraps(sweep: Sweep, name: str) -> str:
    """What stands in the way where no inhibition is sure to hold u down."""
    network, late, needed = sweep.network, _late(sweep.network, name), _needed(sweep, name)
    (low, high), by = _ranges(sweep, name)
    told = f"'{late.name}' (lag {max(network.lags(late))}), whose spikes may go on until the next window: '{name}'"
    if not by:
        return f"{told} may pass its threshold by {needed:,}, and inhibition wraps u beyond {LARGEST:,}"
    most = _numbered(network, max(by, key=by.__getitem__))
    told += f" can get sums of {low:,} to {high:,}, most by {most}, which with the inhibition that they need"
    return f"{told} (up to {needed:,}) wrap beyond {LARGEST:,}"


def _remedy(sweep: Sweep, name: str | None, again: Callable[[IntegerNetwork, float], tuple[Sweep, str | None]]) -> str:
    """Exponents with which the proof holds, where some are found: what brings most is lowered until it does."""
    given = weaker = sweep.network
    effort: float = TRIED
    with suppress(DlmError, EffortError):
        while name is not None:
            (low, high), by = _ranges(sweep, name)
            if not by:
                return ALONE
            most = max(by, key=by.__getitem__)
            beyond = max(high - low, _needed(sweep, name) - low) / LARGEST
            projections = list(weaker.projections)
            exponent = projections[most].weight_exp
            lower = max(WEAKEST, exponent - max(1, int(np.ceil(np.log2(beyond)))))
            if lower == exponent:
                return ALONE
            projections[most] = replace(projections[most], weight_exp=lower)
            weaker = IntegerNetwork(weaker.populations, projections)
            sweep, name = again(weaker, effort)
            effort = sweep.effort
        pairs = enumerate(zip(given.projections, weaker.projections, strict=True))
        changes = [(k, old.weight_exp, new.weight_exp) for k, (old, new) in pairs if old.weight_exp != new.weight_exp]
        return "weight_exp of " + " and of ".join(f"{_numbered(given, k)}: {old} -> {new}" for k, old, new in changes)
    return ALONE


def _numbered(network: IntegerNetwork, position: int) -> str:
    """A projection's name, with a number where it has namesakes."""
    name = network.projections[position].name
    same = [place for place, p in enumerate(network.projections) if p.name == name]
    return f"'{name}'" if len(same) == 1 else f"'{name}' (number {same.index(position) + 1} of {len(same)})"


def _parts(strength: int) -> tuple[int, int, int]:
    """(projections, weight, weight_exp) of an inhibition at least so strong."""
    copies = -(-strength // STRONGEST)
    each = -(-strength // copies)
    exponent = max(0, (each - 1).bit_length() - 8)
    while -(-each >> exponent) > 255:
        exponent += 1
    return copies, -(-each >> exponent), exponent


def _realized(strength: int) -> int:
    """What the synapses of ``_parts`` take together."""
    copies, weight, exponent = _parts(strength)
    return copies * (weight << exponent)


def _silenced(network: IntegerNetwork, n_steps: int, period: int, found: Sweep) -> Windows:
    """The network with an Input for every population that is held down."""
    populations: dict[str, Any] = dict(network.populations)
    projections = list(network.projections)
    events: dict[str, NDArray[np.uint8]] = {}
    for name, steps in found.events.items():
        ours = f"silence_{name}"
        while ours in populations:
            ours += "_"
        copies, weight, exponent = _parts(found.silence[name])
        populations[ours] = Input((1,), aligned=True)
        held = Dense(np.full((network.neurons[name].n, 1), -weight))
        projections += copies * [
            IntegerProjection(ours, name, held, weight_exp=exponent, sign_mode="inhibitory"),
        ]
        events[ours] = np.zeros((period, 1), np.uint8)
        events[ours][steps] = 1
    made = IntegerNetwork(populations, projections)
    for name in network.populations:
        if made.depth[name] != network.depth[name]:
            late = _late(network, name)
            raise UnsupportedError(
                TARGET, f"'{late.name}', since no Input of data reaches '{name}'", "drive it from an Input"
            )
    return Windows(made, n_steps, period, events)
