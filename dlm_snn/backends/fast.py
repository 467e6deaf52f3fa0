"""The fast simulator: float and integer networks, batched over samples, event by event where that is cheaper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.backends._fast_engine import Engine, Sent
from dlm_snn.networks.known import check_known
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.neurons.integer_lif import Overflow
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.recording import Recording, RunState, WhatToRecord, check_state, checked_record, dense_traces
from dlm_snn.runs.stimulus import prepare, taken
from dlm_snn.values import slices

CACHE = 2**21
"""Bytes of state that a block of samples may take, about what a second-level cache holds."""
BYTES = {True: 17, False: 50}
"""Bytes of state a neuron takes in an integer and in a float network."""
SMALLEST, LARGEST = 16, 256
"""Samples of a block: fewer make products slow, more gain nothing."""


def run(
    network: Network | IntegerNetwork,
    stimulus: Mapping[str, Any],
    n_steps: int,
    record: WhatToRecord = ("s",),
    state: RunState | None = None,
    compiled: bool = True,
    block: int | None = None,
) -> Recording:
    """Simulate a network over its windows, as ``reference.run`` does, in the same arithmetic.

    Float networks are computed in float64; sums are added in another order than the reference's. Integer networks are
    exact. Samples are taken in blocks that fit into the cache; products of constant Inputs are computed once; each
    step's events are added up one by one or as a matrix product, whichever is cheaper.

    Args:
        network, stimulus, n_steps, record, state: as in every backend.
        compiled: loops compiled by numba; False: the same in plain NumPy.
        block: samples computed together; None: chosen by the size of the network.

    Returns:
        The Recording, with a state to go on from.

    Raises:
        DlmError: a stimulus or state that does not fit the network.
    """
    check_known(network, "fast")
    chosen = checked_record(record, network)
    given, n_samples = taken(network, stimulus, n_steps)
    check_state(network, state, n_samples)
    block = block or _block(network)
    pieces, states = _Pieces(network, chosen, n_samples, n_steps), []
    for samples in slices(n_samples, block) or [slice(0, 0)]:
        part = {name: whole[samples] for name, whole in given.items()}
        first = state and state.of_samples(samples)
        engine = Engine(network, samples.stop - samples.start, first, compiled=compiled)
        for name, step, sent in _advance(engine, part, n_steps):
            pieces.keep(engine, name, step, sent, samples)
        pieces.end_block(engine, samples)
        states.append(engine.state(n_steps))
    return pieces.recording(RunState.joined(states))


def _advance(engine: Engine, stimulus: Mapping[str, Any], n_steps: int) -> Iterator[tuple[str, int, Sent]]:
    """Run the whole window; every step of every neuron population as it is done."""
    network = engine.network
    stimuli, _ = prepare(network, stimulus, n_steps)
    for step in range(n_steps):
        for name in network.order:
            if name in stimuli:
                engine.put(name, step, stimuli[name].at(step), stimuli[name].constant)
            else:
                yield name, step, engine.compute(name, step)


def _block(network: Network | IntegerNetwork) -> int:
    """Samples whose state fits into the cache."""
    neurons = sum(neuron.n for neuron in network.neurons.values())
    fitting = CACHE // (BYTES[isinstance(network, IntegerNetwork)] * max(neurons, 1))
    return min(max(fitting // SMALLEST * SMALLEST, SMALLEST), LARGEST)


class _Pieces:
    """What is recorded, block after block."""

    def __init__(
        self, network: Network | IntegerNetwork, chosen: Mapping[str, tuple[str, ...]], n_samples: int, n_steps: int
    ) -> None:
        self.network, self.chosen = network, chosen
        self.n_samples, self.n_steps = n_samples, n_steps
        traced = {key: names for key, names in chosen.items() if key != "s"}
        self.traces = dense_traces(network, traced, n_samples, n_steps)
        self._steps: dict[str, list[tuple[NDArray, NDArray]]] = {name: [] for name in chosen.get("s", ())}
        self._events: dict[str, list[tuple[NDArray, NDArray, NDArray]]] = {name: [] for name in self._steps}
        self._overflow = dict.fromkeys(network.neurons, Overflow(0, 0))

    def keep(self, engine: Engine, name: str, step: int, sent: Sent, samples: slice) -> None:
        """One step of one population."""
        for key, traces in self.traces.items():
            if name in traces:
                traces[name][samples, step] = getattr(engine.states[name], key)
        if name in self._steps:
            self._steps[name].append((sent.index[: sent.begin[-1]].copy(), sent.begin.copy()))

    def end_block(self, engine: Engine, samples: slice) -> None:
        """Sort the events of a block of samples."""
        for name, steps in self._steps.items():
            index = np.concatenate([index for index, _ in steps])
            offset = np.cumsum([0, *(len(index) for index, _ in steps[:-1])])
            sample, step, neuron = (np.empty(index.size, dtype=np.uint32) for _ in range(3))
            engine.loops.gather(index, offset, np.stack([begin for _, begin in steps]), sample, step, neuron)
            self._events[name].append((sample + np.uint32(samples.start), step, neuron))
            steps.clear()
        for name, counted in engine.overflow.items():
            self._overflow[name] = self._overflow[name] + counted

    def recording(self, state: RunState) -> Recording:
        """All blocks together."""
        return Recording(
            network=self.network,
            n_samples=self.n_samples,
            n_steps=self.n_steps,
            rasters={name: self._raster(name) for name in self._events},
            u=self.traces.get("u", {}),
            v=self.traces.get("v", {}),
            state=state,
            overflow=self._overflow if isinstance(self.network, IntegerNetwork) else {},
        )

    def _raster(self, name: str) -> SpikeRaster:
        blocks = self._events[name]
        sample, step, neuron = (np.concatenate([block[i] for block in blocks]) for i in range(3))
        blocks.clear()
        return SpikeRaster(sample, step, neuron, self.n_samples, self.n_steps, self.network.populations[name].n)
