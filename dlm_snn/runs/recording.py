"""What a run returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.description import unfailing
from dlm_snn.errors import DlmError, how_many, nearest
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.neurons import integer_lif
from dlm_snn.neurons.integer_lif import ALIGNMENT, Overflow
from dlm_snn.neurons.models import MODELS
from dlm_snn.neurons.models import spikes as can_spike
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.stimulus import Stimulus, prepare

RECORDABLE = ("s", "u", "v")


@dataclass(frozen=True, eq=False)
class RunState:
    """Where a run stopped, inside every window at once; a second run goes on from it.

    Attributes:
        step: steps done since rest.
        neurons: population -> its State (arrays (sample, neuron)).
        flight: population -> the values it sent in its last steps, (sample, memory, neuron), oldest first; as
            many steps as its largest outgoing lag (fewer at the start of a run count as silent).
    """

    step: int
    neurons: Mapping[str, Any]
    flight: Mapping[str, NDArray]

    def of_samples(self, samples: slice) -> RunState:
        """The part of some samples."""
        neurons = {name: type(s)(*(values[samples] for values in s)) for name, s in self.neurons.items()}
        return RunState(self.step, neurons, {name: values[samples] for name, values in self.flight.items()})

    @staticmethod
    def joined(states: Sequence[RunState]) -> RunState:
        """The states of one network's runs over consecutive samples as one."""
        first = states[0]
        neurons = {name: _stacked([state.neurons[name] for state in states]) for name in first.neurons}
        flight = {name: np.concatenate([state.flight[name] for state in states]) for name in first.flight}
        return RunState(first.step, neurons, flight)

    @unfailing
    def __repr__(self) -> str:
        return f"RunState(after step {self.step}: {', '.join(self.neurons)})"


def _stacked(parts: Sequence[Any]) -> Any:
    return type(parts[0])(*(np.concatenate(column) for column in zip(*parts, strict=True)))


@dataclass(frozen=True, eq=False)
class Recording:
    """Rasters and traces of one run.

    Attributes:
        network: what ran.
        n_samples, n_steps: extent of the run.
        rasters: population -> SpikeRaster, where "s" was recorded; they get the network's depth.
        u, v: population -> (sample, step, neuron), where asked; values at the end of the step, v after a zero reset.
        state: from which a second run goes on; None where the simulator cannot hand it on.
        overflow: integer networks in simulators that count it: population -> wraps of u, saturations of v.
    """

    network: Network | IntegerNetwork
    n_samples: int
    n_steps: int
    rasters: Mapping[str, SpikeRaster] = field(default_factory=dict)
    u: Mapping[str, NDArray] = field(default_factory=dict)
    v: Mapping[str, NDArray] = field(default_factory=dict)
    state: RunState | None = None
    overflow: Mapping[str, Overflow] = field(default_factory=dict)

    @unfailing
    def __repr__(self) -> str:
        lines = [f"Recording of {how_many(self.n_samples, 'samples')} x {how_many(self.n_steps, 'steps')}:"]
        for name in dict.fromkeys((*self.rasters, *self.u, *self.v)):
            raster = self.rasters.get(name)
            parts = [] if raster is None else [f"{how_many(len(raster), 'spikes')} (rate {raster.rate:.2%})"]
            parts += [key for key in ("u", "v") if name in getattr(self, key)]
            counts = self.overflow.get(name)
            parts += [f"{counts.wraps} wraps, {counts.saturations} saturations"] if counts and any(counts[:2]) else []
            lines.append(f"  {name}  {', '.join(parts)}")
        return "\n".join(lines)

    def __post_init__(self) -> None:
        depth = self.network.depth
        placed = {name: raster.at_depth(depth.get(name, 0)) for name, raster in self.rasters.items()}
        object.__setattr__(self, "rasters", placed)


WhatToRecord = Sequence[str] | Mapping[str, Sequence[str]]
"""What to record: quantities of every neuron population, or population -> quantities."""


def checked_record(record: WhatToRecord, network: Network | IntegerNetwork) -> dict[str, tuple[str, ...]]:
    """What to record in one form: each of "s", "u", "v" that is asked for -> its populations, in the network's order.

    Raises:
        DlmError: another quantity, or a population that is not there or sends no spikes of its own.
    """
    neurons = network.neurons
    if not isinstance(record, Mapping):
        record = dict.fromkeys(neurons, (record,) if isinstance(record, str) else tuple(record))
    asked = {name: (wanted,) if isinstance(wanted, str) else tuple(wanted) for name, wanted in record.items()}
    for name, wanted in asked.items():
        if name not in neurons:
            raise DlmError(f"record names '{name}', which is no neuron population; {nearest(name, neurons)}")
        for key in wanted:
            if key not in RECORDABLE:
                raise DlmError(f"record names {key!r}; {nearest(str(key), RECORDABLE)}")
    chosen = {key: tuple(name for name in neurons if key in asked.get(name, ())) for key in RECORDABLE}
    return {key: names for key, names in chosen.items() if names}


def kind_of(network: Network | IntegerNetwork) -> type[np.int64] | type[np.float64]:
    """The type of a network's u and v in a Recording."""
    return np.int64 if isinstance(network, IntegerNetwork) else np.float64


Traces = Mapping[str, Mapping[str, NDArray]]
"""Each of "s", "u", "v" that was recorded -> population -> (sample, step, neuron)."""


def dense_traces(
    network: Network | IntegerNetwork, chosen: Mapping[str, Sequence[str]], n_samples: int, n_steps: int
) -> Traces:
    """Arrays of zeros for what is recorded, as ``checked_record`` gives it."""
    return {
        key: {
            name: np.zeros((n_samples, n_steps, network.populations[name].n), bool if key == "s" else kind_of(network))
            for name in names
        }
        for key, names in chosen.items()
    }


