"""Simulators: each a module with ``run``, found by the entry-point group ``dlm_snn.backends``."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from dlm_snn.backends._pieces import run_in_pieces
from dlm_snn.errors import RangeWarning
from dlm_snn.networks.extent import check_memory
from dlm_snn.networks.known import ARITHMETICS, check_known
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.plugins import load
from dlm_snn.runs.recording import Recording, RunState, WhatToRecord, checked_record
from dlm_snn.runs.sink import MemorySink, Sink
from dlm_snn.runs.stimulus import check_meaning, taken


@dataclass(frozen=True)
class Declared:
    """What a backend's module says of itself; one of another package may say nothing, the tests find out.

    Attributes:
        arithmetics: ``ARITHMETICS``, of "float" and "integer"; both where it says nothing.
        supervised: ``SUPERVISED``: it computes in a process of its own, and its ``run`` takes ``timeout`` and
            ``progress``; not so where it says nothing.
    """

    arithmetics: tuple[str, ...]
    supervised: bool


def declared(backend: str) -> Declared:
    """What a backend says of itself.

    Raises:
        DlmError: an unknown backend, a missing package.
    """
    module = load("dlm_snn.backends", backend)
    return Declared(getattr(module, "ARITHMETICS", tuple(ARITHMETICS)), getattr(module, "SUPERVISED", False))


def run(
    network: Network | IntegerNetwork,
    stimulus: Mapping[str, Any] | Iterable[Mapping[str, Any]],
    n_steps: int,
    record: WhatToRecord | Sink = ("s",),
    state: RunState | None = None,
    backend: str = "reference",
    **options: Any,
) -> Recording:
    """Simulate a network on one of the installed backends.

    Args:
        network: float or integer; a backend refuses by name what it cannot do.
        stimulus: Input name -> SpikeRaster, or array (sample, neuron) held constant, or (sample, step, neuron).
            Or an iterable of such mappings, chunks (sample, step, neuron) that follow one another. Arrays may be
            lists and tensors of any kind (``values.as_array``); a constant that an import added feeds itself.
        n_steps: steps of every population's window, which opens at the population's depth.
        record: any of "s" (spikes), "u" (currents), "v" (voltages at the end of the step), of every neuron population;
            or population -> these, such as {"output": ("s",)}. Or a Sink (sink.FolderSink), which takes them piece by
            piece: a run longer than memory.
        state: ``Recording.state`` of an earlier run, to go on from; None: from rest.
        backend: name of an entry point, such as "reference", "fast", "torch", "brian2", "lava-float", "lava-fused".
        options: of that backend.

    Returns:
        The Recording.

    Warns:
        StimulusWarning: a stimulus that fits in a form that was perhaps not meant; see ``stimulus.check_meaning``.
        RangeWarning: u wrapped or v saturated in an integer network, where the backend counts it; names the neuron.

    Raises:
        DlmError: an unknown backend, a missing package, an input that does not fit.
    """
    module = load("dlm_snn.backends", backend)
    check_known(network, backend, getattr(module, "KNOWN", None))
    if isinstance(stimulus, Mapping):
        stimulus, n_samples = taken(network, stimulus, n_steps)
        check_meaning(network, stimulus, n_steps)
    if isinstance(stimulus, Mapping) and not isinstance(record, Sink):
        takes = {name: getattr(module, name.upper(), 0) for name in ("spike_bytes", "sent_bytes")}
        check_memory(network, n_samples, n_steps, checked_record(record, network), **takes)
        recording = module.run(network, stimulus, n_steps, record=record, state=state, **options)
    else:
        sink = record if isinstance(record, Sink) else MemorySink(record)
        recording = run_in_pieces(partial(module.run, **options), backend, network, stimulus, n_steps, sink, state)
    _warn(recording)
    return recording


def _warn(recording: Recording) -> None:
    """Name the neurons whose accumulators left their range, of integers or of floats."""
    for told in (*_left_integers(recording), *_left_floats(recording)):
        warnings.warn(told, RangeWarning, stacklevel=3)


def _left_integers(recording: Recording) -> Iterator[str]:
    for name, counted in recording.overflow.items():
        left = [
            f"{what} {count} times"
            for what, count in (("u wrapped", counted.wraps), ("v saturated", counted.saturations))
            if count
        ]
        if left:
            yield (
                f"{name}[{counted.neuron}] and perhaps others left their 24 bits: {', '.join(left)} in all; a lower "
                "weight_exp, or quantize with calibration data, gives room"
            )


def _left_floats(recording: Recording) -> Iterator[str]:
    if recording.state is None or isinstance(recording.network, IntegerNetwork):
        return
    for name, state in recording.state.neurons.items():
        finite = np.isfinite(state.u) & np.isfinite(state.v)
        if not finite.all():
            neuron = int(np.argwhere(~finite)[0][-1])
            yield (
                f"u or v of {name}[{neuron}] and perhaps of others is not finite at the end; lower the weights, the "
                "bias, or what the Inputs carry"
            )
