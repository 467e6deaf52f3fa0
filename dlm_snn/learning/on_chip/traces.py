"""Traces of one side of a plastic matrix, and when its neurons spiked within the epoch; bit for bit as Lava keeps them.

    floats      x <- exp(-1 / tau) x, then + impulse in the step of a spike
    integers    the same with stochastic rounding, clipped to 0..127 at an impulse

Lava writes the history of an epoch only at its end. It knows one spike a neuron and epoch, the last; the impulse of an
earlier one is added to the trace as it was when the epoch began.

Source: lava-nc 0.10.0, magma/core/model/py/connection.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dlm_snn.learning.on_chip.limits import TRACE_LIMIT, Arithmetic
from dlm_snn.learning.on_chip.rounding import Rounding
from dlm_snn.learning.on_chip.rule import POST_TRACES, PRE_TRACES, LearningRule, Trace

PORT = Trace(impulse=0, tau=65535)
"""A third factor between its messages: Lava lets it decay, slowly, from the last value of the epoch."""


class Side:
    """The neurons before (x) or after (y) the synapses.

    Args:
        side: "x" or "y".
        n: neurons.
        rule: checked.
        arithmetic: "float" or "fixed".
        rounding: for integers.

    Attributes:
        spiked_at: (n,) step of the last spike within the epoch, 1..t_epoch; 0: none.
        values: trace -> (n,), for those that the rule uses or declares.
        history: (trace, t_epoch + 1, n) of the epoch that ended last; x1 or y1 first.
    """

    def __init__(self, side: str, n: int, rule: LearningRule, arithmetic: Arithmetic, rounding: Rounding) -> None:
        self.side, self.n = side, n
        self.by_port = rule.third_factor and side == "y"
        self.traces = {name: PORT if self.by_port else rule.traces[name] for name in rule.kept if name[0] == side}
        self.fixed, self.rounding = arithmetic == "fixed", rounding
        dtype = np.int32 if self.fixed else np.float64
        self.spiked_at = np.zeros(n, dtype=int)
        self.values: dict[str, NDArray] = {name: np.zeros(n, dtype) for name in self.traces}
        self.history = np.zeros((len(PRE_TRACES if side == "x" else POST_TRACES), rule.t_epoch + 1, n), dtype)
        self._keep = {name: np.exp(-1 / np.array([trace.tau])) for name, trace in self.traces.items()}

    @property
    def ports(self) -> tuple[str, ...]:
        """The third factors that come by message."""
        return tuple(self.traces) if self.by_port else ()

    def receive(self, spikes: NDArray[np.bool_], step: int, factors: Mapping[str, NDArray] | None = None) -> None:
        """Take note of spikes in a step (1..t_epoch) of the epoch.

        Args:
            spikes: (n,).
            step: number of the step in the epoch.
            factors: third factors, y1..y3 -> (n,).
        """
        if step > 1:
            again = spikes & (self.spiked_at > 0)
            for name, trace in self.traces.items():
                self.values[name][again] = self._plus(self.values[name][again], trace)
        self.spiked_at[spikes] = step
        if self.by_port and factors is not None:
            self.values.update((name, np.array(factors[name], values.dtype)) for name, values in self.values.items())

    def end_epoch(self) -> None:
        """Write the history of the epoch, and let the traces go on from its end."""
        for name, trace in self.traces.items():
            history = self.history[int(name[1]) - 1]
            history[0] = self.values[name]
            for step in range(1, len(history)):
                history[step] = self._decayed(history[step - 1], name, step)
                now = (self.spiked_at == step).nonzero()[0]
                history[step, now] = self._plus(history[step, now], trace)
            if not self.by_port:
                self.values[name] = history[-1].copy()

    def forget_spikes(self) -> None:
        """A new epoch begins."""
        self.spiked_at[:] = 0

    def _plus(self, values: NDArray, trace: Trace) -> NDArray:
        if self.fixed:
            return np.clip(values + int(trace.impulse), 0, TRACE_LIMIT)
        return values + trace.impulse

    def _decayed(self, values: NDArray, name: str, step: int) -> NDArray:
        exact = self._keep[name] * values
        if not self.fixed:
            return exact
        whole = np.floor(exact)
        return whole + (self.rounding.trace(self.side, int(name[1]), step, self.n) < exact - whole)
