"""The simulator Brian2: the same network written as Brian2 equations and synapses, sharing no step code of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlm_snn.backends._brian2_blocks import Blocks
from dlm_snn.backends._brian2_import import local_settings
from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.network import IntegerNetwork, Network
from dlm_snn.raster import SpikeRaster
from dlm_snn.recording import Recording, RunState, checked_record
from dlm_snn.stimulus import Stimulus, prepare

SYNAPSES_PER_RUN = 4_000_000
"""Synapses that one Brian2 network may hold, some 60 bytes each; more samples take several runs."""


class NeuronState(NamedTuple):
    """What a population carries from step to step; arrays (sample, neuron)."""

    u: NDArray[np.float64]
    v: NDArray[np.float64]
    s: NDArray[np.bool_]
    refractory: NDArray[np.int64]


def run(
    network: Network | IntegerNetwork,
    stimulus: Mapping[str, Any],
    n_steps: int,
    record: Sequence[str] = ("s",),
    state: RunState | None = None,
    samples_per_run: int | None = None,
) -> Recording:
    """Simulate a float network over its windows in Brian2's NumPy target, in float64.

    u = (1-du) u + a; v = (1-dv) v + u + bias; the winners of v > v_threshold spike; a is what Brian2's synapses add.

    Args:
        network: of floats.
        stimulus: Input name -> SpikeRaster or array; see stimulus.prepare.
        n_steps: steps of every window.
        record: any of "s", "u", "v".
        state: from an earlier run, of this or another simulator, to go on from; None: from rest.
        samples_per_run: samples that share one Brian2 network; None: as many as SYNAPSES_PER_RUN allows.

    Returns:
        The Recording, with a state to go on from.

    Raises:
        UnsupportedError: an IntegerNetwork.
        DlmError: a stimulus or state that does not fit the network, samples_per_run below 1.

    Source: M. Stimberg, R. Brette and D. F. M. Goodman, Brian 2, eLife 8:e47314 (2019).
    """
    if isinstance(network, IntegerNetwork):
        raise UnsupportedError("brian2", "an IntegerNetwork", "use 'reference' or 'lava-fixed', or run the float Network")
    record = checked_record(record)
    stimuli, n_samples = prepare(network, stimulus, n_steps)
    _check_state(network, state, n_samples)
    size = _samples_per_run(network, n_samples, state is not None, samples_per_run)
    batches = [slice(start, min(start + size, n_samples)) for start in range(0, n_samples, size)]
    result = _Result(network, n_samples, n_steps, record)
    with local_settings():
        spiking = [n for n in network.neurons if "s" in record or network.memory(n)]
        blocks = Blocks(network, size, spiking, [k for k in record if k != "s"], resumed=state is not None)
        for batch in batches:
            past = _Past(network, stimuli, state, batch)
            blocks.run(past.neurons(), past.sent, n_steps)
            result.keep(batch, blocks)
    return result.recording(stimuli, state)
