"""The transient and the period of an integer network without changing input.

Its states are finitely many and each has one successor, so that every run ends in a cycle: long transients look like
chaos, and are none. Brent's method finds both numbers in constant memory: it keeps one state, which it replaces after
1, 2, 4, 8, ... steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.analysis.finding import Finding
from dlm_snn.backends._fast_engine import Engine
from dlm_snn.errors import DlmError, how_many
from dlm_snn.networks.network import IntegerNetwork
from dlm_snn.runs.recording import RunState, check_state
from dlm_snn.runs.stimulus import prepare
from dlm_snn.values import is_whole


@dataclass(frozen=True)
class Orbit:
    """Where an autonomous network goes.

    Attributes:
        transient: steps before the first state that comes back; None where none came back.
        period: steps until it does; 1: a fixed point.
        steps: that were looked at.
        neurons: of the network.
    """

    transient: int | None
    period: int | None
    steps: int
    neurons: int

    def findings(self) -> list[Finding]:
        """Both numbers, which are exact, or not resolved."""
        size = {"steps": self.steps, "neurons": self.neurons}
        doubts = () if self.period else (f"no state came back in {how_many(self.steps, 'steps')}",)
        told = "Brent's method on the complete state"
        found = {"transient": self.transient, "period": self.period}
        return [
            Finding(name, value, None if value is None else (value, value), "steps", told, size, doubts=doubts)
            for name, value in found.items()
        ]


def find_period(
    network: IntegerNetwork,
    stimulus: Mapping[str, Any] | None = None,
    state: RunState | None = None,
    max_steps: int = 1_000_000,
) -> Orbit:
    """Run an integer network until its complete state comes back: u, v, events in flight, and phases of resets.

    Args:
        network: of integers; its Inputs carry constants, or there are none.
        stimulus: Input name -> array (1, neuron), the same in every step; None: no Inputs.
        state: where to begin, of one sample; None: at rest.
        max_steps: the most steps that are tried.

    Returns:
        The orbit; both numbers None where no state came back.

    Raises:
        DlmError: floats, a stimulus that changes, several samples, a state that does not fit.

    Source: Brent, BIT 20, 176 (1980).
    """
    if not isinstance(network, IntegerNetwork):
        raise DlmError(f"a {type(network).__name__} has floats, whose states need not come back; quantize it first")
    if not is_whole(max_steps) or max_steps < 1:
        raise DlmError(f"max_steps = {max_steps!r} is not a number of steps >= 1")
    constants = _constants(network, stimulus or {})
    check_state(network, state, 1)
    neurons = sum(neuron.n for neuron in network.neurons.values())
    period = _period(_Machine(network, constants, state), max_steps)
    if period is None:
        return Orbit(None, None, max_steps, neurons)
    slow, fast = (_Machine(network, constants, state) for _ in range(2))
    for _ in range(period):
        fast.step()
    while not np.array_equal(slow.state(), fast.state()):
        slow.step()
        fast.step()
    return Orbit(slow.steps, period, fast.steps, neurons)


def _constants(network: IntegerNetwork, stimulus: Mapping[str, Any]) -> dict[str, NDArray]:
    """Input name -> what it sends in every step, (1, neuron)."""
    for name, given in stimulus.items():
        if len(getattr(given, "extent", np.shape(given))) != 2:
            raise DlmError(
                f"stimulus '{name}' changes with the steps; a period needs one of (1, neuron), held constant"
            )
    prepared, n_samples = prepare(network, stimulus, 1)
    if n_samples != 1:
        raise DlmError(f"the stimulus has {n_samples} samples; an orbit is of one, give (1, neuron)")
    return {name: given.at(0) for name, given in prepared.items()}


class _Machine:
    """A network that is advanced step by step, with its complete state as one array."""

    def __init__(self, network: IntegerNetwork, constants: Mapping[str, NDArray], state: RunState | None) -> None:
        self._network, self._constants = network, constants
        self._engine = Engine(network, 1, state)
        self._memory = {name: memory for name in network.populations if (memory := network.memory(name))}
        # Resets count absolute steps: two states are the same only in the same phase of all of them.
        self._phases = lcm(*(getattr(neuron, "period", None) or 1 for neuron in network.neurons.values()))
        self._begin = state.step if state else 0
        self.steps = 0

    def step(self) -> None:
        """One step of all populations."""
        for name in self._network.order:
            if name in self._constants:
                self._engine.put(name, self.steps, self._constants[name], constant=True)
            else:
                self._engine.compute(name, self.steps)
        self.steps += 1

    def state(self) -> NDArray[np.int64]:
        """u, v, what is in flight, and the phase."""
        states = self._engine.states.values()
        parts = [values.ravel() for state in states for values in (state.u, state.v)]
        for name, memory in self._memory.items():
            parts += [self._engine.sent(name, self.steps - back).array().ravel() for back in range(1, memory + 1)]
        return np.concatenate([*parts, [(self._begin + self.steps) % self._phases]]).astype(np.int64)


def _period(machine: _Machine, max_steps: int) -> int | None:
    kept, since, until = machine.state(), 0, 1
    while machine.steps < max_steps:
        if since == until:
            kept, since, until = machine.state(), 0, 2 * until
        machine.step()
        since += 1
        if np.array_equal(machine.state(), kept):
            return since
    return None
