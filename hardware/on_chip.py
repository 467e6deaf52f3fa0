"""``summary``: what a run's report says of its integer network on a chip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlm_snn.errors import DlmError, UnsupportedError
from dlm_snn.networks.network import IntegerNetwork
from dlm_snn.runs.recording import Recording
from dlm_snn.runs.run_metrics import OnChip
from hardware.chips import Chip, value_of
from hardware.energy import estimate
from hardware.latency import latency
from hardware.layers import Layer
from hardware.messages import Traffic, rates, traffic
from hardware.operations import count
from hardware.placement import Placement, place
from hardware.profiles import profile
from hardware.subset import doubts, obstacles
from hardware.windows import windows

PROVED = 400_000_000
"""Synapses times steps, beyond which the proof that windows are apart takes longer than all else."""
PROFILE = "loihi1-davies2018"
"""No energies of Loihi 2 are public; these are of the chip before it."""


def summary(recording: Recording, stimulus: Mapping[str, Any], chip: Chip) -> OnChip:
    """The network of a run, laid out on a chip, with what the run asked of it.

    Args:
        recording: of an integer network, with all spikes.
        stimulus: what was fed into it.
        chip: one whose packing is known.

    Raises:
        DlmError: a float network; see ``place`` and ``count``.
    """
    network = recording.network
    if not isinstance(network, IntegerNetwork):
        raise DlmError("a chip takes integers: give a recording of an IntegerNetwork")
    placed = place(network, chip)
    busy = traffic(network, placed, rates(recording, stimulus))
    apart, refused = windows_told(network, recording.n_steps)
    against = [*map(str, obstacles(network)), *refused]
    operations = count(recording, stimulus)
    events = operations.input_events / operations.steps
    return OnChip(
        chip=chip.title,
        fits=placed.fits and not against,
        verdict=verdict(placed, len(against)),
        cores=memory(placed),
        messages=_by_population(busy),
        table=tuple(placed.table()),
        changes=tuple(against),
        doubts=doubts(network),
        notes=tuple(
            f"{line[:1].upper()}{line[1:]}."
            for line in (
                f"load: {busy}",
                *apart,
                *str(latency(network, recording.n_steps, events)).splitlines(),
                str(estimate(operations, profile(PROFILE))),
            )
        ),
    )


def windows_told(network: IntegerNetwork, n_steps: int) -> tuple[list[str], list[str]]:
    """How samples follow one another, and what has to change for that; a line each."""
    if sum(p.connection.weight.size for p in network.projections) * n_steps > PROVED:
        return ["windows: not worked out, which would take minutes; hardware.windows does it"], []
    try:
        found = windows(network, n_steps)
    except UnsupportedError as error:
        return [], [str(error)]
    ours = f", with inhibition by an Input of ours ({', '.join(found.events)})" if found.events else ""
    own = set(map(str, obstacles(network)))
    added = [one for one in map(str, obstacles(found.network)) if one not in own]
    return [f"windows: {n_steps} steps, a new sample every {found.period}{ours}"], added


def verdict(placed: Placement, n_obstacles: int) -> str:
    """In a line: whether it fits, and whether it goes there as it is."""
    first = str(placed).splitlines()[0]
    if not n_obstacles:
        return first
    things = "one thing has" if n_obstacles == 1 else f"{n_obstacles} things have"
    return f"{first}; {things} to change first" if placed.fits else f"{first}; and {things} to change"


def memory(placed: Placement) -> dict[str, tuple[float, ...]]:
    """Population -> percent of the memory of each of its cores."""
    return {layer.population: _shares(layer, placed) for layer in placed.layers}


def _shares(layer: Layer, placed: Placement) -> tuple[float, ...]:
    """Percent of each core's words; of its synapse words, where the words in all are not known."""
    whole = value_of(placed.chip.total_words)
    if layer.total is not None and whole is not None:
        return tuple((100 * layer.total / whole).round(2).tolist())
    return tuple((100 * layer.synapses / placed.packing.synapse_words.value).round(2).tolist())


def _by_population(busy: Traffic) -> dict[str, tuple[float, ...]]:
    begin = np.cumsum([0, *(layer.cores for layer in busy.placement.layers)])
    return {
        layer.population: _rounded(busy.reaching[first : first + layer.cores])
        for layer, first in zip(busy.placement.layers, begin.tolist(), strict=False)
    }


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(values.round(2).tolist())
