"""A long run as several short ones, each going on where the last one stopped: for every backend with a state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.networks.network import IntegerNetwork, Network
from dlm_snn.neurons.integer_lif import Overflow
from dlm_snn.runs.raster import SpikeRaster
from dlm_snn.runs.recording import Recording, RunState
from dlm_snn.runs.sink import MemorySink, Sink
from dlm_snn.runs.stimulus import taken
from dlm_snn.values import as_array

Simulate = Callable[..., Recording]
Piece = tuple[Mapping[str, Any], int]
"""A stimulus and its steps."""


def run_in_pieces(
    simulate: Simulate,
    backend: str,
    network: Network | IntegerNetwork,
    stimulus: Any,
    n_steps: int,
    sink: Sink,
    state: RunState | None,
) -> Recording:
    """Run piece by piece into a sink.

    Args:
        simulate: (network, stimulus, n_steps, record, state) -> Recording.
        backend: its name, for messages.
        network, n_steps, state: as in every backend.
        stimulus: a mapping, cut into ``sink.chunk`` steps; or an iterable of mappings Input -> (sample, step, neuron).
        sink: takes the pieces.

    Returns:
        The Recording; rasters and traces where the sink keeps them in memory, and the state to go on from.

    Raises:
        UnsupportedError: the backend hands on no state, and there is more than one piece.
        DlmError: the chunks' steps do not add up to n_steps.
    """
    whole = isinstance(stimulus, Mapping)
    pieces = _cut(taken(network, stimulus, n_steps)[0], n_steps, sink.chunk) if whole else _given(stimulus)
    done, opened = 0, False
    last: Recording | None = None
    overflow: dict[str, Overflow] = {}
    try:
        for part, steps in pieces:
            _check_next(backend, last, done + steps, n_steps)
            last = simulate(network, part, steps, sink.record, last.state if last else state)
            if not opened:
                sink.open(network, last.n_samples, n_steps)
                opened = True
            sink.write(last, done)
            done += steps
            overflow = {n: overflow.get(n, Overflow(0, 0)) + counted for n, counted in last.overflow.items()}
        if last is None or done != n_steps:
            raise DlmError(f"the chunks of the stimulus have {done} steps, the run {n_steps}")
    except BaseException:
        if opened:
            sink.close(whole=False)
        raise
    sink.close(whole=True)
    kept: Any = sink.joined(n_steps) if isinstance(sink, MemorySink) else {"rasters": {}, "u": {}, "v": {}}
    return replace(last, n_steps=n_steps, overflow=overflow, **kept)


def _check_next(backend: str, last: Recording | None, steps: int, n_steps: int) -> None:
    """Raise where a piece goes beyond the run, or cannot go on from the last one."""
    if steps > n_steps:
        raise DlmError(f"the chunks of the stimulus have {steps} steps or more, the run {n_steps}")
    if last is not None and last.state is None:
        raise UnsupportedError(backend, "a run in pieces", "give the whole stimulus at once, or use 'fast'")


def _given(chunks: Iterable[Mapping[str, Any]]) -> Iterator[Piece]:
    """The chunks with their steps, which all their arrays must have."""
    for chunk in chunks:
        if not isinstance(chunk, Mapping):
            raise DlmError(f"a chunk of the stimulus is a {type(chunk).__name__}; give a mapping Input -> array")
        plain = {
            name: given if isinstance(given, SpikeRaster) else as_array(given, f"chunk of '{name}'")
            for name, given in chunk.items()
        }
        steps = {name: _steps(name, given) for name, given in plain.items()}
        if len(set(steps.values())) != 1:
            raise DlmError(f"a chunk of the stimulus has unequal numbers of steps: {steps}")
        yield plain, next(iter(steps.values()))


def _steps(name: str, given: SpikeRaster | NDArray) -> int:
    if isinstance(given, SpikeRaster):
        return given.n_steps
    if given.ndim not in (3, 5):
        raise DlmError(f"chunk of '{name}' has shape {given.shape}; give (sample, step, neuron), its steps are counted")
    return given.shape[1]


def _cut(stimulus: Mapping[str, Any], n_steps: int, chunk: int) -> Iterator[Piece]:
    """A whole stimulus in pieces of at most ``chunk`` steps; what is held constant stays as it is."""
    for start in range(0, n_steps, chunk):
        stop = min(start + chunk, n_steps)
        yield {name: _part(given, start, stop) for name, given in stimulus.items()}, stop - start


def _part(given: SpikeRaster | NDArray, start: int, stop: int) -> SpikeRaster | NDArray:
    return given if isinstance(given, np.ndarray) and given.ndim == 2 else given[:, start:stop]
