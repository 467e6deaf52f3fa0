"""Several samples of one network as blocks of one Brian2 network: its equations, its schedule, its competition."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.backends._brian2_import import brian2
from dlm_snn.connections.connection import Connection
from dlm_snn.networks.network import Network, Projection

Sent = Callable[[str, int], NDArray]
"""(population, step) -> the values (sample, neuron) that it sends; steps before the run are below 0."""

_DT = 1e-3 * brian2.second  # Brian2 counts in seconds; only multiples of this matter here

_NEURON = """
u : 1
v : 1
drive : 1
spiked : boolean
waiting : integer
du : 1 (constant)
dv : 1 (constant)
bias : 1 (constant)
v_threshold : 1 (constant)
"""

# The order of everything inside one step of window time. First the values from outside and what was sent in earlier
# steps, then population after population by depth, each handing its spikes on to the deeper ones.
_EMIT, _CAST, _ARRIVE = 0, 1, 2
_INTEGRATE, _COMPETE, _RESET, _RECORD, _DELIVER = 0, 1, 2, 3, 4
_PHASES = 5


def _winners(overshoot: NDArray[np.float64], winners: int, block: int) -> NDArray[np.bool_]:
    """The largest positive overshoots of each ``block`` consecutive neurons; of equal ones the lower indices."""
    above = np.flatnonzero(overshoot > 0)
    ranked = above[np.lexsort((above, -overshoot[above], above // block))]
    home = ranked // block
    place = np.arange(ranked.size) - np.searchsorted(home, home)
    won = np.zeros(overshoot.size, dtype=bool)
    won[ranked[place < winners]] = True
    return won


_COMPETITION = brian2.Function(
    _winners, arg_units=[1, 1, 1], arg_types=["float", "integer", "integer"], return_unit=bool, return_type="boolean"
)
_COMPETITION.implementations.add_implementation("numpy", _winners)


def _integration(neuron: Any) -> str:
    """u = (1-du) u + a; v = (1-dv) v + u + bias, less v_threshold after a spike where the reset subtracts.

    One addition a line: within a line Brian2 sorts the terms anew, and the last bits of the sum with them.
    """
    lines = ["u = (1 - du)*u + drive", "v = (1 - dv)*v", "v = v + u", "v = v + bias"]
    if neuron.reset == "subtract":
        lines.append("v = v - v_threshold*int(spiked)")
    if neuron.refractory:
        lines += ["v = v*int(waiting == 0)", "waiting = waiting - int(waiting > 0)"]
    return "\n".join([*lines, "spiked = False", "drive = 0"])


def _condition(neuron: Any) -> str:
    if neuron.winners is None:
        return "v > v_threshold"
    return f"winners(v - v_threshold, {neuron.winners}, {neuron.n // neuron.groups})"


def _after_spike(neuron: Any) -> str:
    lines = ["spiked = True"]
    if neuron.reset == "zero":
        lines.append("v = 0")
    if neuron.refractory:
        lines.append(f"waiting = {neuron.refractory}")
    return "\n".join(lines)


class Blocks:
    """``size`` samples of a network side by side in Brian2: neuron i of sample b has the index b * n + i.

    A projection of lag 0 delivers right after its source has spiked, before the deeper target integrates. One of lag
    L >= 1 delivers before all populations of a step, where it finds the spikes of the step before: the delay that
    Brian2 is given is L - 1 steps.

    Args:
        network: what each block is a copy of.
        size: number of samples that run at once.
        spikes: populations whose spikes are kept.
        traces: those of "u" and "v" that are kept.
        resumed: whether neurons may have sent spikes before the first step.
    """

    def __init__(
        self, network: Network, size: int, spikes: Sequence[str], traces: Sequence[str], resumed: bool
    ) -> None:
        self.network = network
        self.size = size
        self._rank = {name: rank for rank, name in enumerate(network.order, start=1)}
        self._clock = brian2.Clock(_DT, name="window")
        self._simulation = brian2.Network(name="blocks")
        self._sent: Sent | None = None
        self._done = 0
        self._sources: dict[tuple[str, int], Any] = {}
        self._groups = {name: self._population(name) for name in network.neurons}
        self._spikes = {name: self._spike_monitor(name) for name in spikes}
        self._values = {name: self._value_monitor(name, traces) for name in network.neurons if traces}
        for projection in network.projections:
            for lag, (_, connection) in zip(network.lags(projection), projection.parts, strict=True):
                self._project(projection, connection, lag, resumed)
        self._simulation.store()

    def run(self, start: Mapping[str, Sequence[NDArray]], sent: Sent, n_steps: int, done: int = 0) -> None:
        """Run all blocks over a window.

        Args:
            start: population -> u, v, s and refractory, (sample, neuron) each; rest where it is missing.
            sent: what Inputs send in each step, and what any population sent in steps before the run.
            n_steps: steps to run.
            done: steps since rest.
        """
        self._done = done
        self._simulation.restore()
        self._sent = sent
        for name, state in start.items():
            for key, values in zip(("u", "v", "spiked", "waiting"), state, strict=True):
                setattr(self._groups[name], key, self._padded(values))
        self._simulation.run(n_steps * _DT, namespace={})
        self._sent = None

    def spikes(self, name: str, n_steps: int) -> NDArray[np.bool_]:
        """The spikes of a population, (sample, step, neuron)."""
        monitor, n = self._spikes[name], self.network.populations[name].n
        dense = np.zeros((self.size, n_steps, n), dtype=bool)
        sample, neuron = np.divmod(np.asarray(monitor.i[:]), n)
        dense[sample, np.rint(np.asarray(monitor.t_[:]) / float(_DT)).astype(int), neuron] = True
        return dense

    def values(self, name: str, key: str) -> NDArray[np.float64]:
        """The recorded "u" or "v" of a population, (sample, step, neuron)."""
        recorded = np.asarray(getattr(self._values[name], f"{key}_"))
        return recorded.reshape(self.size, self.network.populations[name].n, -1).transpose(0, 2, 1)

    def state(self, name: str) -> tuple[NDArray, ...]:
        """u, v, s and refractory steps left of a population, (sample, neuron) each."""
        group = self._groups[name]
        return tuple(
            np.array(getattr(group, f"{key}_")[:]).reshape(self.size, -1) for key in ("u", "v", "spiked", "waiting")
        )

    def _padded(self, values: NDArray) -> NDArray:
        """(sample, neuron) as the flat array of all blocks; the blocks of a batch that is not full stay empty."""
        whole = np.zeros((self.size, values.shape[1]), dtype=values.dtype)
        whole[: len(values)] = values
        return whole.reshape(-1)

    def _at(self, name: str, phase: int) -> dict[str, Any]:
        return {"when": "groups", "order": self._rank[name] * _PHASES + phase}

    def _add(self, part: Any) -> Any:
        self._simulation.add(part)
        return part

    def _population(self, name: str) -> Any:
        neuron: Any = self.network.populations[name]
        group = brian2.NeuronGroup(
            self.size * neuron.n,
            _NEURON,
            threshold=_condition(neuron),
            reset=_after_spike(neuron),
            namespace={"winners": _COMPETITION},
            clock=self._clock,
            name=f"population_{self._rank[name]}",
        )
        for key in ("du", "dv", "bias", "v_threshold"):
            setattr(group, key, np.tile(np.broadcast_to(getattr(neuron, key), neuron.n), self.size))
        group.run_regularly(_integration(neuron), name=f"{group.name}_integration", **self._at(name, _INTEGRATE))
        if neuron.period is not None:
            self._reset_every(neuron.period, group, name)
        _move(group.thresholder["spike"], **self._at(name, _COMPETE))
        _move(group.resetter["spike"], **self._at(name, _RESET))
        return self._add(group)

    def _reset_every(self, period: int, group: Any, name: str) -> None:
        """Rest before every ``period``-th step; among what has the same order, Brian2 goes by the names."""

        def reset(t: Any) -> None:
            if (self._done + round(float(t / _DT))) % period == 0:
                group.u_, group.v_, group.spiked_, group.waiting_ = 0, 0, False, 0

        name_before = f"{group.name}_before"
        self._add(brian2.NetworkOperation(reset, clock=self._clock, name=name_before, **self._at(name, _INTEGRATE)))

    def _spike_monitor(self, name: str) -> Any:
        group = self._groups[name]
        return self._add(brian2.SpikeMonitor(group, name=f"{group.name}_spikes", **self._at(name, _RECORD)))

    def _value_monitor(self, name: str, traces: Sequence[str]) -> Any:
        group = self._groups[name]
        return self._add(
            brian2.StateMonitor(
                group, traces, record=True, clock=self._clock, name=f"{group.name}_values", **self._at(name, _RECORD)
            )
        )

    def _project(self, projection: Projection, connection: Connection, lag: int, resumed: bool) -> None:
        pre, post = projection.pre, self._groups[projection.post]
        if pre in self.network.inputs:
            self._connect(self._source(pre, lag), post, connection, "drive_post += w*x_pre", 0, _early(_ARRIVE))
            return
        if lag == 0:
            self._connect(self._groups[pre], post, connection, "drive_post += w", 0, self._at(pre, _DELIVER))
            return
        self._connect(self._groups[pre], post, connection, "drive_post += w", lag - 1, _early(_ARRIVE))
        if resumed:
            self._connect(self._source(pre, lag), post, connection, "drive_post += w*x_pre", 0, _early(_ARRIVE))

    def _connect(
        self, pre: Any, post: Any, connection: Connection, on_pre: str, delay: int, at: Mapping[str, Any]
    ) -> None:
        """One synapse in each block for every weight that is not 0."""
        listed = connection.sparse()
        present = listed.weight != 0
        source, target, weight = (part[present] for part in (listed.pre, listed.post, listed.weight))
        if not source.size:
            return
        block = np.arange(self.size)[:, None]
        synapses = brian2.Synapses(
            pre,
            post,
            "w : 1 (constant)",
            on_pre=on_pre,
            delay=delay * _DT,
            clock=self._clock,
            namespace={},
            name=f"synapses_{len(self._simulation.objects)}",
        )
        synapses.connect(
            i=(source + block * connection.n_pre).reshape(-1), j=(target + block * connection.n_post).reshape(-1)
        )
        synapses.w = np.tile(weight, self.size)
        _move(synapses.pre, **at)
        self._add(synapses)

    def _source(self, name: str, lag: int) -> Any:
        """Cells that send in each step what a population sent ``lag`` steps before: all that an Input sends, and
        what a neuron population sent before the run."""
        if (name, lag) in self._sources:
            return self._sources[name, lag]
        group = brian2.NeuronGroup(
            self.size * self.network.populations[name].n,
            "x : 1",
            threshold="x != 0",
            reset="",
            namespace={},
            clock=self._clock,
            name=f"source_{len(self._sources)}",
        )
        _move(group.thresholder["spike"], **_early(_CAST))

        def emit() -> None:
            step = int(self._clock.timestep[:]) - lag
            if name in self.network.inputs or step < 0:
                group.x = self._padded(self._sent(name, step))  # type: ignore[misc]
            else:
                group.x = 0

        self._add(brian2.NetworkOperation(emit, clock=self._clock, name=f"{group.name}_emission", **_early(_EMIT)))
        self._sources[name, lag] = self._add(group)
        return group


def _early(phase: int) -> dict[str, Any]:
    """When a phase is run that comes before all populations of a step."""
    return {"when": "groups", "order": phase}


def _move(part: Any, when: str, order: int) -> None:
    part.when, part.order = when, order