def recording_of(
    network: Network | IntegerNetwork,
    n_samples: int,
    n_steps: int,
    traces: Traces,
    state: RunState | None = None,
    overflow: Mapping[str, Overflow] | None = None,
) -> Recording:
    """The Recording of arrays that a simulator filled; see Recording."""
    rasters = {name: SpikeRaster.from_dense(spikes) for name, spikes in traces.get("s", {}).items()}
    u, v = traces.get("u", {}), traces.get("v", {})
    return Recording(network, n_samples, n_steps, rasters, u, v, state, overflow or {})


def without_samples(network: Network | IntegerNetwork, n_steps: int, chosen: Mapping[str, Sequence[str]]) -> Recording:
    """The recording of a batch of 0 samples, for simulators that cannot run one.

    Args:
        network, n_steps: of the run.
        chosen: as ``checked_record`` gives it.
    """
    return recording_of(network, 0, n_steps, dense_traces(network, chosen, 0, n_steps))


def spikes_of(recording: Recording, name: str) -> SpikeRaster:
    """The raster of a population.

    Raises:
        DlmError: its spikes were not recorded.
    """
    if name not in recording.rasters:
        raise DlmError(f"spikes of '{name}' were not recorded; run with 's' in record")
    return recording.rasters[name]


def voltages_of(recording: Recording, name: str) -> NDArray:
    """v of a population at the end of each step, (sample, step, neuron), after a zero reset.

    Raises:
        DlmError: it was not recorded.
    """
    if name not in recording.v:
        raise DlmError(f"v of '{name}' was not recorded; run with 'v' in record")
    return recording.v[name]


def fed_into(recording: Recording, stimulus: Mapping[str, Any]) -> dict[str, Stimulus]:
    """The stimulus of a recording in one form, see ``stimulus.prepare``; constants of the network's own included.

    Raises:
        DlmError: a stimulus that does not fit the network, or is of other samples or steps than the recording.
    """
    fed, n_samples = prepare(recording.network, stimulus, recording.n_steps)
    if n_samples != recording.n_samples:
        raise DlmError(
            f"the stimulus has {how_many(n_samples, 'samples')}, the recording {recording.n_samples}; give what "
            "that run was fed"
        )
    return fed


def before_reset(recording: Recording, name: str) -> NDArray | None:
    """v of a population before the reset of each step, (sample, step, neuron), from the recorded u and v.

    Floats: v = (1 - dv) v(t-1) + u(t) + bias [- v_threshold s(t-1) for reset by subtraction], 0 while refractory.
    Integers: v = clip(trunc(v(t-1) (4096 - dv) / 4096) + u(t) + bias), exactly. The run began at rest.

    None where u or v was not recorded, and for a model of another package.

    Raises:
        DlmError: reset by subtraction or a refractory period, and its spikes were not recorded.
    """
    neuron: Any = recording.network.populations[name]
    if name not in recording.u or name not in recording.v or type(neuron) not in MODELS:
        return None
    last = np.zeros_like(recording.v[name])
    last[:, 1:] = recording.v[name][:, :-1]
    if neuron.period is not None:
        last[:, :: neuron.period] = 0
    if MODELS[type(neuron)].integer:
        return integer_lif.voltage(neuron, last, recording.u[name])
    v = (1 - neuron.dv) * last
    if neuron.reset == "subtract":
        v[:, 1:] -= neuron.v_threshold * spikes_of(recording, name).dense()[:, :-1]
        if neuron.period is not None:
            v[:, :: neuron.period] = 0
    v = v + recording.u[name] + neuron.bias
    return np.where(_refractory(recording, name), 0, v) if neuron.refractory else v


def in_units_of_threshold(recording: Recording, name: str, whole: bool = True) -> tuple[NDArray, NDArray | None]:
    """v at the end of each step and that before its reset, (sample, step, neuron), in the unit of v_threshold.

    The second is None for neurons that never spike, where ``before_reset`` is None, and where ``whole`` is False.

    Raises:
        DlmError: see ``voltages_of`` and ``before_reset``.
    """
    unit = 1 << ALIGNMENT if isinstance(recording.network, IntegerNetwork) else 1
    v = voltages_of(recording, name)
    before = before_reset(recording, name) if whole and can_spike(recording.network.populations[name]) else None
    return v / unit, None if before is None else before / unit


def _refractory(recording: Recording, name: str) -> NDArray[np.bool_]:
    """Where a spike of the steps before holds v at 0, (sample, step, neuron)."""
    neuron: Any = recording.network.populations[name]
    spikes = spikes_of(recording, name).dense()
    window = np.arange(recording.n_steps) // (neuron.period or recording.n_steps)
    held = np.zeros_like(spikes)
    for past in range(1, min(neuron.refractory, recording.n_steps - 1) + 1):
        # A periodic reset ends the refractory period too.
        held[:, past:] |= spikes[:, :-past] & (window[past:] == window[:-past])[:, None]
    return held


def check_state(network: Network | IntegerNetwork, state: RunState | None, n_samples: int) -> None:
    """Raise unless a state to go on from has the extents of this run.

    Raises:
        DlmError: it is of another network or another number of samples; names the population.
    """
    if state is None:
        return
    for name, population in network.populations.items():
        memory = network.memory(name)
        fits = not memory or np.shape(state.flight.get(name, ())) == (n_samples, memory, population.n)
        if name in network.neurons:
            fits &= name in state.neurons and np.shape(state.neurons[name].v) == (n_samples, population.n)
        if not fits:
            raise DlmError(
                f"the state does not fit population '{name}' of {how_many(n_samples, 'samples')}; pass one of the same "
                "run"
            )
